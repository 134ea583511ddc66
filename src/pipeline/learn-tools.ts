import { mirroredArgumentsOf } from '../mcp/headers.ts';
import { definitionHash } from '../pins/canonical.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { type Steps, stepSize } from '../values/steps.ts';
import type { Catalog, CatalogTool } from './catalog.ts';
import { digestOf } from './definition-digest.ts';

const known = new WeakMap<JsonObject, CatalogTool>();

/** What a list teaches of one entry; undefined where it has no name. */
export function catalogToolOf(entry: JsonValue): CatalogTool | undefined {
  if (!isJsonObject(entry)) return undefined;
  const before = known.get(entry);
  if (before !== undefined) return before;
  const name = own(entry, 'name');
  if (typeof name !== 'string') return undefined;
  const tool = {
    name,
    mirroredArguments: mirroredArgumentsOf(own(entry, 'inputSchema') ?? null),
    definition: entry,
  };
  known.set(entry, tool);
  return tool;
}

/**
 * Works out beforehand, with places to stop, what learning and comparing definitions asks of each: a list may have some
 * megabytes of them.
 */
export function* readDefinitions(entries: readonly JsonValue[]): Steps<void> {
  let bytes = 0;
  for (const entry of entries) {
    if (!isJsonObject(entry) || catalogToolOf(entry) === undefined) continue;
    const large = digestOf(entry).bytes;
    // A large one in two steps, many small ones in one.
    if (large > stepSize) yield;
    definitionHash(entry);
    bytes += large;
    if (bytes < stepSize) continue;
    bytes = 0;
    yield;
  }
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
