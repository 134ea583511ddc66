import { GatewayError } from '../errors.ts';
import { decodeFrame, decodeFrameInTurns } from '../mcp/decode.ts';
import { encodeError } from '../mcp/encode.ts';
import type { Frame } from '../mcp/frame.ts';
import { closeAnswer } from './close-answer.ts';
import type { Course } from './course.ts';
import { type Ending, endingOfAbort, fail, outcomeOf } from './ending.ts';
import { errorBody } from './error-answer.ts';
import { countDropped, type Exchange } from './exchange.ts';
import { isLongLived } from './long-lived.ts';
import type { Outcome } from './outcome.ts';
import { type Passage, runToClient } from './run.ts';
import { headersToUpstream } from './to-upstream.ts';
import { untilAborted } from './until-aborted.ts';
import { onBehalfOf } from './upstream-caller.ts';
import type { UpstreamEvent } from './upstream-port.ts';

/**
 * Events of one stream that no filter sees: priming events, and on the standalone stream what cannot be decoded. 1000,
 * because a server primes a stream once (2025-11-25), and one that primes it four times a minute may for four hours.
 */
const mostUnjudged = 1000;

/**
 * Relays a stream, event by event, each judged. None of the upstream's own bytes around the frames go through, and
 * nothing is gathered: a slow client holds back the upstream.
 */
export async function relay(events: AsyncIterable<UpstreamEvent>, course: Course): Promise<Ending> {
  const { exchange, sink, signal } = course;
  const { request } = exchange;
  const standalone = request.kind === 'stream-open';
  if (isLongLived(exchange)) await recordOpening(course);
  // The reply of `initialize` waits for its first frame: the session id in its headers is made from that frame.
  const opensSession = request.kind === 'request' && request.method === 'initialize';
  if (!opensSession) sink.open();
  let resumable = false;
  let unjudged = 0;
  for await (const event of events) {
    // What came before the end of the call may still be at hand: whoever must not have it does not get it.
    if (signal.aborted) break;
    if (unjudged === mostUnjudged) return fail('result-too-large', 'too many events that hold no message');
    const eventId = eventIdFor(event, exchange);
    const retry = exchange.era === 'legacy' ? event.retry : undefined;
    resumable ||= eventId !== undefined;
    if (event.data.length === 0) {
      unjudged += 1;
      // The priming event of 2025-11-25: it tells a client from where, and when, to poll.
      if (!opensSession && (eventId !== undefined || retry !== undefined))
        await untilAborted(sink.event(event.data, eventId, retry), signal);
      continue;
    }
    const decoding = decodeFrameInTurns(event.data, course.deps.upstreamDecodeLimits, 'toClient');
    const decoded = decoding instanceof Promise ? await decoding : decoding;
    if (!decoded.ok) {
      if (!standalone) return fail('upstream-invalid', decoded.failure.detail);
      unjudged += 1;
      countDropped(exchange, decoded.failure.code);
      continue;
    }
    const judging = judge(decoded.value, course);
    const judged = judging instanceof Promise ? await judging : judging;
    // Reading on would only feed an upstream that floods.
    if (exchange.facts.spent) return fail('result-too-large', 'the exchange brought back all that it may');
    if (judged === undefined) continue;
    if (judged.kind === 'answer-refused') {
      if (!standalone) return { kind: 'fail', error: judged.error };
      const refusal = await refusalInPlaceOf(decoded.value, judged.error, course);
      if (refusal !== undefined) await untilAborted(sink.event(refusal, eventId, undefined), signal);
      continue;
    }
    const { frame } = judged;
    if (!standalone && (frame.kind === 'result' || frame.kind === 'error')) {
      return { kind: 'answer', frame, status: 200, eventId };
    }
    const slow = sink.event(frame.bytes, eventId, retry);
    if (slow !== undefined) await untilAborted(slow, signal);
  }
  if (signal.aborted) return endingOfAbort(signal);
  // A legacy server may end the stream early and expect the client to poll for the rest (2025-11-25, SSE polling).
  if (standalone || resumable) return { kind: 'ended' };
  return fail('upstream-closed', 'the stream ended without an answer');
}

/**
 * On a resumed stream the question was asked by an earlier exchange, and its client waits for an answer under the id
 * that it gave. The refusal takes the place of the answer and goes through the same filters, which know that id.
 */
async function refusalInPlaceOf(
  answer: Frame,
  error: GatewayError,
  course: Course,
): Promise<Buffer | undefined> {
  if (answer.kind !== 'result' && answer.kind !== 'error') return undefined;
  const bytes = errorBody(error, answer.id);
  const decoded = decodeFrame(bytes, course.deps.upstreamDecodeLimits, 'toClient');
  const judged = decoded.ok ? await judge(decoded.value, course) : undefined;
  return judged?.kind === 'frame' ? judged.frame.bytes : undefined;
}

/** An upstream's event id is a handle that an attacker could replay: it leaves only when it is bound to the session. */
function eventIdFor(event: UpstreamEvent, exchange: Exchange): string | undefined {
  if (event.id === undefined || event.id === '') return undefined;
  return exchange.facts.sealEventId?.(event.id);
}

async function recordOpening(course: Course): Promise<void> {
  const outcome = outcomeOf({ kind: 'ended' }, course, 0, course.upstreamMs ?? 0);
  await recorded({ ...outcome, event: 'stream-opened' }, course);
  course.streamOpened = true;
}

/** What cannot be recorded does not go on. */
async function recorded(outcome: Outcome, course: Course): Promise<void> {
  try {
    await course.deps.recorder.record(outcome);
  } catch (cause) {
    throw new GatewayError('audit-unavailable', { cause });
  }
}

export type Judged =
  | { readonly kind: 'frame'; readonly frame: Exclude<Frame, { kind: 'stream-open' | 'session-end' }> }
  | { readonly kind: 'answer-refused'; readonly error: GatewayError };

/**
 * One frame from the upstream through the filters.
 *
 * @returns undefined where the frame ends here: dropped and counted, or a question that was answered with a refusal
 */
export function judge(frame: Frame, course: Course): Judged | undefined | Promise<Judged | undefined> {
  const running = runToClient(course.deps.filters, frame, course.exchange);
  if (running instanceof Promise) return running.then((passage) => concluded(frame, passage, course));
  return concluded(frame, running, course);
}

function concluded(
  frame: Frame,
  passage: Passage,
  course: Course,
): Judged | undefined | Promise<Judged | undefined> {
  const { exchange } = course;
  if (passage.kind === 'drop') {
    countDropped(exchange, passage.reason);
    return undefined;
  }
  // Over its bounds an exchange ends, and what it ends on is not even worth a record of its own.
  if (passage.kind === 'reject' && exchange.facts.spent) {
    return { kind: 'answer-refused', error: passage.error };
  }
  if (frame.kind === 'request') return question(frame, passage, course);
  if (exchange.facts.questions.length > 0) {
    return recordQuestions(passage, course).then(() => carriedOn(frame, passage, course));
  }
  return carriedOn(frame, passage, course);
}

function carriedOn(
  frame: Frame,
  passage: Exclude<Passage, { kind: 'drop' }>,
  course: Course,
): Judged | undefined {
  const { exchange } = course;
  if (passage.kind === 'reject') {
    if (frame.kind === 'result' || frame.kind === 'error') {
      return { kind: 'answer-refused', error: passage.error };
    }
    countDropped(exchange, passage.error.code);
    return undefined;
  }
  return relayed(passage.frame, course);
}

function relayed(frame: Frame, course: Course): Judged | undefined {
  if (frame.kind === 'stream-open' || frame.kind === 'session-end') return undefined;
  course.framesToClient += 1;
  return { kind: 'frame', frame };
}

/** Questions that ride inside a result, an error or a task. Recorded before they are relayed, as others are. */
async function recordQuestions(passage: Exclude<Passage, { kind: 'drop' }>, course: Course): Promise<void> {
  for (const { method, decision } of course.exchange.facts.questions) {
    await recordQuestion({ method, rule: decision.reasons[0].rule }, passage, course);
  }
}

async function recordQuestion(
  question: NonNullable<Outcome['question']>,
  passage: Exclude<Passage, { kind: 'drop' }>,
  course: Course,
): Promise<void> {
  const { exchange, deps } = course;
  const ending: Ending =
    passage.kind === 'reject' ? { kind: 'fail', error: passage.error } : { kind: 'ended' };
  const outcome = outcomeOf(ending, course, 0, deps.monotonic() - exchange.startedAt);
  await recorded({ ...outcome, event: 'question', question }, course);
}

/**
 * The server asks something of the client (sampling, elicitation, roots; legacy only). Recorded before it is relayed.
 * A refused one is answered here: a server that hears nothing would hold its own caller until a timeout.
 */
async function question(
  frame: Extract<Frame, { kind: 'request' }>,
  passage: Exclude<Passage, { kind: 'drop' }>,
  course: Course,
): Promise<Judged | undefined> {
  const { exchange } = course;
  const rule = exchange.facts.questions[0]?.decision.reasons[0].rule;
  await recordQuestion({ method: frame.method, rule }, passage, course);
  if (passage.kind === 'go') return relayed(passage.frame, course);
  countDropped(exchange, passage.error.code);
  try {
    // One at a time, so bounded by the stream that asks.
    const answer = await course.port.send({
      verb: 'POST',
      body: encodeError(frame.id, { code: -32601, message: 'Not available' }),
      headers: headersToUpstream(frame, exchange),
      longLived: false,
      signal: course.signal,
      ...onBehalfOf(exchange),
    });
    await closeAnswer(answer);
  } catch {
    countDropped(exchange, 'upstream-unreachable');
  }
  return undefined;
}
