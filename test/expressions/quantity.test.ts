import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileQuantity, toThousandths } from '../../src/expressions/quantity.ts';
import type { JsonObject } from '../../src/values/json.ts';

const types = { args: 'map', tool: 'string' };

function measure(text: string, args: JsonObject): number | undefined {
  const compiled = compileQuantity(text, ['args', 'tool'], types);
  if (!compiled.ok) throw new Error(compiled.message);
  return compiled.quantity.measure({ args, tool: 'query' });
}

function refusal(text: string): string {
  const compiled = compileQuantity(text, ['args', 'tool'], types);
  return compiled.ok ? 'compiled' : compiled.message;
}

describe('quantities', () => {
  it.each([
    ['5', {}, 5000],
    ['0.25', {}, 250],
    ['args.rows / 1000', { rows: 1999 }, 1999],
    ['args.rows / 1000', { rows: 2000 }, 2000],
    ['args.rows / 3', { rows: 1 }, 334],
    ['args.rows * 0.1', { rows: 3 }, 301],
    ['args.a + args.b', { a: 1, b: 0.5 }, 1500],
    ['args.a - args.b', { a: 1.5, b: 1 }, 500],
    ['size(args.ids) / 4', { ids: [1, 2, 3] }, 750],
    ["tool == 'query' ? 7 : 1", {}, 7000],
    ['has(args.rows) ? args.rows : 1', {}, 1000],
    ['double(args.text) + 1.0', { text: '2.5' }, 3500],
    ['args.x', { x: JSON.rawJSON('1.10') }, 1100],
    ['args.x', { x: 1.1 }, 1100],
    ['args.x', { x: 0 }, 0],
    ['args.x', { x: -0 }, 0],
    ['args.x', { x: 9_007_199_254_740 }, 9_007_199_254_740_000],
  ])('%s of %j are %i thousandths', (text, args, expected) => {
    expect(measure(text, args as JsonObject)).toBe(expected);
  });

  it.each([
    ['args.x', {}],
    ['args.x', { x: '5' }],
    ['args.x', { x: null }],
    ['args.x', { x: true }],
    ['args.x', { x: [5] }],
    ['args.x', { x: -0.001 }],
    ['args.x - 5', { x: 4 }],
    ['args.x / args.y', { x: 1, y: 0 }],
    ['args.x / args.y', { x: 0, y: 0 }],
    ['args.x', { x: 9_007_199_254_741 }],
    ['args.x', { x: JSON.rawJSON('123456789012345678901234567890') }],
    ['args.x * args.x', { x: 1e308 }],
    ['args.x * args.x', { x: 9_007_199_254_740_991 }],
    ['args.x + 1', { x: 'text' }],
    ['args.x + 1', { x: 9_007_199_254_740_991 }],
  ])('%s of %j is no amount', (text, args) => {
    expect(measure(text, args as JsonObject)).toBeUndefined();
  });

  it.each([
    ['args.x == 1', 'the result is of type bool, not int or double'],
    ["'text'", 'the result is of type string, not int or double'],
    ['rows / 1000', 'Unknown variable: rows (at character 1)'],
    ['args.', 'Expected IDENTIFIER, got EOF (at character 6)'],
    ['tool + 1', 'no such overload: string + int (at character 1)'],
  ])('%s does not compile', (text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  it('stay within their bounds and round up, whatever the numbers are', () => {
    const number = fc.oneof(fc.double({ noNaN: true }), fc.maxSafeInteger(), fc.float({ noNaN: true }));
    fc.assert(
      fc.property(number, fc.nat(1000), (x, thousandths) => {
        const amount = measure('args.x', { x });
        if (amount !== undefined) {
          expect(Number.isSafeInteger(amount)).toBe(true);
          expect(amount / 1000).toBeGreaterThanOrEqual(x);
          expect(amount).toBeLessThan(x * 1000 + 1.001);
        } else expect(x < 0 || x * 1000 > Number.MAX_SAFE_INTEGER - 1).toBe(true);
        expect(toThousandths(thousandths / 1000)).toBe(thousandths);
      }),
    );
  });
});
