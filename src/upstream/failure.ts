import { type ErrorCode, GatewayError } from '../errors.ts';

/** How far a call had come when it failed. */
export type Progress =
  /** Nothing was written: the upstream has not seen it. */
  | 'unsent'
  /** Written, in part or whole: the upstream may have acted on it. It is never sent again. */
  | 'sent'
  /** Its answer had begun: status and headers were in order. */
  | 'answered';

/** undici's errors whose meaning does not depend on how far the call had come. */
const fixed: ReadonlyMap<string, ErrorCode> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'upstream-timeout'],
  ['UND_ERR_HEADERS_TIMEOUT', 'upstream-timeout'],
  ['UND_ERR_BODY_TIMEOUT', 'upstream-timeout'],
  ['UND_ERR_HEADERS_OVERFLOW', 'upstream-invalid'],
  ['UND_ERR_DESTROYED', 'draining'],
  ['UND_ERR_CLOSED', 'draining'],
  ['UND_ERR_INVALID_ARG', 'internal'],
]);

/**
 * Gives what went wrong below HTTP its one code. The original error is kept in `cause`, for operators only: it
 * names addresses and certificates.
 */
export function toFailure(error: unknown, progress: Progress): GatewayError {
  if (error instanceof GatewayError) {
    return error;
  }
  if (isParserError(error)) {
    // Its `data` holds what the upstream sent: content, which has no place in a log.
    const code = error.message.includes('Invalid EOF state') ? 'upstream-closed' : 'upstream-invalid';
    return new GatewayError(code, { cause: new Error(error.message) });
  }
  return new GatewayError(codeOf(error, progress), { cause: error });
}

function codeOf(error: unknown, progress: Progress): ErrorCode {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const known = fixed.get(code);
  if (known !== undefined) {
    return known;
  }
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    // Said of any fault beside a content length: within the headers it is one of theirs, after them the
    // connection ended before the body had the length that was promised.
    return progress === 'answered' ? 'upstream-closed' : 'upstream-invalid';
  }
  // 100 Continue or 101 that nobody asked for, or bytes of an answer to no question.
  if (code === 'UND_ERR_SOCKET' && (message === 'bad response' || message === 'bad upgrade')) {
    return 'upstream-invalid';
  }
  // In TLS 1.3 the upstream refuses a client certificate only after the client's first bytes are on their way.
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) {
    return 'upstream-unreachable';
  }
  return progress === 'unsent' ? 'upstream-unreachable' : 'upstream-closed';
}

/** undici gives these no code: its own lookup of the parser's number finds nothing. */
function isParserError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'HTTPParserError';
}

/** The failure of a call that ran out of one of its times. */
export function timedOut(what: string, milliseconds: number): GatewayError {
  return new GatewayError('upstream-timeout', { cause: new Error(`${what}: more than ${milliseconds} ms`) });
}

/** The failure of an answer that breaks the protocol. */
export function invalid(why: string): GatewayError {
  return new GatewayError('upstream-invalid', { cause: new Error(why) });
}
