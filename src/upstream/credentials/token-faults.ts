import {
  OperationProcessingError,
  ResponseBodyError,
  UnsupportedOperationError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import { DialError, type DialErrorCode } from '../../dialer/dial-error.ts';

/**
 * Why no token could be had. For operators: the message holds nothing that the authorization server said beyond the
 * error words of RFC 6749, because its answers may hold tokens.
 */
export class TokenFault extends Error {
  /**
   * It would meet every request, whoever it is for: nothing is asked for a while. What one caller's token brings about
   * must not be shared, or that caller could keep all others out.
   */
  readonly shared: boolean;

  constructor(message: string, shared = false) {
    super(message);
    this.name = 'TokenFault';
    this.shared = shared;
  }
}

/** RFC 6749 5.2, RFC 8693 2.2.2, RFC 8707 2, and two that are widely used. Other words are not repeated. */
const knownWords: ReadonlySet<string> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
]);

/** Ways of failing that say nothing about whether the server is there for others: it answered, or was not asked. */
const notDown: ReadonlySet<DialErrorCode> = new Set([
  'dial-redirect',
  'dial-encoding',
  'dial-too-large',
  'dial-request',
  'dial-busy',
]);

/** @param what what was asked for, such as `token exchange` */
export function toTokenFault(error: unknown, what: string): TokenFault {
  if (error instanceof TokenFault) return error;
  if (error instanceof ResponseBodyError) {
    const word = knownWords.has(error.error) ? error.error : 'an error of its own';
    return new TokenFault(`${what}: the authorization server said ${word} (HTTP ${error.status})`);
  }
  if (error instanceof WWWAuthenticateChallengeError) {
    return new TokenFault(
      `${what}: the authorization server does not accept the client (HTTP ${error.status})`,
    );
  }
  if (error instanceof OperationProcessingError || error instanceof UnsupportedOperationError) {
    // The library's sentences are fixed. What stands in `cause` is the server's answer, and is left behind.
    return new TokenFault(`${what}: ${error.message}`);
  }
  if (error instanceof DialError) {
    return new TokenFault(`${what}: ${error.message} (${error.code})`, !notDown.has(error.code));
  }
  // A fault of this program, whose words may be anything.
  return new TokenFault(`${what}: ${error instanceof Error ? error.name : 'it failed'}`);
}
