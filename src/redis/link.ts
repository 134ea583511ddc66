import { setTimeout as sleep } from 'node:timers/promises';
import { StoreFault } from '../limits/store-fault.ts';
import { faultOf } from './fault.ts';
import { findServer, type ServerAddress } from './find-server.ts';
import type { RedisOptions } from './options.ts';
import { openSession, type RedisSession } from './session.ts';

/** One connection to whatever server has the keys now, made anew for ever. */
export interface RedisLink {
  /**
   * Sends one command. Commands are written in the order in which they are sent.
   *
   * @throws StoreFault, at once where there is no connection or too many commands wait
   */
  send(command: readonly string[]): Promise<unknown>;
  readonly isUp: boolean;
  /** Resolves when there is a connection, or when it has been waited for so long. */
  untilUp(patienceMs: number): Promise<void>;
  /**
   * @param tell called at each connection, before anybody else sends over it; at once where there is one now. Throws never
   * @returns what ends that
   */
  onUp(tell: () => void): () => void;
  close(): Promise<void>;
}

export interface LinkDependencies {
  readonly monotonic: () => number;
  /** A connection could not be made or was lost. For operators. */
  readonly onTrouble: (cause: unknown) => void;
  /** The server drives keys out when its memory is full: counts are then forgotten in silence. Told at each connection. */
  readonly onEviction?: (policy: string) => void;
}

/** 50 ms and then twice as long each time: a server that restarts is found soon, and one that is gone is left alone. */
const firstPauseMs = 50;
/** 1 s: a server that is back is used again within two. */
const longestPauseMs = 1000;
/**
 * 2 s without a word although commands wait: the connection is dropped and made anew. A peer that vanished without a
 * sign sends no reset, and the kernel would wait for it for many minutes.
 */
const silenceMs = 2000;
const lookEveryMs = 500;

/** What these say is true of the server that is connected to, and not of the one that has the keys now. */
const elsewhere = /^(?:READONLY|MOVED|ASK|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|NOAUTH|UNBLOCKED)\b/;

/**
 * Keeps a connection. Never holds a command back for later: without a connection it fails at once, and a command that
 * was lost with its connection is not sent again, because nobody knows whether it was carried out.
 */
export function createRedisLink(options: RedisOptions, deps: LinkDependencies): RedisLink {
  const ending = new AbortController();
  let session: RedisSession | undefined;
  let pending = 0;
  let heardAt = 0;
  let upWaiters: (() => void)[] = [];
  const upHearers = new Set<() => void>();

  async function keepConnected(): Promise<void> {
    let failures = 0;
    let last: ServerAddress | undefined;
    while (!ending.signal.aborted) {
      try {
        const found = await findServer(options, last);
        last = found;
        const opened = await openSession(options, found);
        if (ending.signal.aborted) {
          opened.drop();
          return;
        }
        session = opened;
        heardAt = deps.monotonic();
        failures = 0;
        for (const tell of upHearers) tell();
        for (const wake of upWaiters.splice(0)) wake();
        void evictionOf(opened).then((policy) => policy !== undefined && deps.onEviction?.(policy));
        const cause = await opened.ended;
        session = undefined;
        if (!ending.signal.aborted) deps.onTrouble(cause);
      } catch (error) {
        if (!ending.signal.aborted) deps.onTrouble(faultOf(error));
      }
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10));
      failures += 1;
      // A part of it by chance: replicas that lost one server do not all come back in the same instant.
      await sleep(pause * (0.5 + Math.random() / 2), undefined, { signal: ending.signal, ref: false }).catch(
        () => {},
      );
    }
  }
  const running = keepConnected();
  const watch = setInterval(() => {
    if (session !== undefined && pending > 0 && deps.monotonic() - heardAt > silenceMs)
      session.drop(new StoreFault('lost', 'the server is silent'));
  }, lookEveryMs);
  watch.unref();

  return {
    get isUp() {
      return session !== undefined;
    },
    async send(command) {
      const current = session;
      if (current === undefined) throw new StoreFault('lost', 'there is no connection');
      if (pending >= options.pending) throw new StoreFault('lost', 'too many commands wait for an answer');
      if (pending === 0) heardAt = deps.monotonic();
      pending += 1;
      try {
        return await current.send(command);
      } catch (error) {
        if (error instanceof Error && elsewhere.test(error.message)) current.drop(faultOf(error));
        throw error instanceof Error && error.message.startsWith('NOSCRIPT') ? error : faultOf(error);
      } finally {
        pending -= 1;
        heardAt = deps.monotonic();
      }
    },
    async untilUp(patienceMs) {
      if (session !== undefined) return;
      const up = new Promise<void>((resolve) => upWaiters.push(resolve));
      const stop = new AbortController();
      await Promise.race([up, sleep(patienceMs, undefined, { signal: stop.signal }).catch(() => {})]);
      stop.abort();
      upWaiters = [];
    },
    onUp(tell) {
      upHearers.add(tell);
      if (session !== undefined) tell();
      return () => void upHearers.delete(tell);
    },
    async close() {
      ending.abort();
      clearInterval(watch);
      session?.drop();
      await running;
    },
  };
}

/** How the server makes room, where it may forget keys that have not ended. Undefined also where it does not say. */
async function evictionOf(session: RedisSession): Promise<string | undefined> {
  try {
    const told = String(await session.send(['INFO', 'memory']));
    const policy = /^maxmemory_policy:([a-z-]{1,40})\r?$/m.exec(told)?.[1];
    return /^maxmemory:0\r?$/m.test(told) || policy === 'noeviction' ? undefined : policy;
  } catch {
    // The user may have no right to ask: it is not needed to serve.
    return undefined;
  }
}
