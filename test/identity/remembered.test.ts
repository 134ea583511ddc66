import { describe, expect, test } from 'vitest';
import { remember } from '../../src/identity/remembered.ts';

const times = { refreshInterval: 600, cooldown: 30, maxStale: 3600 };

interface Look {
  readonly time: number;
  readonly signal: AbortSignal;
  readonly previous: object | undefined;
  answer(value: object): void;
  fail(message: string): void;
}

/** Something that an issuer publishes, with a test in its place: each look waits until the test answers it. */
function world() {
  const looks: Look[] = [];
  const remembered = remember<object>(
    times,
    (about) =>
      new Promise((resolve, reject) => {
        looks.push({ ...about, answer: resolve, fail: (message) => reject(new Error(message)) });
      }),
  );
  const knowing = async (value: object, time: number) => {
    const asked = remembered.fresh(time);
    looks.at(-1)!.answer(value);
    expect(await asked).toBe(value);
  };
  return { remembered, looks, knowing };
}

describe('something that an issuer publishes', () => {
  test('is not looked at before somebody asks, nor when somebody asks without waiting', () => {
    const { remembered, looks } = world();
    expect(remembered.current(0)).toBeUndefined();
    expect(looks).toHaveLength(0);
  });

  test('is looked at once for all who ask at the same time, whenever that is', async () => {
    const { remembered, looks } = world();
    const asked = [remembered.fresh(0), remembered.fresh(5), remembered.refresh(100)];
    expect(looks).toHaveLength(1);
    expect(looks[0]).toMatchObject({ time: 0, previous: undefined });
    const value = {};
    looks[0]!.answer(value);
    expect(await Promise.all(asked)).toEqual([value, value, undefined]);
  });

  test('is believed until it is stale, and looked at again beside that from the interval on', async () => {
    const { remembered, looks, knowing } = world();
    const value = {};
    await knowing(value, 1000);
    expect(remembered.current(1599)).toBe(value);
    expect(await remembered.fresh(1599)).toBe(value);
    expect(looks).toHaveLength(1);
    // Never waits: what is known serves on.
    expect(remembered.current(1600)).toBe(value);
    expect(looks).toHaveLength(2);
    expect(looks[1]).toMatchObject({ time: 1600, previous: value });
    looks[1]!.fail('down');
    await expect.poll(() => remembered.current(4599)).toBe(value);
    expect(remembered.current(4600)).toBeUndefined();
  });

  test('counts from when it was asked for', async () => {
    const { remembered, looks, knowing } = world();
    await knowing({}, 0);
    const asked = remembered.fresh(600);
    const newer = {};
    looks[1]!.answer(newer);
    expect(await asked).toBe(newer);
    expect(remembered.current(1199)).toBe(newer);
    expect(looks).toHaveLength(2);
  });

  test('is not looked at within the cool-down of a look that failed', async () => {
    const { remembered, looks } = world();
    const first = remembered.fresh(0);
    looks[0]!.fail('down');
    expect(await first).toBeUndefined();
    for (const time of [0, 1, 29]) {
      expect(await remembered.fresh(time)).toBeUndefined();
      await remembered.refresh(time);
    }
    expect(looks).toHaveLength(1);
    const second = remembered.fresh(30);
    expect(looks).toHaveLength(2);
    looks[1]!.answer({});
    expect(await second).toBeDefined();
  });

  test('is looked at by a clock that was set back, and not believed longer for it', async () => {
    const { remembered, looks, knowing } = world();
    const value = {};
    await knowing(value, 1_000_000);
    expect(remembered.current(999_999)).toBe(value);
    expect(looks).toHaveLength(2);
    expect(looks[1]!.time).toBe(999_999);
    looks[1]!.fail('down');
    expect(remembered.current(999_990)).toBe(value);
  });

  test('is looked at now when it is reloaded, whatever the cool-down, and says when that fails', async () => {
    const { remembered, looks, knowing } = world();
    const value = {};
    await knowing(value, 1000);
    remembered.current(1010);
    const again = remembered.reload();
    await expect.poll(() => looks.length).toBe(2);
    // At the time of whoever asked last.
    expect(looks[1]).toMatchObject({ time: 1010, previous: value });
    const failing = expect(again).rejects.toThrow('down');
    looks[1]!.fail('down');
    await failing;
    expect(remembered.current(1011)).toBe(value);
    await remembered.refresh(1020);
    expect(looks).toHaveLength(2);
    const once = remembered.reload();
    await expect.poll(() => looks.length).toBe(3);
    expect(looks[2]!.time).toBe(1020);
    const newer = {};
    looks[2]!.answer(newer);
    await once;
    expect(remembered.current(1021)).toBe(newer);
  });

  test('is looked at anew by a reload that comes while a look is under way', async () => {
    const { remembered, looks } = world();
    const asked = remembered.fresh(0);
    const again = remembered.reload();
    looks[0]!.answer({ old: true });
    await asked;
    await expect.poll(() => looks.length).toBe(2);
    const newer = {};
    looks[1]!.answer(newer);
    await again;
    expect(remembered.current(1)).toBe(newer);
  });

  test('is given up when it is closed', () => {
    const { remembered, looks } = world();
    void remembered.refresh(0);
    expect(looks[0]!.signal.aborted).toBe(false);
    remembered.close();
    expect(looks[0]!.signal.aborted).toBe(true);
  });
});
