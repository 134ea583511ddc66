import fc from 'fast-check';
import { approve, emptyLock, type PinLock } from '../../src/pins/lock.ts';
import { type JsonObject, type JsonValue, toExactNumber } from '../../src/values/json.ts';

/** A definition with every member that the specification knows. */
export const toolDefinition: JsonObject = {
  name: 'read_file',
  title: 'Read a file',
  description: 'Reads a file.\nReturns its text.',
  inputSchema: {
    type: 'object',
    properties: {
      path: { type: 'string', description: 'Where it is' },
      lines: { type: 'integer', minimum: 1, maximum: 1000 },
      mode: { enum: ['text', 'bytes'] },
    },
    required: ['path'],
    additionalProperties: false,
  },
  outputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  annotations: { readOnlyHint: true, destructiveHint: false },
  icons: [{ src: 'data:image/png;base64,AA==', sizes: ['16x16'] }],
  _meta: { 'example.org/rank': 7 },
  execution: { taskSupport: 'optional' },
};

export function tool(name: string, more: JsonObject = {}): JsonObject {
  return { name, description: `Does ${name}.`, inputSchema: { type: 'object' }, ...more };
}

/** A lock of what some upstreams offer. */
export function lockOf(
  upstreams: Readonly<Record<string, readonly JsonObject[]>>,
  instructions?: string,
): PinLock {
  let lock = emptyLock;
  for (const [upstream, tools] of Object.entries(upstreams)) {
    const offer = { instructions, tools: new Map(tools.map((each) => [String(each['name']), each])) };
    lock = approve(lock, upstream, offer, undefined, true);
  }
  return lock;
}

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('a', ' ', '\n', '\t', '#', ':', '-', '"', "'", '\\', '\r', '\u2028', '\u202e'),
  }),
  fc.constantFrom(
    'true',
    'null',
    '~',
    '',
    ' ',
    '1',
    '0x1',
    '1e3',
    '- a',
    '? b',
    '| ',
    '\u00a0',
    '\ud83d\ude00',
    '---',
  ),
);

/** What the decoder can give: whole strings, finite numbers, integers kept exact, no `__proto__`. */
export const jsonValues: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc
      .bigInt({ min: 2n ** 53n + 1n, max: 2n ** 80n })
      .map((value) => toExactNumber(String(value % 2n === 0n ? value : -value))),
    texts,
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .dictionary(
        texts.filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 4, noNullPrototype: true },
      )
      .map((object) => object as JsonValue),
  ),
})).value;
