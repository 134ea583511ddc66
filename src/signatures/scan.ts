import { isJsonObject, type JsonValue, own } from '../values/json.ts';
import { remembered } from '../values/remembered.ts';
import type { Signature } from './signatures.ts';

/** Text of one call that is looked at, UTF-16 units. 65,536, because signatures need not see all to tell of a probe. */
export const mostText = 65_536;

/** Where a signature was seen. Never the text. */
export interface Noticed {
  readonly signature: Signature;
  /** Such as `edits[2].path`; at most 256 characters. */
  readonly path: string;
}

/**
 * Looks for signatures in the texts of a call's arguments, in their order, up to {@link mostText} in all.
 *
 * @returns each signature once, where it was seen first
 */
export function scanArguments(value: JsonValue, signatures: readonly Signature[]): readonly Noticed[] {
  if (signatures.length === 0) return none;
  const scan: Scan = { left: mostText, find: finderOf(signatures), most: signatures.length, noticed: [] };
  visit(value, '', scan);
  return scan.noticed;
}

const none: readonly never[] = Object.freeze([]);

type Find = (text: string) => readonly Signature[];

const finders = new WeakMap<readonly Signature[], Find>();

/** What stands in a text depends on nothing else, and callers repeat themselves. */
function finderOf(signatures: readonly Signature[]): Find {
  let find = finders.get(signatures);
  if (find === undefined) {
    find = remembered((text) => {
      const found = signatures.filter((signature) => signature.test(text));
      return found.length === 0 ? none : found;
    });
    finders.set(signatures, find);
  }
  return find;
}

interface Scan {
  left: number;
  readonly find: Find;
  readonly most: number;
  readonly noticed: Noticed[];
}

function visit(value: JsonValue, path: string, scan: Scan): void {
  if (scan.left <= 0 || scan.noticed.length === scan.most) return;
  if (typeof value === 'string') {
    look(value, path, scan);
  } else if (Array.isArray(value)) {
    for (const [index, element] of (value as readonly JsonValue[]).entries()) {
      visit(element, `${path}[${index}]`, scan);
    }
  } else if (isJsonObject(value)) {
    for (const key of Object.keys(value)) {
      visit(own(value, key) ?? null, path === '' ? key : `${path}.${key}`, scan);
    }
  }
}

function look(text: string, path: string, scan: Scan): void {
  const seen = text.length > scan.left ? text.slice(0, scan.left) : text;
  scan.left -= seen.length;
  // Every signature needs one of these: most texts have none, and cost one search.
  if (!/[^\w ]/.test(seen)) return;
  for (const found of scan.find(seen)) {
    if (scan.noticed.some(({ signature }) => signature === found)) continue;
    scan.noticed.push({ signature: found, path: path.slice(0, 256) });
  }
}
