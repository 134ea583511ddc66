import { errorTable, GatewayError } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { RequestId } from '../mcp/frame.ts';
import type { Era } from '../mcp/revision.ts';
import type { Arrival } from './arrival.ts';
import type { ConductDependencies } from './course.ts';
import { errorBody, errorStatus } from './error-answer.ts';
import type { Reply } from './reply.ts';

/** What is refused before there is an exchange: nobody knows who calls, or no frame can be read. */
export interface ArrivalRefusal {
  readonly arrival: Arrival;
  readonly reply: Reply;
  readonly principal: Principal | undefined;
  readonly error: GatewayError;
  readonly id: RequestId | undefined;
  readonly era: Era;
  readonly time: number;
  readonly startedAt: number;
}

/** Writes the record, then answers. No record, another answer. */
export async function refuseArrival(
  refusal: ArrivalRefusal,
  deps: Pick<ConductDependencies, 'recorder' | 'monotonic'>,
): Promise<void> {
  const { arrival, reply, id, era } = refusal;
  let { error } = refusal;
  const body = errorBody(error, id);
  try {
    const written = deps.recorder.record({
      event: 'refusal',
      peer: arrival.peer,
      principal: refusal.principal,
      upstream: arrival.upstream,
      verb: arrival.verb,
      exchange: undefined,
      code: error.code,
      rpcCode: errorTable[error.code].rpc,
      status: errorStatus(error, id, era),
      time: refusal.time,
      durationMs: deps.monotonic() - refusal.startedAt,
      upstreamMs: undefined,
      requestBytes: arrival.body.length,
      replyBytes: body.length,
      framesToClient: 0,
      cause: error.cause,
    });
    if (written !== undefined) await written;
  } catch (cause) {
    error = new GatewayError('audit-unavailable', { cause });
  }
  sendError(reply, error, id, era);
}

/** Answers alone: for what has its record. */
export function sendError(reply: Reply, error: GatewayError, id: RequestId | undefined, era: Era): void {
  const headers = { 'content-type': 'application/json', ...error.headers };
  reply.send(errorStatus(error, id, era), headers, errorBody(error, id));
}
