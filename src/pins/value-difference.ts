import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { canonicalJson } from './canonical.ts';
import { textDifference } from './text-difference.ts';
import { visible } from './visible.ts';

/** One thing that differs between two definitions. */
export interface Difference {
  /** Where: `inputSchema.properties.path`, `annotations.readOnlyHint`. */
  readonly path: string;
  /** What, in stable words: `property added`, `type widened`, `text changed`. */
  readonly change: string;
  /** More about it, a line each; everything that is not seen is escaped. */
  readonly details: readonly string[];
}

/** Values that have no meaning of their own here: walked down to what differs. */
export function valueDifferences(
  path: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): readonly Difference[] {
  if (same(before, after)) return [];
  if (typeof before === 'string' && typeof after === 'string') {
    return [{ path, change: 'text changed', details: textDifference(before, after) }];
  }
  if (isJsonObject(before as JsonValue) && isJsonObject(after as JsonValue)) {
    const [old, now] = [before as JsonObject, after as JsonObject];
    return keysOf(old, now).flatMap((key) => valueDifferences(join(path, key), own(old, key), own(now, key)));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item: JsonValue, index) =>
      valueDifferences(`${path}[${index}]`, item, (after as readonly JsonValue[])[index]),
    );
  }
  if (before === undefined || after === undefined) {
    const value = before ?? after;
    const details =
      typeof value === 'string' ? textLines(value, before === undefined ? '+' : '-') : [brief(value)];
    return [{ path, change: changeOf(before, after), details }];
  }
  return [{ path, change: 'changed', details: [`${brief(before)} -> ${brief(after)}`] }];
}

function textLines(text: string, sign: '+' | '-'): readonly string[] {
  const lines = sign === '+' ? textDifference('', text) : textDifference(text, '');
  return lines.filter((line) => line !== '+ ' && line !== '- ');
}

export function changeOf(before: JsonValue | undefined, after: JsonValue | undefined): string {
  if (before === undefined) return 'added';
  return after === undefined ? 'removed' : 'changed';
}

export function same(before: JsonValue | undefined, after: JsonValue | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return before === after || canonicalJson(before) === canonicalJson(after);
}

/** Keys of both, sorted. */
export function keysOf(before: JsonObject, after: JsonObject): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
}

export function join(path: string, key: string): string {
  const step = /^[A-Za-z_$][\w$-]*$/.test(key) ? `.${key}` : `["${visible(key, 100)}"]`;
  return path === '' && step.startsWith('.') ? key : `${path}${step}`;
}

/** A value in a few words: 300 characters hold a usual property with its description. */
export function brief(value: JsonValue | undefined): string {
  return value === undefined ? 'absent' : visible(canonicalJson(value), 300);
}
