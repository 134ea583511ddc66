/**
 * The four functions of the Reflect metadata proposal that @peculiar/x509 needs of its container, and refuses to load
 * without. Import this file before it. A complete polyfill that was loaded earlier stays.
 */

type Key = string | symbol;

interface MetadataFunctions {
  defineMetadata(key: Key, value: unknown, target: object): void;
  getOwnMetadata(key: Key, target: object): unknown;
  getMetadata(key: Key, target: object): unknown;
  metadata(key: Key, value: unknown): (target: object) => void;
}

const entries = new WeakMap<object, Map<Key, unknown>>();

const functions: MetadataFunctions = {
  defineMetadata(key, value, target) {
    const own = entries.get(target) ?? new Map<Key, unknown>();
    entries.set(target, own.set(key, value));
  },
  getOwnMetadata: (key, target) => entries.get(target)?.get(key),
  getMetadata(key, target) {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
      const own = entries.get(at);
      if (own?.has(key)) return own.get(key);
    }
    return undefined;
  },
  metadata: (key, value) => (target) => functions.defineMetadata(key, value, target),
};

if (!('getMetadata' in Reflect)) Object.assign(Reflect, functions);
