import { namesSecretBeside, valueKeys } from '../redaction/key-values.ts';
import { holdsNeedle } from '../redaction/needles.ts';
import type { TextRedactor, TextTail } from '../redaction/redact-text.ts';
import { isExactNumber, isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';
import type { Steps } from '../values/steps.ts';
import type { ResultPlan } from './plan.ts';
import { createReader, type Read, type Reader } from './read.ts';
import type { Report } from './report.ts';

/** Ends of texts that may go on in the next one, by where they come from. */
export type Tails = Map<'result' | 'progress' | 'log', TextTail>;

/** Cleans single texts and values as the plan asks. All give back the same thing where nothing is to be changed. */
export interface Cleaner {
  readonly report: Report;
  readonly plan: ResultPlan;
  readonly redactor: TextRedactor;
  text(text: string, inUri?: boolean): string;
  /** A text that may continue the one before it on the same channel. */
  streamed(text: string, channel: 'result' | 'progress' | 'log'): string;
  /** Data: every text, key and number in it. With places to stop. */
  data(value: JsonValue): Steps<JsonValue>;
}

export function createCleaner(
  plan: ResultPlan,
  redactor: TextRedactor,
  tails: Tails,
  report: Report,
  reader: Reader = createReader(plan, redactor),
): Cleaner {
  /** A file whose digest others know is told about and left alone. One with a secret of the gateway's own goes nowhere. */
  function settle(text: string, clean: string): string {
    if (!report.frozen) return clean;
    const rule = plan.redact.get('secrets');
    if (clean !== text && rule !== undefined && holdsNeedle(text, redactor.needles))
      report.refuse(rule, 'secrets');
    return text;
  }

  function told(text: string, read: Read): string {
    if (read.refused !== undefined) report.refuse(plan.refuse.get(read.refused)!, read.refused);
    if (read.text === text && read.stripped.size + read.hits.size === 0) return text;
    for (const [which, count] of read.stripped) report.add('stripped', plan.strip.get(which), which, count);
    for (const [found, count] of read.hits) report.add('redacted', plan.redact.get(found), found, count);
    if (read.escaped) report.add('rewritten', plan.escapeHtml, 'html');
    return settle(text, read.text);
  }

  function cleanText(text: string, inUri = false): string {
    return told(text, reader.text(text, inUri));
  }

  function streamed(text: string, channel: 'result' | 'progress' | 'log'): string {
    if (!plan.redactClasses.has('secrets')) return cleanText(text);
    const { read, tail } = reader.streamed(text, tails.get(channel));
    tails.set(channel, tail);
    return told(text, read);
  }

  function* data(value: JsonValue): Steps<JsonValue> {
    if (typeof value === 'string') return cleanText(value);
    if (typeof value === 'number') return digits(value, String(value));
    if (typeof value !== 'object' || value === null) return value;
    if (isExactNumber(value)) return digits(value, value.rawJSON);
    if (Array.isArray(value)) return yield* mapItems(value, report, data);
    return yield* record(value as JsonObject);
  }

  function* record(object: JsonObject): Steps<JsonObject> {
    const byName = plan.redactClasses.has('keys');
    const beside = byName && namesSecretBeside(object);
    return yield* mapMembers(object, report, function* (key, member) {
      const secret =
        byName && (redactor.namesSecret(key, member) || (beside && valueKeys.has(key.toLowerCase())));
      return [cleanText(key), yield* secret ? hideAll(member) : data(member)];
    });
  }

  /** What a telling name holds: every text and number, but nothing that only says whether there is one. */
  function* hideAll(value: JsonValue): Steps<JsonValue> {
    if (typeof value === 'string') return isHidden(value) ? value : hide(value);
    if (typeof value === 'number') return hide(String(value));
    if (isExactNumber(value)) return hide(value.rawJSON);
    if (Array.isArray(value)) return yield* mapItems(value, report, hideAll);
    return isJsonObject(value) ? yield* record(value) : value;
  }

  function hide(value: string): string {
    report.add('redacted', plan.redact.get('keys'), 'keys');
    return settle(value, redactor.mark(value, 'keys'));
  }

  function digits(value: JsonValue, text: string): JsonValue {
    if (text.length < 9 || plan.redactClasses.size === 0) return value;
    const read = reader.digits(text);
    if (read.text === text) return value;
    for (const [found, count] of read.hits) report.add('redacted', plan.redact.get(found), found, count);
    return report.frozen ? value : read.text;
  }

  return { report, plan, redactor, text: cleanText, streamed, data };
}

function isHidden(value: string): boolean {
  return value === '' || /^\[redacted:[A-Za-z]+:[0-9a-f]{8}\]$/.test(value);
}

/** The same list where no item changed. */
export function* mapItems(
  items: readonly JsonValue[],
  report: Report,
  change: (item: JsonValue) => Steps<JsonValue>,
): Steps<readonly JsonValue[]> {
  let copy: JsonValue[] | undefined;
  for (const [index, item] of items.entries()) {
    if (report.isLong()) yield;
    report.enter(index);
    const changed = yield* change(item);
    report.leave();
    if (changed !== item) copy ??= items.slice();
    if (copy !== undefined) copy[index] = changed;
  }
  return copy ?? items;
}

/** The same object where neither a key nor a member changed. */
export function* mapMembers(
  object: JsonObject,
  report: Report,
  change: (key: string, member: JsonValue) => Steps<readonly [key: string, member: JsonValue]>,
): Steps<JsonObject> {
  let changed = false;
  const entries: [string, JsonValue][] = [];
  for (const key of Object.keys(object)) {
    const member = object[key];
    if (member === undefined) continue;
    if (report.isLong()) yield;
    report.enter(key);
    const [newKey, newMember] = yield* change(key, member);
    report.leave();
    changed ||= newKey !== key || newMember !== member;
    entries.push([newKey, newMember]);
  }
  if (!changed) return object;
  const copy: Record<string, JsonValue> = {};
  const counts = new Map<string, number>();
  for (const [key, member] of entries) copy[freeKey(copy, key, counts)] = member;
  return copy;
}

/**
 * Two keys that became one must not overwrite one another, and none may become the key that sets a prototype.
 *
 * @param counts the last number given to each: thousands of keys may become one, and each would count from the first
 */
function freeKey(copy: object, key: string, counts: Map<string, number>): string {
  const wanted = key === '__proto__' ? '__proto__~' : key;
  if (!Object.hasOwn(copy, wanted)) return wanted;
  let count = counts.get(wanted) ?? 1;
  let free: string;
  do {
    count += 1;
    free = `${wanted}~${count}`;
  } while (Object.hasOwn(copy, free));
  counts.set(wanted, count);
  return free;
}
