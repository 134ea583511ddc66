import { describe, expect, test } from 'vitest';
import { caller, faultOf, ruleOf } from './support.ts';

describe('json', () => {
  test.each([
    '{}',
    '[]',
    'null',
    '1',
    '"text"',
    ' {"a": [1, 2.5, "\\u00e9", true]} ',
    '{"a:b": "c:d", "e": {"f": ":"}}',
  ])('takes %s', (value) => {
    expect(faultOf({ json: {} }, value)).toBeUndefined();
  });

  test.each([
    ['no JSON', '{a: 1}', 'not-json'],
    ['nothing', '', 'not-json'],
    ['two values', '{} {}', 'not-json'],
    ['a comment', '{} // x', 'not-json'],
    ['a trailing comma', '[1,]', 'not-json'],
    ['NaN', 'NaN', 'not-json'],
    ['a byte order mark', '\ufeff{}', 'not-json'],
    ['a repeated key', '{"a": 1, "a": 2}', 'repeated-key'],
    ['a repeated key in another spelling', '{"a": 1, "\\u0061": 2}', 'repeated-key'],
    ['a repeated key deep down', '[{"x": {"a": 1, "b": {}, "a": 2}}]', 'repeated-key'],
    ['a prototype', '{"__proto__": {"admin": true}}', 'forbidden-key'],
    ['a prototype in disguise', '{"\\u005f_proto__": 1}', 'forbidden-key'],
    ['an infinity', '[1e999]', 'not-a-number'],
    ['half a character', '"\\ud800"', 'half-character'],
    ['half a character in a key', '{"\\udc00": 1}', 'half-character'],
    ['nesting', '['.repeat(33) + ']'.repeat(33), 'too-deep'],
    ['nesting without end', '['.repeat(200_000), 'too-deep'],
    ['many values', `[${'0,'.repeat(10_000)}0]`, 'too-many-values'],
    ['much text', `"${'a'.repeat(256 * 1024)}"`, 'too-large'],
  ])('refuses %s', (_what, value, fault) => {
    expect(faultOf({ json: {} }, value)).toBe(`json:${fault}`);
  });

  test.each([null, 1, {}, []])('is text, not %j', (value) => {
    expect(faultOf({ json: {} }, value)).toBe('json:type');
  });

  test('bounds by options', () => {
    expect(faultOf({ json: { maxDepth: 1 } }, '{"a": 1}')).toBeUndefined();
    expect(faultOf({ json: { maxDepth: 1 } }, '{"a": []}')).toBe('json:too-deep');
    expect(faultOf({ json: { maxValues: 2 } }, '[1]')).toBeUndefined();
    expect(faultOf({ json: { maxValues: 2 } }, '[1, 2]')).toBe('json:too-many-values');
    expect(faultOf({ json: { maxBytes: 4 } }, '"\u00e9\u00e9"')).toBe('json:too-large');
  });
});

describe('json with roles inside', () => {
  const spec = {
    json: {
      args: { limit: { int: { max: 10 } }, 'tags[*]': { id: {} }, mode: { enum: ['a'], required: true } },
    },
  };

  test.each([
    ['{"mode": "a"}', undefined],
    ['{"mode": "a", "limit": 10, "tags": ["x", "y"], "other": 1}', undefined],
    ['{"mode": "a", "limit": 11}', 'json:above-max'],
    ['{"mode": "a", "limit": 9007199254740993}', 'json:above-max'],
    ['{"mode": "a", "limit": "1"}', 'json:type'],
    ['{"mode": "a", "tags": ["x", "$(id)"]}', 'json:metacharacter'],
    ['{}', 'json:missing'],
    ['{"mode": "a", "Limit": 99}', 'json:same-but-for-spelling'],
    ['[]', 'json:not-an-object'],
    ['null', 'json:not-an-object'],
  ])('%s: %s', (value, fault) => {
    expect(faultOf(spec, value)).toBe(fault);
  });

  test('names the place inside', () => {
    const { fault } = ruleOf({ args: { body: spec } }).judge(
      { body: '{"mode": "a", "tags": ["$(id)"]}' },
      caller,
    );
    expect(fault).toMatchObject({ path: 'body', role: 'json', fault: 'metacharacter' });
    expect(fault?.allow).toContain('tags[0] in the text (id): ');
  });

  test('closed to other members where it is asked', () => {
    const closed = { json: { ...spec.json, unknown: 'refuse' } };
    expect(faultOf(closed, '{"mode": "a", "limit": 1}')).toBeUndefined();
    expect(faultOf(closed, '{"mode": "a", "constructor": 1}')).toBe('json:unknown-member');
  });

  test('is secret as a whole where something inside is', () => {
    const rule = ruleOf({ args: { body: { json: { args: { 'auth.token': { secret: {} } } } } } });
    const body = '{"auth": {"token": "hunter2"}}';
    expect(rule.secretsIn({ body })).toEqual([body]);
  });
});
