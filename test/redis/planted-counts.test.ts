import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Claim, unit } from '../../src/limits/contract.ts';
import { StoreFault } from '../../src/limits/store-fault.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { claim, openStore, rateClaim, type TestStore } from './support.ts';

/** Somebody who may write into the store puts something under a key of a limit. */
describe('what stands under a key of a limit, put there by somebody else', () => {
  let redis: TestRedis;
  let store: TestStore;

  beforeAll(async () => {
    redis = await startRedis();
    store = await openStore({ url: redis.url, leases: { enabled: false } });
  });
  afterAll(async () => {
    await store?.close();
    await redis?.stop();
  });

  const claims: Readonly<Record<string, Claim>> = {
    rate: rateClaim('rate', 1, 1000),
    hour: claim('hour', { kind: 'window', period: 'hour', most: 1000 * unit }),
    day: claim('day', { kind: 'window', period: 'day', most: 1000 * unit }),
    month: claim('month', { kind: 'window', period: 'month', most: 1000 * unit }),
    places: claim('places', { kind: 'places', most: 1000 }),
  };
  const other = claim('beside', { kind: 'window', period: 'day', most: 1000 * unit });

  const texts = [
    '',
    '0',
    '-1',
    '1e3',
    '0x10',
    'nan',
    'inf',
    '9'.repeat(15),
    '9'.repeat(16),
    '9'.repeat(17),
    '9'.repeat(400),
    ':',
    '1:',
    ':1',
    '0:0',
    '1:2:3',
    '-1:0',
    '0:-1',
    '0: 1',
    '0:1e3',
    `${'9'.repeat(16)}:0`,
    `${'9'.repeat(16)}:${'9'.repeat(16)}`,
    `${'9'.repeat(15)}:1`,
    `${'9'.repeat(12)}:1`,
    `${'9'.repeat(8)}:1`,
    `999999:1`,
    `0:${'9'.repeat(16)}`,
    `0:${'9'.repeat(17)}`,
    '1\n',
    '1:1\n',
    '\u0000',
    'x'.repeat(1_000_000),
  ].map((text) => ['SET', text]);
  const types: readonly (readonly string[])[] = [
    ['RPUSH', 'x'],
    ['SADD', 'x'],
    ['HSET', 'x', '1'],
    ['XADD', '*', 'x', '1'],
    ['ZADD', '1', 'x'],
    ['ZADD', 'inf', 'x'],
    ['ZADD', '-inf', 'x'],
    ['ZADD', '1e308', 'x', '5', 'holder'],
  ];

  let number = 0;
  for (const [kind, of] of Object.entries(claims))
    for (const plant of [...texts, ...types]) {
      const [command, ...rest] = plant as [string, ...string[]];
      const shown = `${command} ${rest.join(' ')}`.slice(0, 50);
      it(`${kind}: ${JSON.stringify(shown)} is a count, or spoils that one call and charges nothing`, async () => {
        // A refusal of an earlier row is remembered: each has a key of its own.
        number += 1;
        const one = { ...of, key: `${of.key} ${number}` };
        const { send } = store.link;
        await send(['FLUSHALL']);
        await store.counts.take([one], 'earlier', 0, 0);
        const [key] = (await send(['KEYS', '*'])) as [string];
        await send(['DEL', key]);
        await send([command, key, ...rest]);
        const planted = await send(['DUMP', key]);
        // Of the two, the one that is whole is charged only with the other.
        const fault = await Promise.resolve(store.counts.take([other, one], 'holder', 0, 0)).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (fault !== undefined) {
          expect(fault).toBeInstanceOf(StoreFault);
          // `lost` would take the whole store out of use, for all limits, for one key.
          expect((fault as StoreFault).kind).toBe('key');
          expect(await send(['KEYS', '*'])).toEqual([key]);
          expect(await send(['DUMP', key])).toBe(planted);
        }
      });
    }
});
