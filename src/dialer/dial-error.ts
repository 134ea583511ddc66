/** Why a dial gave no answer. Stable; labels of metrics. */
export type DialErrorCode =
  /** The URL is none that may be dialled, whatever its host resolves to. */
  | 'dial-url'
  /** The request itself is wrong: a method or header that is not the caller's to choose. */
  | 'dial-request'
  /** The name could not be resolved. */
  | 'dial-name'
  /** At least one address of the host may not be dialled. */
  | 'dial-address'
  | 'dial-connect'
  | 'dial-tls'
  /** Anything that took the whole exchange beyond its time. */
  | 'dial-timeout'
  | 'dial-aborted'
  /** As many dials are under way as there may be. */
  | 'dial-busy'
  | 'dial-closed'
  | 'dial-redirect'
  /** The answer is compressed or otherwise encoded, though nothing but identity was asked for. */
  | 'dial-encoding'
  /** The body or the headers are larger than allowed. */
  | 'dial-too-large'
  /** The answer is not HTTP, or ended early. */
  | 'dial-answer';

/**
 * A dial that was refused or failed. The message names scheme, host, port and path and never a query, a header or a
 * body: those hold secrets.
 */
export class DialError extends Error {
  readonly code: DialErrorCode;

  constructor(code: DialErrorCode, message: string) {
    super(message);
    this.name = 'DialError';
    this.code = code;
  }
}
