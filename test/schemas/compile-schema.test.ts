import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../src/values/json.ts';
import { compiled, judged, reasonOf } from './support.ts';

const exact = (text: string) => JSON.rawJSON(text);

describe('a schema that cannot be enforced', () => {
  test.each<[string, unknown, string]>([
    ['no schema at all', 'string', 'schema-invalid'],
    ['null', null, 'schema-invalid'],
    ['a subschema that is none', { properties: { a: 'string' } }, 'schema-invalid'],
    ['an unknown type', { type: 'any' }, 'keyword-invalid'],
    ['no type', { type: [] }, 'keyword-invalid'],
    ['a type of a prototype', { type: 'constructor' }, 'keyword-invalid'],
    ['an enum that is no list', { enum: 'a' }, 'keyword-invalid'],
    ['a bound that is text', { minimum: '1' }, 'keyword-invalid'],
    ['a bound of draft-04', { exclusiveMinimum: true }, 'keyword-invalid'],
    ['a bound that points elsewhere', { maximum: { $data: '1/a' } }, 'keyword-invalid'],
    ['a multiple of nothing', { multipleOf: 0 }, 'keyword-invalid'],
    ['a length below nothing', { maxLength: -1 }, 'keyword-invalid'],
    ['required as in draft-03', { properties: { a: { required: true } } }, 'keyword-invalid'],
    ['no alternative', { anyOf: [] }, 'keyword-invalid'],
    [
      'a dialect that is not known',
      { $schema: 'http://json-schema.org/draft-04/schema#' },
      'dialect-unknown',
    ],
    ['a dialect of its own', { $schema: 'https://evil.example/meta' }, 'dialect-unknown'],
    ['a dialect that is no text', { $schema: 7 }, 'dialect-unknown'],
    [
      'a part in another dialect',
      { items: { $id: 'x', $schema: 'http://json-schema.org/draft-07/schema#' } },
      'dialect-mixed',
    ],
    ['a remote reference', { $ref: 'https://evil.example/schema' }, 'reference-remote'],
    ['a reference to a file', { $ref: 'other.json#/a' }, 'reference-remote'],
    [
      'a reference to the meta-schema',
      { $ref: 'https://json-schema.org/draft/2020-12/schema' },
      'reference-remote',
    ],
    ['a reference to nothing', { $ref: '#/$defs/none' }, 'reference-unknown'],
    ['a reference to a prototype', { $ref: '#/constructor' }, 'reference-unknown'],
    ['a reference that is not encoded well', { $ref: '#/%zz' }, 'reference-unknown'],
    [
      'a reference to an anchor that stands twice',
      { $ref: '#a', $defs: { x: { $anchor: 'a' }, y: { $anchor: 'a' } } },
      'reference-unknown',
    ],
    [
      'an anchor inside data',
      { $ref: '#a', default: { $anchor: 'a' }, enum: [{ $anchor: 'a' }] },
      'reference-unknown',
    ],
    ['a dynamic reference', { $dynamicRef: '#a', $dynamicAnchor: 'a' }, 'reference-dynamic'],
    ['a recursive reference', { items: { $recursiveRef: '#' } }, 'reference-dynamic'],
    ['a reference to itself', { $ref: '#' }, 'reference-endless'],
    [
      'a circle of references',
      {
        $ref: '#/$defs/a',
        $defs: { a: { allOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } },
      },
      'reference-endless',
    ],
    ['alternatives of itself', { anyOf: [{ $ref: '#' }, { $ref: '#' }] }, 'reference-endless'],
    ['look-ahead', { pattern: '^(?!a)' }, 'pattern-not-linear'],
    ['look-behind', { pattern: '(?<=a)b' }, 'pattern-not-linear'],
    ['a back-reference', { pattern: '(a)\\1' }, 'pattern-not-linear'],
    ['a pattern that is none', { pattern: '(' }, 'pattern-not-linear'],
    ['a pattern of another language', { pattern: '[[:alpha:]]' }, 'pattern-not-linear'],
    ['a pattern with an anchor of another language', { pattern: 'a\\Z' }, 'pattern-not-linear'],
    ['a pattern that becomes large', { pattern: '(?:\\w{1000}){5}' }, 'pattern-not-linear'],
    ['a member pattern with look-ahead', { patternProperties: { '^(?=a)': {} } }, 'pattern-not-linear'],
  ])('is one with %s', (_what, schema, reason) => {
    expect(reasonOf(schema)).toBe(reason);
  });

  test('is one with a key that would change prototypes, wherever it stands', () => {
    for (const text of [
      '{"__proto__":{}}',
      '{"properties":{"__proto__":{"type":"string"}}}',
      '{"enum":[{"__proto__":1}]}',
    ]) {
      expect(reasonOf(JSON.parse(text))).toBe('key-forbidden');
    }
  });

  test('is one that is larger than any bound', () => {
    const many = <T>(count: number, make: (index: number) => T) =>
      Array.from({ length: count }, (_, index) => make(index));
    const nested = (depth: number) => many(depth, () => 0).reduce<object>((inner) => ({ items: inner }), {});
    expect(reasonOf({ description: 'x'.repeat(300_000) })).toBe('schema-too-large');
    expect(reasonOf(nested(70))).toBe('schema-too-deep');
    expect(reasonOf({ prefixItems: many(4200, () => ({})) })).toBe('too-many-subschemas');
    expect(reasonOf({ prefixItems: many(300, (index) => ({ pattern: `^${index}` })) })).toBe(
      'too-many-patterns',
    );
    expect(reasonOf({ pattern: 'x'.repeat(3000) })).toBe('pattern-too-long');
    expect(reasonOf({ enum: many(5000, (index) => index) })).toBe('too-many-values');
    const chain = Object.fromEntries(many(2000, (index) => [`d${index}`, { $ref: `#/$defs/d${index + 1}` }]));
    expect(reasonOf({ $ref: '#/$defs/d0', $defs: { ...chain, d2000: {} } })).toBe('chain-too-long');
    expect(reasonOf({ $ref: '#/$defs/d1900', $defs: { ...chain, d2000: {} } })).toBe('chain-too-long');
    expect(reasonOf({ $ref: '#/$defs/d1950', $defs: { ...chain, d2000: {} } })).toBe('enforceable');
  });

  test('says where, in words that hold nothing but names', () => {
    const hostile = { properties: { 'a\u202eb\n': { pattern: '(?!' } } };
    expect(() => compiled(hostile)).toThrow('pattern-not-linear at properties["a\\u202eb\\n"].pattern');
  });
});

describe('a schema', () => {
  test('is followed through its own references: pointers, anchors, resources and circles with an end', () => {
    const tree = {
      $ref: '#/$defs/node',
      $defs: {
        node: { type: 'object', properties: { next: { $ref: '#node' } }, required: ['id'], $anchor: 'node' },
      },
    };
    expect(judged(tree, { id: 1, next: { id: 2, next: { id: 3 } } })).toBe('fits');
    expect(judged(tree, { id: 1, next: { id: 2, next: {} } })).toBe('next.next.id: required');
    expect(judged({ $ref: '#/$defs/a~1b~0%25', $defs: { 'a/b~%': { type: 'null' } } }, 1)).toBe('type');
    expect(judged({ $ref: '#/definitions/x', definitions: { x: { type: 'null' } } }, 1)).toBe('type');
    // A part with a name of its own is a resource of its own: `#` means that part.
    const parts = {
      properties: { a: { $id: 'part', $defs: { t: { type: 'null' } }, $ref: '#/$defs/t' } },
      $defs: { t: {} },
    };
    expect(judged(parts, { a: 1 })).toBe('a: type');
    const legacy = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      items: { $ref: '#x' },
      definitions: { x: { $id: '#x', type: 'null' } },
    };
    expect(judged(legacy, [null, 1])).toBe('[1]: type');
  });

  test('in draft-07 ignores what stands beside a reference, and in 2020-12 does not', () => {
    const schema = {
      properties: { a: { $ref: '#/definitions/x', type: 'string' } },
      definitions: { x: { type: 'integer' } },
    };
    expect(judged({ ...schema, $schema: 'http://json-schema.org/draft-07/schema' }, { a: 1 })).toBe('fits');
    expect(judged(schema, { a: 1 })).toBe('a: type');
  });

  test('may say anything beside: what is no keyword is an annotation', () => {
    const schema = {
      'x-mcp-header': 'A',
      $comment: '*/ throw 1 //',
      nullable: 7,
      $async: true,
      default: {},
      examples: [1],
      $vocabulary: {},
      code: 'process.exit()',
      format: 'constructor',
    };
    expect(judged(schema, 'anything')).toBe('fits');
  });

  test('neither converts values nor fills them in', () => {
    const schema = { properties: { a: { type: 'integer', default: 1 }, b: { type: 'boolean' } } };
    const value = { b: true };
    expect(judged(schema, value)).toBe('fits');
    expect(value).toEqual({ b: true });
    expect(judged(schema, { a: '1' })).toBe('a: type');
    expect(judged(schema, { b: 'true' })).toBe('b: type');
  });

  test('knows names of prototypes as names like any other', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__']) {
      expect(judged({ required: [name] }, {})).toBe(`${name}: required`);
      expect(judged({ properties: { [name]: { type: 'string' } } }, {})).toBe('fits');
      expect(judged({ properties: { [name]: { type: 'string' } } }, { [name]: 1 })).toBe(`${name}: type`);
      expect(judged({ additionalProperties: false }, { [name]: 1 })).toBe(`${name}: additionalProperties`);
      expect(judged({ unevaluatedProperties: false }, { [name]: 1 })).toBe(`${name}: unevaluatedProperties`);
      expect(judged({ dependentRequired: { [name]: ['a'] } }, {})).toBe('fits');
      expect(judged({ const: {} }, { [name]: 1 })).toBe('const');
      expect(judged({ uniqueItems: true }, [{ [name]: 1 }, { [name]: 1 }])).toBe('uniqueItems');
    }
  });

  test('counts code points, and compares values as JSON', () => {
    expect(judged({ maxLength: 2 }, '\u{1f600}\u{1f600}')).toBe('fits');
    expect(judged({ maxLength: 2 }, '\u{1f600}\u{1f600}x')).toBe('maxLength');
    expect(judged({ minLength: 2 }, '\u{1f600}')).toBe('minLength');
    expect(judged({ const: { a: 1, b: [2] } }, { b: [2], a: 1 })).toBe('fits');
    expect(judged({ enum: ['1', null] }, 1)).toBe('enum');
    expect(judged({ multipleOf: 0.01 }, 19.99)).toBe('fits');
    expect(judged({ multipleOf: 0.01 }, 19.995)).toBe('multipleOf');
    expect(judged({ multipleOf: 1e-8 }, 1e300)).toBe('fits');
    expect(judged({ required: [''] }, {})).toBe('[""]: required');
  });
});

describe('integers beyond 2^53', () => {
  test.each<[string, unknown, string, string]>([
    ['are integers', { type: 'integer' }, '9007199254740993', 'fits'],
    ['are numbers', { type: ['null', 'number'] }, '9007199254740993', 'fits'],
    ['are no text', { type: 'string' }, '9007199254740993', 'a: type'],
    ['are no objects', { type: 'object' }, '9007199254740993', 'a: type'],
    [
      'are held to bounds by their last digit',
      { maximum: exact('9007199254740992') },
      '9007199254740993',
      'a: maximum',
    ],
    ['at a bound fit', { maximum: exact('18446744073709551615') }, '18446744073709551615', 'fits'],
    ['one below a bound fit', { maximum: exact('18446744073709551615') }, '18446744073709551614', 'fits'],
    [
      'one above a bound do not',
      { maximum: exact('18446744073709551615') },
      '18446744073709551616',
      'a: maximum',
    ],
    ['are less than doubles that look alike', { exclusiveMinimum: 2 ** 53 }, '9007199254740993', 'fits'],
    ['are multiples exactly', { multipleOf: 3 }, '9007199254740993', 'fits'],
    ['are no multiples nearly', { multipleOf: 2 }, '9007199254740993', 'a: multipleOf'],
    ['are one of a list by all digits', { enum: [exact('9007199254740993')] }, '9007199254740993', 'fits'],
    ['are none of a list that looks alike', { enum: [2 ** 53] }, '9007199254740993', 'a: enum'],
    ['are themselves', { const: exact('9007199254740993') }, '9007199254740992', 'a: const'],
  ])('%s', (_what, schema, text, expected) => {
    expect(judged({ properties: { a: schema } }, { a: exact(text) })).toBe(expected);
  });

  test('are unique by all digits', () => {
    const list = [exact('9007199254740993'), exact('9007199254740995')];
    expect(judged({ uniqueItems: true }, list)).toBe('fits');
    expect(judged({ uniqueItems: true }, [list[0], exact('9007199254740993')])).toBe('uniqueItems');
    expect(judged({ type: 'integer' }, list[0])).toBe('fits');
  });
});

describe('what judging may cost is bounded', () => {
  const deep = (depth: number): JsonValue => (depth === 0 ? {} : { a: deep(depth - 1) });

  test('for alternatives that double at each level of the value', () => {
    const fruitless = { allOf: [{ properties: { a: { $ref: '#' } } }, { required: ['b'] }] };
    const schema = { anyOf: [fruitless, fruitless, true] };
    expect(judged(schema, deep(60))).toBe('steps');
    expect(judged(schema, deep(5))).toBe('fits');
  });

  test('for long lists under many subschemas', () => {
    const schema = { items: { allOf: Array.from({ length: 60 }, () => ({ type: 'integer' })) } };
    expect(
      judged(
        schema,
        Array.from({ length: 10_000 }, () => 1),
      ),
    ).toBe('steps');
    expect(
      judged(
        schema,
        Array.from({ length: 1000 }, () => 1),
      ),
    ).toBe('fits');
  });

  test('for lists whose entries must differ', () => {
    const objects = Array.from({ length: 10_000 }, (_, index) => ({ index }));
    expect(judged({ uniqueItems: true }, objects)).toBe('fits');
    expect(judged({ uniqueItems: true }, [...objects, { index: 9999 }])).toBe('uniqueItems');
    const long = Array.from({ length: 200 }, (_, index) => 'x'.repeat(100_000) + index);
    expect(judged({ uniqueItems: true }, long)).toBe('steps');
  });

  test('for long texts under patterns and formats', () => {
    const text = `${'a'.repeat(1_000_000)}!`;
    expect(judged({ pattern: '^(a+)+$' }, text.slice(-200_000))).toBe('pattern');
    expect(judged({ pattern: '^(a+)+$' }, text.repeat(3))).toBe('steps');
    expect(judged({ allOf: Array.from({ length: 4000 }, () => ({ minLength: 800_000 })) }, text)).toBe(
      'steps',
    );
  });

  test('for a stack that schema and value would fill together', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`d${index}`, { allOf: [{ $ref: `#/$defs/d${index + 1}` }] }]),
    );
    const schema = { $ref: '#/$defs/d20', $defs: { ...chain, d50: { properties: { a: { $ref: '#' } } } } };
    expect(judged(schema, deep(500), { maxSteps: Number.MAX_SAFE_INTEGER })).toBe('depth');
    expect(judged(schema, deep(3000), { maxSteps: Number.MAX_SAFE_INTEGER })).toBe('depth');
    expect(judged({ properties: { a: { $ref: '#' } } }, deep(500))).toBe('fits');
  });

  test('anew for each call', () => {
    const schema = compiled({ items: { type: 'integer' } }, { maxSteps: 50 });
    for (let call = 0; call < 10; call += 1) expect(schema.judge([1, 2, 3])).toBeUndefined();
    expect(schema.judge(Array.from({ length: 50 }, () => 1))).toEqual({ path: '', keyword: 'steps' });
    expect(schema.judge([1])).toBeUndefined();
  });
});

describe('a fault', () => {
  test('says where as policy files write it, in printable ASCII of bounded length', () => {
    const schema = { additionalProperties: { items: { additionalProperties: { type: 'null' } } } };
    expect(judged(schema, { edits: [{}, { path: 1 }] })).toBe('edits[1].path: type');
    expect(judged(schema, { 'odd key': [{ '\u202e': 1 }] })).toBe('["odd key"][0]["\\u202e"]: type');
    const long = compiled(schema).judge({ ['x'.repeat(5000)]: [{ b: 1 }] });
    expect(long!.path.length).toBeLessThanOrEqual(256);
  });

  test('never holds a value', () => {
    const secret = 'hunter2hunter2';
    const keywords = [
      { type: 'integer' },
      { const: 1 },
      { enum: ['a'] },
      { maxLength: 1 },
      { pattern: '^$' },
      { format: 'uuid' },
      { anyOf: [{ type: 'null' }, { maxLength: 2 }] },
      { not: {} },
      false,
    ];
    for (const schema of keywords) {
      const fault = compiled({ properties: { a: schema } }).judge({ a: secret });
      expect(fault?.path).toBe('a');
      expect(JSON.stringify(fault)).not.toContain(secret);
    }
  });
});

test('hostile text anywhere in a schema is data: it is compared, and never run', () => {
  const global = globalThis as { pwned?: boolean };
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '"];globalThis.pwned=true;["',
      '$' + '{globalThis.pwned=true}',
      '`;globalThis.pwned=true;`',
      "'+(globalThis.pwned=true)+'",
      '*/globalThis.pwned=true/*',
      '\u2028globalThis.pwned=true\u2029',
      '\\";globalThis.pwned=true//',
      'constructor',
      'toString',
    ),
  );
  fc.assert(
    fc.property(hostile, hostile, (name, other) => {
      fc.pre(name !== '__proto__' && other !== '__proto__' && name !== other);
      const schema = {
        $id: name,
        $comment: other,
        title: name,
        properties: { [name]: { enum: [other] } },
        required: [name],
        additionalProperties: false,
        dependentRequired: { [other]: [name] },
        [`x-${name}`]: other,
      };
      expect(compiled(schema).judge({ [name]: other })).toBeUndefined();
      expect(compiled(schema).judge({ [name]: `${other}.` })?.keyword).toBe('enum');
      expect(compiled(schema).judge({ [name]: other, [other]: 1 })?.keyword).toBe('additionalProperties');
      expect(compiled(schema).judge({})?.keyword).toBe('required');
    }),
  );
  expect(global.pwned).toBeUndefined();
});

test('whatever the schema, compiling gives an answer and judging gives one', () => {
  const words = fc.constantFrom(
    '$ref',
    '#',
    '#/a',
    '$id',
    'type',
    'properties',
    'items',
    'anyOf',
    'not',
    'enum',
    'a',
    'pattern',
    'if',
    'then',
    '$defs',
    'required',
    'format',
    'uri',
    'contains',
    'minItems',
  );
  const { anything } = fc.letrec((tie) => ({
    anything: fc.oneof(
      { maxDepth: 5 },
      words,
      fc.constantFrom(null, true, false, 1, -1),
      fc.array(tie('anything'), { maxLength: 3 }),
      fc.dictionary(words, tie('anything'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(anything, anything, (schema, value) => {
      if (reasonOf(schema) !== 'enforceable') return;
      const fault = compiled(schema).judge(value as JsonValue);
      expect(fault === undefined || /^[a-zA-Z]+$/.test(fault.keyword)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
