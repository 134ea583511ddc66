import type { Steps } from '../values/steps.ts';
import { isRunCharacter } from './features.ts';
import { type FindSettings, findSensitive } from './find.ts';
import { findHeld, type Needles } from './needles.ts';
import { mergeSpans, type RedactionClass, type Span } from './span.ts';

/** 24 Ki units are searched at once: where all of it is sensitive, that takes some 20 ms. */
export const longestWhole = 24_576;
/** A longer text is searched in pieces of this length, */
const pieceLength = 16_384;
/** each with so much of what stands before and behind it: no form but keys and tokens is longer, and these are followed. */
const overlap = 1536;
/** How far a token is followed beyond its piece: no server takes a longer one in a header. */
const longestToken = 16_384;

/**
 * As `findSensitive`, with places to stop in a long text. What is found is handed on at once, in turn: a text may hold a
 * million of them.
 *
 * A find belongs to the piece in which it begins. Base64 that goes beyond its piece is not written anew: the letters that
 * carry a find are hidden.
 *
 * @param take gets each span; none overlaps another
 * @param known spans at the beginning of the text that count as found
 */
export function* findInPieces(
  text: string,
  classes: ReadonlySet<RedactionClass>,
  needles: Needles,
  settings: FindSettings,
  take: (span: Span) => void,
  known: readonly Span[] = [],
): Steps<void> {
  if (text.length <= longestWhole) {
    const found = findSensitive(text, classes, needles, settings);
    for (const span of known.length === 0 ? found : mergeSpans([...known, ...found])) take(span);
    return;
  }
  const held = yield* findHeldInSteps(text, classes, needles);
  const budget = { phones: mostPhones };
  let pending: readonly Span[] = known;
  let nextHeld = 0;
  let hiddenUntil = 0;
  let runStart = 0;
  for (let start = 0; start < text.length; ) {
    const end = Math.min(text.length, start + pieceLength);
    const found: Span[] = [...pending];
    while (nextHeld < held.length && held[nextHeld]!.start < end) found.push(held[nextHeld++]!);
    runStart = startOfRun(text, start, runStart);
    const wanted = Math.max(0, start - overlap);
    // Groups of four letters of base64 stay together.
    const from = Math.max(0, wanted - (Math.max(0, wanted - runStart) % 4));
    const to = Math.min(text.length, end + overlap);
    if (hiddenUntil < end) {
      const piece = text.slice(from, to);
      const isLast = to === text.length;
      const goesOn = settings.goesOn === true && isLast;
      const cut = { left: from > 0, right: !isLast };
      for (const span of findSensitive(piece, classes, needles, { ...settings, goesOn, cut, budget })) {
        const moved = { ...span, start: span.start + from, end: span.end + from };
        if (moved.start < Math.max(start, hiddenUntil) || moved.start >= end) continue;
        const whole = moved.end < to || isLast ? moved : followed(moved, text);
        hiddenUntil = Math.max(hiddenUntil, whole.end);
        found.push(whole);
      }
    }
    const merged = mergeSpans(found);
    // What begins in the next piece may overlap the last of this one.
    for (let i = 0; i < merged.length - 1; i += 1) take(merged[i]!);
    pending = merged.slice(-1);
    start = end;
    yield;
  }
  for (const span of pending) take(span);
}

/** Held secrets may be longer than what two pieces share; to look for them all along costs next to nothing. */
function* findHeldInSteps(
  text: string,
  classes: ReadonlySet<RedactionClass>,
  needles: Needles,
): Steps<readonly Span[]> {
  const found: Span[] = [];
  if (!classes.has('secrets')) return found;
  for (const needle of needles.texts) {
    findHeld(text, { ...needles, texts: [needle] }, found);
    yield;
  }
  return mergeSpans(found);
}

/** As many candidates for phone numbers as one text may cost. */
const mostPhones = 500;

/** Where the run of letters begins that goes on at `at`; `before` is what it was at the piece before. */
function startOfRun(text: string, at: number, before: number): number {
  let start = at;
  const least = Math.max(before, at - pieceLength - overlap);
  while (start > least && isRunCharacter(text.charCodeAt(start - 1))) start -= 1;
  return start === least ? before : start;
}

/** What ends with its piece may go on behind it. */
function followed(span: Span, text: string): Span {
  const { instead: _instead, open: _open, ...plain } = span;
  const isWritten = plain.value === text.slice(plain.start, plain.end);
  const to = (end: number, open: boolean): Span => ({
    ...plain,
    end,
    // The whole of it: equal values get equal tags, wherever they stand.
    ...(isWritten ? { value: text.slice(plain.start, end) } : {}),
    ...(open ? { open } : {}),
  });
  if (plain.value.includes('PRIVATE KEY')) {
    const footer = text.indexOf('-----END', plain.end - '-----END'.length);
    const close = footer === -1 ? -1 : text.indexOf('-----', footer + 8);
    return close === -1 ? to(text.length, true) : to(close + 5, false);
  }
  let { end } = plain;
  while (end < text.length && end - plain.start < longestToken && isRunCharacter(text.charCodeAt(end)))
    end += 1;
  return to(end, end === text.length);
}
