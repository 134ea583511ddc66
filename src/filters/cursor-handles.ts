import type { MethodRow } from '../mcp/methods.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import type { JsonObject } from '../values/json.ts';
import type { Sealer } from './seal.ts';

/**
 * What a client holds in place of a server's cursor: sealed for this principal, upstream, method and question, with the
 * time. Nothing is remembered.
 */
export interface CursorHandles {
  /**
   * Undefined where the server's cursor is longer than what is relayed.
   *
   * @param listed entries up to here
   */
  seal(cursor: string, pageOf: string, listed: number): string | undefined;
  /** Undefined for foreign, expired, altered and invented cursors, without telling them apart. */
  open(handle: string, pageOf: string): OpenedCursor | undefined;
}

export interface OpenedCursor {
  /** The upstream's own. */
  readonly cursor: string;
  /** Entries on the pages that came before. */
  readonly listed: number;
}

/** UTF-16 units. 8192: servers put the state of a query into a cursor, and it travels in a body twice. */
const longestCursor = 8192;

/** Another replica's clock may run ahead a little; a cursor from further ahead was not made by an honest one. */
const clockSkewMs = 60_000;

/** @param maxAge milliseconds */
export function createCursorHandles(sealer: Sealer, maxAge: number, now: () => number): CursorHandles {
  return {
    seal: (cursor, pageOf, listed) =>
      cursor.length > longestCursor
        ? undefined
        : sealer.seal(JSON.stringify([cursor, now(), listed]), pageOf),
    open(handle, pageOf) {
      // Twice over: UTF-8, then base64.
      if (handle.length > longestCursor * 6) return undefined;
      const opened = sealer.open(handle, pageOf);
      if (opened === undefined) return undefined;
      const claims: unknown = JSON.parse(opened);
      if (!Array.isArray(claims)) return undefined;
      const [cursor, issuedAt, listed]: unknown[] = claims;
      if (typeof cursor !== 'string' || typeof issuedAt !== 'number') return undefined;
      // Releases before this one did not count.
      const counted = typeof listed === 'number' ? listed : 0;
      const age = now() - issuedAt;
      return age > maxAge || age < -clockSkewMs ? undefined : { cursor, listed: counted };
    },
  };
}

/** What the pages of one list have in common: who asks, whom, and for what. */
export function pageOf(row: MethodRow, params: JsonObject | undefined, exchange: Exchange): string {
  const asked = Object.entries(params ?? {})
    .filter(([key]) => key !== 'cursor' && key !== '_meta')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([exchange.principal.id, exchange.upstream, row.method, asked]);
}
