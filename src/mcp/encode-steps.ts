import { isExactNumber, isJsonObject, type JsonObject, type JsonValue } from '../values/json.ts';
import { type Steps, stepSize } from '../values/steps.ts';
import { encodeText, replaceFrame, replaceFrameWith } from './encode.ts';
import type { MessageFrame } from './frame.ts';

/** As `replaceFrame`, with places to stop where the frame that it replaces is large. */
export function* replaceFrameSteps<F extends MessageFrame>(frame: F, value: JsonObject): Steps<F> {
  if (frame.bytes.length <= stepSize) return replaceFrame(frame, value);
  const whole = yield* wellFormedSteps(value);
  const member = frame.kind === 'result' || frame.kind === 'error' ? frame.kind : 'params';
  const inner = whole[member];
  const parts: Buffer[] = [];
  if (inner !== undefined) yield* encodeSteps(inner, parts);
  return replaceFrameWith(frame, whole, Buffer.concat(parts));
}

/** Collects text, and gives it out as bytes in pieces. */
class Collector {
  readonly #parts: Buffer[];
  #text = '';

  constructor(parts: Buffer[]) {
    this.#parts = parts;
  }

  /** @returns whether so much came together that others should have their turn */
  add(text: string): boolean {
    this.#text += text;
    if (this.#text.length < stepSize) return false;
    this.end();
    return true;
  }

  end(): void {
    this.#parts.push(Buffer.from(this.#text, 'utf8'));
    this.#text = '';
  }
}

function* encodeSteps(value: JsonValue, parts: Buffer[]): Steps<void> {
  const collector = new Collector(parts);
  yield* encodeInto(value, collector);
  collector.end();
}

function* encodeInto(value: JsonValue, out: Collector): Steps<void> {
  if (typeof value === 'string' && value.length > stepSize) {
    yield* encodeLong(value, out);
    return;
  }
  if (typeof value !== 'object' || value === null || isExactNumber(value)) {
    if (out.add(encodeText(value))) yield;
    return;
  }
  const isList = Array.isArray(value);
  let divider = isList ? '[' : '{';
  for (const [key, member] of Object.entries(value as JsonObject)) {
    if (member === undefined) continue;
    out.add(isList ? divider : `${divider}${encodeText(key)}:`);
    divider = ',';
    // A generator for each value costs more than most values do.
    if (isLeaf(member)) {
      if (out.add(encodeText(member))) yield;
    } else yield* encodeInto(member, out);
  }
  if (divider !== ',') out.add(divider);
  out.add(isList ? ']' : '}');
}

function isLeaf(value: JsonValue): boolean {
  if (typeof value === 'string') return value.length <= stepSize;
  return typeof value !== 'object' || value === null || isExactNumber(value);
}

function* encodeLong(text: string, out: Collector): Steps<void> {
  out.add('"');
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + stepSize);
    // The halves of a pair stay together: alone, each would be escaped.
    if (end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) end -= 1;
    if (out.add(encodeText(text.slice(start, end)).slice(1, -1))) yield;
    start = end;
  }
  out.add('"');
}

/** A deep copy whose strings and keys are all whole. */
function* wellFormedSteps(value: JsonObject): Steps<JsonObject> {
  const copied = yield* copy(value, { units: 0 });
  return copied as JsonObject;
}

function* copy(value: JsonValue, cost: { units: number }): Steps<JsonValue> {
  if (typeof value === 'string') {
    cost.units += value.length;
    return value.toWellFormed();
  }
  if (typeof value !== 'object' || value === null || isExactNumber(value)) return value;
  cost.units += 256;
  if (Array.isArray(value)) {
    const list: JsonValue[] = [];
    for (const item of value as readonly JsonValue[]) {
      list.push(isPlain(item, cost) ? item : yield* copy(item, cost));
      if (isDue(cost)) yield;
    }
    return list;
  }
  if (!isJsonObject(value)) return value;
  const object: Record<string, JsonValue> = {};
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    object[key.toWellFormed()] = isPlain(member, cost) ? member : yield* copy(member, cost);
    if (isDue(cost)) yield;
  }
  return object;
}

/** Whether a value stays as it is: most do, and a generator for each would cost more than they. */
function isPlain(value: JsonValue, cost: { units: number }): boolean {
  cost.units += 64;
  if (typeof value === 'string') {
    if (value.length > stepSize) return false;
    cost.units += value.length;
    return value.isWellFormed();
  }
  return typeof value !== 'object' || value === null || isExactNumber(value);
}

function isDue(cost: { units: number }): boolean {
  if (cost.units < 1_000_000) return false;
  cost.units = 0;
  return true;
}
