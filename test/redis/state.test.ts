import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createStoreKeys } from '../../src/redis/keys.ts';
import { createRedisState } from '../../src/redis/state.ts';
import type { SharedState } from '../../src/state/contract.ts';
import { startRedis, type TestRedis, until } from '../support/redis.ts';
import { forgetAll, openStore, type TestStore } from './support.ts';

let redis: TestRedis;
let store: TestStore;
let up = true;
let faults: unknown[] = [];

/** All but the mark of how far the memory reaches back. */
const entries = '{sallyport}:state-*:*';
const mark = '{sallyport}:state-since';
const oldKey = Buffer.alloc(32, 1);
const newKey = Buffer.alloc(32, 2);

const stateWith = (...keys: readonly Buffer[]): SharedState => stateOver(store, keys);

function stateOver({ link }: TestStore, keys: readonly Buffer[]): SharedState {
  return createRedisState({
    link,
    keys: createStoreKeys(keys, 'sallyport'),
    timeout: 5000,
    isUp: () => up,
    onFault: (cause) => faults.push(cause),
  });
}

beforeAll(async () => {
  redis = await startRedis();
  store = await openStore({ url: redis.url });
});
afterAll(async () => {
  await store?.close();
  await redis?.stop();
});
beforeEach(async () => {
  await forgetAll(redis);
  up = true;
  faults = [];
});

describe('state in a store that replicas share', () => {
  it('lets a key be new to one of many that ask at once', async () => {
    const replicas = [stateWith(newKey), stateWith(newKey), stateWith(newKey)];
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => replicas[index % 3]!.once('dpop', 'proof', 60_000)),
    );
    expect(answers.filter((answer) => answer === 'new')).toHaveLength(1);
    expect(answers.filter((answer) => answer === 'known')).toHaveLength(29);
    expect(await replicas[0]!.once('question', 'proof', 60_000)).toBe('new');
  });

  it('gives a value to one of many that take it', async () => {
    const replicas = [stateWith(newKey), stateWith(newKey)];
    expect(await replicas[0]!.put('task', 'a', 'välue', 60_000)).toBe(true);
    expect(await replicas[1]!.get('task', 'a')).toBe('välue');
    const taken = await Promise.all(replicas.map((replica) => replica.take('task', 'a')));
    expect(taken.filter((value) => value === 'välue')).toHaveLength(1);
    expect(await replicas[0]!.look('task', 'a')).toEqual({ value: undefined });
  });

  it('knows what was put under any key of the ring, while keys are replaced', async () => {
    const before = stateWith(oldKey);
    const during = stateWith(oldKey, newKey);
    const after = stateWith(newKey, oldKey);
    expect(await before.once('dpop', 'proof', 60_000)).toBe('new');
    expect(await after.once('dpop', 'proof', 60_000)).toBe('known');
    expect(await after.once('dpop', 'other', 60_000)).toBe('new');
    expect(await during.once('dpop', 'other', 60_000)).toBe('known');
    await before.put('task', 'a', 'first', 60_000);
    expect(await after.get('task', 'a')).toBe('first');
    await after.put('task', 'a', 'second', 60_000);
    expect(await during.get('task', 'a')).toBe('second');
    expect(await during.take('task', 'a')).toBe('second');
    expect(await after.get('task', 'a')).toBeUndefined();
  });

  it('takes no value that was moved to another name, nor one that was changed', async () => {
    const state = stateWith(newKey);
    await state.put('task', 'a', 'of a', 60_000);
    await state.put('task', 'b', 'of b', 60_000);
    const [first, second] = (await redis.cli('KEYS', entries)).split('\n') as [string, string];
    await redis.cli('RENAME', first, second);
    expect([await state.get('task', 'a'), await state.get('task', 'b')]).toEqual([undefined, undefined]);
    await state.put('task', 'c', 'of c', 60_000);
    const key = (await redis.cli('KEYS', entries)).split('\n').find((one) => one !== second)!;
    for (const odd of ['', 'x', 'A'.repeat(60)]) {
      await redis.cli('SET', key, odd);
      expect(await state.get('task', 'c')).toBeUndefined();
    }
  });

  it('knows no longer whether anything was there, where somebody put another thing in its place', async () => {
    const state = stateWith(newKey);
    await state.put('hold', 'a', 'held', 60_000);
    const key = await redis.cli('KEYS', entries);
    const forged = createStoreKeys([oldKey], 'sallyport').seal('hold\na', 'never');
    for (const odd of ['', 'x', 'A'.repeat(60), forged]) {
      await redis.cli('SET', key, odd);
      expect(await state.look('hold', 'a')).toBe('lost');
      expect(await state.take('hold', 'a')).toBeUndefined();
    }
    await redis.cli('LPUSH', key, 'a list');
    expect(await state.look('hold', 'a')).toBe('lost');
    expect(await state.once('hold', 'a', 1000)).toBe('known');
    expect(faults.length).toBeGreaterThan(8);
    await state.put('hold', 'a', 'held', 60_000);
    expect(await state.look('hold', 'a')).toEqual({ value: 'held' });
  });

  it('reads nothing into memory that is longer than what is kept', async () => {
    const state = stateWith(newKey);
    await state.put('task', 'a', '\u{1F600}'.repeat(32_768), 60_000);
    expect(await state.get('task', 'a')).toHaveLength(65_536);
    const key = await redis.cli('KEYS', entries);
    await redis.cli('SETRANGE', key, String(64 * 1024 * 1024), 'x');
    expect(await state.look('task', 'a')).toBe('lost');
    expect(await state.take('task', 'a')).toBeUndefined();
    expect(faults.map(String)).toEqual([
      expect.stringContaining('did not write'),
      expect.stringContaining('did not write'),
    ]);
    // Not taken either: whoever wrote it may look at it.
    expect(await redis.cli('EXISTS', key)).toBe('1');
  });

  it('of another prefix means nothing here, though the session keys are the same', async () => {
    const other = createRedisState({
      link: store.link,
      keys: createStoreKeys([newKey], 'other'),
      timeout: 5000,
      isUp: () => true,
      onFault: (cause) => faults.push(cause),
    });
    const state = stateWith(newKey);
    await other.put('question', 'a', 'of the other', 60_000);
    await state.put('question', 'a', 'of this one', 60_000);
    const [own] = (await redis.cli('KEYS', entries)).split('\n') as [string];
    const [foreign] = (await redis.cli('KEYS', '{other}:state-*:*')).split('\n') as [string];
    // Neither by the value, nor by the name.
    expect(own.slice(own.lastIndexOf(':'))).not.toBe(foreign.slice(foreign.lastIndexOf(':')));
    await redis.cli('COPY', foreign, own, 'REPLACE');
    expect(await state.get('question', 'a')).toBeUndefined();
    expect(faults).toHaveLength(1);
  });

  it('ends', async () => {
    const state = stateWith(newKey);
    await state.once('dpop', 'proof', 1000);
    await state.put('question', 'q', 'v', 2000);
    for (const key of (await redis.cli('KEYS', entries)).split('\n'))
      expect(Number(await redis.cli('PTTL', key))).toBeGreaterThan(0);
    state.forget('question', 'q');
    expect(await state.get('question', 'q')).toBeUndefined();
  });

  it('keeps nothing that is too long', async () => {
    const state = stateWith(newKey);
    expect(await state.put('task', 'a', 'x'.repeat(65_537), 1000)).toBe(false);
    expect(await state.put('task', 'a', 'x'.repeat(65_536), 1000)).toBe(true);
  });

  it('says of nothing that it is new, and knows nothing, while the store is lost', async () => {
    const state = stateWith(newKey);
    up = false;
    expect(await state.once('dpop', 'proof', 1000)).toBe('full');
    expect(await state.put('task', 'a', 'v', 1000)).toBe(false);
    expect(await state.get('task', 'a')).toBeUndefined();
    expect(await state.look('task', 'a')).toBe('lost');
    expect(await state.take('task', 'a')).toBeUndefined();
    state.forget('task', 'a');
    expect(faults).toEqual([]);
  });

  it('cannot tell whether a proof was used before the store was emptied, and takes later ones', async () => {
    const [one, two] = [stateWith(newKey), stateWith(newKey)];
    await until('the memory is marked', async () => (await redis.cli('EXISTS', mark)) === '1');
    expect(await one.once('dpop', 'proof', 60_000, 0)).toBe('new');
    await forgetAll(redis);
    for (const state of [one, two, stateWith(newKey), stateWith(oldKey)])
      expect(await state.once('dpop', 'proof', 60_000, 5000)).toBe('forgotten');
    expect(await two.once('dpop', 'later', 60_000, 0)).toBe('new');
    expect(await one.once('dpop', 'later', 60_000, 5000)).toBe('known');
  });

  it('cannot tell whether anything was kept before the store was emptied, for as long as it would be kept', async () => {
    const [one, two] = [stateWith(newKey), stateWith(newKey)];
    expect(await two.look('hold', 'never', 60_000)).toEqual({ value: undefined });
    await one.put('hold', 'a', 'held', 60_000);
    await forgetAll(redis);
    expect(await two.look('hold', 'a', 60_000)).toBe('lost');
    expect(await two.look('hold', 'never', 60_000)).toBe('lost');
    expect(await two.look('hold', 'a', 0)).toEqual({ value: undefined });
    await one.put('hold', 'a', 'held again', 60_000);
    expect(await two.look('hold', 'a', 60_000)).toEqual({ value: 'held again' });
    // A day later, as the mark says.
    await redis.cli('SET', mark, String(Date.now() - 86_400_000));
    expect(await two.look('hold', 'never', 60_000)).toEqual({ value: undefined });
    expect(faults).toEqual([]);
  });

  it('knows that the store was emptied also where it came up after the process, and was emptied before the first look', async () => {
    const late = await startRedis();
    await late.kill();
    const down = await openStore({ url: late.url }, { patienceMs: 1 });
    const again = async (): Promise<void> => {
      await late.kill();
      await until('the connection is lost', () => !down.link.isUp);
      await late.start();
      await until('it is connected', () => down.link.isUp);
    };
    try {
      const [puts, idle] = [stateOver(down, [newKey]), stateOver(down, [newKey])];
      await late.start();
      await until('it is kept', () => puts.put('hold', 'a', 'held', 60_000));
      // Also to the process that asked nothing so far.
      await until('the memory is marked', async () => (await late.cli('EXISTS', mark)) === '1');
      expect(await puts.get('hold', 'a')).toBe('held');
      await again();
      for (const state of [puts, idle]) expect(await state.look('hold', 'a', 60_000)).toBe('lost');
    } finally {
      await down.close();
      await late.stop();
    }
  });

  it('marks how far the memory reaches back with what is put', async () => {
    const state = stateWith(newKey);
    await until('the memory is marked', async () => (await redis.cli('EXISTS', mark)) === '1');
    await forgetAll(redis);
    expect(await state.put('hold', 'a', 'held', 60_000)).toBe(true);
    expect(await redis.cli('EXISTS', mark)).toBe('1');
  });

  it('marks it at each new connection', async () => {
    stateWith(newKey);
    await until('the memory is marked', async () => (await redis.cli('EXISTS', mark)) === '1');
    await forgetAll(redis);
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
    await until('the memory is marked again', async () => (await redis.cli('EXISTS', mark)) === '1', 5000);
  });

  it('takes no mark for one that no gateway writes', async () => {
    const state = stateWith(newKey);
    for (const odd of [
      '',
      '-1',
      '1e3',
      '0x1',
      'nan',
      'inf',
      '9'.repeat(400),
      String(Date.now() + 3_600_000),
    ]) {
      await redis.cli('SET', mark, odd);
      expect(await state.once('dpop', odd, 60_000, 5000)).toBe('forgotten');
      expect(Number(await redis.cli('PTTL', mark))).toBeGreaterThan(0);
    }
    await redis.cli('DEL', mark);
    await redis.cli('LPUSH', mark, 'a list');
    expect(await state.once('dpop', 'proof', 60_000, 5000)).toBe('full');
    expect(await state.look('hold', 'a', 60_000)).toBe('lost');
  });

  it('is at no moment unknown while it is written anew under a newer key', async () => {
    const sent: string[] = [];
    const state = createRedisState({
      link: {
        send: async (command) => {
          sent.push(command[0]!);
        },
        onUp: () => () => {},
      },
      keys: createStoreKeys([newKey, oldKey], 'sallyport'),
      timeout: 5000,
      isUp: () => true,
      onFault: (cause) => faults.push(cause),
    });
    expect(await state.put('hold', 'a', 'held', 60_000)).toBe(true);
    expect(sent).toEqual(['EVALSHA']);
  });

  it('tells operators where a key holds what the gateway did not write', async () => {
    const state = stateWith(newKey);
    await state.put('task', 'a', 'v', 60_000);
    const key = await redis.cli('KEYS', entries);
    await redis.cli('DEL', key);
    await redis.cli('LPUSH', key, 'a list');
    expect(await state.take('task', 'a')).toBeUndefined();
    expect(faults).toHaveLength(1);
  });
});
