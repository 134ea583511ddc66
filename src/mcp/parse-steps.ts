import { type JsonValue, toExactNumber } from '../values/json.ts';
import { type Steps, stepSize } from '../values/steps.ts';

/** Values that are built between two places to stop: some milliseconds. */
const valuesPerStep = 4000;

const digits = '(?:0|[1-9][0-9]*)';
const number = new RegExp(`^-?${digits}(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$`);
const integer = /^-?\d+$/;

/**
 * As `JSON.parse`, with places to stop, for text whose bytes `scan` has passed: depth, keys and numbers are bounded.
 * Integers beyond 2^53 keep their digits.
 *
 * @throws SyntaxError where the text is no JSON
 */
export function* parseSteps(bytes: Buffer): Steps<JsonValue> {
  const cursor = { bytes, at: 0 };
  /** Containers that are open, outermost first, each with the key that its next member gets. */
  const open: {
    readonly list: JsonValue[] | undefined;
    readonly object: Record<string, JsonValue>;
    key: string;
  }[] = [];
  let values = 0;
  skipBlanks(cursor);
  for (;;) {
    let value: JsonValue | undefined;
    const byte = bytes[cursor.at];
    if (byte === 0x7b || byte === 0x5b) {
      cursor.at += 1;
      skipBlanks(cursor);
      const isList = byte === 0x5b;
      const list: JsonValue[] | undefined = isList ? [] : undefined;
      const object: Record<string, JsonValue> = {};
      if (bytes[cursor.at] === (isList ? 0x5d : 0x7d)) {
        cursor.at += 1;
        value = list ?? object;
      } else {
        open.push({ list, object, key: isList ? '' : readKey(cursor) });
        continue;
      }
    } else if (byte === 0x22) {
      const end = endOfText(bytes, cursor.at + 1, cursor.at + stepSize);
      if (end === -1) value = yield* readLong(cursor);
      else {
        value = text(bytes, cursor.at, end + 1);
        cursor.at = end + 1;
      }
    } else value = readScalar(cursor);

    // What is whole goes into what is open; what that closes is whole in turn.
    for (;;) {
      const into = open.at(-1);
      if (into === undefined) {
        skipBlanks(cursor);
        if (cursor.at !== bytes.length) throw new SyntaxError('more than one value');
        return value;
      }
      if (into.list === undefined) into.object[into.key] = value;
      else into.list.push(value);
      skipBlanks(cursor);
      const next = bytes[cursor.at];
      cursor.at += 1;
      if (next === 0x2c) {
        skipBlanks(cursor);
        if (into.list === undefined) into.key = readKey(cursor);
        break;
      }
      if (next !== (into.list === undefined ? 0x7d : 0x5d)) throw new SyntaxError('a container does not end');
      open.pop();
      value = into.list ?? into.object;
    }
    values += 1;
    if (values % valuesPerStep === 0) yield;
  }
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

function skipBlanks(cursor: Cursor): void {
  const { bytes } = cursor;
  let { at } = cursor;
  for (
    let byte = bytes[at];
    byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
    byte = bytes[at]
  )
    at += 1;
  cursor.at = at;
}

function readKey(cursor: Cursor): string {
  if (cursor.bytes[cursor.at] !== 0x22) throw new SyntaxError('a key is no string');
  const end = endOfText(cursor.bytes, cursor.at + 1);
  const key = text(cursor.bytes, cursor.at, end + 1);
  // The scan refuses it; to build it all the same would set a prototype.
  if (key === '__proto__') throw new SyntaxError('a forbidden key');
  cursor.at = end + 1;
  skipBlanks(cursor);
  if (cursor.bytes[cursor.at] !== 0x3a) throw new SyntaxError('a key without a colon');
  cursor.at += 1;
  skipBlanks(cursor);
  return key;
}

/** Position of the closing quote; -1 where there is none before `stop`. */
function endOfText(bytes: Buffer, from: number, stop = bytes.length): number {
  const last = Math.min(stop, bytes.length);
  for (let at = from; at < last; at += 1) {
    const byte = bytes[at];
    if (byte === 0x22) return at;
    if (byte === 0x5c) at += 1;
  }
  if (last === bytes.length) throw new SyntaxError('a string does not end');
  return -1;
}

/** @param start of the opening quote */
function text(bytes: Buffer, start: number, end: number): string {
  for (let at = start + 1; at < end - 1; at += 1) {
    const byte = bytes[at]!;
    if (byte === 0x5c || byte < 0x20 || byte > 0x7e)
      return JSON.parse(bytes.toString('utf8', start, end)) as string;
  }
  return bytes.toString('latin1', start + 1, end - 1);
}

/** A long string, in pieces that cut neither an escape nor a letter. */
function* readLong(cursor: Cursor): Steps<string> {
  const { bytes } = cursor;
  const parts: string[] = [];
  for (let from = cursor.at + 1; ; ) {
    const to = endOfPiece(bytes, from);
    if (to >= bytes.length) throw new SyntaxError('a string does not end');
    parts.push(JSON.parse(`"${bytes.toString('utf8', from, to)}"`) as string);
    from = to;
    if (bytes[to] === 0x22) {
      cursor.at = to + 1;
      return parts.join('');
    }
    yield;
  }
}

/**
 * Where a piece of a long string ends: at its closing quote, or behind so many bytes. Both characters that matter are looked
 * for by the engine, within the piece: over the whole rest, each piece would look through all the others.
 */
function endOfPiece(bytes: Buffer, from: number): number {
  const wanted = Math.min(bytes.length, from + stepSize);
  const piece = bytes.subarray(from, wanted);
  const quote = piece.indexOf(0x22);
  const backslash = piece.indexOf(0x5c);
  let to = quote < 0 ? wanted : from + quote;
  if (backslash >= 0 && from + backslash < to) {
    to = from + backslash;
    while (to < wanted && bytes[to] !== 0x22) to += bytes[to] !== 0x5c ? 1 : bytes[to + 1] === 0x75 ? 6 : 2;
  }
  while ((bytes[to]! & 0xc0) === 0x80) to += 1;
  return to;
}

function readScalar(cursor: Cursor): JsonValue {
  const { bytes, at } = cursor;
  let end = at;
  for (let byte = bytes[end]; byte !== undefined && isWordByte(byte); byte = bytes[end]) end += 1;
  const word = bytes.toString('latin1', at, end);
  cursor.at = end;
  switch (word) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'null':
      return null;
  }
  if (!number.test(word)) throw new SyntaxError('no value');
  const value = Number(word);
  return integer.test(word) && !Number.isSafeInteger(value) ? toExactNumber(word) : value;
}

/** Letters, digits, signs and the point: all that numbers and literals consist of. */
function isWordByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x45 ||
    byte === 0x2b ||
    byte === 0x2d ||
    byte === 0x2e
  );
}
