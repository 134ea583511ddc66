const quote = 0x22;
const backslash = 0x5c;
/** After so many bytes without a quote, the engine's own search is faster than a loop, and a copy to search is worth it. */
const nativeSearchAfter = 96;
/** Once there is that copy, it is searched this many bytes after an escape. */
const nativeSearchAgainAfter = 8;

// Positions of the next quote and backslash, remembered over strings: searching anew for each string would
// make a body of many strings cost the square of its length.
let quoteAt = -1;
let backslashAt = -1;
/**
 * The body as one character per byte, made when it is first searched: a call of `indexOf` costs a string a tenth of
 * what it costs a buffer, and text has an escape in every line. Undefined while nothing was searched.
 */
let searched: string | undefined;

/** Reasons why a string does not end where it should, in place of a position. */
export const unterminated = -1;
export const loneSurrogate = -2;
export const badEscape = -3;
/** The string goes on beyond where the scan was to stop; {@link stoppedAt} says where. */
export const stopped = -4;
export let stoppedAt = 0;

/** Must be called before the first string of each body: positions in another body mean nothing. */
export function startStrings(): void {
  quoteAt = -1;
  backslashAt = -1;
}

/** Must be called after the last string of each body: nothing of a frame may stay reachable after it. */
export function forgetStrings(): void {
  searched = undefined;
}

/** What is remembered between the strings of one body, for a scan that goes on later. */
export interface StringMemory {
  readonly quoteAt: number;
  readonly backslashAt: number;
  readonly searched: string | undefined;
}

/** Takes what is remembered out. */
export function takeStrings(): StringMemory {
  const taken = { quoteAt, backslashAt, searched };
  forgetStrings();
  return taken;
}

/** Puts it back. */
export function putStrings(memory: StringMemory): void {
  ({ quoteAt, backslashAt, searched } = memory);
}

/**
 * Finds the end of a string and checks its `\u` escapes for halves of surrogate pairs.
 *
 * @param from first byte after the opening quote, or where it stopped before
 * @param stop where to stop at an escape: between them the search is the engine's own, and quick
 * @returns position of the closing quote, or a negative reason
 */
export function scanString(bytes: Buffer, from: number, stop: number = bytes.length): number {
  const length = bytes.length;
  let position = from;
  let patience = nativeSearchAfter;
  while (position < length) {
    const byte = bytes[position]!;
    if (byte === quote) return position;
    if (byte === backslash) {
      if (position >= stop) {
        stoppedAt = position;
        return stopped;
      }
      if (searched !== undefined) patience = nativeSearchAgainAfter;
      if (bytes[position + 1] !== 0x75) {
        position += 2;
        continue;
      }
      const unit = hexUnit(bytes, position + 2);
      if (unit < 0) return badEscape;
      position += 6;
      if (unit >= 0xd800 && unit <= 0xdfff) {
        if (unit >= 0xdc00) return loneSurrogate;
        if (bytes[position] !== backslash || bytes[position + 1] !== 0x75) return loneSurrogate;
        const low = hexUnit(bytes, position + 2);
        if (low < 0xdc00 || low > 0xdfff) return loneSurrogate;
        position += 6;
      }
      continue;
    }
    position++;
    if (--patience === 0) {
      patience = nativeSearchAfter;
      searched ??= bytes.toString('latin1');
      if (quoteAt < position) quoteAt = find(searched, '"', position);
      if (backslashAt < position) backslashAt = find(searched, '\\', position);
      position = Math.min(quoteAt, backslashAt);
    }
  }
  return unterminated;
}

function find(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from);
  return at === -1 ? text.length : at;
}

/** Four hex digits as a number, or -1. */
function hexUnit(bytes: Buffer, at: number): number {
  let unit = 0;
  for (let index = at; index < at + 4; index++) {
    const byte = bytes[index];
    if (byte === undefined) return -1;
    if (byte >= 0x30 && byte <= 0x39) unit = unit * 16 + byte - 0x30;
    else if (byte >= 0x61 && byte <= 0x66) unit = unit * 16 + byte - 0x57;
    else if (byte >= 0x41 && byte <= 0x46) unit = unit * 16 + byte - 0x37;
    else return -1;
  }
  return unit;
}
