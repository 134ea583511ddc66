import { describe, expect, it } from 'vitest';
import { type BlockEvent, Blocks, type Conduct } from '../../src/listener/blocks.ts';
import { blocksOptions } from '../../src/listener/options.ts';

const minute = 60_000;
const hour = 60 * minute;

function blocks(options: Parameters<typeof blocksOptions.parse>[0] = {}) {
  const events: BlockEvent[] = [];
  const list = new Blocks(blocksOptions.parse(options), (event) => events.push(event));
  const fail = (key: string, times: number, now: number, conduct: Conduct = 'refused-credential') => {
    for (let n = 0; n < times; n += 1) list.note(key, conduct, now);
  };
  return { list, events, fail };
}

describe('an address', () => {
  it('is blocked at so many points, for a minute, and not before', () => {
    const { list, events, fail } = blocks();
    fail('192.0.2.1', 99, 0);
    expect(list.blockedFor('192.0.2.1', 0)).toBeUndefined();
    fail('192.0.2.1', 1, 0);
    expect(list.blockedFor('192.0.2.1', 0)).toBe(minute);
    expect(list.blockedFor('192.0.2.1', minute)).toBeUndefined();
    expect(list.blockedFor('192.0.2.2', 0)).toBeUndefined();
    expect(events).toEqual([
      {
        kind: 'blocked',
        address: '192.0.2.1',
        seconds: 60,
        times: 1,
        offences: { 'refused-credential': 100 },
      },
    ]);
  });

  for (const [conduct, times] of [
    ['refused-credential', 100],
    ['failed-handshake', 100],
    ['malformed', 100],
    ['no-credential', 1000],
    ['expired-credential', 1000],
    ['too-often', 1000],
  ] as const) {
    it(`is blocked after ${times} times ${conduct}`, () => {
      const { list, fail } = blocks();
      fail('a', times - 2, 0, conduct);
      expect(list.blockedNow(0)).toBe(0);
      fail('a', 3, 0, conduct);
      expect(list.blockedNow(0)).toBe(1);
    });
  }

  it('never gets there by failing once a second, however long', () => {
    const { list } = blocks();
    for (let now = 0; now < 6 * hour; now += 1000) list.note('a', 'refused-credential', now);
    expect(list.counts.blocked).toBe(0);
  });

  it('loses half its points in each half-life', () => {
    const { list, fail } = blocks();
    fail('a', 90, 0);
    fail('a', 54, minute);
    expect(list.blockedNow(minute)).toBe(0);
    fail('a', 1, minute);
    expect(list.blockedNow(minute)).toBe(1);
  });

  it('with many honest callers and one broken client is not blocked', () => {
    const { list } = blocks();
    for (let n = 0; n < 10_000; n += 1) {
      list.note('office', 'refused-credential', n);
      list.note('office', 'honest', n);
      list.note('office', 'honest', n);
    }
    expect(list.counts.blocked).toBe(0);
  });

  it('does not buy off its failures with a few honest calls', () => {
    const { list } = blocks();
    for (let n = 0; n < 110; n += 1) {
      list.note('a', 'refused-credential', n);
      if (n % 4 === 0) list.note('a', 'honest', n);
    }
    expect(list.blockedNow(110)).toBe(1);
  });

  it('cannot save up honest calls: they decay as failures do, and count from the first failure', () => {
    const { list, fail } = blocks();
    for (let n = 0; n < 10_000; n += 1) list.note('a', 'honest', 0);
    expect(list.size).toBe(0);
    fail('a', 1, 0);
    for (let n = 0; n < 1000; n += 1) list.note('a', 'honest', 0);
    fail('a', 101, 20 * minute);
    expect(list.blockedNow(20 * minute)).toBe(1);
  });

  it('is blocked twice as long each time, up to an hour, and begins anew after an hour without', () => {
    const { list, fail } = blocks();
    let now = 0;
    const lengths: (number | undefined)[] = [];
    for (let n = 0; n < 8; n += 1) {
      fail('a', 100, now);
      lengths.push(list.blockedFor('a', now));
      now += list.blockedFor('a', now)!;
    }
    expect(lengths).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * minute));
    fail('a', 100, now + hour);
    expect(list.blockedFor('a', now + hour)).toBe(minute);
  });

  it('is not blocked any longer for what it does while it is', () => {
    const { list, fail } = blocks();
    fail('a', 100, 0);
    fail('a', 5000, 30_000);
    expect(list.blockedFor('a', 30_000)).toBe(30_000);
    fail('a', 1, minute);
    expect(list.blockedFor('a', minute)).toBeUndefined();
  });

  it('is free at once where an operator releases it, and without points', () => {
    const { list, events, fail } = blocks();
    fail('a', 100, 0);
    fail('b', 100, 0);
    expect(list.release('a', 1)).toBe(true);
    expect(list.release('a', 1)).toBe(false);
    fail('a', 99, 1);
    expect(list.blockedFor('a', 1)).toBeUndefined();
    expect(list.releaseAll(1)).toBe(1);
    expect(list.list(1)).toEqual([]);
    expect(events.filter(({ kind }) => kind === 'released')).toHaveLength(2);
  });

  it('is not blocked where blocking is off', () => {
    const { list, fail } = blocks({ enabled: false });
    fail('a', 1000, 0);
    expect(list.size).toBe(0);
  });
});

describe('the list', () => {
  it('shows what is blocked, longest first, with what led to it', () => {
    const { list, fail } = blocks();
    fail('a', 50, 0);
    fail('a', 50, 0, 'malformed');
    fail('b', 100, 500);
    fail('c', 99, 500);
    expect(list.list(1000)).toEqual([
      { address: 'b', seconds: 60, times: 1, offences: { 'refused-credential': 100 } },
      { address: 'a', seconds: 59, times: 1, offences: { 'refused-credential': 50, malformed: 50 } },
    ]);
  });

  it('holds so many of 100,000 addresses, and a block outlives all that have only points', () => {
    const { list, events, fail } = blocks({ entries: 1000 });
    fail('worst', 100, 0);
    fail('bad', 50, 0);
    for (let n = 0; n < 100_000; n += 1) list.note(`a${n}`, 'malformed', 0);
    expect(list.size).toBeLessThanOrEqual(1000);
    expect(list.blockedFor('worst', 0)).toBe(minute);
    // Those with the fewest points went first.
    fail('bad', 50, 0);
    expect(list.blockedFor('bad', 0)).toBe(minute);
    expect(events.map(({ kind }) => kind)).toEqual(['blocked', 'blocked']);
  });

  it('full of blocks forgets the mildest, and says so', () => {
    const { list, events, fail } = blocks({ entries: 16 });
    fail('worst', 100, 0);
    fail('worst', 100, minute);
    expect(list.blockedFor('worst', minute)).toBe(2 * minute);
    for (let n = 0; n < 15; n += 1) fail(`a${n}`, 100, minute + n);
    expect(list.blockedNow(2 * minute - 1)).toBe(16);
    fail('next', 100, minute + 20);
    expect(list.blockedFor('next', minute + 20)).toBe(minute);
    expect(list.blockedFor('worst', minute + 20)).toBeGreaterThan(minute);
    expect(list.blockedFor('a0', minute + 20)).toBeUndefined();
    expect(events.filter(({ kind }) => kind === 'forgotten')).toEqual([{ kind: 'forgotten', count: 2 }]);
    expect(list.counts).toEqual({ blocked: 18, forgotten: 2 });
  });
});
