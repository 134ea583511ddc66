import { findBase64 } from './base64.ts';
import { findCards } from './cards.ts';
import { findEmails } from './emails.ts';
import { type Find, findJsonEscaped, findPercentEncoded } from './encoded.ts';
import { type Features, featuresOf } from './features.ts';
import { findIbans } from './ibans.ts';
import { findKeyValues } from './key-values.ts';
import { findNationalNumbers } from './national-numbers.ts';
import { findHeld, findHeldBeginning, findHeldBytes, type Needles } from './needles.ts';
import { findPhones } from './phones.ts';
import { mergeSpans, type RedactionClass, type Span } from './span.ts';
import { findStructured } from './structured-secrets.ts';
import { findTokenBeginning, findTokens } from './tokens.ts';

/** What the search has to know beside the text. */
export interface FindSettings {
  /** ISO 3166 code of the country whose numbers are written without a country code. */
  readonly phoneRegion?: string | undefined;
  /** Countries whose national numbers are looked for. Absent: all that are known. */
  readonly countries?: ReadonlySet<string> | undefined;
  /** Whether the text may go on elsewhere: secrets that it ends in the middle of are found as well. */
  readonly goesOn?: boolean;
  /** What base64 of a text is to say instead. Absent: the letters themselves are the find. */
  readonly redact?: (text: string, found: readonly Span[]) => string;
  /** Whether the text is a piece that was cut out of a longer one: what touches a cut is not whole. */
  readonly cut?: { readonly left: boolean; readonly right: boolean };
  /** What the search may still cost, where several texts share it. */
  readonly budget?: { phones: number };
}

/**
 * Finds what is sensitive in a text: as it stands, behind JSON or percent escapes, and in base64, each resolved once.
 * In time linear in the length of the text.
 *
 * What a redaction left behind is never found again.
 *
 * @returns spans in turn, none overlapping another
 */
export function findSensitive(
  text: string,
  classes: ReadonlySet<RedactionClass>,
  needles: Needles,
  settings: FindSettings = {},
): readonly Span[] {
  if (text.length < shortestFind || classes.size === 0) return none;
  const features = featuresOf(text);
  if (isShortWord(text, features)) return findInWord(text, classes, needles, settings);
  const find: Find = (plain) =>
    outsideMarks(plain, findPlain(plain, featuresOf(plain), classes, needles, settings));
  const findInBytes: Find = (bytes) => {
    const found = [...find(bytes)];
    // Escapes spell bytes, and a letter may be several.
    if (classes.has('secrets')) findHeldBytes(bytes, needles, found);
    return found;
  };
  const spans = findPlain(text, features, classes, needles, settings);
  if (settings.goesOn && classes.has('secrets')) {
    findHeldBeginning(text, needles, spans);
    findTokenBeginning(text, spans);
  }
  if (features.hasPercent) findPercentEncoded(text, findInBytes, spans);
  if (features.hasBackslash) findJsonEscaped(text, find, spans);
  findBase64(
    text,
    features.runs,
    (plain) => mergeSpans(find(plain)),
    settings.redact ?? ((plain) => plain),
    spans,
    settings.cut,
  );
  return spans.length === 0 ? none : mergeSpans(outsideMarks(text, spans));
}

/** Most texts are names and words: in these only what is held, in part or whole, can stand. */
function isShortWord(
  text: string,
  { digits, hasAt, hasPercent, hasBackslash, hasDivider }: Features,
): boolean {
  // `Basic` and its credential.
  return text.length < 14 && digits < 2 && !hasAt && !hasPercent && !hasBackslash && !hasDivider;
}

function findInWord(
  text: string,
  classes: ReadonlySet<RedactionClass>,
  needles: Needles,
  settings: FindSettings,
): readonly Span[] {
  if (!classes.has('secrets')) return none;
  const spans: Span[] = [];
  findHeld(text, needles, spans);
  if (settings.goesOn) {
    findHeldBeginning(text, needles, spans);
    findTokenBeginning(text, spans);
  }
  return spans.length === 0 ? none : mergeSpans(spans);
}

const none: readonly Span[] = Object.freeze([]);
/** `a@b.co`. */
const shortestFind = 6;

/** Fewest digits of a phone number, and of a national one. */
const fewestDigits = 6;
const cardDigits = 14;

function findPlain(
  text: string,
  features: Features,
  classes: ReadonlySet<RedactionClass>,
  needles: Needles,
  settings: FindSettings,
): Span[] {
  const spans: Span[] = [];
  const { digits, runs } = features;
  if (classes.has('secrets')) {
    findHeld(text, needles, spans);
    findTokens(text, runs, spans);
    findStructured(text, runs, spans);
  }
  if (features.hasDivider && classes.has('keys')) findKeyValues(text, spans);
  if (features.hasAt && classes.has('emails')) findEmails(text, spans);
  if (digits >= cardDigits && classes.has('cards')) findCards(text, spans);
  if (digits >= 2 && classes.has('ibans')) findIbans(text, spans);
  if (digits < fewestDigits) return spans;
  if (classes.has('phones')) findPhones(text, settings.phoneRegion, spans, settings.budget);
  if (classes.has('nationalNumbers')) findNationalNumbers(text, settings.countries, spans);
  return spans;
}

/** What stands in place of a find, in text and in URIs. */
const mark = /\[redacted:[A-Za-z]{4,16}:[0-9a-f]{8}\]|redacted\.[A-Za-z]{4,16}\.[0-9a-f]{8}/g;

function outsideMarks(text: string, spans: Span[]): Span[] {
  if (spans.length === 0 || !text.includes('redacted')) return spans;
  const marks = [...text.matchAll(mark)].map(({ index, 0: { length } }) => [index, index + length] as const);
  if (marks.length === 0) return spans;
  return spans.filter((span) => span.held || !isInside(span, marks));
}

/** @param marks in turn, none overlapping another: a text may hold as many of them as of finds */
function isInside(span: Span, marks: readonly (readonly [start: number, end: number])[]): boolean {
  let low = 0;
  let high = marks.length;
  // The last mark that does not begin behind the span is the only one that can hold it.
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (marks[middle]![0] <= span.start) low = middle + 1;
    else high = middle;
  }
  const holder = marks[low - 1];
  return holder !== undefined && span.end <= holder[1];
}
