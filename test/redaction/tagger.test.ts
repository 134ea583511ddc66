import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTagger } from '../../src/redaction/tagger.ts';

it('tags a value as HMAC-SHA-256 does, for keys and values of any length', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.array(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 400 }),
          fc.constantFrom('', 'ü'.repeat(341), 'x'.repeat(9000)),
        ),
      ),
      (key, values) => {
        const tag = createTagger(Buffer.from(key));
        for (const value of values) {
          const whole = createHmac('sha256', key).update(value, 'utf8').digest('hex');
          expect(tag(value)).toBe(whole.slice(0, 8));
        }
      },
    ),
  );
});
