import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalizeKinds, stripKinds } from '../../src/arguments/rewrites.ts';
import type { JsonObject, JsonValue } from '../../src/values/json.ts';
import { caller, exact, faultIn, rewriteOf, ruleOf } from './support.ts';

const one = (spec: object, value?: JsonValue): JsonValue | undefined =>
  rewriteOf({ args: { value: spec } }, value === undefined ? {} : { value }).value;

describe('each rewrite', () => {
  test.each<[object, JsonValue | undefined, JsonValue | undefined]>([
    [{ clamp: { max: 10 } }, 11, 10],
    [{ clamp: { max: 10 } }, 10, 10],
    [{ clamp: { min: 1 } }, 0, 1],
    [{ clamp: { min: 1, max: 10 } }, 5.5, 5.5],
    [{ clamp: { max: 10 } }, exact('9007199254740993'), 10],
    [{ clamp: { min: -5 } }, exact('-9007199254740993'), -5],
    [{ clamp: { max: 10 } }, undefined, undefined],
    [{ default: 5 }, undefined, 5],
    [{ default: 5 }, 6, 6],
    [{ default: 5 }, null, null],
    [{ default: null }, undefined, null],
    [{ default: { a: [1] } }, undefined, { a: [1] }],
    [{ set: 'json' }, 'xml', 'json'],
    [{ set: 'json' }, undefined, 'json'],
    [{ set: false }, { deep: true }, false],
    [{ drop: true }, 'gone', undefined],
    [{ drop: true }, undefined, undefined],
    [{ strip: 'control' }, 'a\0b\tc\n', 'ab\tc\n'],
    [{ strip: 'bidi' }, 'a\u202eb', 'ab'],
    [{ strip: 'invisible' }, 'a\u200bb\u{e0041}', 'ab'],
    [{ strip: 'ansi' }, '\u001b[1;31mred\u001b[0m \u001b]8;;http://x\u0007link', 'red link'],
    [{ strip: ['ansi', 'control'] }, '\u001b[2Ka\u0008', 'a'],
    [{ strip: 'control' }, '\u001b[31m', '[31m'],
    [{ normalize: 'nfc' }, 'e\u0301', '\u00e9'],
    [{ normalize: 'trim' }, ' \u00a0a b\n', 'a b'],
    [{ normalize: ['nfc', 'trim'] }, ' e\u0301 ', '\u00e9'],
    [{ strip: 'invisible', normalize: 'nfc' }, 'e\u200b\u0301', '\u00e9'],
    [{ normalize: 'trim', strip: 'invisible' }, '\u200b a \u200b', 'a'],
  ])('%j makes of %j: %j', (spec, value, expected) => {
    expect(one(spec, value)).toEqual(expected);
  });

  test.each([
    ['/a//b/./c/', '/a/b/c'],
    ['/a/../b', '/b'],
    ['./a', 'a'],
    ['a/..', '.'],
    ['../a', '../a'],
    ['a/../../b', '../b'],
    ['/..', '/..'],
    ['/../etc', '/../etc'],
    ['/a/../../etc', '/../etc'],
    ['/', '/'],
    ['.', '.'],
    ['', ''],
    ['//server/share', '//server/share'],
    ['C:\\a\\..\\b', 'C:\\a\\..\\b'],
    ['C:/a/../b', 'C:/a/../b'],
    ['file:///a//b', 'file:///a//b'],
    ['./file:/a//b', './file:/a//b'],
    ['a/%2e%2e/b', 'a/%2e%2e/b'],
    ['a\\..//b', 'a\\..//b'],
    ['/a/\u2025/b', '/a/\u2025/b'],
  ])('normalize: path makes of %j: %j', (value, expected) => {
    expect(one({ normalize: 'path' }, value)).toBe(expected);
  });

  test('leaves values of another kind to be refused', () => {
    expect(faultIn({ args: { value: { clamp: { max: 1 } } } }, { value: '5' })).toBe('rewrite:not-a-number');
    expect(faultIn({ args: { value: { strip: 'bidi' } } }, { value: ['\u202e'] })).toBe('rewrite:not-text');
    expect(faultIn({ args: { value: { int: {}, clamp: { max: 1 } } } }, { value: '5' })).toBe('int:type');
    expect(faultIn({ args: { value: { strip: 'bidi', nullable: true } } }, { value: null })).toBeUndefined();
  });

  test('that changes nothing gives back the same object', () => {
    const args: JsonObject = { a: 5, b: { c: [1, 'x'] }, d: { e: 1 } };
    const document = {
      args: {
        a: { clamp: { max: 5 }, int: {} },
        'b.c[*]': { nullable: true },
        'b.x': { drop: true },
        d: { set: { e: 1 } },
        'z.y[*].x': { strip: 'ansi' },
      },
    };
    const judged = ruleOf(document).judge(args, caller);
    expect(judged.args).toBe(args);
    expect(judged.rewrites).toEqual([]);
  });

  test('never touches what arrived', () => {
    const args = Object.freeze({
      list: Object.freeze([Object.freeze({ n: 9 }), Object.freeze({ n: 1 })]),
      rest: 1,
    });
    const judged = ruleOf({ args: { 'list[*].n': { clamp: { max: 5 } }, more: { set: 1 } } }).judge(
      args,
      caller,
    );
    expect(judged.args).toEqual({ list: [{ n: 5 }, { n: 1 }], rest: 1, more: 1 });
    expect(args.list[0]).toEqual({ n: 9 });
    expect((judged.args.list as unknown[])[1]).toBe(args.list[1]);
  });
});

describe('paths', () => {
  test.each<[object, JsonObject, JsonObject]>([
    [{ 'o.n': { default: 1 } }, {}, { o: { n: 1 } }],
    [{ 'o.p.n': { set: 1 } }, { o: {} }, { o: { p: { n: 1 } } }],
    [{ 'o.n': { drop: true } }, {}, {}],
    [{ 'o.n': { drop: true } }, { o: { n: 1, m: 2 } }, { o: { m: 2 } }],
    [{ 'l[*].n': { default: 1 } }, {}, {}],
    [{ 'l[*].n': { default: 1 } }, { l: [] }, { l: [] }],
    [{ 'l[*].n': { default: 1 } }, { l: [{}, { n: 2 }] }, { l: [{ n: 1 }, { n: 2 }] }],
    [{ 'l[1].n': { set: 1 } }, { l: [{}, {}, {}] }, { l: [{}, { n: 1 }, {}] }],
    [{ 'l[5].n': { set: 1 } }, { l: [{}] }, { l: [{}] }],
    [{ 'l[*][*]': { clamp: { max: 1 } } }, { l: [[1, 2], []] }, { l: [[1, 1], []] }],
    [{ 'l[*]': { clamp: { max: 5 } }, 'l[0]': { clamp: { max: 1 } } }, { l: [9, 9] }, { l: [1, 5] }],
    [{ o: { set: { n: 9 } }, 'o.n': { clamp: { max: 5 } } }, { o: { n: 1, m: 1 } }, { o: { n: 5 } }],
    [{ constructor: { default: 1 }, toString: { drop: true } }, { toString: 1 }, { constructor: 1 }],
    [{ '["odd name"]': { set: 1 } }, {}, { 'odd name': 1 }],
  ])('%j: %j becomes %j', (args, given, expected) => {
    expect(rewriteOf({ args }, given)).toEqual(expected);
  });

  test.each<[object, JsonObject, string]>([
    [{ 'o.n': { set: 1 } }, { o: 5 }, 'shape:not-an-object'],
    [{ 'o.n': { set: 1 } }, { o: null }, 'shape:not-an-object'],
    [{ 'o.n': { drop: true } }, { o: [{ n: 1 }] }, 'shape:not-an-object'],
    [{ 'o.n': { default: 1 } }, { o: [] }, 'shape:not-an-object'],
    [{ 'l[*].n': { drop: true } }, { l: { n: 1 } }, 'shape:not-a-list'],
    [{ n: { drop: true } }, { N: 1 }, 'sibling:same-but-for-spelling'],
    [{ n: { set: 1 } }, { n: 2, '\uff4e': 2 }, 'sibling:same-but-for-spelling'],
  ])('%j of %j is refused: %s', (args, given, fault) => {
    expect(faultIn({ args }, given)).toBe(fault);
  });
});

describe('the order', () => {
  test('is drop, set, default, strip, normalize, clamp, whatever is written first', () => {
    expect(one({ normalize: 'trim', strip: 'invisible', default: ' x' }, ' \u200b ')).toBe('');
    expect(one({ clamp: { max: 5 }, default: 9 })).toBe(5);
    expect(one({ normalize: 'trim', default: ' x ' })).toBe('x');
  });

  test('has roles and relations after all rewrites', () => {
    const document = { args: { n: { int: { max: 5 }, clamp: { max: 5 } } }, relations: ['args.n == 5'] };
    expect(faultIn(document, { n: 99 })).toBeUndefined();
  });
});

describe('what is recorded', () => {
  const rewritesOf = (args: object, given: JsonObject) => ruleOf({ args }).judge(given, caller).rewrites;

  test('names rule, path and rewrite, and hashes the canonical JSON of both values', () => {
    expect(rewritesOf({ 'o.l[*]': { clamp: { max: 1 } } }, { o: { l: [1, 7] } })).toEqual([
      // printf 7 | sha256sum, printf 1 | sha256sum
      {
        rule: 'r',
        path: 'o.l[1]',
        rewrite: 'clamp',
        before: '7902699be42c8a8e',
        after: '6b86b273ff34fce1',
      },
    ]);
  });

  test('has no hash where there was no value, and the same hash whatever the order of members', () => {
    const [dropped] = rewritesOf({ a: { drop: true } }, { a: { x: 1, y: [2] } });
    const [again] = rewritesOf({ a: { drop: true } }, { a: { y: [2], x: 1 } });
    expect(dropped).toMatchObject({ rewrite: 'drop', after: undefined });
    expect(dropped?.before).toMatch(/^[0-9a-f]{16}$/);
    expect(again?.before).toBe(dropped?.before);
    expect(rewritesOf({ a: { default: 1 } }, {})).toMatchObject([
      { before: undefined, after: '6b86b273ff34fce1' },
    ]);
  });

  test('has no hash of a secret, which could be guessed from it', () => {
    const spec = { secret: {}, drop: true };
    expect(rewritesOf({ pin: spec }, { pin: '1234' })).toEqual([
      { rule: 'r', path: 'pin', rewrite: 'drop', before: undefined, after: undefined },
    ]);
  });

  test('has no hash of what holds a secret, whichever rule says that it is one', () => {
    const given = { auth: { pin: ['1234'] }, note: 'n' };
    const dropping = { args: { auth: { drop: true }, note: { drop: true } } };
    const hashed = (secret: object) =>
      ruleOf(dropping)
        .judge(given, caller, ruleOf({ args: secret }).isSecretAt)
        .rewrites.filter(({ before }) => before !== undefined)
        .map(({ path }) => path);
    expect(hashed({})).toEqual(['auth', 'note']);
    expect(hashed({ 'auth.other': { secret: {} } })).toEqual(['note']);
    expect(hashed({ 'auth.pin[*]': { secret: {} } })).toEqual(['note']);
    expect(hashed({ Auth: { secret: {} } })).toEqual(['note']);
    expect(hashed({ 'note[*]': { secret: {} } })).toEqual(['auth']);
  });
});

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      ...[
        'a',
        '1',
        '/',
        '.',
        '..',
        ' ',
        '\t',
        ':',
        '\\',
        'e',
        '\u0301',
        '\u001b',
        '[',
        ']',
        '\u0007',
        '\u009b',
        'm',
      ],
      ...['\u202e', '\u200b', '\u200d', '\u200c', '\ufe0f', '\u20e3', '\u{1f600}', '\u{1f3f4}', '\u{e0067}'],
      ...['\u{e007f}', '\u0645', '\u1820', '\u180b', '\u{1f3fd}', '\u00a0', '\u2000'],
    ),
    maxLength: 24,
  }),
);

test('rewriting twice is rewriting once', () => {
  const strip = fc.uniqueArray(fc.constantFrom(...stripKinds), { minLength: 1 });
  const normalize = fc
    .uniqueArray(fc.constantFrom(...normalizeKinds), { minLength: 1 })
    .filter((kinds) => !(kinds.includes('path') && kinds.includes('trim')));
  const spec = fc.record({ strip, normalize }, { requiredKeys: [] });
  fc.assert(
    fc.property(spec, anyText, (given, text) => {
      const rule = ruleOf({ args: { value: { text: {}, ...given } } });
      const once = rule.judge({ value: text }, caller).args;
      const twice = rule.judge(once, caller);
      expect(twice.args).toBe(once);
      expect(twice.rewrites).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

test('a clamped number is within its bounds, and stays', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.bigInt().map((digits) => exact(String(digits))),
  );
  fc.assert(
    fc.property(number, fc.integer(), fc.nat(), (value, min, span) => {
      const rule = ruleOf({
        args: { value: { number: { min, max: min + span }, clamp: { min, max: min + span } } },
      });
      const once = rule.judge({ value }, caller);
      expect(once.fault).toBeUndefined();
      expect(rule.judge(once.args, caller).args).toBe(once.args);
    }),
  );
});
