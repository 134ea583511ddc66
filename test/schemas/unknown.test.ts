import { describe, expect, test } from 'vitest';
import { unknownIn } from './support.ts';

const text = { type: 'string' };

describe('an argument that the schema does not name', () => {
  test.each<[string, object]>([
    ['says nothing of others', { properties: { a: text } }],
    ['lets others be', { properties: { a: text }, additionalProperties: true }],
    ['lets others be by an empty schema', { properties: { a: text }, additionalProperties: {} }],
    ['lets the rest be', { properties: { a: text }, unevaluatedProperties: true }],
    ['names nothing at all', { type: 'object' }],
    ['is open in a part', { allOf: [{ properties: { a: text }, additionalProperties: true }] }],
    [
      'names it where another alternative holds',
      { anyOf: [{ properties: { a: text } }, { properties: { b: text }, required: ['never'] }] },
    ],
    [
      'names it under a condition that decides otherwise',
      { properties: { a: text }, if: { required: ['a'] }, else: { properties: { b: text } } },
    ],
    [
      'names it for what must not be',
      { properties: { a: text }, not: { properties: { b: { type: 'integer' } }, required: ['b'] } },
    ],
    [
      'names it where something else is given',
      { properties: { a: text }, dependentSchemas: { never: { properties: { b: text } } } },
    ],
  ])('is found where the schema %s', (_what, schema) => {
    const given = 'properties' in schema || !('type' in schema) ? { a: 'x', b: 'y' } : { b: 'y' };
    expect(unknownIn(schema, given)).toBe('b');
  });

  test.each<[string, object]>([
    ['properties', { properties: { a: text, b: text } }],
    ['a pattern', { patternProperties: { '^[ab]$': text } }],
    ['a schema for all others', { properties: { a: text }, additionalProperties: text }],
    ['a schema for the rest', { properties: { a: text }, unevaluatedProperties: text }],
    ['all parts together', { allOf: [{ properties: { a: text } }, { properties: { b: text } }] }],
    [
      'the alternative that holds',
      { oneOf: [{ properties: { a: text, b: text } }, { required: ['never'] }] },
    ],
    [
      'a reference',
      { properties: { a: text }, $ref: '#/$defs/more', $defs: { more: { properties: { b: text } } } },
    ],
    [
      'a condition that decides so',
      { properties: { a: text }, if: { required: ['never'] }, else: { properties: { b: text } } },
    ],
    [
      'what something else brings',
      { properties: { a: text }, dependentSchemas: { a: { properties: { b: text } } } },
    ],
  ])('is none that is named by %s', (_what, schema) => {
    expect(unknownIn(schema, { a: 'x', b: 'y' })).toBe('none');
  });

  test('may have the name of a prototype', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
      expect(unknownIn({ properties: { a: text } }, { a: 'x', [name]: 1 })).toBe(name);
      expect(unknownIn({ anyOf: [{ properties: { a: text } }] }, { a: 'x', [name]: 1 })).toBe(name);
    }
  });

  test('is found in the second call as in the first', () => {
    // What one call has looked at must not count for the next.
    const node = {
      type: 'object',
      properties: { child: { $ref: '#/$defs/node', properties: { extra: text } } },
    };
    const schema = { $ref: '#/$defs/node', $defs: { node } };
    expect(unknownIn(schema, { child: { extra: 'x' } })).toBe('none');
    expect(unknownIn(schema, { child: { child: {} }, extra: 'x' })).toBe('extra');
    expect(unknownIn(schema, { extra: 'x' })).toBe('extra');
  });
});

describe('inside objects', () => {
  const inside = (schema: object) => ({ properties: { o: schema } });

  test.each<[string, object, string]>([
    ['that declare members and say nothing of others', { properties: { a: text } }, 'o.b'],
    ['that declare members in parts', { allOf: [{ properties: { a: text } }] }, 'o.b'],
    ['that declare members by reference', { $ref: '#/$defs/o' }, 'o.b'],
    ['that are open', { properties: { a: text }, additionalProperties: true }, 'none'],
    ['that are open by an empty schema', { properties: { a: text }, additionalProperties: {} }, 'none'],
    ['of any shape', { type: 'object' }, 'none'],
    ['of which nothing is said', {}, 'none'],
    [
      'of any shape, by one alternative',
      { anyOf: [{ type: 'object' }, { properties: { c: text }, required: ['c'] }] },
      'none',
    ],
    ['or text', { anyOf: [{ properties: { a: text } }, { type: 'string' }] }, 'o.b'],
  ])('%s', (_what, schema, expected) => {
    const whole = { ...inside(schema), $defs: { o: { properties: { a: text } } } };
    expect(unknownIn(whole, { o: { a: 'x', b: 'y' } })).toBe(expected);
  });

  test('in lists the place is told', () => {
    const schema = { properties: { edits: { items: { properties: { old: text } } } } };
    expect(unknownIn(schema, { edits: [{ old: 'x' }, { old: 'x', path: 'y' }] })).toBe('edits[1].path');
  });

  test('a name that another alternative was asked for is not blamed', () => {
    const schema = {
      properties: {
        first: { anyOf: [{ properties: { a: text } }, { properties: { a: text, b: text } }] },
        second: { properties: { a: text } },
      },
    };
    expect(unknownIn(schema, { first: { b: 'x' }, second: { c: 'x' } })).toBe('second.c');
  });
});

test('names that policy knows are let through: by name, and inside by path', () => {
  const schema = {
    properties: { edits: { items: { properties: { old: text } } }, o: { properties: { a: text } } },
  };
  const value = { extra: 1, edits: [{ path: 'x' }], o: { depth: 1 } };
  expect(unknownIn(schema, { extra: 1 })).toBe('extra');
  expect(unknownIn(schema, { extra: 1 }, ['extra'])).toBe('none');
  expect(unknownIn(schema, value, ['extra'])).toBe('edits[0].path');
  expect(unknownIn(schema, value, ['extra', 'edits[*].path'])).toBe('o.depth');
  expect(unknownIn(schema, value, ['extra', 'edits[*].path', 'o.depth'])).toBe('none');
  expect(unknownIn(schema, value, ['extra', 'depth', 'path'])).toBe('edits[0].path');
});
