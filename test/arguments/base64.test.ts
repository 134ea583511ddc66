import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultOf } from './support.ts';

describe('base64', () => {
  test('takes what Node writes, for every length, in both alphabets', () => {
    for (let length = 0; length < 50; length++) {
      const bytes = randomBytes(length);
      expect(faultOf({ base64: {} }, bytes.toString('base64'))).toBeUndefined();
      const url = bytes.toString('base64url');
      expect(faultOf({ base64: { alphabet: 'url', padding: 'never' } }, url)).toBeUndefined();
    }
  });

  test.each([
    [{}, 'QUJD RA==', 'not-base64'],
    [{}, 'QUJD\n', 'not-base64'],
    [{}, 'QUJ', 'padding'],
    [{}, 'QUI', 'padding'],
    [{}, 'QUI==', 'padding'],
    [{}, 'QUJD=', 'padding'],
    [{}, 'Q', 'not-base64'],
    [{}, '====', 'not-base64'],
    [{}, '=', 'padding'],
    [{}, 'QUJDR===', 'not-base64'],
    [{}, 'QR==', 'not-canonical'],
    [{}, 'QUJ=', 'not-canonical'],
    [{}, 'QUJ-', 'not-base64'],
    [{ alphabet: 'url' }, 'QUJ+', 'not-base64'],
    [{ alphabet: 'any' }, 'a+b_', 'not-base64'],
    [{ alphabet: 'any' }, 'a+b/', undefined],
    [{ alphabet: 'any' }, 'a-b_', undefined],
    [{ padding: 'allow' }, 'QQ', undefined],
    [{ padding: 'allow' }, 'QQ==', undefined],
    [{ padding: 'never' }, 'QQ==', 'padding'],
    [{ maxBytes: 3 }, 'QUJD', undefined],
    [{ maxBytes: 3 }, 'QUJDRA==', 'too-large'],
    [{}, '\uff31\uff35\uff2a\uff24', 'not-base64'],
    [{}, "QUJD'--", 'not-base64'],
    [{}, 7, 'type'],
    [{}, null, 'type'],
  ] as const)('%j of %j: %s', (base64, value, fault) => {
    expect(faultOf({ base64 }, value)).toBe(fault === undefined ? undefined : `base64:${fault}`);
  });

  test('what it takes is the only text for its bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'AQgw+/=0'), maxLength: 8 }), (text) => {
        const fits = faultOf({ base64: {} }, text) === undefined;
        expect(fits).toBe(Buffer.from(text, 'base64').toString('base64') === text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('blob', () => {
  const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(20)]).toString('base64');

  test.each([
    ['any bytes', {}, Buffer.from('hello').toString('base64'), undefined],
    ['a listed type', { types: ['image/png'] }, png, undefined],
    ['another type', { types: ['image/jpeg', 'application/pdf'] }, png, 'type-unknown'],
    ['nothing', { types: ['image/png'] }, '', 'type-unknown'],
    ['half a mark', { types: ['image/png'] }, png.slice(0, 8), 'type-unknown'],
    ['too much', { maxBytes: 10 }, png, 'too-large'],
    ['a data URL', { types: ['image/png'] }, `data:image/png;base64,${png}`, 'not-base64'],
    ['no text', {}, 5, 'type'],
  ] as const)('%s', (_what, blob, value, fault) => {
    expect(faultOf({ blob }, value)).toBe(fault === undefined ? undefined : `blob:${fault}`);
  });

  test('tells a type by its first bytes', () => {
    const starts = {
      'application/gzip': '1f8b08',
      'application/pdf': '255044462d312e37',
      'application/zip': '504b0304',
      'audio/mpeg': '494433',
      'audio/ogg': '4f676753',
      'audio/wav': '524946460000000057415645',
      'image/gif': '474946383961',
      'image/jpeg': 'ffd8ffe0',
      'image/png': '89504e470d0a1a0a',
      'image/webp': '524946460000000057454250',
      'video/mp4': '000000186674797069736f6d',
    };
    for (const [type, hex] of Object.entries(starts)) {
      const value = Buffer.from(hex, 'hex').toString('base64');
      for (const other of Object.keys(starts)) {
        expect(faultOf({ blob: { types: [other] } }, value)).toBe(
          other === type ? undefined : 'blob:type-unknown',
        );
      }
    }
  });
});
