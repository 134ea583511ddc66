import { createHash } from 'node:crypto';
import type { RedisLink } from './link.ts';

/** A script under its hash, so that its text travels once for each start of the server. */
export interface Script {
  /** @throws StoreFault */
  run(keys: readonly string[], values: readonly string[]): Promise<unknown>;
}

export function createScript(text: string, link: Pick<RedisLink, 'send'>): Script {
  const hash = createHash('sha1').update(text).digest('hex');
  return {
    async run(keys, values) {
      const rest = [String(keys.length), ...keys, ...values];
      try {
        return await link.send(['EVALSHA', hash, ...rest]);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
        // Nothing was done: the server has been restarted since, or is another one.
        return await link.send(['EVAL', text, ...rest]);
      }
    },
  };
}
