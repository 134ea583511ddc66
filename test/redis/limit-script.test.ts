import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { windowAt } from '../../src/limits/calendar.ts';
import { type Claim, type Taken, unit } from '../../src/limits/contract.ts';
import { gcraRate } from '../../src/limits/gcra.ts';
import { createMemoryStore } from '../../src/limits/memory-store.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { claim, forgetAll, heldClock, openStore, rateClaim, setClock, type TestStore } from './support.ts';

let redis: TestRedis;
let store: TestStore;
/** What both clocks say: the server's and this process's. */
let now = 0;

async function setBoth(micros: number): Promise<void> {
  now = micros;
  await setClock(store.link, micros);
}

beforeAll(async () => {
  redis = await startRedis();
  store = await openStore(
    { url: redis.url, leases: { enabled: false } },
    { clock: heldClock, nowUs: () => now },
  );
});
afterAll(async () => {
  await store?.close();
  await redis?.stop();
});
beforeEach(async () => {
  await forgetAll(redis);
  now = start;
});

/** 2026-11-20T23:59:58Z: hours, a day end within seconds, and ten days later a month. */
const start = Date.UTC(2026, 10, 20, 23, 59, 58) * 1000;

const told = (refused: readonly { claim: Claim; retryAfterMs: number | undefined }[]) =>
  refused.map(({ claim: { limit }, retryAfterMs }) => ({ limit, retryAfterMs }));

const verdict = (taken: Taken): unknown => {
  if ('unavailable' in taken) return taken;
  if (!taken.ok) return { refused: told(taken.refused), shadow: told(taken.shadow) };
  return {
    shadow: told(taken.shadow),
    left: taken.left.map(({ claim: { limit }, remaining, resetMs }) => ({ limit, remaining, resetMs })),
    held: taken.held.map(({ limit }) => limit),
  };
};

describe('the script in the store', () => {
  it('gives the verdicts of the memory of one process, whatever is asked in which order', async () => {
    const measures = fc.constantFrom<readonly [string, Claim['measure']]>(
      ['rate', gcraRate(10, 1000, 3)],
      ['slow', gcraRate(1, 60_000, 2)],
      ['hour', { kind: 'window', period: 'hour', most: 5 * unit }],
      ['day', { kind: 'window', period: 'day', most: 7_500 }],
      ['month', { kind: 'window', period: 'month', most: 20 * unit }],
      ['places', { kind: 'places', most: 2 }],
    );
    const claims = fc.uniqueArray(
      fc.record({
        of: measures,
        who: fc.constantFrom('a', 'b'),
        amount: fc.constantFrom(0, 1, 500, 1000, 1000, 1000, 2300, 9000),
        enforced: fc.boolean(),
      }),
      { minLength: 1, maxLength: 4, selector: ({ of: [name], who }) => `${name} ${who}` },
    );
    // What an earlier run was refused is remembered: each has keys of its own.
    let run = 0;
    const step = fc.record({
      after: fc.oneof(
        fc.integer({ min: 0, max: 400_000 }),
        fc.constantFrom(3_000_000, 60_000_000, 3_600_000_000, 10 * 86_400_000_000),
      ),
      claims,
      releases: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        await store.link.send(['FLUSHALL']);
        const memory = createMemoryStore({ rateKeys: 100, quotaKeys: 100, concurrencyKeys: 100 }, () => {});
        const held: { claims: readonly Claim[]; holder: string }[] = [];
        const giveBack = (): void => {
          for (const { claims, holder } of held.splice(0)) {
            memory.release(claims, holder);
            store.counts.release(claims, holder);
          }
        };
        run += 1;
        now = start;
        for (const [index, { after, claims: wanted, releases }] of steps.entries()) {
          // No lease ends in this schedule: a process that lives renews its own.
          if (after > 1_000_000) giveBack();
          await setBoth(now + after);
          const asked = wanted.map(({ of: [name, measure], who, amount, enforced }) => ({
            ...claim(name, measure, { key: JSON.stringify([run, name, who]), enforced }),
            amount: measure.kind === 'places' ? unit : amount,
          }));
          const holder = `holder-${index}`;
          const here = await memory.take(asked, holder, now, Math.floor(now / 1000));
          const there = await store.counts.take(asked, holder, 0, 0);
          // What it knows for certain the store says without asking for the rest.
          if (!here.ok && 'refused' in here && !there.ok && 'refused' in there && there.refused.length > 0) {
            expect(verdict(here)).toMatchObject({ refused: expect.arrayContaining(told(there.refused)) });
          } else expect(verdict(there)).toEqual(verdict(here));
          if (here.ok && there.ok) held.push({ claims: here.held, holder });
          if (releases) giveBack();
        }
      }),
      { numRuns: 60 },
    );
  });

  it('ends windows where the calendar does, in leap years too', async () => {
    const moments = [
      Date.UTC(2024, 1, 28, 23, 59, 59),
      Date.UTC(2024, 1, 29, 12),
      Date.UTC(2024, 11, 31, 23, 59, 59),
      Date.UTC(2026, 0, 1),
      Date.UTC(2026, 1, 28, 23),
      Date.UTC(2100, 1, 28, 23),
      Date.UTC(2000, 1, 29),
      Date.UTC(2037, 6, 15),
    ];
    for (const [index, moment] of moments.entries()) {
      await setBoth(moment * 1000);
      for (const period of ['hour', 'day', 'month'] as const) {
        const asked = claim(`${period}-${index}`, { kind: 'window', period, most: 10 * unit });
        const taken = await store.counts.take([asked], 'holder', 0, 0);
        const resetMs = windowAt(period, moment).end - moment;
        expect(taken).toMatchObject({ ok: true, left: [{ remaining: 9, resetMs }] });
      }
    }
  });

  it('opens no window anew for a clock that is set back', async () => {
    const asked = claim('day', { kind: 'window', period: 'day', most: unit });
    await setBoth(start + 3_000_000);
    expect(await store.counts.take([asked], 'holder', 0, 0)).toMatchObject({ ok: true });
    await setBoth(start - 86_400_000_000);
    const other = { ...asked, amount: 999 };
    expect(await store.counts.take([other], 'holder', 0, 0)).toMatchObject({ ok: false });
  });

  it('makes nobody wait longer than a full burst for a clock that is set back', async () => {
    const asked = rateClaim('rate', 1, 2);
    await setBoth(start);
    expect(await store.counts.take([asked], 'holder', 0, 0)).toMatchObject({ ok: true });
    await setBoth(start - 3_600_000_000);
    expect(await store.counts.take([asked], 'holder', 0, 0)).toMatchObject({
      ok: false,
      refused: [{ retryAfterMs: 1000 }],
    });
  });

  it('charges nothing where one enforced limit refuses', async () => {
    await setBoth(start);
    const wide = rateClaim('wide', 1, 100);
    const narrow = claim('narrow', { kind: 'window', period: 'hour', most: 0 }, { amount: 0 });
    const full = claim('full', { kind: 'places', most: 1 });
    expect(await store.counts.take([full], 'first', 0, 0)).toMatchObject({ ok: true });
    expect(await store.counts.take([wide, narrow, full], 'second', 0, 0)).toMatchObject({ ok: false });
    expect(await store.counts.take([wide], 'third', 0, 0)).toMatchObject({
      ok: true,
      left: [{ remaining: 99 }],
    });
  });

  it('frees the places of a holder of whom nothing was heard for a lease', async () => {
    const asked = claim('places', { kind: 'places', most: 1 });
    await setBoth(start);
    expect(await store.counts.take([asked], 'gone', 0, 0)).toMatchObject({ ok: true });
    await setBoth(start + 29_999_000);
    expect(await store.counts.take([asked], 'next', 0, 0)).toMatchObject({ ok: false });
    await setBoth(start + 30_001_000);
    expect(await store.counts.take([asked], 'next', 0, 0)).toMatchObject({ ok: true });
  });

  it('lets every key end', async () => {
    await setBoth(Date.now() * 1000);
    const asked = [
      rateClaim('rate', 1, 5),
      claim('hour', { kind: 'window', period: 'hour', most: unit }),
      claim('month', { kind: 'window', period: 'month', most: unit }),
      claim('places', { kind: 'places', most: 1 }),
    ];
    expect(await store.counts.take(asked, 'holder', 0, 0)).toMatchObject({ ok: true });
    const keys = (await redis.cli('KEYS', '{sallyport}:*')).split('\n');
    expect(keys).toHaveLength(4);
    for (const key of keys) expect(Number(await redis.cli('PTTL', key))).toBeGreaterThan(0);
  });
});
