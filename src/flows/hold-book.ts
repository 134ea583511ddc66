/** Who is held back: the whole principal, and within it a session or a trace. */
export interface HoldScope {
  readonly principal: string;
  /** Key of a session or trace, unique within the principal; undefined for the principal itself. */
  readonly within: string | undefined;
}

interface Held {
  /** When untrusted content last reached this principal, in any scope. */
  at: number;
  /** When there were too many scopes to be told apart: holds for all of them. */
  everywhere: number;
  readonly within: Map<string, number>;
}

const never = Number.NEGATIVE_INFINITY;

/** Sessions and traces of one principal that are told apart. A caller opens as many as it likes. */
const mostWithin = 64;

/**
 * Remembers to whom untrusted content was returned, and when.
 *
 * Bounded, and nothing that still holds is ever forgotten. Beyond its bounds it remembers more coarsely: all sessions
 * and traces of one principal as one, then all principals as one. Whoever fills it holds back more, never less.
 */
export class HoldBook {
  readonly #maximum: number;
  /** In the order of `at`. */
  readonly #principals = new Map<string, Held>();
  #everybody = never;

  /** @param maximum principals that are told apart */
  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /**
   * Untrusted content is about to reach this scope.
   *
   * @param now monotonic milliseconds, never less than before
   * @param keep how long anything must be remembered, milliseconds: the longest hold of any rule
   */
  record(scope: HoldScope, now: number, keep: number): void {
    let held = this.#principals.get(scope.principal);
    if (held === undefined) {
      this.#forgetBefore(now - keep);
      if (this.#principals.size >= this.#maximum) {
        this.#everybody = now;
        return;
      }
      held = { at: now, everywhere: never, within: new Map() };
    } else {
      held.at = now;
      this.#principals.delete(scope.principal);
    }
    this.#principals.set(scope.principal, held);
    if (scope.within !== undefined) recordWithin(held, scope.within, now, keep);
  }

  /** When untrusted content last reached this scope; undefined where it never did, or it is long forgotten. */
  lastIn(scope: HoldScope): number | undefined {
    const held = this.#principals.get(scope.principal);
    const own =
      held === undefined
        ? never
        : scope.within === undefined
          ? held.at
          : Math.max(held.everywhere, held.within.get(scope.within) ?? never);
    const last = Math.max(own, this.#everybody);
    return last === never ? undefined : last;
  }

  get size(): number {
    return this.#principals.size;
  }

  #forgetBefore(time: number): void {
    for (const [principal, { at }] of this.#principals) {
      if (at > time) return;
      this.#principals.delete(principal);
    }
  }
}

function recordWithin(held: Held, key: string, now: number, keep: number): void {
  const { within } = held;
  within.delete(key);
  if (within.size >= mostWithin) {
    for (const [other, at] of within) {
      if (at > now - keep) break;
      within.delete(other);
    }
  }
  if (within.size < mostWithin) within.set(key, now);
  else held.everywhere = now;
}
