import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJsonObject } from '../../src/identity/json-object.ts';

const read = (text: string | Buffer) => readJsonObject(Buffer.from(text as string));

describe('texts with more than one reading', () => {
  test.each<[string, string | Buffer]>([
    ['a member twice', '{"sub":"alice","sub":"root"}'],
    ['a member twice, once escaped', '{"sub":"alice","s\\u0075b":"root"}'],
    ['a member twice, deeper', '{"cnf":{"jkt":"a","jkt":"b"}}'],
    ['a member twice in a list', '{"a":[{"b":1,"b":2}]}'],
    ['the same value twice', '{"aud":"x","aud":"x"}'],
    ['the prototype', '{"__proto__":{"admin":true}}'],
    ['the prototype, escaped', '{"\\u005f_proto__":{}}'],
    ['a byte order mark', '\ufeff{}'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['an overlong character', Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d])],
    ['half a surrogate pair in bytes', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d])],
    ['something after it', '{} {}'],
    ['a comment', '{}//'],
    ['a trailing comma', '{"a":1,}'],
    ['single quotes', "{'a':1}"],
    ['a list', '[]'],
    ['null', 'null'],
    ['a text', '"x"'],
    ['nothing', ''],
    ['seventeen levels', `${'{"a":'.repeat(17)}1${'}'.repeat(17)}`],
    ['seventeen levels, of which one is a list', `{"a":${'['.repeat(16)}${']'.repeat(16)}}`],
    ['thousands of levels', `{"a":${'['.repeat(4000)}${']'.repeat(4000)}}`],
  ])('%s', (_, text) => {
    expect(read(text)).toBeUndefined();
  });
});

test('an honest object is read as any parser reads it', () => {
  expect(read(`${'{"a":'.repeat(16)}1${'}'.repeat(16)}`)).toBeDefined();
  expect(read(`{"a":${'['.repeat(15)}${']'.repeat(15)}}`)).toBeDefined();
  // Depth, not the number of brackets.
  expect(read(`{"a":[${'[],{},'.repeat(40)}1]}`)).toBeDefined();
  expect(read('{"a":"x:y\\":{}","b":[{"c":1},{"c":1}],"d":{"c":{}}}')).toEqual({
    a: 'x:y":{}',
    b: [{ c: 1 }, { c: 1 }],
    d: { c: {} },
  });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (value) => {
      const text = JSON.stringify(value);
      if (text.includes('__proto__') || !text.isWellFormed()) return;
      expect(read(text)).toEqual(JSON.parse(text));
    }),
  );
});
