import { skeletonsOf } from './skeleton.ts';

/** Names of tools, by what they can be taken for. */
export interface LookAlikes {
  add(upstream: string, name: string): void;
  remove(upstream: string, name: string): void;
  /** Whether another name, here or at another upstream, can be taken for this one. */
  has(upstream: string, name: string): boolean;
  /** Those names as `upstream/name`, at most eight. */
  of(upstream: string, name: string): readonly string[];
}

/** Others that are told of: a record must not grow with what an upstream invents. */
const mostTold = 8;

/**
 * An empty index. Whoever fills it bounds it.
 *
 * @param unique whether the same name at two upstreams counts too
 */
export function createLookAlikes(unique: boolean): LookAlikes {
  /** Upstreams that have a name, and what it can be taken for: worked out once, asked at every call. */
  const holders = new Map<string, { readonly upstreams: Set<string>; readonly keys: readonly string[] }>();
  /** Names by each of those keys. */
  const classes = new Map<string, Set<string>>();

  return {
    add(upstream, name) {
      const known = holders.get(name);
      if (known !== undefined) {
        known.upstreams.add(upstream);
        return;
      }
      const keys = keysOf(name);
      holders.set(name, { upstreams: new Set([upstream]), keys });
      for (const key of keys) classes.set(key, (classes.get(key) ?? new Set()).add(name));
    },
    remove(upstream, name) {
      const known = holders.get(name);
      if (!known?.upstreams.delete(upstream) || known.upstreams.size > 0) return;
      holders.delete(name);
      for (const key of known.keys) {
        const names = classes.get(key);
        names?.delete(name);
        if (names?.size === 0) classes.delete(key);
      }
    },
    has(upstream, name) {
      const known = holders.get(name);
      if (unique && known !== undefined && known.upstreams.size > (known.upstreams.has(upstream) ? 1 : 0))
        return true;
      for (const key of known?.keys ?? keysOf(name)) {
        const names = classes.get(key);
        if (names !== undefined && names.size > (names.has(name) ? 1 : 0)) return true;
      }
      return false;
    },
    of(upstream, name) {
      const found = new Set<string>();
      for (const key of keysOf(name)) {
        for (const other of classes.get(key) ?? []) {
          for (const at of holders.get(other)?.upstreams ?? []) {
            if (found.size >= mostTold) return [...found];
            if (other !== name || (unique && at !== upstream)) found.add(`${at}/${other}`);
          }
        }
      }
      return [...found];
    },
  };
}

/** The two kinds of skeleton share a map under different first letters. */
function keysOf(name: string): readonly string[] {
  const [folded, seen] = skeletonsOf(name);
  return [`f${folded}`, `s${seen}`];
}
