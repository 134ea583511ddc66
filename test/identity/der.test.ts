import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DerError, readDer, readOneDer } from '../../src/identity/der.ts';
import { der } from '../support/certificates.ts';

describe('second spellings of the same value are refused', () => {
  test.each([
    ['a length in the long form that fits the short one', '30810100'],
    ['a length with a leading zero', '3082008000'.padEnd(10 + 256, '0')],
    ['the indefinite length of BER', '30800000'],
    ['a tag of several octets', '1f8101'],
    ['a length that is cut short', '3082'],
    ['no length', '30'],
    ['an element longer than what holds it', '300500'],
    ['a length of four octets', '308400000000'],
  ])('%s', (_, hex) => {
    expect(() => readDer(Buffer.from(hex, 'hex'))).toThrow(DerError);
  });
});

test('what follows the one element is refused', () => {
  expect(readOneDer(Buffer.from('3000', 'hex'), 0x30)).toHaveLength(0);
  for (const hex of ['300000', '30003000', '', '3100']) {
    expect(() => readOneDer(Buffer.from(hex, 'hex'), 0x30)).toThrow(DerError);
  }
});

test('more elements than asked for are refused', () => {
  expect(() => readDer(Buffer.alloc(6), 2)).toThrow(DerError);
  expect(readDer(Buffer.alloc(6), 3)).toHaveLength(3);
});

test('reads what was written, and nothing else has that reading', () => {
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ minLength: 120, maxLength: 135 }),
  );
  fc.assert(
    fc.property(fc.array(contents, { maxLength: 4 }), (items) => {
      const bytes = Buffer.concat(items.map((item) => der(0x04, item)));
      expect(readDer(bytes).map((element) => [...element.contents])).toEqual(items.map((item) => [...item]));
    }),
  );
});

test('any bytes give elements that spell them again, or DerError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      let elements: ReturnType<typeof readDer>;
      try {
        elements = readDer(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(DerError);
        return;
      }
      expect([...Buffer.concat(elements.map(({ tag, contents }) => der(tag, contents)))]).toEqual([...bytes]);
    }),
  );
});
