import { GatewayError } from '../errors.ts';
import { decodeFrameInTurns } from '../mcp/decode.ts';
import type { Frame } from '../mcp/frame.ts';
import { closeAnswer } from './close-answer.ts';
import type { ConductDependencies, Course } from './course.ts';
import { dismissed } from './dismissed.ts';
import { type Ending, endingOfAbort, fail, idOf, outcomeOf, refusedBy } from './ending.ts';
import { countDropped, type Exchange } from './exchange.ts';
import { isLongLived } from './long-lived.ts';
import { judge, relay } from './relay.ts';
import { isRepeatable } from './repeatable.ts';
import { endAll, runToUpstream } from './run.ts';
import type { Sink } from './sink.ts';
import { headersToUpstream } from './to-upstream.ts';
import { onBehalfOf } from './upstream-caller.ts';
import type { UpstreamAnswer, UpstreamPort } from './upstream-port.ts';

/**
 * Takes one frame from the client through the filters to the upstream, and everything that comes back through the
 * filters to the client; then releases, records, and only then lets the answer go.
 *
 * Never rejects: every way in which an exchange can end is an answer.
 */
export async function conduct(
  exchange: Exchange,
  port: UpstreamPort,
  sink: Sink,
  signal: AbortSignal,
  deps: ConductDependencies,
): Promise<void> {
  const course: Course = {
    exchange,
    port,
    sink,
    signal,
    deps,
    upstreamMs: undefined,
    framesToClient: 0,
    streamOpened: false,
    release: undefined,
  };
  let ending: Ending;
  try {
    const running = runToUpstream(deps.filters, exchange.request, exchange);
    const passage = running instanceof Promise ? await running : running;
    if (passage.kind === 'go') ending = await forward(passage.frame, course);
    else if (passage.kind === 'reject') ending = { kind: 'fail', error: passage.error };
    else {
      countDropped(exchange, passage.reason);
      ending = { kind: 'accepted', status: 202 };
    }
  } catch (cause) {
    ending = signal.aborted
      ? endingOfAbort(signal)
      : {
          kind: 'fail',
          error: cause instanceof GatewayError ? cause : new GatewayError('internal', { cause }),
        };
  }
  // Released before the answer: a client that calls again at once must not meet its own finished call.
  for (const cause of endAll(deps.filters, exchange)) deps.onFault(cause, exchange.id);
  if (ending.kind === 'fail' && ending.error.code === 'internal') {
    deps.onFault(ending.error.cause, exchange.id);
  }
  try {
    await settle(dismissed(ending, course), course);
  } finally {
    course.release?.();
  }
}

/** Writes the record, then lets the answer go. No record, no answer. */
async function settle(ending: Ending, course: Course): Promise<void> {
  const { exchange, sink, deps } = course;
  try {
    const outcome = outcomeOf(ending, course, sink.bytes, deps.monotonic() - exchange.startedAt);
    const written = deps.recorder.record(outcome);
    if (written !== undefined) await written;
  } catch (cause) {
    sink.fail(new GatewayError('audit-unavailable', { cause }), idOf(exchange.request), exchange.era);
    return;
  }
  switch (ending.kind) {
    case 'answer':
      sink.final(ending.frame.bytes, ending.status, ending.eventId);
      return;
    case 'accepted':
      sink.accepted(ending.status);
      return;
    case 'fail':
      sink.fail(ending.error, idOf(exchange.request), exchange.era);
      return;
    case 'dismissed':
      if (ending.farewell === undefined) sink.end();
      else sink.final(ending.farewell, 200, undefined);
      return;
    case 'ended':
    case 'cancelled':
      sink.end();
      return;
  }
}

async function forward(frame: Frame, course: Course): Promise<Ending> {
  const { exchange, deps } = course;
  const { request } = exchange;
  const verb = frame.kind === 'stream-open' ? 'GET' : frame.kind === 'session-end' ? 'DELETE' : 'POST';
  const answer = await course.port.send({
    verb,
    body: frame.kind === 'stream-open' || frame.kind === 'session-end' ? undefined : frame.bytes,
    headers: headersToUpstream(frame, exchange),
    longLived: isLongLived(exchange),
    repeatable: isRepeatable(frame, exchange),
    total: exchange.facts.timeout?.ms,
    signal: course.signal,
    ...onBehalfOf(exchange, frame),
  });
  course.upstreamMs = deps.monotonic() - exchange.startedAt;
  switch (answer.kind) {
    case 'json':
      course.release = answer.done;
      exchange.facts.upstreamSessionId = answer.sessionId;
      return judgeJson(answer, course);
    case 'stream':
      exchange.facts.upstreamSessionId = answer.sessionId;
      if (request.kind === 'request' || request.kind === 'stream-open') return relay(answer.events, course);
      await closeAnswer(answer);
      return fail('upstream-invalid', 'the upstream opened a stream for what asks for no answer');
    case 'accepted':
      if (request.kind === 'request' || request.kind === 'stream-open') {
        return fail('upstream-invalid', `the upstream accepted a ${request.kind} without answering it`);
      }
      return taken(exchange);
    case 'refused':
      return refusedBy(answer.status, exchange);
  }
}

/** The upstream took what has no answer. */
function taken({ request, facts }: Exchange): Ending {
  if (request.kind !== 'session-end') return { kind: 'accepted', status: 202 };
  facts.sessionOver = true;
  return { kind: 'accepted', status: 200 };
}

/** One JSON body: the answer to a request, or an error of the upstream's transport. */
async function judgeJson(answer: Extract<UpstreamAnswer, { kind: 'json' }>, course: Course): Promise<Ending> {
  const { exchange } = course;
  if (exchange.request.kind !== 'request') {
    if (answer.status >= 400) return refusedBy(answer.status, exchange);
    if (exchange.request.kind === 'stream-open')
      return fail('upstream-invalid', 'the upstream opened no stream');
    // Some servers say 200 and a word where 202 is due. It was taken; the word is for nobody.
    return taken(exchange);
  }
  const decoding = decodeFrameInTurns(answer.body, course.deps.upstreamDecodeLimits, 'toClient');
  const decoded = decoding instanceof Promise ? await decoding : decoding;
  if (!decoded.ok) {
    if (answer.status >= 400) return refusedBy(answer.status, exchange);
    return fail('upstream-invalid', decoded.failure.detail);
  }
  const frame = decoded.value;
  if (frame.kind !== 'result' && frame.kind !== 'error') {
    return fail('upstream-invalid', 'the only message of a JSON answer is not an answer');
  }
  if (frame.kind === 'error' && frame.id === undefined) return refusedBy(answer.status, exchange);
  const judging = judge(frame, course);
  const judged = judging instanceof Promise ? await judging : judging;
  if (judged === undefined) return fail('upstream-invalid', 'the upstream answered another question');
  if (judged.kind === 'answer-refused') return { kind: 'fail', error: judged.error };
  if (judged.frame.kind !== 'result' && judged.frame.kind !== 'error') {
    return fail('internal', 'a filter replaced an answer by something else');
  }
  return {
    kind: 'answer',
    frame: judged.frame,
    status: relayedStatus(answer.status, exchange),
    eventId: undefined,
  };
}

/**
 * 2026-07-28 gives some errors an HTTP status of their own (400, 404), which its clients look at. Everything else,
 * and every answer to a legacy client, travels as 200: only there do clients read the error.
 */
function relayedStatus(upstreamStatus: number, exchange: Exchange): number {
  return exchange.era === 'modern' && (upstreamStatus === 400 || upstreamStatus === 404)
    ? upstreamStatus
    : 200;
}
