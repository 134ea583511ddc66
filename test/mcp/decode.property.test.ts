import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBody, decodeFrame, defaultDecodeLimits } from '../../src/mcp/decode.ts';
import { withId } from '../../src/mcp/encode.ts';
import { isExactNumber, type JsonValue } from '../../src/values/json.ts';
import { type SecondValue, secondParse } from '../support/second-json-parser.ts';

const limits = defaultDecodeLimits;

/** Text of a JSON string in which each character may or may not be escaped. */
const spelt = (text: string, choices: readonly number[]): string => {
  const units = [...text].map((character, index) => {
    const choice = choices[index % choices.length] ?? 0;
    const plain = JSON.stringify(character).slice(1, -1);
    if (choice % 3 !== 0) return plain;
    return [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join('');
  });
  return `"${units.join('')}"`;
};

const wellFormed = fc.string({ unit: 'binary', maxLength: 8 });
const key = fc.oneof(wellFormed, fc.constantFrom('a', 'b', 'name', 'constructor', '0', '1', 'toString', ''));
const choices = fc.array(fc.nat(5), { minLength: 1, maxLength: 6 });
const space = fc.constantFrom('', '', '', ' ', '\n', '\t ', '\r\n');
const numberText = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }).map(String),
  fc.constantFrom('-0', '1.0', '1E5', '0.1e-7', '9007199254740993', '9007199254740991', '-9007199254740992'),
);

/** JSON text with its own spelling of everything. Objects have distinct keys. */
const { objectText } = fc.letrec<{ jsonText: string; objectText: string }>((tie) => ({
  jsonText: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'json' },
    fc.constantFrom('null', 'true', 'false'),
    numberText,
    fc.tuple(wellFormed, choices).map(([text, spelling]) => spelt(text, spelling)),
    fc.tuple(wellFormed, fc.nat(300)).map(([text, size]) => JSON.stringify(text + 'x'.repeat(size))),
    tie('objectText'),
    fc
      .tuple(fc.array(tie('jsonText'), { maxLength: 4, depthIdentifier: 'json' }), space)
      .map(([items, gap]) => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`),
  ),
  objectText: fc
    .tuple(
      fc.uniqueArray(fc.tuple(key, choices, tie('jsonText')), {
        maxLength: 20,
        selector: ([name]) => name,
        depthIdentifier: 'json',
      }),
      space,
    )
    .map(
      ([members, gap]) =>
        `{${gap}${members
          .filter(([name]) => name !== '__proto__')
          .map(([name, spelling, value]) => `${spelt(name, spelling)}${gap}:${gap}${value}`)
          .join(`${gap},${gap}`)}${gap}}`,
    ),
}));

const message = fc
  .tuple(
    objectText,
    choices,
    fc.oneof(
      fc.integer().map(String),
      wellFormed.map((text) => JSON.stringify(text)),
    ),
    space,
  )
  .map(
    ([free, spelling, id, gap]) =>
      `${gap}{${spelt('jsonrpc', spelling)}:"2.0",${spelt('id', spelling)}:${gap}${id}${gap},` +
      `${spelt('method', spelling)}:"tools/call","params":{"name":"x",${spelt('arguments', spelling)}:${free}}}${gap}`,
  );

function same(value: JsonValue | undefined, second: SecondValue): void {
  switch (second.type) {
    case 'null':
      expect(value).toBe(null);
      return;
    case 'boolean':
    case 'string':
      expect(value).toBe(second.value);
      return;
    case 'number':
      if (isExactNumber(value)) {
        expect(value.rawJSON).toBe(second.source);
        expect(Number.isSafeInteger(Number(second.source))).toBe(false);
      } else {
        expect(value).toBe(Number(second.source));
        // A whole number that a double would round must not have become one.
        if (/^-?\d+$/.test(second.source)) expect(BigInt(value as number)).toBe(BigInt(second.source));
      }
      return;
    case 'array':
      expect(Array.isArray(value)).toBe(true);
      expect((value as JsonValue[]).length).toBe(second.items.length);
      for (const [index, item] of second.items.entries()) same((value as JsonValue[])[index], item);
      return;
    case 'object': {
      const object = value as Record<string, JsonValue>;
      expect(new Set(second.pairs.map(([name]) => name)).size).toBe(second.pairs.length);
      expect(Object.keys(object).length).toBe(second.pairs.length);
      for (const [name, member] of second.pairs) same(object[name], member);
    }
  }
}

describe('the decoder, for any input', () => {
  it('gives the tree that an independent parser reads, and that parser finds no repeated key', () => {
    let accepted = 0;
    fc.assert(
      fc.property(message, (text) => {
        const decoded = decodeFrame(Buffer.from(text), limits, 'toUpstream');
        if (!decoded.ok) {
          // Generated messages are honest apart from ids with control characters or too many digits.
          expect(decoded.failure.code).toBe('frame-id-invalid');
          return;
        }
        accepted++;
        same(decoded.value.value, secondParse(text));
      }),
      { numRuns: 400 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it('refuses any accepted message once a key is repeated in any object, in any spelling', () => {
    fc.assert(
      fc.property(message, choices, fc.nat(), fc.nat(), (text, spelling, which, pick) => {
        fc.pre(decodeFrame(Buffer.from(text), limits, 'toUpstream').ok);
        const objects = objectsOf(text);
        const object = objects[which % objects.length]!;
        const name = object.keys[pick % object.keys.length]!;
        const repeated = `${text.slice(0, object.start + 1)}${spelt(name, spelling)}:0,${text.slice(object.start + 1)}`;
        const decoded = decodeFrame(Buffer.from(repeated), limits, 'toUpstream');
        expect(decoded.ok ? 'accepted' : decoded.failure.code).toBe('json-repeated-key');
      }),
      { numRuns: 300 },
    );
  });

  it('refuses or accepts exactly the JSON that V8 refuses or accepts, once other rules are left out', () => {
    const tokens = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '"',
      '\\',
      '\\u0041',
      '1',
      '-',
      '0',
      '.',
      'e5',
      'true',
      'nul',
      'l',
      ' ',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 12 }), (parts) => {
        const text = `{"jsonrpc":"2.0","method":"x","params":{"arguments":${parts.join('')}}}`;
        const decoded = decodeFrame(Buffer.from(text), limits, 'toUpstream');
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        if (!isJson) expect(decoded.ok).toBe(false);
        if (decoded.ok) same(decoded.value.value, secondParse(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('never throws on noise, nor on a message with any byte changed, cut or doubled', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        expect(typeof decodeBody(Buffer.from(noise), limits, 'toUpstream').ok).toBe('boolean');
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(255), fc.nat(2), (text, at, byte, how) => {
        const bytes = Buffer.from(text);
        const place = at % bytes.length;
        if (how === 0) bytes[place] = byte;
        const changed =
          how === 1
            ? bytes.subarray(0, place)
            : how === 2
              ? Buffer.concat([bytes.subarray(0, place), Buffer.from([byte]), bytes.subarray(place)])
              : bytes;
        const decoded = decodeBody(changed, limits, 'toUpstream');
        // Whatever is still accepted has the one reading.
        if (decoded.ok) same(decoded.value.frames[0]!.value, secondParse(changed.toString('utf8')));
      }),
      { numRuns: 1000 },
    );
  });

  it('withId changes the id and nothing else', () => {
    const anyId = fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'binary', maxLength: 20 }));
    fc.assert(
      fc.property(message, anyId, (text, id) => {
        const decoded = decodeFrame(Buffer.from(text), limits, 'toUpstream');
        fc.pre(decoded.ok);
        if (!decoded.ok || decoded.value.kind !== 'request') return;
        const frame = decoded.value;
        const other = withId(frame, id);
        const [start, end] = frame.idSpan;
        const [newStart, newEnd] = other.idSpan;
        expect(other.bytes.subarray(0, newStart)).toEqual(frame.bytes.subarray(0, start));
        expect(other.bytes.subarray(newEnd)).toEqual(frame.bytes.subarray(end));
        expect(JSON.parse(other.bytes.toString('utf8', newStart, newEnd))).toBe(id);
        expect(other.id).toBe(id);
        expect(other.value).toEqual({ ...frame.value, id });
        expect(other.params).toBe(frame.params);
        // And back again: the very same bytes.
        expect(withId(other, frame.id).id).toBe(frame.id);
      }),
      { numRuns: 300 },
    );
  });
});

/** Where each non-empty object of valid JSON text begins, with its keys. */
function objectsOf(text: string): readonly { readonly start: number; readonly keys: readonly string[] }[] {
  const found: { start: number; keys: string[] }[] = [];
  const open: ({ start: number; keys: string[] } | undefined)[] = [];
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs)) {
    const token = match[0];
    if (token === '{') open.push({ start: match.index, keys: [] });
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') {
      const object = open.pop();
      if (object !== undefined && object.keys.length > 0) found.push(object);
    } else if (match[1] !== undefined) {
      open.at(-1)?.keys.push(JSON.parse(token.slice(0, token.length - match[1].length)) as string);
    }
  }
  return found;
}
