import { GatewayError } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { Arrival } from './arrival.ts';

/** What the gate asks of the whole load before it does the work of one request. */
export interface Load {
  /** A request is let in. To be followed by one `leave`. */
  enter(): void;
  leave(): void;
  /** It has become a stream that stays open, and is no load until it ends. */
  park(): void;
  unpark(): void;
  /** Whether so much is under way that nobody is let in. Tells of it where it is. */
  isFull(arrival: Arrival): boolean;
  /** Whether this caller's request is to be refused before its frame is decoded, which costs the most. */
  sheds(principal: Principal, policy: CompiledPolicy, arrival: Arrival): boolean;
  /** Whole seconds. */
  retryAfter(): number;
}

/** 4 KiB, because a cancellation is a line; what is larger is decoded only when there is time for it. */
const longestSmall = 4096;

/**
 * Whether a request may be one that frees something: the end of a session, a notification such as a cancellation, the
 * answer to a question. Those must pass in an overload.
 *
 * Looks at bytes, because decoding is what there is no time for. What only pretends is known for what it is after that,
 * and is small.
 */
export function mayFree({ verb, body }: Arrival): boolean {
  if (verb === 'DELETE') return true;
  if (verb === 'GET' || body.length > longestSmall) return false;
  return body.includes('"notifications/') || !body.includes('"method"');
}

type Excess = 'as much as may be is under way' | 'shed: a call of this priority';

/** Made once for each word and number of seconds: what refuses thousands a second must not look at its stack for each. */
export function createOverloaded(load: Load): (cause: Excess) => GatewayError {
  const made = new Map<string, GatewayError>();
  return (cause) => {
    const seconds = String(load.retryAfter());
    const key = `${seconds} ${cause}`;
    let error = made.get(key);
    if (error === undefined) {
      error = new GatewayError('overloaded', { cause, headers: { 'retry-after': seconds } });
      made.set(key, error);
    }
    return error;
  };
}
