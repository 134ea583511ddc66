import { createHash } from 'node:crypto';
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

/** @param options.maxAge milliseconds after which an id opens no more */
export function createSessionSealer(options: {
  readonly keys: readonly Buffer[];
  readonly maxAge: number;
}): SessionSealer {
  const sealer = createSealer(options.keys, 'session');
  return {
    sealSession({ principalId, upstream, upstreamId, revision }, now) {
      if (!upstreamIdShape.test(upstreamId)) return undefined;
      return sealer.seal(JSON.stringify([upstream, digest(principalId), upstreamId, revision, now]));
    },
    openSession(sealed, principalId, upstream, now) {
      const opened = sealer.open(sealed);
      if (opened === undefined) return undefined;
      const claims: unknown = JSON.parse(opened);
      if (!Array.isArray(claims)) return undefined;
      const [forUpstream, forPrincipal, upstreamId, revision, issuedAt]: unknown[] = claims;
      if (forUpstream !== upstream || forPrincipal !== digest(principalId)) return undefined;
      if (typeof upstreamId !== 'string' || !isRevision(revision) || eraOf(revision) !== 'legacy')
        return undefined;
      if (typeof issuedAt !== 'number' || now - issuedAt > options.maxAge || issuedAt - now > clockSkewMs) {
        return undefined;
      }
      return { key: sessionKey(principalId, upstream, upstreamId), upstreamId, revision };
    },
  };
}

/** The same for every id that stands for this session, and for no other session. */
export function sessionKey(principalId: string, upstream: string, upstreamId: string): string {
  return JSON.stringify([principalId, upstream, upstreamId]);
}

function digest(principalId: string): string {
  return createHash('sha256').update(principalId, 'utf8').digest('base64url');
}
