import { hash } from 'node:crypto';
import { Living } from './living.ts';
import type { SessionLimits } from './options.ts';
import type { BoundReached } from './session-book.ts';

/**
 * What clients are subscribed to: by `resources/subscribe` in a session, until it unsubscribes, ends or is not used for a
 * while; and by open `subscriptions/listen` streams.
 *
 * URIs are remembered as hashes: they may be long.
 */
export class SubscriptionBook {
  readonly #limits: SessionLimits;
  readonly #sessions: Living<Set<string>>;
  readonly #perPrincipal = new Map<string, number>();
  #size = 0;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
    this.#sessions = new Living(limits.idle, (owner, uris) => this.#count(owner, -uris.size));
  }

  get size(): number {
    return this.#size;
  }

  /** @returns undefined where it is noted now, `known` where it was before */
  subscribe(
    principalId: string,
    scope: string,
    uri: string,
    now: number,
  ): BoundReached | 'known' | undefined {
    this.#sessions.purge(now);
    const uris = this.#sessions.get(scope) ?? new Set<string>();
    const named = nameOf(uri);
    if (uris.has(named)) return 'known';
    if (uris.size >= this.#limits.subscriptionsPerSession) {
      return { bound: 'subscriptions-per-session', retryAfterMs: undefined };
    }
    const full = this.#reached(principalId, 1);
    if (full !== undefined) return full;
    if (!this.#sessions.touch(scope, now)) this.#sessions.add(principalId, scope, uris, now);
    uris.add(named);
    this.#count(principalId, 1);
    return undefined;
  }

  unsubscribe(principalId: string, scope: string, uri: string): void {
    const uris = this.#sessions.get(scope);
    if (uris?.delete(nameOf(uri)) !== true) return;
    this.#count(principalId, -1);
    if (uris.size === 0) this.#sessions.delete(scope);
  }

  /** Notes the subscriptions of one stream, all or none. `release` is called with the same count when it ends. */
  listen(principalId: string, count: number, now: number): BoundReached | undefined {
    this.#sessions.purge(now);
    if (count > this.#limits.subscriptionsPerSession) {
      return { bound: 'subscriptions-per-session', retryAfterMs: undefined };
    }
    const full = this.#reached(principalId, count);
    if (full === undefined) this.#count(principalId, count);
    return full;
  }

  release(principalId: string, count: number): void {
    this.#count(principalId, -count);
  }

  use(scope: string, now: number): void {
    this.#sessions.touch(scope, now);
  }

  end(scope: string): void {
    this.#sessions.delete(scope);
  }

  #reached(principalId: string, more: number): BoundReached | undefined {
    const { subscriptions, subscriptionsPerPrincipal } = this.#limits;
    if ((this.#perPrincipal.get(principalId) ?? 0) + more > subscriptionsPerPrincipal) {
      return { bound: 'subscriptions-per-principal', retryAfterMs: undefined };
    }
    return this.#size + more > subscriptions
      ? { bound: 'subscriptions', retryAfterMs: undefined }
      : undefined;
  }

  #count(principalId: string, more: number): void {
    const left = (this.#perPrincipal.get(principalId) ?? 0) + more;
    if (left <= 0) this.#perPrincipal.delete(principalId);
    else this.#perPrincipal.set(principalId, left);
    this.#size += more;
  }
}

function nameOf(uri: string): string {
  return hash('sha256', uri, 'base64');
}
