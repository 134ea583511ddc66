import type { Dial } from '../dialer/contract.ts';
import { createDiscovery, type Discovery } from './discovery.ts';
import { createDiscoveredKeys, createFileKeys, createRemoteKeys, type KeySource } from './jwks.ts';
import type { TokenOptions } from './options.ts';

export interface KeySourceDependencies {
  readonly readFile?: (path: string) => string;
  /** Needed where the issuer is asked for anything. */
  readonly dial?: Dial | undefined;
  /** The issuer's metadata, where they are shared with an introspector. Default: own ones. */
  readonly discovery?: Discovery | undefined;
}

/**
 * Where the keys of a token entry come from: its file, its URL, or what the issuer's metadata name.
 *
 * @returns undefined where none are configured: then its issuer is asked about every token
 * @throws Error when the key file cannot be read
 */
export function createKeySource(
  options: TokenOptions,
  dependencies: KeySourceDependencies,
): KeySource | undefined {
  if (options.keys !== undefined) return createFileKeys(options.keys, dependencies.readFile);
  if (options.jwks !== undefined) {
    return createRemoteKeys({ ...options, url: options.jwks }, needDial(dependencies.dial));
  }
  if (!options.discovery) return undefined;
  const dial = needDial(dependencies.dial);
  return createDiscoveredKeys(options, dependencies.discovery ?? createDiscovery(options, dial), dial);
}

/** @throws TypeError where there is none: nothing falls back to a fetch that nobody guards */
export function needDial(dial: Dial | undefined): Dial {
  if (dial === undefined) throw new TypeError('A token entry that asks its issuer needs a dialer');
  return dial;
}
