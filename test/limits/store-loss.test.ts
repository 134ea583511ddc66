import { describe, expect, it } from 'vitest';
import {
  type Claim,
  type LimitStore,
  type Measure,
  type OnStoreLoss,
  type StoreEvent,
  type Taken,
  unit,
} from '../../src/limits/contract.ts';
import { gcraRate } from '../../src/limits/gcra.ts';
import { createMemoryStore } from '../../src/limits/memory-store.ts';
import { StoreFault } from '../../src/limits/store-fault.ts';
import {
  createStoreLoss,
  type GuardedStore,
  partOf,
  type SharedCounts,
} from '../../src/limits/store-loss.ts';

const admitted: Taken = { ok: true, shadow: [], left: [], held: [] };

function claim(name: string, onStoreLoss: OnStoreLoss, more: Partial<Claim> = {}): Claim {
  const measure: Measure = { kind: 'window', period: 'day', most: 4 * unit };
  return { limit: name, key: name, measure, amount: unit, enforced: true, onStoreLoss, ...more };
}

/** A store that answers when the test says so, and time that goes when the test says so. */
class Stage {
  now = 0;
  readonly events: StoreEvent[] = [];
  readonly strange: unknown[] = [];
  readonly released: string[] = [];
  readonly asked: { resolve(taken: Taken): void; reject(cause: unknown): void }[] = [];
  readonly probes: { resolve(): void; reject(cause: unknown): void }[] = [];
  readonly store: GuardedStore;
  /** What has arrived but was not read: run by `read`. */
  readonly #unread: (() => void)[] = [];
  #timers: { at: number; run: () => void }[] = [];

  constructor(replicas = 2, local?: LimitStore) {
    const shared: SharedCounts = {
      peek: () => undefined,
      take: () => new Promise((resolve, reject) => this.asked.push({ resolve, reject })),
      release: (_, holder) => this.released.push(holder),
      probe: () => new Promise((resolve, reject) => this.probes.push({ resolve, reject })),
      size: 0,
      close: () => {},
    };
    this.store = createStoreLoss(
      { timeout: 50, replicas },
      {
        shared,
        local: local ?? createMemoryStore({ rateKeys: 10, quotaKeys: 10, concurrencyKeys: 10 }, () => {}),
        monotonic: () => this.now,
        timers: {
          after: (milliseconds, run) => {
            const timer = { at: this.now + milliseconds, run };
            this.#timers.push(timer);
            return () => {
              this.#timers = this.#timers.filter((one) => one !== timer);
            };
          },
          onceRead: (run) => this.#unread.push(run),
        },
        report: (event) => this.events.push(event),
        onStrangeKey: (cause) => this.strange.push(cause),
      },
    );
  }

  take(claims: readonly Claim[], holder = 'holder'): Promise<Taken> {
    return Promise.resolve(this.store.take(claims, holder, this.now * 1000, this.now));
  }

  async pass(milliseconds: number): Promise<void> {
    this.now += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.now);
    this.#timers = this.#timers.filter(({ at }) => at > this.now);
    for (const { run } of due) run();
    await settled();
  }

  async read(): Promise<void> {
    for (const run of this.#unread.splice(0)) run();
    await settled();
  }

  async lose(): Promise<void> {
    const taking = this.take([claim('first', 'allow')]);
    this.asked.pop()!.reject(new StoreFault('lost', 'gone'));
    await taking;
  }

  kinds(): readonly string[] {
    return this.events.map(({ kind }) => kind);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets time pass until something holds. */
async function until(stage: Stage, holds: () => boolean): Promise<void> {
  for (let step = 0; !holds(); step += 1) {
    expect(step).toBeLessThan(100);
    await stage.pass(100);
  }
}

describe('a shared store that may be lost', () => {
  it('passes on what the store answers in time', async () => {
    const stage = new Stage();
    const taking = stage.take([claim('a', 'deny')]);
    stage.asked[0]!.resolve(admitted);
    expect(await taking).toBe(admitted);
    expect(stage.events).toEqual([]);
    expect(stage.store.isUp).toBe(true);
  });

  it('decides by the limit when the time is up, and not before', async () => {
    for (const [onStoreLoss, expected] of [
      ['local', { ok: true }],
      ['allow', { ok: true }],
      ['deny', { ok: false, unavailable: 'lost', limit: 'a' }],
    ] as const) {
      const stage = new Stage();
      let taken: Taken | undefined;
      void stage.take([claim('a', onStoreLoss)]).then((answer) => {
        taken = answer;
      });
      await stage.pass(49);
      await stage.read();
      expect(taken).toBeUndefined();
      await stage.pass(1);
      await stage.read();
      expect(taken).toMatchObject(expected);
      expect(stage.events).toEqual([{ kind: 'decided-without-store', limit: 'a', by: onStoreLoss }]);
    }
  });

  it('takes an answer that had arrived while this process was busy', async () => {
    const stage = new Stage();
    const taking = stage.take([claim('a', 'deny')]);
    await stage.pass(500);
    stage.asked[0]!.resolve(admitted);
    await settled();
    await stage.read();
    expect(await taking).toBe(admitted);
    expect(stage.events).toEqual([]);
  });

  it('is lost after three late answers in a row, or one error', async () => {
    const stage = new Stage();
    for (let call = 0; call < 3; call += 1) {
      expect(stage.store.isUp).toBe(true);
      void stage.take([claim('a', 'allow')]);
      await stage.pass(50);
      await stage.read();
    }
    expect(stage.store.isUp).toBe(false);
    expect(stage.kinds().filter((kind) => kind === 'store-lost')).toHaveLength(1);

    const other = new Stage();
    await other.lose();
    expect(other.store.isUp).toBe(false);
  });

  it('counts late answers in a row only', async () => {
    const stage = new Stage();
    for (let call = 0; call < 6; call += 1) {
      void stage.take([claim('a', 'allow')]);
      if (call % 2 === 0) stage.asked.at(-1)!.resolve(admitted);
      await settled();
      await stage.pass(50);
      await stage.read();
    }
    expect(stage.store.isUp).toBe(true);
  });

  it('asks nothing while it is lost but one probe at a time, and comes back with the first that is answered in time', async () => {
    const stage = new Stage();
    await stage.lose();
    for (let call = 0; call < 20; call += 1)
      expect(await stage.take([claim('a', 'allow')])).toMatchObject({ ok: true });
    expect(stage.asked).toHaveLength(0);
    await stage.pass(500);
    await stage.pass(5000);
    expect(stage.probes).toHaveLength(1);
    stage.probes[0]!.resolve();
    await settled();
    expect(stage.store.isUp).toBe(false);
    await stage.pass(500);
    expect(stage.probes).toHaveLength(2);
    stage.probes[1]!.reject(new Error('still gone'));
    await settled();
    await stage.pass(500);
    await stage.pass(10);
    stage.probes[2]!.resolve();
    await settled();
    expect(stage.store.isUp).toBe(true);
    expect(stage.events.at(-1)).toEqual({ kind: 'store-back', lostMs: 6510 });
    void stage.take([claim('a', 'deny')]);
    expect(stage.asked).toHaveLength(1);
  });

  it('refuses for one enforced limit that says deny, and counts nothing for the others', async () => {
    const stage = new Stage(1);
    await stage.lose();
    const local = claim('local', 'local', { measure: { kind: 'window', period: 'day', most: unit } });
    expect(await stage.take([local, claim('allow', 'allow'), claim('deny', 'deny')])).toEqual({
      ok: false,
      unavailable: 'lost',
      limit: 'deny',
    });
    expect(await stage.take([local, claim('shadow', 'deny', { enforced: false })])).toMatchObject({
      ok: true,
    });
    expect(await stage.take([local])).toMatchObject({ ok: false, refused: [{ claim: local }] });
  });

  it('admits here the part of this process', async () => {
    const stage = new Stage(2);
    await stage.lose();
    const verdicts: boolean[] = [];
    for (let call = 0; call < 4; call += 1) verdicts.push((await stage.take([claim('a', 'local')])).ok);
    expect(verdicts).toEqual([true, true, false, false]);
    expect(stage.store.peek([claim('a', 'local')], 0, 0)).toMatchObject({ claim: { limit: 'a' } });
  });

  it('that comes and goes gives each caller its part once, and tells of itself less and less often', async () => {
    const stage = new Stage(2);
    const rate = claim('rate', 'local', { measure: gcraRate(4, 86_400_000, 4) });
    let quota = 0;
    let burst = 0;
    for (let flap = 0; flap < 50; flap += 1) {
      await stage.lose();
      for (let call = 0; call < 3; call += 1) {
        if ((await stage.take([claim('quota', 'local')])).ok) quota += 1;
        if ((await stage.take([rate])).ok) burst += 1;
      }
      await until(stage, () => stage.probes.length > 0);
      stage.probes.pop()!.resolve();
      await settled();
      expect(stage.store.isUp).toBe(true);
    }
    // Half of four each, for one of two processes.
    expect([quota, burst]).toEqual([2, 2]);
    const losses = stage.kinds().filter((kind) => kind === 'store-lost').length;
    expect(losses).toBe(50);
    expect(stage.now).toBeGreaterThanOrEqual(500 + 1000 + 2000 + 47 * 4000);
    // Left in peace for a while it is found soon again.
    await stage.pass(10_000);
    await stage.lose();
    const lostAt = stage.now;
    await until(stage, () => stage.probes.length > 0);
    expect(stage.now - lostAt).toBe(500);
  });

  it('decides one call, and not the store, for a key that is not the gateway’s', async () => {
    const stage = new Stage();
    const taking = stage.take([claim('a', 'deny')]);
    stage.asked[0]!.reject(new StoreFault('key', 'a list'));
    expect(await taking).toMatchObject({ unavailable: 'lost' });
    expect(stage.strange).toHaveLength(1);
    expect(stage.store.isUp).toBe(true);
  });

  it('gives back the places that a late answer took', async () => {
    const stage = new Stage();
    const places = claim('places', 'local', { measure: { kind: 'places', most: 4 } });
    const taking = stage.take([places], 'slow');
    await stage.pass(50);
    await stage.read();
    expect(await taking).toMatchObject({ ok: true, held: [places] });
    stage.asked[0]!.resolve({ ok: true, shadow: [], left: [], held: [places] });
    await settled();
    expect(stage.released).toEqual(['slow']);
  });

  it('gives each place back where it was taken', async () => {
    const stage = new Stage(2);
    const places = claim('places', 'local', { measure: { kind: 'places', most: 2 } });
    const first = stage.take([places], 'there');
    stage.asked[0]!.resolve({ ok: true, shadow: [], left: [], held: [places] });
    await first;
    await stage.lose();
    const second = await stage.take([places], 'here');
    expect(second).toMatchObject({ ok: true, held: [places] });
    expect(await stage.take([places], 'third')).toMatchObject({ ok: false });
    stage.store.release([places], 'there');
    expect(stage.released).toEqual(['there']);
    expect(await stage.take([places], 'third')).toMatchObject({ ok: false });
    stage.store.release([places], 'here');
    expect(stage.released).toEqual(['there']);
    expect(await stage.take([places], 'third')).toMatchObject({ ok: true });
  });

  it('parts no limit down to nothing', () => {
    expect(partOf({ kind: 'places', most: 3 }, 8)).toEqual({ kind: 'places', most: 1 });
    expect(partOf({ kind: 'places', most: 0 }, 8)).toEqual({ kind: 'places', most: 0 });
    expect(partOf({ kind: 'window', period: 'day', most: 3 * unit }, 8)).toMatchObject({ most: unit });
    expect(partOf({ kind: 'window', period: 'day', most: 400 }, 8)).toMatchObject({ most: 400 });
    expect(partOf(gcraRate(100, 1000, 10), 4)).toEqual(gcraRate(25, 1000, 2));
    expect(partOf(gcraRate(100, 1000, 1), 4)).toEqual(gcraRate(25, 1000, 1));
    expect(partOf(gcraRate(100, 1000, 10), 1)).toEqual(gcraRate(100, 1000, 10));
  });
});
