import { type ErrorCode, errorTable, GatewayError } from '../errors.ts';
import type { Frame, RequestId } from '../mcp/frame.ts';
import { own } from '../values/json.ts';
import type { Course } from './course.ts';
import { errorStatus } from './error-answer.ts';
import type { Exchange } from './exchange.ts';
import type { Outcome } from './outcome.ts';

/** How an exchange ends, before anyone is told. */
export type Ending =
  | {
      readonly kind: 'answer';
      readonly frame: AnswerFrame;
      readonly status: number;
      readonly eventId: string | undefined;
    }
  | { readonly kind: 'accepted'; readonly status: number }
  | { readonly kind: 'fail'; readonly error: GatewayError }
  /** A stream that was meant to stay open, ended by the gateway with what it may say at the end. */
  | { readonly kind: 'dismissed'; readonly error: GatewayError; readonly farewell: Buffer | undefined }
  /** A stream that ended and owes nobody an answer. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'cancelled' };

export type AnswerFrame = Extract<Frame, { kind: 'result' | 'error' }>;

export function fail(code: ErrorCode, cause: unknown): Ending {
  return { kind: 'fail', error: new GatewayError(code, { cause }) };
}

/**
 * What an upstream's HTTP failure means to the client. The upstream's own words stay behind: they may hold paths,
 * stack traces, or a challenge meant for the gateway's credential.
 */
export function refusedBy(status: number, exchange: Exchange): Ending {
  const cause = `the upstream answered HTTP ${status}`;
  if (status === 404 && exchange.facts.session !== undefined) {
    exchange.facts.sessionOver = true;
    return fail('session-unknown', cause);
  }
  if (status === 405 && exchange.request.kind !== 'request' && exchange.request.kind !== 'notification') {
    return { kind: 'fail', error: new GatewayError('http-method', { cause, headers: { allow: 'POST' } }) };
  }
  return fail('upstream-refused', cause);
}

/** How an exchange ends whose upstream call was aborted: by the gateway, which says why, or because the client left. */
export function endingOfAbort(signal: AbortSignal): Ending {
  const reason: unknown = signal.reason;
  return reason instanceof GatewayError ? { kind: 'fail', error: reason } : { kind: 'cancelled' };
}

export function idOf(frame: Frame): RequestId | undefined {
  return frame.kind === 'request' ? frame.id : undefined;
}

/**
 * What the record of an exchange says.
 *
 * @param replyBytes bytes written before the ending
 * @param durationMs since the frame arrived
 */
export function outcomeOf(ending: Ending, course: Course, replyBytes: number, durationMs: number): Outcome {
  const { exchange } = course;
  const told = tell(ending, exchange);
  return {
    event: course.streamOpened ? 'stream-ended' : 'exchange',
    peer: exchange.peer,
    principal: exchange.principal,
    upstream: exchange.upstream,
    verb: verbOf(exchange.request),
    exchange,
    code: told.code,
    rpcCode: told.rpcCode,
    status: course.sink.statusOf(told.status, idOf(exchange.request)),
    time: exchange.time,
    durationMs,
    upstreamMs: course.upstreamMs,
    requestBytes: exchange.requestBytes,
    replyBytes: replyBytes + lastBytes(ending),
    framesToClient: course.framesToClient,
    cause: ending.kind === 'fail' || ending.kind === 'dismissed' ? ending.error.cause : undefined,
  };
}

function lastBytes(ending: Ending): number {
  if (ending.kind === 'answer') return ending.frame.bytes.length;
  return ending.kind === 'dismissed' ? (ending.farewell?.length ?? 0) : 0;
}

function tell(ending: Ending, exchange: Exchange): Pick<Outcome, 'code' | 'rpcCode' | 'status'> {
  switch (ending.kind) {
    case 'answer':
      if (ending.frame.kind === 'error') {
        return { code: 'rpc-error', rpcCode: ending.frame.error.code, status: ending.status };
      }
      return {
        code: own(ending.frame.result, 'isError') === true ? 'tool-error' : 'ok',
        rpcCode: undefined,
        status: ending.status,
      };
    case 'accepted':
      return { code: 'ok', rpcCode: undefined, status: ending.status };
    case 'ended':
      return { code: 'ok', rpcCode: undefined, status: 200 };
    case 'dismissed':
      return { code: ending.error.code, rpcCode: undefined, status: 200 };
    case 'cancelled':
      return { code: 'cancelled', rpcCode: undefined, status: 200 };
    case 'fail':
      return {
        code: ending.error.code,
        rpcCode: errorTable[ending.error.code].rpc,
        status: errorStatus(ending.error, idOf(exchange.request), exchange.era),
      };
  }
}

function verbOf(frame: Frame): string {
  return frame.kind === 'stream-open' ? 'GET' : frame.kind === 'session-end' ? 'DELETE' : 'POST';
}
