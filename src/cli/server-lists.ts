import { defaultDecodeLimits } from '../mcp/decode.ts';
import { isName } from '../mcp/text.ts';
import { resourceName } from '../mcp/uri.ts';
import { createCatalog } from '../pipeline/create-catalog.ts';
import { type FurtherList, type Look, lookLegacy, lookModern } from '../pipeline/look-at-list.ts';
import type { UpstreamPort } from '../pipeline/upstream-port.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/** All that a server lists. */
export interface ServerLists {
  readonly tools: ReadonlyMap<string, JsonObject>;
  readonly prompts: readonly string[];
  /** URIs in their normal form. */
  readonly resources: readonly string[];
  /** URI templates, as the server writes them. */
  readonly templates: readonly string[];
}

/** 20 s for all lists of one server. */
const timeoutMs = 20_000;

/** Reads the lists of a server in the era that it speaks; undefined where it gives none that has an end. */
export async function readServerLists(port: UpstreamPort): Promise<ServerLists | undefined> {
  for (const look of [lookModern, lookLegacy]) {
    const tools = new Map<string, JsonObject>();
    const [prompts, resources, templates] = [new Set<string>(), new Set<string>(), new Set<string>()];
    const known = createCatalog();
    const further: readonly FurtherList[] = [
      { method: 'prompts/list', member: 'prompts', learn: (all) => collect(all, 'name', prompts) },
      { method: 'resources/list', member: 'resources', learn: (all) => collect(all, 'uri', resources) },
      {
        method: 'resources/templates/list',
        member: 'resourceTemplates',
        learn: (all) => collect(all, 'uriTemplate', templates),
      },
    ];
    const asked: Look = {
      port,
      limits: defaultDecodeLimits,
      signal: AbortSignal.timeout(timeoutMs),
      further,
      catalog: {
        ...known,
        learnTools(learnt) {
          for (const { name, definition } of learnt) if (isName(name)) tools.set(name, definition);
        },
      },
    };
    const reading = await look(asked).catch(() => 'none' as const);
    if (reading === 'whole') {
      return { tools, prompts: [...prompts], resources: normalised(resources), templates: [...templates] };
    }
    if (reading === 'cut') return undefined;
  }
  return undefined;
}

/** Names of strangers: what is not a name is not worth a rule. */
function collect(entries: readonly JsonValue[], key: string, into: Set<string>): void {
  for (const entry of entries) {
    const name = isJsonObject(entry) ? own(entry, key) : undefined;
    if (typeof name === 'string' && (key !== 'name' || isName(name))) into.add(name);
  }
}

function normalised(uris: ReadonlySet<string>): readonly string[] {
  return [...uris].flatMap((uri) => {
    const name = resourceName(uri);
    return name.ok ? [name.value] : [];
  });
}
