import type { BoundName } from '../pipeline/bounds.ts';
import { Living } from './living.ts';
import type { SessionLimits } from './options.ts';

/** Which bound was reached, and after how long the same wish may be granted. */
export interface BoundReached {
  readonly bound: BoundName;
  /** Undefined where only the caller can make room. */
  readonly retryAfterMs: number | undefined;
}

/**
 * Legacy sessions that live, as far as this process knows: those that were opened here and are used, and those that
 * come from another replica, or from before a restart, once they are used here. A session that nobody uses for a while
 * does not count any more; it lives on, and counts again with its next use.
 *
 * What is known already is never refused: the bounds are on new ones.
 */
export class SessionBook {
  readonly #limits: Pick<SessionLimits, 'total' | 'perPrincipal'>;
  readonly #sessions: Living<undefined>;
  /** Sessions that are about to be opened, by principal. */
  readonly #coming = new Map<string, number>();
  #allComing = 0;

  constructor(limits: Pick<SessionLimits, 'total' | 'perPrincipal' | 'idle'>) {
    this.#limits = limits;
    this.#sessions = new Living(limits.idle);
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** Keeps a place for a session that is about to be opened. @param now monotonic milliseconds */
  reserve(principalId: string, now: number): BoundReached | undefined {
    this.#sessions.purge(now);
    const { total, perPrincipal } = this.#limits;
    const coming = this.#coming.get(principalId) ?? 0;
    if (this.#sessions.countOf(principalId) + coming >= perPrincipal) {
      return { bound: 'sessions-per-principal', retryAfterMs: this.#sessions.roomIn(principalId, now) };
    }
    if (this.#sessions.size + this.#allComing >= total) {
      return { bound: 'sessions', retryAfterMs: this.#sessions.roomIn(undefined, now) };
    }
    this.#coming.set(principalId, coming + 1);
    this.#allComing += 1;
    return undefined;
  }

  /** Gives a reserved place back; the session, if there is one now, is then added. */
  settle(principalId: string, key: string | undefined, now: number): void {
    const coming = (this.#coming.get(principalId) ?? 1) - 1;
    if (coming <= 0) this.#coming.delete(principalId);
    else this.#coming.set(principalId, coming);
    this.#allComing -= 1;
    if (key !== undefined) this.#sessions.add(principalId, key, undefined, now);
  }

  /**
   * A session is used.
   *
   * @returns false where it is not known and there is no room to remember it: in all, or of its principal. Whoever opened
   *   sessions, let them be idle and used all of them at once would otherwise take the room of everybody else.
   */
  use(principalId: string, key: string, now: number): boolean {
    if (this.#sessions.touch(key, now)) return true;
    this.#sessions.purge(now);
    const { total, perPrincipal } = this.#limits;
    if (this.#sessions.size + this.#allComing >= total) return false;
    if (this.#sessions.countOf(principalId) + (this.#coming.get(principalId) ?? 0) >= perPrincipal)
      return false;
    this.#sessions.add(principalId, key, undefined, now);
    return true;
  }

  end(key: string): void {
    this.#sessions.delete(key);
  }
}
