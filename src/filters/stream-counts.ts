import type { SessionLimits } from './options.ts';
import type { BoundReached } from './session-book.ts';

/** How many streams that are meant to stay open there are, of each principal and in each session. */
export class StreamCounts {
  readonly #limits: Pick<SessionLimits, 'streamsPerSession' | 'streamsPerPrincipal'>;
  readonly #ofPrincipal = new Map<string, number>();
  readonly #ofSession = new Map<string, number>();

  constructor(limits: Pick<SessionLimits, 'streamsPerSession' | 'streamsPerPrincipal'>) {
    this.#limits = limits;
  }

  /** @param session key of the legacy session; undefined outside of one */
  open(principalId: string, session: string | undefined): BoundReached | undefined {
    const { streamsPerPrincipal, streamsPerSession } = this.#limits;
    if ((this.#ofPrincipal.get(principalId) ?? 0) >= streamsPerPrincipal) {
      return { bound: 'streams-per-principal', retryAfterMs: undefined };
    }
    if (session !== undefined && (this.#ofSession.get(session) ?? 0) >= streamsPerSession) {
      return { bound: 'streams-per-session', retryAfterMs: undefined };
    }
    add(this.#ofPrincipal, principalId, 1);
    if (session !== undefined) add(this.#ofSession, session, 1);
    return undefined;
  }

  /** Called once for each stream that was opened. */
  close(principalId: string, session: string | undefined): void {
    add(this.#ofPrincipal, principalId, -1);
    if (session !== undefined) add(this.#ofSession, session, -1);
  }
}

function add(counts: Map<string, number>, key: string, more: number): void {
  const left = (counts.get(key) ?? 0) + more;
  if (left <= 0) counts.delete(key);
  else counts.set(key, left);
}
