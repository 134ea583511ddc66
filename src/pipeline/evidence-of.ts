import type { Evidence } from '../identity/identity.ts';
import type { Unread } from './arrival.ts';

/**
 * What a request shows of its caller, as it came.
 *
 * @returns undefined where a credential header is repeated: two readers could pick different ones
 */
export function evidenceOf(arrival: Unread, apiKeyHeader: string, time: number): Evidence | undefined {
  let authorization: string | undefined;
  let apiKey: string | undefined;
  let dpop: string | undefined;
  const { rawHeaders, upstream, verb } = arrival;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (name === 'authorization') {
      if (authorization !== undefined) return undefined;
      authorization = rawHeaders[index + 1]!;
    } else if (name === apiKeyHeader) {
      if (apiKey !== undefined) return undefined;
      apiKey = rawHeaders[index + 1]!;
    } else if (name === 'dpop') {
      if (dpop !== undefined) return undefined;
      dpop = rawHeaders[index + 1]!;
    }
  }
  return { peer: arrival.peer, authorization, apiKey, dpop, verb, upstream, time };
}
