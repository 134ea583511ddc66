/** What one page of a list says about the whole. */
export interface ListPage {
  /** Who listed: pages of two callers, or of two sessions, are not one list. */
  readonly reader: string;
  /** The cursor that was asked with; undefined for the first page. */
  readonly cursor: string | undefined;
  readonly nextCursor: string | undefined;
  readonly names: readonly string[];
}

/** Lists that are being read at once. When full, the one that was begun longest ago is forgotten. */
const mostListings = 256;

/** Names on all pages of one list; a list beyond is never complete. */
const mostNames = 10_000;

/**
 * Puts pages together into whole lists: what is missing can only be said of a list that was read to its end.
 *
 * @returns a function that gives all names once a page completes a list, and undefined before
 */
export function createListings(): (page: ListPage) => ReadonlySet<string> | undefined {
  const open = new Map<string, { readonly cursor: string; readonly names: ReadonlySet<string> }>();
  return ({ reader, cursor, nextCursor, names }) => {
    const begun = open.get(reader);
    // A page that continues nothing says nothing about the whole. It ends no other list either: readers may overlap.
    if (cursor !== undefined && begun?.cursor !== cursor) return undefined;
    open.delete(reader);
    const all = new Set(cursor === undefined ? names : [...(begun?.names ?? []), ...names]);
    if (nextCursor === undefined) return all;
    if (all.size > mostNames) return undefined;
    open.set(reader, { cursor: nextCursor, names: all });
    if (open.size > mostListings) open.delete(open.keys().next().value!);
    return undefined;
  };
}
