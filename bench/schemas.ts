import { type CompiledSchema, compileSchema } from '../src/schemas/compile-schema.ts';
import type { JsonValue } from '../src/values/json.ts';

/** What a tool's own schema costs a call, and what compiling costs beside it. Prints one line for each. */

const text = { type: 'string' };
const small = {
  type: 'object',
  properties: {
    sql: { type: 'string', minLength: 1 },
    limit: { type: 'integer', minimum: 1, maximum: 1000 },
    database: { enum: ['primary', 'replica'] },
  },
  required: ['sql'],
};
const nested = {
  type: 'object',
  properties: {
    path: text,
    edits: {
      type: 'array',
      items: {
        type: 'object',
        properties: { oldText: text, newText: text },
        required: ['oldText', 'newText'],
      },
    },
    dryRun: { type: 'boolean', default: false },
  },
  required: ['path', 'edits'],
  additionalProperties: false,
  $schema: 'http://json-schema.org/draft-07/schema#',
};
const alternatives = {
  type: 'object',
  properties: {
    filter: {
      anyOf: [
        {
          type: 'object',
          properties: { kind: { const: 'id' }, id: { type: 'string', pattern: '^[a-z0-9-]+$' } },
        },
        {
          type: 'object',
          properties: { kind: { const: 'since' }, since: { type: 'string', format: 'date-time' } },
        },
      ],
    },
  },
};
const many = {
  type: 'object',
  properties: Object.fromEntries(
    Array.from({ length: 4000 }, (_, index) => [`a${index}`, { type: 'integer', minimum: index }]),
  ),
};
const edits = Array.from({ length: 10 }, (_, index) => ({
  oldText: `line ${index}`,
  newText: `row ${index}`,
}));

const cases: readonly { readonly name: string; readonly schema: object; readonly value: JsonValue }[] = [
  { name: 'small call', schema: small, value: { sql: 'select 1', limit: 100, database: 'replica' } },
  { name: 'ten edits', schema: nested, value: { path: '/a/b', edits } },
  {
    name: 'alternatives',
    schema: alternatives,
    value: { filter: { kind: 'since', since: '2026-01-01T00:00:00Z' } },
  },
  { name: '4,000 arguments declared, one given', schema: many, value: { a7: 7 } },
];

for (const { name, schema, value } of cases) {
  const compiled = compile(schema);
  const fault = compiled.judge(value) ?? compiled.unknownIn(value, nobody());
  if (fault !== undefined) throw new Error(`${name}: ${JSON.stringify(fault)}`);
  const none = nobody();
  const judge = microseconds(() => compiled.fits(value, none));
  const make = microseconds(() => compile(schema), 20);
  console.log(`${name}: ${judge.toFixed(2)} \u00b5s a call, compiled in ${make.toFixed(0)} \u00b5s`);
}

function nobody(): ReadonlySet<string> {
  return new Set();
}

function compile(schema: object): CompiledSchema {
  const made = compileSchema(schema as JsonValue);
  if (!made.ok) throw new Error(made.reason);
  return made.schema;
}

/** The median of several rounds, after as many to warm up. */
function microseconds(work: () => unknown, rounds = 20_000): number {
  const times: number[] = [];
  for (let sample = 0; sample < 14; sample += 1) {
    const start = performance.now();
    for (let round = 0; round < rounds; round += 1) work();
    times.push(((performance.now() - start) * 1000) / rounds);
  }
  return times.slice(7).sort((a, b) => a - b)[3]!;
}
