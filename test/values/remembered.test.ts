import fc from 'fast-check';
import { expect, test } from 'vitest';
import { remembered } from '../../src/values/remembered.ts';

test('a text is judged once', () => {
  const judged: string[] = [];
  const judge = remembered((text) => {
    judged.push(text);
    return text.length > 3 ? undefined : text;
  });
  // An answer that is undefined is one too.
  for (const text of ['a', 'long enough', 'a', 'long enough', '']) judge(text);
  expect(judged).toEqual(['a', 'long enough', '']);
});

test('what it answers is what the judgement answers, whatever was asked before', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 6 })), (texts) => {
      const judge = remembered((text) => `<${text}>`, 20);
      for (const text of texts) expect(judge(text)).toBe(`<${text}>`);
    }),
  );
});

test('it is full at its bound: what was asked for lately stays, what was not is forgotten', () => {
  let judged = 0;
  const judge = remembered(() => {
    judged += 1;
  }, 200);
  for (let i = 0; i < 1000; i += 1) {
    judge('kept');
    judge(`n${String(i).padStart(8, '0')}`);
  }
  expect(judged).toBe(1001);
  judge('n00000000');
  expect(judged).toBe(1002);
});

test('empty texts and long ones have their bound too', () => {
  let judged = 0;
  const judge = remembered(() => {
    judged += 1;
  });
  const long = 'x'.repeat(8193);
  for (let i = 0; i < 3; i += 1) judge(long);
  expect(judged).toBe(3);
});
