import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CanaryBook } from '../../src/flows/canaries.ts';
import type { JsonValue } from '../../src/values/json.ts';

const value = 'CANARY-7f3a"\u00e9 x/9';
const book = new CanaryBook([
  { name: 'other', value: 'quite-another-value', results: 'refuse' },
  { name: 'ledger', value, results: 'alert' },
  { name: 'number', value: '4929123412341234', results: 'alert' },
]);

const bytes = Buffer.from(value, 'utf8');
const aligned = (before: string, encoding: 'base64' | 'base64url') =>
  Buffer.concat([Buffer.from(before), bytes, Buffer.from('tail')]).toString(encoding);
const everyByte = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const everyUnit = [...value].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

describe('a canary', () => {
  it.each([
    ['as it is', value],
    ['within a text', `before ${value} after`],
    ['in JSON inside a text', JSON.stringify({ a: value })],
    ['in JSON with every unit escaped', everyUnit],
    ['in base64', bytes.toString('base64')],
    ['in base64, one byte off', aligned('a', 'base64')],
    ['in base64, two bytes off', aligned('ab', 'base64')],
    ['in base64url, one byte off', aligned('a', 'base64url')],
    ['URL-encoded', `https://example.com/?q=${encodeURIComponent(value)}`],
    ['URL-encoded as a form', new URLSearchParams({ q: value }).toString()],
    ['URL-encoded in every byte', everyByte],
    ['in hexadecimal', bytes.toString('hex')],
    ['in upper-case hexadecimal', `0x${bytes.toString('hex').toUpperCase()}`],
  ])('is seen %s', (_how, text) => {
    const sighting = book.findIn({ params: { arguments: { list: [1, text] } } });
    expect(sighting).toMatchObject({ canary: { name: 'ledger' }, path: 'params.arguments.list[1]' });
  });

  it('is seen in a key, and the path does not show it', () => {
    const sighting = book.findIn({ params: { [`x${value}`]: 1 } });
    expect(sighting?.path).toBe('params.(key)');
  });

  it('is seen as a number', () => {
    expect(book.findIn({ n: 4929123412341234 })?.canary.name).toBe('number');
    expect(book.findIn({ n: JSON.rawJSON('994929123412341234') })?.canary.name).toBe('number');
  });

  it.each([
    ['another case', value.toUpperCase()],
    ['a part of it', value.slice(0, -1)],
    ['split over two texts', [value.slice(0, 8), value.slice(8)]],
    ['encoded twice', encodeURIComponent(everyByte)],
    ['nothing', [null, true, 0, '', {}]],
  ])('is not seen in %s', (_what, message) => {
    expect(book.findIn({ message } as JsonValue)).toBeUndefined();
  });

  it('is seen in any text around it, and paths stay short', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(book.findIn([`${before}${value}${after}`])?.canary.name).toBe('ledger');
      }),
    );
    expect(book.findIn({ ['k'.repeat(5_000)]: value })?.path).toHaveLength(256);
  });

  it('costs nothing where there is none', () => {
    expect(new CanaryBook([]).findIn({ a: value })).toBeUndefined();
  });

  it('is long enough, and they are not too many', () => {
    expect(() => new CanaryBook([{ name: 'short', value: ' 1234567 ', results: 'alert' }])).toThrow(
      'canary short: a value has at least 8 characters',
    );
    const many = Array.from({ length: 101 }, (_, index) => ({
      name: `c${index}`,
      value: `value-${index}-of-many`,
      results: 'alert' as const,
    }));
    expect(() => new CanaryBook(many)).toThrow('at most 100 canary values');
  });
});
