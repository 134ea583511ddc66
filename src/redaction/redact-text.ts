import { finish, type Steps } from '../values/steps.ts';
import { type FindSettings, findSensitive } from './find.ts';
import { findInPieces, longestWhole } from './find-in-pieces.ts';
import { namesSecretValue } from './key-values.ts';
import { joinNeedles, type Needles, prepareNeedles } from './needles.ts';
import { mergeSpans, type RedactionClass, type Span } from './span.ts';
import { createTagger } from './tagger.ts';

/** How often each class was found. */
export type Hits = Map<RedactionClass, number>;

/** The end of a text that may go on in another one. Bounded. */
export interface TextTail {
  readonly text: string;
  /** A private key has begun and not ended. */
  readonly insideKey: boolean;
}

/** Takes what is sensitive out of texts. */
export interface TextRedactor {
  /**
   * The text without what is sensitive in it, or the same text.
   *
   * @param hits counts what was found
   * @param inUri whether the mark must stand in a URI
   */
  text(text: string, classes: ReadonlySet<RedactionClass>, hits: Hits, inUri?: boolean): string;
  /**
   * As `text`, for a text that may continue an earlier one and may go on in a later one.
   *
   * Whatever stands across the border is hidden in the second text; in the first one it is hidden too where its form
   * could already be told.
   */
  next(
    text: string,
    classes: ReadonlySet<RedactionClass>,
    hits: Hits,
    before: TextTail | undefined,
  ): { readonly text: string; readonly tail: TextTail };
  /** As `text`, with places to stop. */
  textSteps(text: string, classes: ReadonlySet<RedactionClass>, hits: Hits, inUri?: boolean): Steps<string>;
  /** As `next`, with places to stop. */
  nextSteps(
    text: string,
    classes: ReadonlySet<RedactionClass>,
    hits: Hits,
    before: TextTail | undefined,
  ): Steps<{ readonly text: string; readonly tail: TextTail }>;
  /** The mark for a value that its key tells to be secret. */
  mark(value: string, found: RedactionClass): string;
  namesSecret(name: string, value: unknown): boolean;
  /** The held secrets, for what is not text. */
  readonly needles: Needles;
}

export interface ContentRedactor extends TextRedactor {
  /** Replaces the held secrets, after a reload. */
  hold(secrets: readonly string[]): void;
  /** One that knows further secrets beside those that are held now. For the messages of one exchange. */
  holding(secrets: readonly string[]): TextRedactor;
}

export interface ContentRedactorSettings {
  /** Key of the tags: equal values get equal tags under one key, and nobody without it can try values out. */
  readonly key: Buffer;
  /** What the gateway holds. */
  readonly secrets?: readonly string[];
  readonly phoneRegion?: string | undefined;
  readonly countries?: readonly string[] | undefined;
}

/** UTF-16 units of one text that are remembered for the next. */
const tailLength = 1024;

/** Prepares the redaction of what is relayed. Pure: the same text and key give the same result. */
export function createContentRedactor(settings: ContentRedactorSettings): ContentRedactor {
  const held = { needles: prepareNeedles(settings.secrets ?? []) };
  return {
    ...createTextRedactor(settings, held),
    get needles() {
      return held.needles;
    },
    hold(secrets) {
      held.needles = prepareNeedles(secrets);
    },
    holding: (secrets) =>
      createTextRedactor(settings, { needles: joinNeedles(held.needles, prepareNeedles(secrets)) }),
  };
}

/** @param held asked anew for each text */
function createTextRedactor(
  settings: ContentRedactorSettings,
  held: { readonly needles: Needles },
): TextRedactor {
  const base: FindSettings = {
    phoneRegion: settings.phoneRegion,
    countries: settings.countries === undefined ? undefined : new Set(settings.countries),
    redact: (text, found) => replaceSpans(text, found, markOf),
  };
  const goingOn: FindSettings = { ...base, goesOn: true };

  const tag = createTagger(settings.key);
  const markOf = (span: Span): string => `[redacted:${span.class}:${tag(span.value)}]`;
  const uriMarkOf = (span: Span): string => `redacted.${span.class}.${tag(span.value)}`;

  /** One look at a text, and the text without what was found. */
  function* look(
    text: string,
    classes: ReadonlySet<RedactionClass>,
    settingsNow: FindSettings,
    write: (span: Span) => string,
    hits: Hits,
    known: readonly Span[] = [],
  ): Steps<{ readonly clean: string; readonly last: Span | undefined }> {
    let output = '';
    let at = 0;
    let last: Span | undefined;
    const take = (span: Span): void => {
      hits.set(span.class, (hits.get(span.class) ?? 0) + 1);
      output += text.slice(at, span.start) + (span.instead ?? write(span));
      at = span.end;
      last = span;
    };
    const parts: string[] = [];
    const steps = findInPieces(text, classes, held.needles, settingsNow, take, known);
    while (!steps.next().done) {
      if (output !== '') {
        // Looked at, so that the engine joins what it has put off joining: all at the end would take long.
        output.charCodeAt(0);
        parts.push(output);
        output = '';
      }
      yield;
    }
    return { clean: last === undefined ? text : parts.join('') + output + text.slice(at), last };
  }

  /** A mark gives its neighbours other borders, so that they may be found now. */
  function* again(
    text: string,
    classes: ReadonlySet<RedactionClass>,
    settingsNow: FindSettings,
    write: (span: Span) => string,
    hits: Hits,
  ): Steps<string> {
    let clean = text;
    for (let round = 1; round < 4; round += 1) {
      const next = yield* look(clean, classes, settingsNow, write, hits);
      if (next.last === undefined) break;
      clean = next.clean;
    }
    return clean;
  }

  function* textSteps(
    text: string,
    classes: ReadonlySet<RedactionClass>,
    hits: Hits,
    inUri = false,
  ): Steps<string> {
    const write = inUri ? uriMarkOf : markOf;
    const { clean, last } = yield* look(text, classes, base, write, hits);
    return last === undefined ? text : yield* again(clean, classes, base, write, hits);
  }

  function* nextSteps(
    text: string,
    classes: ReadonlySet<RedactionClass>,
    hits: Hits,
    before: TextTail | undefined,
  ): Steps<{ readonly text: string; readonly tail: TextTail }> {
    const known = before === undefined ? [] : acrossBorder(before, text, classes, held.needles, goingOn);
    const { clean, last } = yield* look(text, classes, goingOn, markOf, hits, mergeSpans(known));
    const insideKey = last?.open === true && last.end === text.length && last.value.includes('PRIVATE KEY');
    const end = text.length < tailLength ? (before?.text ?? '') + text : text;
    const tail = { text: end.slice(-tailLength), insideKey };
    if (last === undefined) return { text, tail };
    return { text: yield* again(clean, classes, goingOn, markOf, hits), tail };
  }

  return {
    text(text, classes, hits, inUri) {
      // Nearly all texts are short and hold nothing: these need no steps.
      if (text.length <= longestWhole && findSensitive(text, classes, held.needles, base).length === 0) {
        return text;
      }
      return finish(textSteps(text, classes, hits, inUri));
    },
    textSteps,
    next(text, classes, hits, before) {
      if (
        before === undefined &&
        text.length <= longestWhole &&
        findSensitive(text, classes, held.needles, goingOn).length === 0
      ) {
        return { text, tail: { text: text.slice(-tailLength), insideKey: false } };
      }
      return finish(nextSteps(text, classes, hits, before));
    },
    nextSteps,
    mark: (value, found) => `[redacted:${found}:${tag(value)}]`,
    namesSecret: namesSecretValue,
    get needles() {
      return held.needles;
    },
  };
}

/** What begins in the text before and reaches into this one, cut at the border. */
function acrossBorder(
  before: TextTail,
  text: string,
  classes: ReadonlySet<RedactionClass>,
  needles: Needles,
  settings: FindSettings,
): readonly Span[] {
  const border = before.text.length;
  const joined = before.text + text.slice(0, tailLength);
  const spans: Span[] = [];
  // Only where all of the text was looked at is its end the end.
  const { goesOn = false } = settings;
  const whole = { ...settings, goesOn: goesOn && text.length <= tailLength };
  for (const { instead: _instead, ...span } of findSensitive(joined, classes, needles, whole)) {
    if (span.start >= border || span.end <= border) continue;
    spans.push({ ...span, start: 0, end: span.end - border });
  }
  if (before.insideKey) {
    const footer = text.indexOf('-----END');
    const close = footer === -1 ? -1 : text.indexOf('-----', footer + 8);
    const body = /^[A-Za-z0-9+/=\r\n\\-]*/.exec(text)![0].length;
    const end = close === -1 ? body : close + 5;
    if (end > 0) {
      const open = close === -1 && end === text.length;
      spans.push({ start: 0, end, class: 'secrets', value: 'PRIVATE KEY', ...(open ? { open } : {}) });
    }
  }
  return spans;
}

function replaceSpans(text: string, spans: readonly Span[], write: (span: Span) => string): string {
  let output = '';
  let at = 0;
  for (const span of spans) {
    output += text.slice(at, span.start) + (span.instead ?? write(span));
    at = span.end;
  }
  return output + text.slice(at);
}
