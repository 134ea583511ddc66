import { isJsonObject, type JsonValue, own } from '../values/json.ts';

/** What one server may list. */
export interface ListBounds {
  /** Tools over all pages. */
  readonly tools: number;
  /** Bytes of each schema of one tool, as JSON. */
  readonly schemaBytes: number;
}

/** As {@link ListBounds}, for the gateway's own look. */
export interface LookBounds extends ListBounds {
  /** Bytes of all that one look brings back. */
  readonly bytes: number;
}

/** As the options `limits.lists` have it, where their reasons stand. */
export const defaultLookBounds: LookBounds = Object.freeze({
  tools: 2000,
  schemaBytes: 256 * 1024,
  bytes: 32 * 1024 * 1024,
});

export interface BoundedPage {
  /** What stays, in the order in which it came. */
  readonly kept: readonly JsonValue[];
  /** Entries that are beyond the most that one server may list. */
  readonly beyond: number;
  /** Names of tools that were taken out for the size of a schema; `` where one has no name. */
  readonly tooLarge: readonly string[];
}

const schemas = ['inputSchema', 'outputSchema'] as const;

/**
 * Holds one page of a list of tools to its bounds, the same for clients and for the gateway's own look: what is beyond
 * them does not exist for either.
 *
 * @param before entries on the pages before this one
 * @param pageBytes of the message that holds the page: a schema cannot be larger
 */
export function boundTools(
  entries: readonly JsonValue[],
  before: number,
  pageBytes: number,
  bounds: ListBounds,
): BoundedPage {
  const room = Math.max(0, bounds.tools - before);
  const listed = entries.length > room ? entries.slice(0, room) : entries;
  const beyond = entries.length - listed.length;
  if (pageBytes <= bounds.schemaBytes) return { kept: listed, beyond, tooLarge: none };
  const tooLarge: string[] = [];
  const kept = listed.filter((entry) => {
    if (!isJsonObject(entry)) return true;
    const isLarge = schemas.some((member) => isLarger(own(entry, member), bounds.schemaBytes));
    if (isLarge) {
      const name = own(entry, 'name');
      tooLarge.push(typeof name === 'string' ? name : '');
    }
    return !isLarge;
  });
  return { kept, beyond, tooLarge };
}

const none: readonly string[] = Object.freeze([]);

function isLarger(schema: JsonValue | undefined, most: number): boolean {
  return schema !== undefined && Buffer.byteLength(JSON.stringify(schema)) > most;
}
