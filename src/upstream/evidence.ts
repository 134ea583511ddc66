import type { ErrorCode, GatewayError } from '../errors.ts';
import type { UpstreamAnswer } from '../pipeline/upstream-port.ts';
import type { Progress } from './failure.ts';

/**
 * What the end of one call says about its endpoint.
 *
 * - `ok` it answers
 * - `unreached` no connection came about: whatever was asked, nothing could have been answered
 * - `failed` it was reached and gave no proper answer. Weaker: a caller may know arguments that do this
 * - `neutral` nothing: the caller left, the gateway is busy or stops
 */
export type Evidence = 'ok' | 'unreached' | 'failed' | 'neutral';

/** What proxies say for a server that is not there. 500 is not among them: tools that fail say it too. */
const goneStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

/** @returns undefined for a stream: how it ends will tell */
export function evidenceOfAnswer(answer: UpstreamAnswer): Evidence | undefined {
  if (answer.kind === 'stream') return undefined;
  return goneStatuses.has(answer.status) ? 'failed' : 'ok';
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
