import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DerError, expectDer, readDer, readOneDer } from '../../src/identity/der.ts';
import { der } from '../support/certificates.ts';

describe('second spellings of the same value are refused', () => {
  const notShortest = 'A length is not in its shortest form';
  const noSuchLength = 'A length that DER does not have, or that is too long';
  const cutShort = 'A length is cut short';
  const longer = 'An element is longer than what holds it';
  test.each([
    ['a length in the long form that fits the short one', '30810100', notShortest],
    ['the longest such length', `30817f${'00'.repeat(127)}`, notShortest],
    ['a length with a leading zero', '3082008000'.padEnd(10 + 256, '0'), notShortest],
    ['the longest such length of two octets', `308200ff${'00'.repeat(255)}`, notShortest],
    ['a length of three octets that fits two', `308300ffff${'00'.repeat(65_535)}`, notShortest],
    ['the indefinite length of BER', '30800000', noSuchLength],
    ['a length of four octets', '308400000000', noSuchLength],
    ['a length of four octets in its shortest form', '308401000000', noSuchLength],
    ['a length of 127 octets', '30ff', noSuchLength],
    ['a tag of several octets', '1f8101', 'A tag of several octets'],
    ['a tag of several octets, private and constructed', 'ff0100', 'A tag of several octets'],
    ['a length that is cut short', '3082', cutShort],
    ['a length of two octets after the first one', '308201', cutShort],
    ['no length', '30', 'No length'],
    ['an element longer than what holds it', '300500', longer],
    ['an element longer by one octet', '30020000'.slice(0, 6), longer],
    ['a long element of which nothing came', '308180', longer],
  ])('%s', (_, hex, message) => {
    expect(() => readDer(Buffer.from(hex, 'hex'))).toThrow(new DerError(message));
  });
});

test.each([0, 1, 127, 128, 255, 256, 65_535])('reads an element of %i octets', (length) => {
  const [element, ...others] = readDer(Buffer.from(der(0x04, new Uint8Array(length).fill(7))));
  expect(element).toEqual({ tag: 0x04, contents: Buffer.alloc(length, 7) });
  expect(others).toEqual([]);
});

test('reads an element whose length needs three octets', () => {
  const bytes = Buffer.concat([Buffer.from('0483010000', 'hex'), Buffer.alloc(65_536, 7)]);
  expect(readDer(bytes)).toEqual([{ tag: 0x04, contents: Buffer.alloc(65_536, 7) }]);
});

test('what follows the one element is refused', () => {
  expect(readOneDer(Buffer.from('3000', 'hex'), 0x30)).toHaveLength(0);
  for (const [hex, message] of [
    ['300000', 'Too many elements'],
    ['30003000', 'Too many elements'],
    ['', 'Not exactly one element'],
    ['3100', 'Expected tag 48, found 49'],
  ] as const) {
    expect(() => readOneDer(Buffer.from(hex, 'hex'), 0x30)).toThrow(new DerError(message));
  }
});

test('an element that is not there has no contents', () => {
  expect(() => expectDer(undefined, 0x06)).toThrow(new DerError('Expected tag 6, found nothing'));
  expect(expectDer({ tag: 0x06, contents: Buffer.from('55', 'hex') }, 0x06)).toEqual(
    Buffer.from('55', 'hex'),
  );
});

test('more elements than asked for are refused', () => {
  expect(() => readDer(Buffer.alloc(6), 2)).toThrow(new DerError('Too many elements'));
  expect(() => readDer(Buffer.alloc(2002))).toThrow(new DerError('Too many elements'));
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
