import type { MethodRow } from '../mcp/methods.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/** Files of skills that are remembered for each upstream: some tens of skills of many files. */
const mostFiles = 20_000;

/** Which resources are files of skills. */
export interface KnownSkills {
  learn(row: MethodRow, result: JsonObject, upstream: string): void;
  isFile(uri: string, upstream: string): boolean;
}

/** Skills extension: files are resources, conventionally of this scheme; their entries name them with their digests. */
export function createKnownSkills(): KnownSkills {
  const files = new Map<string, Set<string>>();
  const learnFrom = (value: JsonValue | undefined, known: Set<string>): void => {
    if (Array.isArray(value)) for (const entry of value as readonly JsonValue[]) learnFrom(entry, known);
    if (!isJsonObject(value)) return;
    const uri = own(value, 'uri');
    if (typeof uri === 'string' && uri.length <= 4096 && known.size < mostFiles) known.add(uri);
    for (const member of ['skills', 'skill', 'resources', 'files']) learnFrom(own(value, member), known);
  };
  return {
    learn(row, result, upstream) {
      if (!isOfSkills(row)) return;
      const known = files.get(upstream) ?? new Set<string>();
      files.set(upstream, known);
      learnFrom(result, known);
    },
    isFile: (uri, upstream) => /^skill:/i.test(uri) || files.get(upstream)?.has(uri) === true,
  };
}

/** Whether a method belongs to the skills extension. */
export function isOfSkills(row: MethodRow): boolean {
  return row.extension?.endsWith('/skills') === true;
}
