import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSealer, type SealPurpose } from '../../src/filters/seal.ts';

const key = Buffer.alloc(32, 7);
const purposes: readonly SealPurpose[] = ['session', 'event-id', 'request-state'];

describe('a sealed handle', () => {
  test('opens to what was sealed, and never looks the same twice', () => {
    const sealer = createSealer([key], 'session');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const sealed = sealer.seal(text.toWellFormed());
        expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(sealer.open(sealed)).toBe(text.toWellFormed());
        expect(sealer.seal(text.toWellFormed())).not.toBe(sealed);
      }),
      { numRuns: 100 },
    );
  });

  test('opens no more once any single bit of its text is changed', () => {
    const sealer = createSealer([key], 'request-state');
    const sealed = sealer.seal('{"upstream":"warehouse"}');
    for (let index = 0; index < sealed.length; index++) {
      for (let bit = 0; bit < 7; bit++) {
        const altered = String.fromCharCode(sealed.charCodeAt(index) ^ (1 << bit));
        expect(sealer.open(sealed.slice(0, index) + altered + sealed.slice(index + 1))).toBeUndefined();
      }
    }
  });

  test('opens in no other spelling of the same bytes', () => {
    const sealer = createSealer([key], 'session');
    for (const text of ['', 'a', 'ab', 'abc']) {
      const sealed = sealer.seal(text);
      for (const disguise of [
        `${sealed}=`,
        `${sealed}==`,
        ` ${sealed}`,
        `${sealed}\n`,
        `${sealed}.`,
        `${sealed}A`,
      ]) {
        expect(sealer.open(disguise)).toBeUndefined();
      }
      expect(sealer.open(`${Buffer.from(sealed, 'base64url').toString('base64')}=`)).toBeUndefined();
    }
  });

  test('opens for no other purpose and under no other key', () => {
    for (const made of purposes) {
      const sealed = createSealer([key], made).seal('x');
      for (const read of purposes) {
        expect(createSealer([key], read).open(sealed)).toBe(made === read ? 'x' : undefined);
      }
      expect(createSealer([randomBytes(32)], made).open(sealed)).toBeUndefined();
    }
  });

  test('is sealed by the first key of a ring and opened by all of them', () => {
    const fresh = Buffer.alloc(32, 8);
    const old = createSealer([key], 'session');
    const rotated = createSealer([fresh, key], 'session');
    expect(rotated.open(old.seal('x'))).toBe('x');
    expect(createSealer([fresh], 'session').open(rotated.seal('x'))).toBe('x');
    expect(old.open(rotated.seal('x'))).toBeUndefined();
    expect(rotated.verify('x', old.tag('x'))).toBe(true);
    expect(old.verify('x', rotated.tag('x'))).toBe(false);
  });

  test('is not invented by guessing', () => {
    const sealer = createSealer([key], 'session');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(sealer.open(Buffer.from(bytes).toString('base64url'))).toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });
});

describe('a tag', () => {
  test('fits its own text, purpose and spelling only', () => {
    const sealer = createSealer([key], 'event-id');
    const tag = sealer.tag('one');
    expect(sealer.verify('one', tag)).toBe(true);
    expect(sealer.verify('two', tag)).toBe(false);
    expect(createSealer([key], 'session').verify('one', tag)).toBe(false);
    for (const disguise of ['', tag.slice(1), `${tag}=`, `${tag.toLowerCase()}x`]) {
      expect(sealer.verify('one', disguise)).toBe(false);
    }
  });
});

test('a key ring that is empty or holds a short key stops the start', () => {
  expect(() => createSealer([], 'session')).toThrow(new TypeError('the key ring is empty'));
  expect(() => createSealer([key, Buffer.alloc(31)], 'session')).toThrow(
    new TypeError('a key has fewer than 32 bytes'),
  );
});
