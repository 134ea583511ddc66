import { randomFillSync } from 'node:crypto';

/** 256 ids are drawn at once: one draw for each would cost more than the id is worth. */
const poolSize = 256 * 16;

/**
 * A source of ids: 32 lower-case hexadecimal digits of randomness each, which is also the form of a W3C trace id.
 */
export function createIdSource(): () => string {
  const pool = Buffer.alloc(poolSize);
  let at = poolSize;
  return () => {
    if (at === poolSize) {
      randomFillSync(pool);
      at = 0;
    }
    const id = pool.toString('hex', at, at + 16);
    at += 16;
    return id;
  };
}
