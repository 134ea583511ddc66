import { GatewayError } from '../errors.ts';
import { invalid } from './failure.ts';
import type { IncomingHeaders } from './headers.ts';

/**
 * What becomes of an answer, as its status and headers say.
 *
 * `refused` an HTTP failure without JSON; `accepted` a success without a body; `json` and `stream` are read;
 * `empty` a success that must turn out to have no body; an error ends the call.
 */
export type Plan = 'refused' | 'accepted' | 'json' | 'stream' | 'empty' | GatewayError;

/** @param status final status, 200 or more */
export function planFor(status: number, headers: IncomingHeaders, resultBytes: number): Plan {
  const success = status < 300;
  // A redirect is never followed: its target is the upstream's choice, and the credential would go with the request.
  if ((status < 400 && !success) || (!success && headers.type !== 'json')) {
    return 'refused';
  }
  if (headers.sessionIdInvalid) {
    return invalid('Mcp-Session-Id is repeated, too long or not visible ASCII');
  }
  if (status === 202 || status === 204 || (success && headers.length === 0)) {
    return 'accepted';
  }
  if (headers.encoded) {
    return invalid('a content encoding although identity was asked for');
  }
  if (headers.type === 'json') {
    return headers.length !== undefined && headers.length > resultBytes
      ? tooLarge(`a body of ${headers.length} bytes`, resultBytes)
      : 'json';
  }
  if (headers.type === 'stream' && status === 200) {
    return 'stream';
  }
  return headers.type === 'none' ? 'empty' : invalid(`status ${status} with a content type not asked for`);
}

export function tooLarge(what: string, limit: number): GatewayError {
  return new GatewayError('result-too-large', { cause: new Error(`${what} exceeds ${limit} bytes`) });
}
