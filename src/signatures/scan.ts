import { isJsonObject, type JsonValue, own } from '../values/json.ts';
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
  const scan: Scan = { left: mostText, wanted: [...signatures], noticed: [] };
  visit(value, '', scan);
  return scan.noticed;
}

const none: readonly Noticed[] = Object.freeze([]);

interface Scan {
  left: number;
  wanted: Signature[];
  readonly noticed: Noticed[];
}

function visit(value: JsonValue, path: string, scan: Scan): void {
  if (scan.left <= 0 || scan.wanted.length === 0) return;
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
  const left = scan.wanted.filter((signature) => {
    if (!signature.test(seen)) return true;
    scan.noticed.push({ signature, path: path.slice(0, 256) });
    return false;
  });
  if (left.length < scan.wanted.length) scan.wanted = left;
}
