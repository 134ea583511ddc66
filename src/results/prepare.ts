import type { TextRedactor, TextTail } from '../redaction/redact-text.ts';
import type { Steps } from '../values/steps.ts';
import { type Cleaner, createCleaner, type Tails } from './clean.ts';
import type { ResultPlan } from './plan.ts';
import { createReader, type Read, type Reader, readDigits, readStreamed, readText } from './read.ts';
import { Report } from './report.ts';

type Wanted =
  | { readonly kind: 'text' | 'uri' | 'digits'; readonly text: string }
  | { readonly kind: 'streamed'; readonly text: string; readonly channel: TextTail | undefined };

/** Units of text that are read between two places to stop, and what each text costs beside its length. */
const unitsPerStep = 16_384;
const unitsPerText = 64;

/**
 * Reads all texts of one large message beforehand, with places to stop: judging it then only looks up what was found.
 *
 * @param guard judges the message with a cleaner: run once to see which texts it will ask for, in which order
 */
export function* prepareTexts(
  guard: (cleaner: Cleaner) => Steps<unknown>,
  plan: ResultPlan,
  redactor: TextRedactor,
  tails: Tails,
): Steps<Reader> {
  const wanted: Wanted[] = [];
  yield* guard(createCleaner(plan, redactor, new Map(tails), new Report(), noting(wanted)));
  yield;
  const known = {
    text: new Map<string, Read>(),
    uri: new Map<string, Read>(),
    digits: new Map<string, Read>(),
  };
  const streamed: {
    readonly text: string;
    readonly before: TextTail | undefined;
    readonly read: Read;
    readonly tail: TextTail;
  }[] = [];
  let units = 0;
  // One message has texts of one channel only: each goes on where the one before ended.
  let before: TextTail | undefined;
  let isFirst = true;
  for (const one of wanted) {
    if (one.kind === 'streamed') {
      if (isFirst) before = one.channel;
      isFirst = false;
      const { read, tail } = yield* readStreamed(one.text, before, plan, redactor);
      streamed.push({ text: one.text, before, read, tail });
      before = tail;
    } else if (!known[one.kind].has(one.text)) {
      const read =
        one.kind === 'digits'
          ? yield* readDigits(one.text, plan, redactor)
          : yield* readText(one.text, one.kind === 'uri', plan, redactor);
      known[one.kind].set(one.text, read);
    }
    units += one.text.length + unitsPerText;
    if (units < unitsPerStep) continue;
    units = 0;
    yield;
  }
  const direct = createReader(plan, redactor);
  let next = 0;
  return {
    text: (text, inUri) => known[inUri ? 'uri' : 'text'].get(text) ?? direct.text(text, inUri),
    digits: (text) => known.digits.get(text) ?? direct.digits(text),
    streamed(text, tail) {
      const prepared = streamed[next];
      if (prepared === undefined || prepared.text !== text || !isSame(prepared.before, tail))
        return direct.streamed(text, tail);
      next += 1;
      return prepared;
    },
  };
}

function isSame(one: TextTail | undefined, other: TextTail | undefined): boolean {
  return one?.text === other?.text && one?.insideKey === other?.insideKey;
}

/** Changes nothing and finds nothing, and remembers what it was asked. */
function noting(wanted: Wanted[]): Reader {
  const unread = (text: string): Read => ({
    text,
    refused: undefined,
    stripped: new Map(),
    hits: new Map(),
    escaped: false,
  });
  return {
    text(text, inUri) {
      wanted.push({ kind: inUri ? 'uri' : 'text', text });
      return unread(text);
    },
    digits(text) {
      wanted.push({ kind: 'digits', text });
      return unread(text);
    },
    streamed(text, channel) {
      wanted.push({ kind: 'streamed', text, channel });
      return { read: unread(text), tail: { text: '', insideKey: false } };
    },
  };
}
