import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/values/json.ts';
import { caller, faultIn, ruleOf } from './support.ts';

/** `path role:fault` */
function told(args: object, given: JsonObject): string | undefined {
  const { fault } = ruleOf({ args }).judge(given, caller);
  return fault === undefined ? undefined : `${fault.path} ${fault.role}:${fault.fault}`;
}

const edits = {
  'edits[*].n': { int: {} },
  'edits[*].tags[*]': { id: {} },
  'options.depth': { int: { max: 3 } },
};

describe('a path', () => {
  test.each<[JsonObject, string | undefined]>([
    [{}, undefined],
    [{ edits: [] }, undefined],
    [{ edits: [{}] }, undefined],
    [
      {
        edits: [
          { n: 1, tags: [] },
          { n: 2, tags: ['a', 'b'], more: {} },
        ],
        options: { depth: 3 },
      },
      undefined,
    ],
    [{ edits: [{ n: 1 }, { n: '2' }] }, 'edits[1].n int:type'],
    [{ edits: [{ tags: ['a', '$(id)'] }] }, 'edits[0].tags[1] id:metacharacter'],
    [{ edits: { n: 1 } }, 'edits shape:not-a-list'],
    [{ edits: '[{"n": "x"}]' }, 'edits shape:not-a-list'],
    [{ edits: { 0: { n: 'x' }, length: 1 } }, 'edits shape:not-a-list'],
    [{ edits: null }, 'edits shape:not-a-list'],
    [{ edits: [[{ n: 'x' }]] }, 'edits[0] shape:not-an-object'],
    [{ edits: [5] }, 'edits[0] shape:not-an-object'],
    [{ edits: [null] }, 'edits[0] shape:not-an-object'],
    [{ options: [{ depth: 9 }] }, 'options shape:not-an-object'],
    [{ options: 'depth=9' }, 'options shape:not-an-object'],
    [{ options: { depth: 4 } }, 'options.depth int:above-max'],
  ])('through %j: %s', (given, expected) => {
    expect(told(edits, given)).toBe(expected);
  });

  test('with a position speaks of that element', () => {
    const args = { 'argv[0]': { enum: ['git'] }, 'argv[*]': { text: { maxLength: 5 } } };
    expect(told(args, { argv: ['git', 'rm'] })).toBeUndefined();
    expect(told(args, { argv: ['rm', 'git'] })).toBe('argv[0] enum:not-listed');
    expect(told(args, { argv: ['git', 'remote'] })).toBe('argv[1] text:too-long');
    expect(told(args, { argv: [] })).toBeUndefined();
  });

  test('may name what every object has', () => {
    const args = {
      constructor: { int: {} },
      'toString.valueOf': { int: {} },
      hasOwnProperty: { forbidden: true },
    };
    expect(told(args, {})).toBeUndefined();
    expect(told(args, { constructor: 'x' })).toBe('constructor int:type');
    expect(told(args, { toString: { valueOf: 'x' } })).toBe('toString.valueOf int:type');
    expect(told(args, { hasOwnProperty: 1 })).toBe('hasOwnProperty forbidden:present');
  });

  test('is written out so that it can be read back, and never at length', () => {
    expect(told({ '["odd name"]["a.b"]': { int: {} } }, { 'odd name': { 'a.b': 'x' } })).toBe(
      '["odd name"]["a.b"] int:type',
    );
    const deep = Array.from({ length: 6 }, () => 'a'.repeat(40)).join('.');
    const value = deep.split('.').reduceRight<JsonObject>((inner, name) => ({ [name]: inner }), {});
    const { fault } = ruleOf({ args: { [deep]: { int: {} } } }).judge(value, caller);
    expect(fault?.path.length).toBeLessThanOrEqual(256);
  });
});

describe('required', () => {
  test.each<[object, JsonObject, string | undefined]>([
    [{ a: { int: {}, required: true } }, {}, 'a required:missing'],
    [{ a: { int: {}, required: true } }, { a: 1 }, undefined],
    [{ a: { nullable: true, required: true } }, { a: null }, undefined],
    [{ 'o.a': { required: true } }, {}, 'o.a required:missing'],
    [{ 'o.a': { required: true } }, { o: {} }, 'o.a required:missing'],
    [{ 'l[*].a': { required: true } }, {}, undefined],
    [{ 'l[*].a': { required: true } }, { l: [] }, undefined],
    [{ 'l[*].a': { required: true } }, { l: [{ a: 1 }, {}] }, 'l[1].a required:missing'],
    [{ 'l[0].a': { required: true } }, {}, 'l[0].a required:missing'],
    [{ 'l[0]': { required: true } }, { l: [] }, 'l[0] required:missing'],
    [{ constructor: { required: true } }, {}, 'constructor required:missing'],
    [{ a: { required: true } }, { a: null }, undefined],
  ])('%j of %j: %s', (args, given, expected) => {
    expect(told(args, given)).toBe(expected);
  });
});

describe('null', () => {
  test('is a value like any other, unless the rule says that it fits', () => {
    expect(faultIn({ args: { a: { int: {} } } }, { a: null })).toBe('int:type');
    expect(faultIn({ args: { a: { int: {}, nullable: true } } }, { a: null })).toBeUndefined();
    expect(faultIn({ args: { a: { enum: [1, null] } } }, { a: null })).toBeUndefined();
    expect(faultIn({ args: { a: { forbidden: true } } }, { a: null })).toBe('forbidden:present');
    expect(faultIn({ args: { a: { nullable: true }, 'a.b': { int: {} } } }, { a: null })).toBeUndefined();
  });
});

/** Each is another key, and the same one to somebody. */
const spellings = [
  'Path',
  'PATH',
  'paTh',
  'p\u0041th',
  '\uff50ath',
  'pa\u200bth',
  'path\u200d',
  '\ufeffpath',
  'pa\u00adth',
  'path\0',
  'p\u24d0th',
  'path\ufe0f',
  'pa\u{e0074}th',
];

describe('another spelling of a named argument', () => {
  test.each(spellings)('%j is refused beside it and without it', (key) => {
    const args = { path: { text: {} } };
    expect(told(args, { [key]: '/etc/passwd' })).toBe('path sibling:same-but-for-spelling');
    expect(told(args, { path: '/workspace/a', [key]: '/etc/passwd' })).toBe(
      'path sibling:same-but-for-spelling',
    );
    expect(told(args, { [key]: '/etc/passwd', path: '/workspace/a' })).toBe(
      'path sibling:same-but-for-spelling',
    );
  });

  test.each(spellings)('%j is refused at every level', (key) => {
    const args = { 'o.path': { text: {} }, 'l[*].path': { text: {} }, 'path.inner': { text: {} } };
    expect(told(args, { o: { [key]: 'x' } })).toBe('o.path sibling:same-but-for-spelling');
    expect(told(args, { l: [{}, { path: 'y', [key]: 'x' }] })).toBe(
      'l[1].path sibling:same-but-for-spelling',
    );
    expect(told(args, { [key]: { inner: 'x' } })).toBe('path sibling:same-but-for-spelling');
  });

  test('of an argument that nobody names is nothing to this rule', () => {
    expect(
      told({ path: { text: {} } }, { path: 'a', Other: 1, other: 2, paths: 3, p: { Path: 1 } }),
    ).toBeUndefined();
  });

  test.each(['\u017fecret', 'SECRET'])('%j is kept as secret as the one it is taken for', (key) => {
    const rule = ruleOf({ args: { secret: { secret: {} }, 'auth.keys[*]': { secret: {} } } });
    expect(rule.secretsIn({ [key]: 'hunter2' })).toEqual(['hunter2']);
  });
});

describe('secrets', () => {
  const rule = ruleOf({
    args: {
      token: { secret: {} },
      'auth.keys[*]': { secret: {} },
      'list[0].pin': { secret: {} },
      plain: { text: {} },
    },
  });

  test.each<[JsonObject, readonly string[]]>([
    [{}, []],
    [{ plain: 'seen' }, []],
    [{ token: 'one', auth: { keys: ['two', 'three'], name: 'seen' } }, ['one', 'two', 'three']],
    [{ list: [{ pin: '1', name: 'seen' }, { pin: 'seen' }] }, ['1']],
    [{ token: { user: 'a', pass: ['b', 5] } }, ['a', 'b', '5']],
    [{ token: 12345 }, ['12345']],
    [{ token: null }, []],
    [{ auth: 'bearer x' }, ['bearer x']],
    [{ auth: { keys: 'no list' } }, ['no list']],
    [{ auth: [{ keys: ['deep'] }] }, ['deep']],
  ])('in %j: %j', (given, expected) => {
    expect(rule.secretsIn(given)).toEqual(expected);
  });

  test('are found without judging anything', () => {
    expect(rule.secretsIn({ token: ['not', 'text'], Token: 'sibling' })).toEqual(['not', 'text', 'sibling']);
  });
});
