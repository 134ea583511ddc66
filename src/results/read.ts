import type { Hits, TextRedactor, TextTail } from '../redaction/redact-text.ts';
import { type CharacterClass, isPlain } from '../values/characters.ts';
import { findInSteps, stripInSteps } from '../values/characters-in-steps.ts';
import { finish, type Steps, stepSize } from '../values/steps.ts';
import type { ResultPlan } from './plan.ts';

/** What a plan makes of one text, and what it found. */
export interface Read {
  /** The text as it may go on. */
  readonly text: string;
  readonly refused: CharacterClass | undefined;
  readonly stripped: ReadonlyMap<CharacterClass, number>;
  readonly hits: Hits;
  readonly escaped: boolean;
}

/** Reads texts as a plan asks. */
export interface Reader {
  text(text: string, inUri: boolean): Read;
  /** A text that may continue one whose end is given. */
  streamed(text: string, before: TextTail | undefined): { readonly read: Read; readonly tail: TextTail };
  /** The digits of a number. */
  digits(text: string): Read;
}

/** Reads each text when it is asked for. */
export function createReader(plan: ResultPlan, redactor: TextRedactor): Reader {
  const { refuseClasses, stripClasses, redactClasses } = plan;
  /** Nothing in the text is unseen, to be escaped or to be hidden: so it is with nearly all of them. */
  const isHarmless = (text: string, inUri: boolean): boolean =>
    text.length <= shortText &&
    (refuseClasses.size + stripClasses.size === 0 || isPlain(text)) &&
    (inUri || plan.escapeHtml === undefined || !special.test(text));
  return {
    text(text, inUri) {
      if (!isHarmless(text, inUri)) return finish(readText(text, inUri, plan, redactor));
      if (redactClasses.size === 0) return unchanged(text);
      const hits: Hits = new Map();
      const clean = redactor.text(text, redactClasses, hits, inUri);
      if (clean === text) return unchanged(text);
      const escaped = inUri || plan.escapeHtml === undefined ? clean : finish(escapeHtml(clean));
      return { text: escaped, refused: undefined, stripped: none, hits, escaped: escaped !== clean };
    },
    streamed(text, before) {
      if (!isHarmless(text, false)) return finish(readStreamed(text, before, plan, redactor));
      const hits: Hits = new Map();
      const { text: clean, tail } = redactor.next(text, redactClasses, hits, before);
      if (clean === text) return { read: unchanged(text), tail };
      const escaped = plan.escapeHtml === undefined ? clean : finish(escapeHtml(clean));
      return {
        read: { text: escaped, refused: undefined, stripped: none, hits, escaped: escaped !== clean },
        tail,
      };
    },
    digits(text) {
      const hits: Hits = new Map();
      const clean = redactor.text(text, redactClasses, hits);
      return { text: clean, refused: undefined, stripped: none, hits, escaped: false };
    },
  };
}

/** 4 Ki units: beyond, what the steps cost beside the reading is nothing. */
const shortText = 4096;

function unchanged(text: string): Read {
  return { text, refused: undefined, stripped: none, hits: noHits, escaped: false };
}

export function* readText(
  text: string,
  inUri: boolean,
  plan: ResultPlan,
  redactor: TextRedactor,
): Steps<Read> {
  const seen = yield* characters(text, plan);
  const hits: Hits = new Map();
  const clean =
    plan.redactClasses.size === 0
      ? seen.text
      : yield* redactor.textSteps(seen.text, plan.redactClasses, hits, inUri);
  return yield* finished(seen, clean, hits, inUri, plan);
}

export function* readStreamed(
  text: string,
  before: TextTail | undefined,
  plan: ResultPlan,
  redactor: TextRedactor,
): Steps<{ readonly read: Read; readonly tail: TextTail }> {
  const seen = yield* characters(text, plan);
  const hits: Hits = new Map();
  const { text: clean, tail } = yield* redactor.nextSteps(seen.text, plan.redactClasses, hits, before);
  return { read: yield* finished(seen, clean, hits, false, plan), tail };
}

export function* readDigits(text: string, plan: ResultPlan, redactor: TextRedactor): Steps<Read> {
  const hits: Hits = new Map();
  const clean = yield* redactor.textSteps(text, plan.redactClasses, hits);
  return { text: clean, refused: undefined, stripped: none, hits: shared(hits), escaped: false };
}

const none: ReadonlyMap<CharacterClass, number> = new Map();
const noHits: Hits = new Map();

/**
 * The same counts as one thing, where many texts have them: a message may have a hundred thousand, each of which is kept
 * until all are read, and to collect garbage takes as long as much is kept.
 */
function shared(hits: Hits): Hits {
  if (hits.size === 0) return noHits;
  let name = '';
  for (const [found, count] of hits) name += `${found} ${count} `;
  const known = sharedHits.get(name);
  if (known !== undefined) return known;
  if (sharedHits.size >= mostShared) sharedHits.clear();
  sharedHits.set(name, hits);
  return hits;
}

const sharedHits = new Map<string, Hits>();
const mostShared = 256;

interface Seen {
  readonly text: string;
  readonly refused: CharacterClass | undefined;
  readonly stripped: ReadonlyMap<CharacterClass, number>;
}

function* characters(text: string, plan: ResultPlan): Steps<Seen> {
  const refused = plan.refuseClasses.size === 0 ? undefined : yield* findInSteps(text, plan.refuseClasses);
  if (plan.stripClasses.size === 0) return { text, refused, stripped: none };
  const stripped = new Map<CharacterClass, number>();
  const clean = yield* stripInSteps(text, plan.stripClasses, (which, count) => stripped.set(which, count));
  return { text: clean, refused, stripped };
}

function* finished(seen: Seen, clean: string, hits: Hits, inUri: boolean, plan: ResultPlan): Steps<Read> {
  const { refused, stripped } = seen;
  const text = inUri || plan.escapeHtml === undefined ? clean : yield* escapeHtml(clean);
  return {
    text,
    refused,
    stripped: stripped.size === 0 ? none : stripped,
    hits: shared(hits),
    escaped: text !== clean,
  };
}

const special = /[&<>"']/;

function* escapeHtml(text: string): Steps<string> {
  if (text.length <= stepSize) return escapePiece(text);
  const parts: string[] = [];
  for (let start = 0; start < text.length; start += stepSize) {
    parts.push(escapePiece(text.slice(start, start + stepSize)));
    yield;
  }
  return parts.join('');
}

function escapePiece(text: string): string {
  if (!special.test(text)) return text;
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
