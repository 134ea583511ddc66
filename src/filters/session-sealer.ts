import { hash } from 'node:crypto';
import { eraOf, isRevision, type Revision } from '../mcp/revision.ts';
import type { Session } from '../pipeline/exchange.ts';
import { createSealer } from './seal.ts';

/** What a legacy session id of this gateway stands for. */
export interface SessionClaims {
  readonly principalId: string;
  readonly upstream: string;
  /** The upstream's own `Mcp-Session-Id`. */
  readonly upstreamId: string;
  /** The revision that `initialize` settled on. */
  readonly revision: Revision;
}

export interface SessionSealer {
  /**
   * The session id that the client gets.
   *
   * @returns undefined where the upstream's id is not one that the specification allows: visible ASCII, of bounded length
   */
  sealSession(claims: SessionClaims, now: number): string | undefined;
  /**
   * Opens what a client presents. A session id does not authenticate: it opens only for the principal and the upstream
   * that it was made for (2025-11-25, basic/security_best_practices, session hijacking).
   *
   * @param now milliseconds since the epoch
   * @returns undefined for foreign, stale, altered and invented ids, without telling them apart
   */
  openSession(sealed: string, principalId: string, upstream: string, now: number): Session | undefined;
}

/** 0x21 to 0x7E (2025-11-25, basic/transports). 512: sealed and encoded it still fits into common header limits. */
const upstreamIdShape = /^[\x21-\x7e]{1,512}$/;

/** Another replica's clock may run ahead a little; an id from further ahead was not made by an honest one. */
const clockSkewMs = 60_000;

/** What an id opened to, for whom, and since when it is valid. */
interface Remembered {
  readonly principalId: string;
  readonly upstream: string;
  readonly issuedAt: number;
  readonly session: Session;
}

/** 4096 ids of some 2 KiB with what belongs to them: 8 MiB. Only what opened is remembered, so strangers cannot fill it. */
const mostRemembered = 4096;

/** @param options.maxAge milliseconds after which an id opens no more */
export function createSessionSealer(options: {
  readonly keys: readonly Buffer[];
  readonly maxAge: number;
}): SessionSealer {
  const sealer = createSealer(options.keys, 'session');
  const remembered = new Map<string, Remembered>();

  /** Whether an id of this age may be used now. Asked every time: what is remembered grows old too. */
  const isFresh = (issuedAt: number, now: number): boolean =>
    now - issuedAt <= options.maxAge && issuedAt - now <= clockSkewMs;

  function remember(sealed: string, entry: Remembered): Session {
    if (remembered.size >= mostRemembered) {
      // The one that was opened first; its session goes on, and is opened by its key the next time.
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest);
        break;
      }
    }
    remembered.set(sealed, entry);
    return entry.session;
  }

  return {
    sealSession({ principalId, upstream, upstreamId, revision }, now) {
      if (!upstreamIdShape.test(upstreamId)) return undefined;
      return sealer.seal(JSON.stringify([upstream, digest(principalId), upstreamId, revision, now]));
    },
    openSession(sealed, principalId, upstream, now) {
      const known = remembered.get(sealed);
      if (known !== undefined) {
        const isTheirs = known.principalId === principalId && known.upstream === upstream;
        return isTheirs && isFresh(known.issuedAt, now) ? known.session : undefined;
      }
      const opened = sealer.open(sealed);
      if (opened === undefined) return undefined;
      const claims: unknown = JSON.parse(opened);
      if (!Array.isArray(claims)) return undefined;
      const [forUpstream, forPrincipal, upstreamId, revision, issuedAt]: unknown[] = claims;
      if (forUpstream !== upstream || forPrincipal !== digest(principalId)) return undefined;
      if (typeof upstreamId !== 'string' || !isRevision(revision) || eraOf(revision) !== 'legacy')
        return undefined;
      if (typeof issuedAt !== 'number' || !isFresh(issuedAt, now)) return undefined;
      const session = { key: sessionKey(principalId, upstream, upstreamId), upstreamId, revision };
      return remember(sealed, { principalId, upstream, issuedAt, session });
    },
  };
}

/** The same for every id that stands for this session, and for no other session. */
export function sessionKey(principalId: string, upstream: string, upstreamId: string): string {
  return JSON.stringify([principalId, upstream, upstreamId]);
}

function digest(principalId: string): string {
  return hash('sha256', principalId, 'base64url');
}
