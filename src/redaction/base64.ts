import { isUtf8 } from 'node:buffer';
import type { Find } from './encoded.ts';
import { shortestRun } from './features.ts';
import type { Span } from './span.ts';

/** Texts in base64, of either alphabet, resolved once. */

const values = new Int8Array(128).fill(-1);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].forEach((letter, value) => {
  values[letter.charCodeAt(0)] = value;
});
values['-'.charCodeAt(0)] = 62;
values['_'.charCodeAt(0)] = 63;

function valueAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? values[code]! : -1;
}

/** Groups of four letters in a row that all spell printable text. Random bytes do so in one of a thousand places. */
const fewestGroups = 3;

/**
 * Adds what stands in base64. Base64 of a text is written anew without it; of anything else the letters that carry it
 * are hidden.
 *
 * @param runs where letters of base64 stand, among others
 * @param redact the decoded text without what `find` found
 * @param cut where the text was cut: letters that touch a cut are never written anew
 */
export function findBase64(
  text: string,
  runs: readonly number[],
  find: Find,
  redact: (text: string, found: readonly Span[]) => string,
  spans: Span[],
  cut: { readonly left: boolean; readonly right: boolean } = { left: false, right: false },
): void {
  let done = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const end = runs[i + 1]!;
    for (let at = Math.max(runs[i]!, done); at < end; ) {
      if (valueAt(text, at) === -1) {
        at += 1;
        continue;
      }
      let stop = at + 1;
      while (stop < end && valueAt(text, stop) !== -1) stop += 1;
      if (stop - at >= shortestRun) {
        stop = endOfFolded(text, stop);
        const padding = text[stop] !== '=' ? 0 : text[stop + 1] === '=' ? 2 : 1;
        const isCut = (cut.left && at === 0) || (cut.right && stop === text.length);
        findInLetters(text.slice(at, stop), at, padding, find, isCut ? undefined : redact, spans);
        done = stop;
      }
      at = stop + 1;
    }
  }
}

const folded = /(?:(?:\r?\n|\\r?\\n|(?:\\r)?\\n)[A-Za-z0-9+/_-]{4,})*/y;

/** Lines of a folded text belong together; the last may be short. */
function endOfFolded(text: string, stop: number): number {
  const next = text[stop];
  if (next !== '\n' && next !== '\r' && next !== '\\') return stop;
  folded.lastIndex = stop;
  return stop + folded.exec(text)![0].length;
}

function findInLetters(
  written: string,
  offset: number,
  padding: number,
  find: Find,
  redact: ((text: string, found: readonly Span[]) => string) | undefined,
  spans: Span[],
): void {
  const isFolded = /[\r\n\\]/.test(written);
  const letters = isFolded ? written.replace(/\\[nr]|[\r\n]/g, '') : written;
  for (let shift = 0; shift < 4; shift += 1) {
    const windows = printableWindows(letters, shift);
    if (windows.length === 0) continue;
    if (shift === 0 && redact !== undefined) {
      const whole = findInText(letters, padding > 0, find, redact);
      if (whole === 'text') return;
      if (whole !== undefined) {
        spans.push({ ...whole, start: offset, end: offset + written.length + padding });
        return;
      }
    }
    for (let i = 0; i < windows.length; i += 2) {
      const from = windows[i]!;
      const bytes = Buffer.from(letters.slice(from, windows[i + 1]), 'base64').toString('latin1');
      for (const { instead: _instead, ...span } of find(bytes)) {
        const start = from + Math.floor((span.start * 4) / 3);
        const end = Math.min(letters.length, from + Math.ceil((span.end * 4) / 3));
        // Where lines were joined the places differ: all of it goes.
        const place = isFolded ? [0, written.length] : [start, end];
        spans.push({ ...span, start: offset + place[0]!, end: offset + place[1]! });
      }
    }
  }
}

/** @returns `text` where it is base64 of a text without finds; undefined where it is not base64 of a text */
function findInText(
  letters: string,
  isPadded: boolean,
  find: Find,
  redact: (text: string, found: readonly Span[]) => string,
): Span | 'text' | undefined {
  const bytes = Buffer.from(letters, 'base64');
  if (!isUtf8(bytes)) return undefined;
  const plain = bytes.toString('utf8');
  if (hasControls(plain)) return undefined;
  const found = find(plain);
  const [first] = found;
  if (first === undefined) return 'text';
  const alphabet = /[-_]/.test(letters) ? 'base64url' : 'base64';
  const encoded = Buffer.from(redact(plain, found), 'utf8').toString(alphabet);
  const bare = encoded.replace(/=+$/, '');
  const instead = isPadded ? bare + '='.repeat((4 - (bare.length % 4)) % 4) : bare;
  const held = found.some((span) => span.held === true);
  return { ...first, ...(held ? { held } : {}), instead };
}

/** `[start, end)` pairs of letters, in groups of four from `shift` on, that can spell printable text, with a group around each. */
function printableWindows(letters: string, shift: number): readonly number[] {
  const windows: number[] = [];
  let count = 0;
  let at = shift;
  for (; at + 3 < letters.length; at += 4) {
    // Each byte below 0x80, and the first no control character but those that lay out text.
    const first = valueAt(letters, at);
    const second = valueAt(letters, at + 1);
    const third = valueAt(letters, at + 2);
    if ((first >= 8 || first === 2 || first === 3) && first < 32 && (second & 8) === 0 && (third & 2) === 0) {
      count += 1;
      continue;
    }
    if (count >= fewestGroups) addWindow(windows, at - count * 4, at, letters.length);
    count = 0;
  }
  if (count >= fewestGroups) addWindow(windows, at - count * 4, letters.length, letters.length);
  return windows;
}

function addWindow(windows: number[], from: number, to: number, length: number): void {
  const start = from >= 4 ? from - 4 : from;
  const end = Math.min(length, to + 4);
  // Windows that touch are one, or each would be looked at twice.
  if (windows.length > 0 && start <= windows.at(-1)!) windows[windows.length - 1] = end;
  else windows.push(start, end);
}

/** Text has no control characters but those that lay it out. */
function hasControls(text: string): boolean {
  return /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text);
}
