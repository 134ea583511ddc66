import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { Dial } from '../dialer/contract.ts';
import { readPlainFile } from '../document/plain-file.ts';
import type { Discovery } from './discovery.ts';
import { fetchJwks, parseJwks } from './jwks-fetch.ts';
import { type RememberOptions, remember } from './remembered.ts';

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
export function createFileKeys(path: string, readFile: (path: string) => string = readPlainFile): KeySource {
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

export interface RemoteKeysOptions extends RememberOptions {
  readonly url: string;
}

/**
 * Keys that an issuer publishes. Nothing is fetched before the first token. The clock is the caller's.
 *
 * When the issuer cannot be reached, the last keys serve until `maxStale` after their fetch; then nothing of this
 * issuer is believed.
 */
export function createRemoteKeys(options: RemoteKeysOptions, dial: Dial): KeySource {
  return toKeySource(options, dial, async () => options.url);
}

/**
 * Keys at the place that the issuer's metadata names. The metadata is looked at again before the keys are, once it is
 * older than the interval: a place that moved is found with the keys that moved.
 */
export function createDiscoveredKeys(options: RememberOptions, discovery: Discovery, dial: Dial): KeySource {
  const keys = toKeySource(options, dial, async (time) => {
    const metadata = await discovery.fresh(time);
    if (metadata === undefined) throw new Error("the issuer's metadata is not known");
    return metadata.jwksUri;
  });
  return {
    ...keys,
    async reload() {
      await discovery.reload();
      await keys.reload();
    },
    close() {
      discovery.close();
      keys.close();
    },
  };
}

function toKeySource(
  options: RememberOptions,
  dial: Dial,
  locate: (time: number) => Promise<string | undefined>,
): KeySource {
  const seen = remember<Published>(options, async ({ time, signal, previous }) => {
    const url = await locate(time);
    // An issuer that publishes no place for keys has none.
    const jwks = url === undefined ? { keys: [] } : await fetchJwks(dial, url, signal);
    const text = JSON.stringify(jwks);
    // The same keys stay the same object: tokens verified with them stay verified.
    return previous?.text === text ? previous : { set: toKeySet(jwks), text };
  });
  return {
    current: (time) => seen.current(time)?.set,
    refresh: seen.refresh,
    reload: seen.reload,
    close: seen.close,
  };
}

interface Published {
  readonly set: KeySet;
  readonly text: string;
}

function toKeySet(jwks: JSONWebKeySet): KeySet {
  const local = createLocalJWKSet(jwks);
  return { getKey: (header, token) => local(header, token) };
}
