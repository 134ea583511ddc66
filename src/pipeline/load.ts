import { GatewayError } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { Frame } from '../mcp/frame.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { Arrival, Unread } from './arrival.ts';

/** What listeners ask of the whole load before they read the body of a request. */
export type Entrance = Pick<Load, 'turnsAway' | 'takeTurn'>;

/** What the gate asks of the whole load before it does the work of one request. */
export interface Load {
  /**
   * Refuses, before its caller is identified: where as much as may be is under way; and where the connection is known to
   * bring a caller whose requests are refused now. Such a refusal has its record, perhaps one for many: it is only sent.
   *
   * @returns what else has been asked of it
   */
  turnsAway(arrival: Unread): GatewayError | Exclude<Asked, 'nothing'>;
  /**
   * Lets a request begin, at once or when it is its turn: those of callers of high priority first, then of others who are
   * known, then of strangers.
   *
   * @param bytes that its body says to have; infinite where it does not say
   * @param begin gives false where its client has left meanwhile; must not throw
   * @returns takes it out of the line, for a client that leaves; undefined where it has begun
   */
  takeTurn(arrival: Unread, bytes: number, begin: () => boolean): (() => void) | undefined;
  /** A request is let in. To be followed by `leave` of its place. */
  enter(): Place;
}

/** What has been asked of a request: `bound`, whether there is room; `caller`, also whether its caller is served now. */
export type Asked = 'nothing' | 'bound' | 'caller';

/** What one request takes of the whole while it is under way. */
export interface Place {
  /**
   * Asks what was not asked yet, now that the caller is known, and counts the place as this caller's.
   *
   * @returns why it is refused; the place is given back then
   */
  admit(caller: Caller): GatewayError | undefined;
  /** It has become a stream that stays open, and is no load until it ends. */
  park(): void;
  unpark(): void;
  /** More than once does nothing. */
  leave(): void;
}

export interface Caller {
  readonly principal: Principal;
  readonly policy: CompiledPolicy;
  readonly arrival: Unread;
  readonly asked: Asked;
}

/** 4 KiB, because a cancellation is a line; what is larger is decoded only when there is time for it. */
export const longestSmall = 4096;

/**
 * Whether a request may be one that frees something: the end of a session, a notification such as a cancellation, the
 * answer to a question. Those must pass in an overload.
 *
 * Looks at bytes, because decoding is what there is no time for. What only pretends is small, and is asked what others
 * are asked once it is decoded: see {@link freesSomething}.
 */
export function mayFree({ verb, body }: Arrival): boolean {
  if (verb === 'DELETE') return true;
  if (verb === 'GET' || body.length > longestSmall) return false;
  return body.includes('"notifications/') || !body.includes('"method"');
}

/**
 * The same before the body has come, as far as headers tell.
 *
 * @returns undefined where only the body can tell
 */
export function mayFreeByHead({ verb, rawHeaders }: Unread): boolean | undefined {
  if (verb !== 'POST') return verb === 'DELETE';
  let method: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (Number(rawHeaders[index + 1]) > longestSmall) return false;
    } else if (name.length === 10 && name.toLowerCase() === 'mcp-method') {
      method = rawHeaders[index + 1]!;
    }
  }
  // Clients of 2026-07-28 say it twice, and are refused where the two differ.
  return method === undefined ? undefined : method.startsWith('notifications/');
}

/** Whether a decoded frame is of the kinds that must pass. */
export function freesSomething({ kind }: Frame): boolean {
  return kind !== 'request' && kind !== 'stream-open';
}

export type Excess =
  | 'as much as may be is under way'
  | 'shed: a call of this priority'
  | 'as much as one caller may have is under way';

/** Made once for each word and number of seconds: what refuses thousands a second must not look at its stack for each. */
export function createOverloaded(load: { retryAfter(): number }): (cause: Excess) => GatewayError {
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
