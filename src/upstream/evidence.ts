import type { ErrorCode, GatewayError } from '../errors.ts';
import type { UpstreamAnswer } from '../pipeline/upstream-port.ts';
import type { Progress } from './failure.ts';

/**
 * What the end of one call says about its endpoint.
 *
 * - `ok` it answers
 * - `erred` it answers that it cannot: others may, so callers who may choose go there. Where everything that it says is such
 *   an answer it is the quickest of all, and balancing would send it nearly every call
 * - `unreached` no connection came about: whatever was asked, nothing could have been answered
 * - `failed` it was reached and gave no proper answer. Weaker: a caller may know arguments that do this
 * - `neutral` nothing: the caller left, the gateway is busy or stops
 */
export type Evidence = 'ok' | 'erred' | 'unreached' | 'failed' | 'neutral';

/** What proxies say for a server that is not there. */
const goneStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

const tooManyRequests = 429;

/** @returns undefined for a stream: how it ends will tell */
export function evidenceOfAnswer(answer: UpstreamAnswer): Evidence | undefined {
  if (answer.kind === 'stream') return undefined;
  if (goneStatuses.has(answer.status)) return 'failed';
  return answer.status >= 500 || answer.status === tooManyRequests ? 'erred' : 'ok';
}

const failures: ReadonlySet<ErrorCode> = new Set([
  'upstream-unreachable',
  'upstream-timeout',
  'upstream-closed',
  'upstream-invalid',
]);

export function evidenceOfFailure(error: GatewayError, progress: Progress): Evidence {
  // It answered, more than it may.
  if (error.code === 'result-too-large') return 'ok';
  if (!failures.has(error.code)) return 'neutral';
  return progress === 'unsent' && (error.code === 'upstream-unreachable' || isConnectTimeout(error))
    ? 'unreached'
    : 'failed';
}

/** In contrast to a call that waited in vain for a connection to become free. */
function isConnectTimeout(error: GatewayError): boolean {
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_CONNECT_TIMEOUT';
}
