import type { JsonObject } from '../values/json.ts';
import { hashOf } from './canonical.ts';

/** What was reviewed: the lock file once read. */
export interface PinLock {
  readonly upstreams: ReadonlyMap<string, PinnedUpstream>;
}

export interface PinnedUpstream {
  /** Undefined where the server gave none when it was reviewed. */
  readonly instructions: PinnedText | undefined;
  readonly tools: ReadonlyMap<string, PinnedTool>;
}

interface Review {
  /** Who said yes. Free text. */
  readonly approvedBy?: string | undefined;
  readonly note?: string | undefined;
}

export interface PinnedText extends Review {
  readonly hash: string;
  readonly text: string;
}

export interface PinnedTool extends Review {
  readonly hash: string;
  /** The whole definition as the server gave it. */
  readonly definition: JsonObject;
  /** What clients are told instead of the server's own words. */
  readonly reviewed?: Reviewed | undefined;
}

export interface Reviewed {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
}

export const emptyLock: PinLock = Object.freeze({ upstreams: new Map() });

/** What a server offers, as it was listed whole. */
export interface Offer {
  readonly instructions: string | undefined;
  readonly tools: ReadonlyMap<string, JsonObject>;
}

/**
 * A lock in which some of what a server offers is approved. Texts of a reviewer stay where the tool was pinned before.
 *
 * @param names tools to take over; one that the offer lacks is taken out. Undefined: all, on both sides
 * @param instructions whether the server's instructions are taken over
 * @param review added to what is new or different
 */
export function approve(
  lock: PinLock,
  upstream: string,
  offer: Offer,
  names: ReadonlySet<string> | undefined,
  instructions: boolean,
  review: Review = {},
): PinLock {
  const before = lock.upstreams.get(upstream);
  const tools = new Map(before?.tools);
  for (const name of names ?? new Set([...tools.keys(), ...offer.tools.keys()])) {
    const definition = offer.tools.get(name);
    if (definition === undefined) {
      tools.delete(name);
      continue;
    }
    const hash = hashOf(definition);
    const known = tools.get(name);
    // `note` and `approvedBy` of a definition that is gone say nothing about the new one.
    if (known?.hash !== hash) tools.set(name, { hash, definition, reviewed: known?.reviewed, ...review });
  }
  const pinned = instructions
    ? pinnedText(offer.instructions, before?.instructions, review)
    : before?.instructions;
  return { upstreams: new Map(lock.upstreams).set(upstream, { instructions: pinned, tools }) };
}

function pinnedText(
  text: string | undefined,
  before: PinnedText | undefined,
  review: Review,
): PinnedText | undefined {
  if (text === undefined) return undefined;
  const hash = hashOf(text);
  return before?.hash === hash ? before : { hash, text, ...review };
}
