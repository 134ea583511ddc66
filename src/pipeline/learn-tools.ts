import { mirroredArgumentsOf } from '../mcp/headers.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { Catalog, CatalogTool } from './catalog.ts';

/** What a list teaches of one entry; undefined where it has no name. */
export function catalogToolOf(entry: JsonValue): CatalogTool | undefined {
  if (!isJsonObject(entry)) return undefined;
  const name = own(entry, 'name');
  if (typeof name !== 'string') return undefined;
  return {
    name,
    mirroredArguments: mirroredArgumentsOf(own(entry, 'inputSchema') ?? null),
    definition: entry,
  };
}

/**
 * Learns the tools of one page of a list: the one way in which lists teach, whoever asked for them.
 *
 * @returns what was learnt, by the entry that taught it
 */
export function learnTools(
  catalog: Catalog,
  entries: readonly JsonValue[],
): ReadonlyMap<JsonValue, CatalogTool> {
  const tools = new Map<JsonValue, CatalogTool>();
  for (const entry of entries) {
    const tool = catalogToolOf(entry);
    if (tool !== undefined) tools.set(entry, tool);
  }
  catalog.learnTools(tools.values());
  return tools;
}

/** Learns what a server says of itself to models. */
export function learnInstructions(catalog: Catalog, result: JsonObject): void {
  const instructions = own(result, 'instructions');
  if (typeof instructions === 'string') catalog.learnInstructions(instructions);
}
