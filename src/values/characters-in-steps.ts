import {
  type CharacterClass,
  countLost,
  findCharacters,
  isLowSurrogate,
  isPlain,
  meant,
  order,
  patterns,
  stripCharacters,
} from './characters.ts';
import type { Steps } from './steps.ts';

/** 32 Ki units: some 5 ms where all of them are to be taken out. A shorter text is read at once. */
const pieceLength = 32_768;
/** How far around a character its meaning is looked for: England's flag takes 14 units, an emoji and its selector 3. */
const context = 32;

interface Left {
  readonly text: string;
  readonly count: number;
}

/** As `stripCharacters`, with places to stop in a long text. */
export function* stripInSteps(
  text: string,
  classes: ReadonlySet<CharacterClass>,
  found: (which: CharacterClass, count: number) => void,
): Steps<string> {
  if (text.length <= pieceLength) return stripCharacters(text, classes, found);
  if (yield* isPlainThroughout(text)) return text;
  let clean = text;
  // One after the other through the whole text: what is taken out brings together what stood on both sides of it.
  for (const which of order) {
    if (!classes.has(which)) continue;
    const left: Left = yield* which === 'ansi' ? withoutSequences(clean) : without(clean, which);
    if (left.count === 0) continue;
    clean = left.text;
    found(which, left.count);
  }
  return clean;
}

/** As `findCharacters`, with places to stop in a long text. */
export function* findInSteps(
  text: string,
  classes: ReadonlySet<CharacterClass>,
): Steps<CharacterClass | undefined> {
  if (text.length <= pieceLength) return findCharacters(text, classes);
  if (yield* isPlainThroughout(text)) return undefined;
  for (const which of order) {
    if (!classes.has(which)) continue;
    for (const [start, end] of pieces(text)) {
      const piece = text.slice(start, end);
      const stands =
        which === 'ansi' ? beginsSequence.test(piece) : stripPiece(text, start, end, which) !== piece;
      if (stands) return which;
      yield;
    }
  }
  return undefined;
}

function* isPlainThroughout(text: string): Steps<boolean> {
  for (const [start, end] of pieces(text)) {
    if (!isPlain(text.slice(start, end))) return false;
    yield;
  }
  return true;
}

/** No piece begins or ends inside of a character. */
function* pieces(text: string): Generator<readonly [start: number, end: number], void, void> {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(text.length, start + pieceLength);
    if (end < text.length && isLowSurrogate(text.charCodeAt(end))) end -= 1;
    yield [start, end];
    start = end;
  }
}

function* without(text: string, which: CharacterClass): Steps<Left> {
  const parts: string[] = [];
  let count = 0;
  for (const [start, end] of pieces(text)) {
    const piece = text.slice(start, end);
    const clean = stripPiece(text, start, end, which);
    if (clean !== piece) count += countLost(piece, clean);
    parts.push(clean);
    yield;
  }
  return count === 0 ? { text, count } : { text: parts.join(''), count };
}

/** One piece without these characters, but for those that mean something where they stand in the whole. */
function stripPiece(text: string, start: number, end: number, which: CharacterClass): string {
  const pattern = patterns[which];
  const piece = text.slice(start, end);
  if (which !== 'tags' && which !== 'invisible') return piece.replace(pattern, '');
  if (piece.search(pattern) === -1) return piece;
  const from = Math.max(0, start - context);
  let left = '';
  let at = start;
  for (const { 0: kept, index } of text.slice(from, end + context).matchAll(meant)) {
    const keptFrom = Math.max(from + index, start);
    const keptTo = Math.min(from + index + kept.length, end);
    if (keptFrom >= end) break;
    if (keptTo <= keptFrom) continue;
    left += text.slice(at, keptFrom).replace(pattern, '') + text.slice(keptFrom, keptTo);
    at = keptTo;
  }
  return left + text.slice(at, end).replace(pattern, '');
}

const beginsSequence = /[\u001b\u0080-\u009f]/;
/** Sequences that are taken out between two places to stop. */
const sequencesPerStep = 4096;

/** A sequence may be as long as the text: no piece of it could tell where it ends. */
function* withoutSequences(text: string): Steps<Left> {
  const parts: string[] = [];
  let part = '';
  let count = 0;
  let plainFrom = 0;
  let stop = pieceLength;
  let stopCount = sequencesPerStep;
  for (let at = 0; at < text.length; ) {
    if (isIntroducer(text.charCodeAt(at))) {
      part += text.slice(plainFrom, at);
      at = endOfSequence(text, at);
      plainFrom = at;
      count += 1;
    } else at += 1;
    if (at < stop && count < stopCount) continue;
    stop = at + pieceLength;
    stopCount = count + sequencesPerStep;
    // Looked at, so that the engine joins what it has put off joining.
    part.charCodeAt(0);
    if (part !== '') parts.push(part);
    part = '';
    yield;
  }
  return count === 0 ? { text, count } : { text: parts.join('') + part + text.slice(plainFrom), count };
}

const escapeCode = 0x1b;

function isIntroducer(code: number): boolean {
  return code === escapeCode || (code >= 0x80 && code <= 0x9f);
}

/** Where the sequence for terminals ends that begins at `at`: says in code what the pattern of `ansi` says. */
function endOfSequence(text: string, at: number): number {
  const code = text.charCodeAt(at);
  const next = text.charCodeAt(at + 1);
  const isEscape = code === escapeCode;
  // CSI.
  if (code === 0x9b || (isEscape && next === 0x5b)) {
    let end = at + (isEscape ? 2 : 1);
    end = skip(text, end, 0x30, 0x3f);
    end = skip(text, end, 0x20, 0x2f);
    return isBetween(text.charCodeAt(end), 0x40, 0x7e) ? end + 1 : end;
  }
  // OSC, DCS, SOS, PM, APC.
  if (isEscape ? isStringEscape(next) : isStringControl(code)) {
    const begin = at + (isEscape ? 2 : 1);
    let end = begin;
    while (end < text.length && text.charCodeAt(end) !== 0x07 && !isIntroducer(text.charCodeAt(end)))
      end += 1;
    const last = text.charCodeAt(end);
    if (last === 0x07 || last === 0x9c) return end + 1;
    return last === escapeCode && text.charCodeAt(end + 1) === 0x5c ? end + 2 : begin;
  }
  if (!isEscape) return at + 1;
  const end = skip(text, at + 1, 0x20, 0x2f);
  return isBetween(text.charCodeAt(end), 0x30, 0x7e) ? end + 1 : end;
}

function skip(text: string, at: number, first: number, last: number): number {
  let end = at;
  while (isBetween(text.charCodeAt(end), first, last)) end += 1;
  return end;
}

/** False behind the end of the text, where the code is no number. */
function isBetween(code: number, first: number, last: number): boolean {
  return code >= first && code <= last;
}

function isStringEscape(code: number): boolean {
  return code === 0x5d || code === 0x50 || code === 0x58 || code === 0x5e || code === 0x5f;
}

function isStringControl(code: number): boolean {
  return code === 0x90 || code === 0x98 || (code >= 0x9d && code <= 0x9f);
}
