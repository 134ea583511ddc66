import type { MethodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { ResultTarget } from './result-target.ts';

/** Tasks whose call is remembered: a minute of calls at 150 per second. Beyond, the oldest is forgotten. */
const mostTasks = 10_000;
/** Files of skills that are remembered for each upstream: some tens of skills of many files. */
const mostFiles = 20_000;

/** Which call a task came from: its result comes later, as the answer to a question that names only the task. */
export interface KnownTasks {
  learn(result: JsonObject, target: ResultTarget, exchange: Exchange): void;
  find(taskId: unknown, exchange: Exchange): ResultTarget | undefined;
}

export function createKnownTasks(): KnownTasks {
  const known = new Map<string, ResultTarget>();
  const keyOf = (taskId: string, { upstream, principal }: Exchange): string =>
    `${upstream}\n${principal.id}\n${taskId}`;
  return {
    learn(result, target, exchange) {
      // 2025-11-25 puts it into a member, the extension of 2026-07-28 into the result itself.
      const task = own(result, 'task');
      const taskId = own(isJsonObject(task) ? task : result, 'taskId');
      if (typeof taskId !== 'string' || taskId.length > 256) return;
      if (known.size >= mostTasks) known.delete(known.keys().next().value!);
      known.set(keyOf(taskId, exchange), target);
    },
    find: (taskId, exchange) => (typeof taskId === 'string' ? known.get(keyOf(taskId, exchange)) : undefined),
  };
}

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
