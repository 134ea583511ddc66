import fc from 'fast-check';
import { expect, it } from 'vitest';
import { JsonBody } from '../../src/upstream/json-body.ts';

it('gives back the pieces joined, or refuses exactly what is longer than the limit', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.nat(600), (parts, limit) => {
      const body = new JsonBody(limit);
      let whole = Buffer.alloc(0);
      for (const part of parts) {
        const next = Buffer.concat([whole, part]);
        const fits = body.add(Buffer.from(part));
        expect(fits).toBe(next.length <= limit);
        if (!fits) {
          break;
        }
        whole = next;
      }
      expect(body.take().equals(whole)).toBe(true);
    }),
  );
});

it('hands on a body of one piece without a copy, and never writes into a piece', () => {
  const piece = Buffer.from('abc');
  const one = new JsonBody(100);
  one.add(piece);
  expect(one.take().buffer).toBe(piece.buffer);
  one.add(Buffer.from('def'));
  expect([one.take().toString(), piece.toString()]).toEqual(['abcdef', 'abc']);
});
