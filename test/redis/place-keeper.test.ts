import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPlaceKeeper } from '../../src/redis/place-keeper.ts';
import { startRedis, type TestRedis, until } from '../support/redis.ts';
import { claim, openStore, type TestStore } from './support.ts';

let redis: TestRedis;
let store: TestStore;

beforeAll(async () => {
  redis = await startRedis();
  store = await openStore({ url: redis.url, placeLease: '3s' });
});
afterAll(async () => {
  await store?.close();
  await redis?.stop();
});

describe('places in the store', () => {
  it('stay taken for as long as their process says so, and are free when it says so no more', async () => {
    const places = claim('places', { kind: 'places', most: 1 });
    const other = await openStore({ url: redis.url, placeLease: '3s' });
    expect(await other.counts.take([places], 'other', 0, 0)).toMatchObject({ ok: true, held: [places] });
    const key = await redis.cli('KEYS', '{sallyport}:places:*');
    const endOf = async (): Promise<number> => Number(await redis.cli('ZSCORE', key, 'other'));
    const first = await endOf();
    await until('the lease was renewed twice', async () => (await endOf()) > first + 1500);
    expect(await store.counts.take([places], 'mine', 0, 0)).toMatchObject({ ok: false });
    // As a crash would: nothing is given back.
    await other.close();
    await until('the place is free', async () => {
      const taken = await store.counts.take([places], 'mine', 0, 0);
      return 'ok' in taken && taken.ok;
    });
    store.counts.release([places], 'mine');
  });

  it('are taken again at a server that has forgotten them', async () => {
    const places = claim('kept', { kind: 'places', most: 1 });
    expect(await store.counts.take([places], 'mine', 0, 0)).toMatchObject({ ok: true });
    await redis.cli('FLUSHALL');
    await until('it is there again', async () => (await redis.cli('KEYS', '*')).includes('places'));
    expect(await store.counts.take([places], 'another', 0, 0)).toMatchObject({ ok: false });
    store.counts.release([places], 'mine');
    await until('it is free', async () => {
      const taken = await store.counts.take([places], 'another', 0, 0);
      return 'ok' in taken && taken.ok;
    });
    store.counts.release([places], 'another');
  });

  it('leave out a key that is not the gateway’s, and renew the others', async () => {
    await redis.cli('FLUSHALL');
    const keeper = createPlaceKeeper(300, store.link);
    await redis.cli('SET', '{sallyport}:foreign', 'text');
    keeper.hold('{sallyport}:foreign', 'mine');
    keeper.hold('{sallyport}:own', 'mine');
    await until(
      'the own one is renewed',
      async () => (await redis.cli('TYPE', '{sallyport}:own')) === 'zset',
    );
    expect(await redis.cli('GET', '{sallyport}:foreign')).toBe('text');
    expect(keeper.size).toBe(2);
    keeper.giveBack('{sallyport}:own', 'mine');
    await until('it was given back', async () => (await redis.cli('EXISTS', '{sallyport}:own')) === '0');
    keeper.close();
    expect(keeper.size).toBe(0);
  });
});
