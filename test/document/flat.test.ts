import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatten, inflate } from '../../src/document/flat.ts';
import { toExactNumber } from '../../src/values/json.ts';
import { finish } from '../../src/values/steps.ts';

describe('a value that is written flat', () => {
  it('comes back as it was, from pieces of any length', () => {
    const value = fc.anything({
      key: fc.string().filter((key) => key !== '__proto__'),
      values: [fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.constant(undefined)],
      withNullPrototype: false,
    });
    fc.assert(
      fc.property(value, fc.integer({ min: 1, max: 9 }), (given, length) => {
        const flat = structuredClone(flatten(given));
        const pieces = Array.from({ length: Math.ceil(flat.length / length) }, (_, index) =>
          flat.slice(index * length, (index + 1) * length),
        );
        expect(finish(inflate(pieces))).toEqual(given);
      }),
    );
  });

  it('keeps the digits of a number that no double holds', () => {
    const given = { most: [toExactNumber('12345678901234567890')] };
    expect(JSON.stringify(finish(inflate([structuredClone(flatten(given))])))).toBe(
      '{"most":[12345678901234567890]}',
    );
  });

  it('takes in no more than some thousand parts at once', () => {
    const steps = inflate([flatten(Array.from({ length: 50_000 }, (_, index) => ({ index })))]);
    let count = 0;
    while (!steps.next().done) count += 1;
    expect(count).toBeGreaterThan(40);
  });

  it.each([[() => 1], [new Map()], [/a/], [Symbol('a')], [new Date()]])('refuses %s', (given) => {
    expect(() => flatten({ given })).toThrow('only plain values can be written flat');
  });
});
