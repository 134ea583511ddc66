import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export interface DpopNonces {
  /** The nonce to be used from `time` on. */
  issue(time: number): string;
  /** Whether a nonce was issued here, in this window or in the one before. */
  isFresh(nonce: unknown, time: number): boolean;
}

/**
 * Nonces without memory (RFC 9449, section 9): a keyed hash of the time window. Nobody can make one up, and one that
 * was overheard ends with the window after its own, so that proofs cannot be made long before they are used.
 *
 * @param keys the first makes nonces, all are believed; replicas that share them believe one another's
 * @param window milliseconds
 */
export function createDpopNonces(keys: readonly Buffer[], window: number): DpopNonces {
  const derived = keys.map((key) => Buffer.from(hkdfSync('sha256', key, '', 'sallyport dpop nonce', 32)));
  const [first] = derived;
  if (first === undefined) throw new TypeError('Nonces need a key');
  const nonceOf = (key: Buffer, number: number): Buffer =>
    createHmac('sha256', key).update(`${window} ${number}`).digest();
  return {
    issue: (time) => nonceOf(first, Math.floor(time / window)).toString('base64url'),
    isFresh(nonce, time) {
      if (typeof nonce !== 'string' || nonce.length !== 43) return false;
      const given = Buffer.from(nonce, 'base64url');
      if (given.length !== 32) return false;
      const number = Math.floor(time / window);
      return derived.some((key) =>
        [number, number - 1].some((each) => timingSafeEqual(given, nonceOf(key, each))),
      );
    },
  };
}
