import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CompiledSchema } from '../../src/schemas/compile-schema.ts';
import type { JsonValue } from '../../src/values/json.ts';
import { compiled } from './support.ts';

/** Ajv is the oracle: what it says of a schema and a value, this room must say. */

const names = fc.constantFrom('a', 'b', 'c', 'constructor', 'toString', 'a/b', '~', '0');

function dictionary<T>(keys: fc.Arbitrary<string>, entries: fc.Arbitrary<T>, maxKeys: number) {
  return fc.dictionary(keys, entries, { maxKeys, noNullPrototype: true });
}
const scalars = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    '',
    'a',
    'ab',
    'abc',
    '\u{1f600}',
    0,
    -0,
    1,
    2,
    3,
    1.5,
    -1,
    10,
    12345.25,
  ),
  fc.integer({ min: -5, max: 5 }),
);
const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalars,
    fc.array(tie('value'), { maxLength: 4 }),
    dictionary(names, tie('value'), 4),
  ),
}));
const types = fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', 'array', 'object');
const counts = fc.integer({ min: 0, max: 3 });

function keywords(schema: fc.Arbitrary<unknown>, modern: boolean): fc.Arbitrary<object> {
  const map = dictionary(names, schema, 3);
  const list = fc.array(schema, { minLength: 1, maxLength: 3 });
  const namesList = fc.uniqueArray(names, { maxLength: 3 });
  const common = {
    type: fc.oneof(types, fc.uniqueArray(types, { minLength: 1, maxLength: 3 })),
    enum: fc.uniqueArray(values, { minLength: 1, maxLength: 3, comparator: sameJson }),
    const: values,
    minimum: fc.integer({ min: -2, max: 2 }),
    maximum: fc.integer({ min: -2, max: 2 }),
    exclusiveMinimum: fc.integer({ min: -2, max: 2 }),
    exclusiveMaximum: fc.integer({ min: -2, max: 2 }),
    multipleOf: fc.constantFrom(1, 2, 0.5),
    minLength: counts,
    maxLength: counts,
    pattern: fc.constantFrom('^a', 'b$', '^[a-b]*$', '.', '^..$', '\\s', '\\w'),
    minItems: counts,
    maxItems: counts,
    uniqueItems: fc.boolean(),
    minProperties: counts,
    maxProperties: counts,
    required: namesList,
    properties: map,
    patternProperties: dictionary(fc.constantFrom('^a', 'o', '^$'), schema, 2),
    additionalProperties: schema,
    propertyNames: schema,
    contains: schema,
    allOf: list,
    anyOf: list,
    oneOf: list,
    not: schema,
  };
  const recent = modern
    ? {
        prefixItems: list,
        items: schema,
        dependentRequired: dictionary(names, namesList, 2),
        dependentSchemas: map,
        unevaluatedProperties: schema,
        unevaluatedItems: schema,
        $ref: fc.constantFrom('#/$defs/one', '#/$defs/two', '#two'),
      }
    : {
        items: fc.oneof(schema, list),
        additionalItems: schema,
        dependencies: dictionary(names, fc.oneof(schema, namesList), 2),
      };
  const parts: fc.Arbitrary<object>[] = Object.entries({ ...common, ...recent }).map(([keyword, value]) =>
    fc.record({ [keyword]: value }),
  );
  const conditions = [
    ['if', 'then', 'else'],
    ['if', 'then'],
    ['if', 'else'],
  ];
  for (const members of conditions) {
    parts.push(fc.record(Object.fromEntries(members.map((member) => [member, schema]))));
  }
  return fc.array(fc.oneof(...parts), { maxLength: 4 }).map((made) => Object.assign({}, ...made) as object);
}

function sameJson(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right) || (left === 0 && right === 0);
}

function schemas(modern: boolean): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.oneof(fc.boolean(), fc.constant({}), fc.record({ type: types })),
      keywords(tie('schema'), modern),
    ),
  })).schema;
}

const options = { strict: false, ownProperties: true, validateFormats: false, logger: false } as const;

/** Subschemas by reference that end nowhere but in themselves. */
const leaves = keywords(fc.oneof(fc.boolean(), fc.record({ type: types })), true).map((schema) => {
  const { $ref: _ref, ...rest } = schema as Record<string, unknown>;
  return rest;
});

test('says of 2020-12 schemas what Ajv says', () => {
  fc.assert(
    fc.property(
      schemas(true),
      leaves,
      leaves,
      fc.array(values, { minLength: 4, maxLength: 12 }),
      (root, one, two, given) => {
        const schema = { allOf: [root], $defs: { one, two: { ...two, $anchor: 'two' } } };
        fc.pre(!confusesOracle(schema, given));
        const oracle = askOracle(() => new Ajv2020(options).compile(schema));
        const ours = compiled(schema);
        for (const value of given) agree(schema, oracle, ours, value);
      },
    ),
    { numRuns: 150 },
  );
});

/** It compares by the `toString` of a value, which may be anything, also where it compiles. */
function askOracle(compile: () => ValidateFunction): ValidateFunction {
  try {
    return compile();
  } catch {
    return fc.pre(false) as never;
  }
}

function agree(schema: unknown, oracle: ValidateFunction, ours: CompiledSchema, value: unknown): void {
  let expected: boolean;
  try {
    expected = oracle(value);
  } catch {
    return;
  }
  const fits = ours.judge(value as JsonValue) === undefined;
  expect({ schema, value, fits }).toEqual({ schema, value, fits: expected });
  // What has no unknown names fits: looking for them never lets more through.
  const none = new Set<string>();
  if (ours.fits(value as JsonValue, none))
    expect({ schema, value, fits }).toEqual({ schema, value, fits: true });
}

/**
 * Ajv keeps what it evaluated in a plain object, and so takes `constructor` for evaluated: only where nothing asks for
 * the rest is it an oracle for such names.
 */
function confusesOracle(schema: unknown, given: unknown): boolean {
  const text = JSON.stringify(schema);
  // It does not let `contains` count for `unevaluatedItems`, and forgets beside leading entries that it asks for one.
  if (/"(?:unevaluatedItems|prefixItems)":|"items":\[/.test(text) && text.includes('"contains"')) return true;
  const asks = text.includes('"unevaluatedProperties"');
  return asks && /"(?:constructor|toString)"/.test(JSON.stringify([schema, given]));
}

test('says of draft-07 schemas what Ajv says', () => {
  fc.assert(
    fc.property(schemas(false), fc.array(values, { minLength: 4, maxLength: 12 }), (root, given) => {
      const schema = { $schema: 'http://json-schema.org/draft-07/schema#', allOf: [root] };
      fc.pre(!confusesOracle(schema, given));
      const oracle = askOracle(() => new Ajv(options).compile(schema));
      const ours = compiled(schema);
      for (const value of given) agree(schema, oracle, ours, value);
    }),
    { numRuns: 150 },
  );
});
