import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HoldBook, type HoldScope } from '../../src/flows/hold-book.ts';

const ann: HoldScope = { principal: 'ann', within: undefined };
const hour = 3_600_000;

function within(principal: string, key: string): HoldScope {
  return { principal, within: key };
}

describe('the book of holds', () => {
  it('remembers when untrusted content reached a scope last', () => {
    const book = new HoldBook(10);
    expect(book.lastIn(ann)).toBeUndefined();
    book.record(ann, 5, hour);
    book.record(ann, 7, hour);
    expect(book.lastIn(ann)).toBe(7);
    expect(book.lastIn({ principal: 'bob', within: undefined })).toBeUndefined();
  });

  it('holds a principal for what reached any of its sessions, and a session for its own', () => {
    const book = new HoldBook(10);
    book.record(within('ann', 's1'), 5, hour);
    expect(book.lastIn(ann)).toBe(5);
    expect(book.lastIn(within('ann', 's1'))).toBe(5);
    expect(book.lastIn(within('ann', 's2'))).toBeUndefined();
    expect(book.lastIn(within('bob', 's1'))).toBeUndefined();
  });

  it('holds all sessions of a principal that opened too many', () => {
    const book = new HoldBook(10);
    for (let index = 0; index < 65; index += 1) book.record(within('ann', `s${index}`), index, hour);
    expect(book.lastIn(within('ann', 's0'))).toBe(64);
    expect(book.lastIn(within('ann', 'never seen'))).toBe(64);
    expect(book.lastIn(within('bob', 's0'))).toBeUndefined();
  });

  it('tells sessions apart again once the old ones hold no more', () => {
    const book = new HoldBook(10);
    for (let index = 0; index < 64; index += 1) book.record(within('ann', `s${index}`), index, hour);
    book.record(within('ann', 'late'), 2 * hour, hour);
    expect(book.lastIn(within('ann', 'late'))).toBe(2 * hour);
    expect(book.lastIn(within('ann', 'never seen'))).toBeUndefined();
  });

  it('holds everybody where there are too many principals, and grows no further', () => {
    const book = new HoldBook(3);
    for (let index = 0; index < 50; index += 1) book.record(within(`p${index}`, 's'), index, hour);
    expect(book.size).toBe(3);
    expect(book.lastIn({ principal: 'p0', within: undefined })).toBe(49);
    expect(book.lastIn(within('p40', 's'))).toBe(49);
    expect(book.lastIn({ principal: 'a bystander', within: undefined })).toBe(49);
  });

  it('makes room by forgetting what holds no more', () => {
    const book = new HoldBook(2);
    book.record({ principal: 'a', within: undefined }, 0, hour);
    book.record({ principal: 'b', within: undefined }, 1, hour);
    book.record({ principal: 'c', within: undefined }, 2 * hour, hour);
    expect(book.lastIn({ principal: 'bystander', within: undefined })).toBeUndefined();
    expect(book.lastIn({ principal: 'c', within: undefined })).toBe(2 * hour);
  });

  it('never forgets what still holds, whatever is recorded', () => {
    const records = fc.array(
      fc.record({
        principal: fc.integer({ min: 0, max: 6 }),
        session: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined }),
        wait: fc.integer({ min: 0, max: 30 }),
      }),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(
        records,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 500 }),
        (list, maximum, keep) => {
          const book = new HoldBook(maximum);
          const model = new Map<string, { scope: HoldScope; at: number }>();
          let now = 0;
          for (const { principal, session, wait } of list) {
            now += wait;
            const scope = {
              principal: `p${principal}`,
              within: session === undefined ? undefined : `s${session}`,
            };
            book.record(scope, now, keep);
            model.set(`${scope.principal} ${scope.within}`, { scope, at: now });
            const whole = { principal: scope.principal, within: undefined };
            model.set(`${scope.principal} whole`, { scope: whole, at: now });
          }
          for (const { scope, at } of model.values()) {
            if (at > now - keep) expect(book.lastIn(scope)).toBeGreaterThanOrEqual(at);
          }
          expect(book.size).toBeLessThanOrEqual(maximum);
        },
      ),
      { numRuns: 200 },
    );
  });
});
