import { readFileSync } from 'node:fs';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { type FetchJwks, fetchJwks, parseJwks } from './jwks-fetch.ts';

/** An issuer's keys as they stood at one moment. */
export interface KeySet {
  /** Finds the key that a token's header names. Looks at `kid`, `alg` and nothing else of the header. */
  readonly getKey: JWTVerifyGetKey;
}

/** Where an issuer's keys come from. A set stays the same object for as long as its keys do. */
export interface KeySource {
  /** The keys that may be believed at `time`; undefined where there are none, or they are too old. Never waits. */
  current(time: number): KeySet | undefined;
  /**
   * Looks for newer keys, for a token whose key is not in the set. Calls at the same time share one look, and calls
   * within the cool-down of the last one change nothing.
   */
  refresh(time: number): Promise<void>;
  /** Looks now. @throws Error when that fails; the keys that were known then stay */
  reload(): Promise<void>;
  close(): void;
}

/** Keys from a JWKS file. @throws Error where it cannot be read, or holds no key that can check a signature */
export function createFileKeys(
  path: string,
  readFile: (path: string) => string = (name) => readFileSync(name, 'utf8'),
): KeySource {
  let set = load();

  function load(): KeySet {
    const jwks = parseJwks(readFile(path), path);
    if (jwks.keys.length === 0) throw new Error(`${path}: holds no public key that checks signatures`);
    return toKeySet(jwks);
  }

  return {
    current: () => set,
    async refresh() {},
    async reload() {
      set = load();
    },
    close() {},
  };
}

export interface RemoteKeysOptions {
  readonly url: string;
  /** Milliseconds after which the keys are looked at again, while the old ones serve on. */
  readonly refreshInterval: number;
  /** Least milliseconds between the beginnings of two fetches. */
  readonly cooldown: number;
  /** Milliseconds after which keys that could not be confirmed are no longer believed. */
  readonly maxStale: number;
}

/**
 * Keys that an issuer publishes. Nothing is fetched before the first token. The clock is the caller's.
 *
 * When the issuer cannot be reached, the last keys serve until `maxStale` after their fetch; then nothing of this
 * issuer is believed.
 */
export function createRemoteKeys(options: RemoteKeysOptions, fetch: FetchJwks): KeySource {
  const closing = new AbortController();
  let known: { readonly set: KeySet; readonly text: string; readonly fetchedAt: number } | undefined;
  let lastAttempt: number | undefined;
  let lastTime = 0;
  let running: Promise<void> | undefined;

  function look(time: number): Promise<void> {
    running ??= fetchOnce(time).finally(() => {
      running = undefined;
    });
    return running;
  }

  async function fetchOnce(time: number): Promise<void> {
    lastAttempt = time;
    const jwks = await fetchJwks(fetch, options.url, closing.signal);
    const text = JSON.stringify(jwks);
    // The same keys stay the same object: tokens verified with them stay verified.
    const set = known?.text === text ? known.set : toKeySet(jwks);
    known = { set, text, fetchedAt: time };
  }

  function refresh(time: number): Promise<void> {
    lastTime = time;
    if (running === undefined && lastAttempt !== undefined) {
      const elapsed = time - lastAttempt;
      // A clock that was set back must not stop fetches until it has caught up.
      if (elapsed >= 0 && elapsed < options.cooldown) return Promise.resolve();
    }
    // The failure is not the caller's: it finds no key, and says so.
    return look(time).catch(() => {});
  }

  return {
    current(time) {
      lastTime = time;
      if (known === undefined) return undefined;
      const age = time - known.fetchedAt;
      if (age >= options.refreshInterval || age < 0) void refresh(time);
      return age < options.maxStale ? known.set : undefined;
    },
    refresh,
    reload: () => look(lastTime),
    close() {
      closing.abort();
    },
  };
}

function toKeySet(jwks: JSONWebKeySet): KeySet {
  const local = createLocalJWKSet(jwks);
  return { getKey: (header, token) => local(header, token) };
}
