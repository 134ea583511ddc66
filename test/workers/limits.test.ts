import { describe, expect, it } from 'vitest';
import { type Claim, unit } from '../../src/limits/contract.ts';
import { createMemoryStore } from '../../src/limits/memory-store.ts';
import { createIpcLimitStore } from '../../src/workers/ipc-limit-store.ts';
import { createLine, type Line } from '../../src/workers/line.ts';
import { serveLimits } from '../../src/workers/serve-limits.ts';

const about = { enforced: true, onStoreLoss: 'deny' as const };
const place: Claim = { ...about, limit: 'two', key: 'p', amount: unit, measure: { kind: 'places', most: 2 } };
const rate: Claim = {
  ...about,
  limit: 'three',
  key: 'r',
  amount: unit,
  measure: { kind: 'rate', costUs: 1_000_000, toleranceUs: 2_000_000 },
};

function setUp() {
  const store = createMemoryStore({ rateKeys: 10, quotaKeys: 10, concurrencyKeys: 10 }, () => undefined);
  const served = serveLimits(store, { nowUs: () => 0, time: () => 0 });
  let asked = 0;
  const worker = (number: number) => {
    const mine: Line = createLine({
      send: (message) => primary.receive(structuredClone(message)),
      answer: () => undefined,
    });
    const primary: Line = createLine({
      send: (message) => mine.receive(structuredClone(message)),
      answer(_what, body) {
        asked += 1;
        return served.take(number, body);
      },
      hear: (_what, body) => served.release(number, body),
    });
    return createIpcLimitStore({ line: mine, timeoutMs: 1000, report: () => undefined });
  };
  return { store, served, worker, asked: () => asked };
}

describe('limits that a primary counts', () => {
  it('are the same for all workers, and told with the very claims that were asked', async () => {
    const { worker } = setUp();
    const [one, two] = [worker(1), worker(2)];
    for (const [index, store] of [one, two, one].entries())
      expect(await store.take([rate], `h${index}`, 0, 0)).toMatchObject({ ok: true });
    const refused = await two.take([rate], 'h', 0, 0);
    if (refused.ok || !('refused' in refused)) throw new Error('not refused');
    expect(refused.refused[0]?.claim).toBe(rate);
    expect(refused.refused[0]?.retryAfterMs).toBe(1000);
  });

  it('are not asked again about what must still be refused', async () => {
    const { worker, asked } = setUp();
    const one = worker(1);
    for (let index = 0; index < 10; index += 1) await one.take([rate], `h${index}`, 0, 0);
    expect(asked()).toBe(4);
    expect(one.peek([rate], 0, 0)?.claim).toBe(rate);
    expect(one.peek([rate], 1_000_000, 0)).toBeUndefined();
  });

  it('give back the places of a worker that is gone, and nobody else', async () => {
    const { worker, served } = setUp();
    const [one, two] = [worker(1), worker(2)];
    const held = await one.take([place], 'a', 0, 0);
    if (!held.ok) throw new Error('refused');
    expect(held.held).toEqual([place]);
    expect(await two.take([place], 'b', 0, 0)).toMatchObject({ ok: true });
    expect(await two.take([place], 'c', 0, 0)).toMatchObject({ ok: false });
    served.gone(1);
    expect(await two.take([place], 'c', 0, 0)).toMatchObject({ ok: true });
    expect(await two.take([place], 'd', 0, 0)).toMatchObject({ ok: false });
    // What it gives back after it was given up is not taken from somebody else.
    one.release([place], 'a');
    expect(await two.take([place], 'd', 0, 0)).toMatchObject({ ok: false });
  });

  it('reject where the primary does not answer', async () => {
    const line = createLine({ send: () => undefined, answer: () => undefined });
    const store = createIpcLimitStore({ line, timeoutMs: 5, report: () => undefined });
    await expect(Promise.resolve(store.take([place], 'a', 0, 0))).rejects.toMatchObject({ kind: 'lost' });
    await expect(store.probe()).rejects.toMatchObject({ kind: 'lost' });
  });
});
