import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ArgumentRule } from '../../src/arguments/rule.ts';
import { isExactNumber, isJsonObject, type JsonObject, type JsonValue } from '../../src/values/json.ts';
import { caller, exact, faultOf, ruleOf } from './support.ts';

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.bigInt().map((digits) => exact(String(digits))),
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  fc.constantFrom(
    '2026-01-31',
    '1.2.3',
    'QUJD',
    '{"a": [1]}',
    '/workspace/a',
    'a@b.example',
    '10.0.0.0/8',
    'SELECT 1',
  ),
);
/** Names that rules name, names that they might be taken for, and any other. */
const name = fc.oneof(
  fc.constantFrom('a', 'A', '\uff41', 'b', 'c', 'constructor', 'toString', 'valueOf', 'length'),
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.toWellFormed()),
);
const { value: anyValue } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      name.filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}));
const anyArguments = fc.dictionary(
  name.filter((key) => key !== '__proto__'),
  anyValue,
  { maxKeys: 5, noNullPrototype: true },
) as fc.Arbitrary<JsonObject>;

const roles: readonly object[] = [
  { path: { within: '/workspace' } },
  { url: {} },
  { id: {} },
  { int: {} },
  { number: { min: 0 } },
  { bool: {} },
  { enum: ['a', 1, null] },
  { uuid: {} },
  { date: { time: 'allow' } },
  { email: {} },
  { cidr: {} },
  { semver: {} },
  { base64: {} },
  { text: { maxLength: 5, ban: ['control', 'bidi', 'invisible'], normalization: 'nfc' } },
  { code: {} },
  { markdown: {} },
  { json: { args: { 'a[*].b': { id: {} } } } },
  { blob: { types: ['image/png'] } },
  { secret: {} },
  { forbidden: true },
  { required: true },
  { clamp: { min: 0, max: 9 } },
  { strip: ['control', 'bidi', 'invisible', 'ansi'], normalize: ['nfc', 'trim'] },
  { strip: 'ansi', normalize: 'path' },
  { default: [{ a: 1 }] },
  { set: 'x' },
  { drop: true },
];

const paths = ['a', 'b.a', 'b.c', 'c[*].a', 'c[0].b', 'constructor', 'toString.valueOf', 'length[*][*]'];

const anyRule: fc.Arbitrary<ArgumentRule> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...paths), fc.constantFrom(...roles)), { selector: ([path]) => path })
  .map((specs) => specs.filter(([path, role]) => isSaid(role, path)))
  .map((specs) => ruleOf({ args: Object.fromEntries(specs) }));

/** Whether this can be said of this path. */
function isSaid(role: object, path: string): boolean {
  const needsName = 'required' in role || 'default' in role || 'set' in role || 'drop' in role;
  return !needsName || !path.endsWith('[*]');
}

describe('a rule', () => {
  test('never throws, and gives either a fault or arguments that it would pass again', () => {
    fc.assert(
      fc.property(anyRule, anyArguments, (rule, args) => {
        const before = JSON.stringify(args);
        const judged = rule.judge(args, caller);
        rule.judgePart(args, caller);
        rule.secretsIn(args);
        expect(JSON.stringify(args)).toBe(before);
        if (judged.fault !== undefined) {
          expect(judged.lookups).toEqual([]);
          return;
        }
        const again = rule.judge(judged.args, caller);
        expect(again.fault).toBeUndefined();
        expect(again.args).toBe(judged.args);
        expect(again.rewrites).toEqual([]);
      }),
      { numRuns: 1500 },
    );
  });

  test('says the same of the same arguments', () => {
    fc.assert(
      fc.property(anyRule, anyArguments, (rule, args) => {
        const first = rule.judge(args, caller);
        const second = rule.judge(args, caller);
        expect(second.fault).toEqual(first.fault);
        expect(second.rewrites).toEqual(first.rewrites);
      }),
    );
  });

  test('never repeats a value in a fault or a record of a rewrite', () => {
    const marker = 'Zq7XmarkerX7qZ';
    const disguises = [
      marker,
      `../${marker}`,
      `http://${marker}/`,
      `$(${marker})`,
      `{"a": [{"b": "$(${marker})"}]}`,
      `{"${marker}": 1, "${marker}": 2}`,
      `${marker}\u202e\0`,
      `${marker}@${marker}`,
      [marker],
      { [marker]: marker },
      { a: { [marker]: marker } },
    ];
    for (const role of roles) {
      for (const path of ['value', 'value.inner', 'value[*]', 'value[0].a']) {
        if (!isSaid(role, path)) continue;
        const rule = ruleOf({ args: { [path]: role } });
        for (const disguise of disguises) {
          for (const value of [disguise, [disguise], { inner: disguise }, [{ a: disguise }]] as JsonValue[]) {
            const { fault, rewrites } = rule.judge({ value, [marker]: 1, VALUE: value }, caller);
            const told = JSON.stringify([fault, rewrites, rule.judge({ value }, caller).fault]);
            expect(told).not.toContain(marker);
          }
        }
      }
    }
  });
});

/** As the decoder gives it out. */
function whole(digits: bigint): JsonValue {
  return Number.isSafeInteger(Number(digits)) ? Number(digits) : exact(String(digits));
}

describe('int', () => {
  test('lets exactly the whole numbers in its range through', () => {
    fc.assert(
      fc.property(anyValue, fc.integer(), fc.nat(), (value, min, span) => {
        // Numbers kept as text are judged below.
        fc.pre(!JSON.isRawJSON(value));
        const max = min + span;
        const passes = faultOf({ int: { min, max } }, value) === undefined;
        expect(passes).toBe(
          typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max,
        );
      }),
    );
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), fc.bigInt(), (value, one, other) => {
        const [min, max] = one < other ? [one, other] : [other, one];
        const passes = faultOf({ int: { min: whole(min), max: whole(max) } }, whole(value)) === undefined;
        expect(passes).toBe(value >= min && value <= max);
      }),
    );
  });
});

describe('text', () => {
  test('of at most so many code points is what the iterator counts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), fc.nat(12), (text, maxLength) => {
        const passes = faultOf({ text: { maxLength } }, text) === undefined;
        expect(passes).toBe([...text].length <= maxLength);
      }),
    );
  });
});

describe('json', () => {
  test('takes whatever JSON.stringify writes of values without prototypes to play with', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(faultOf({ json: {} }, JSON.stringify(value))).toBeUndefined();
      }),
    );
  });

  test('reads numbers of any size exactly', () => {
    fc.assert(
      fc.property(fc.bigInt(), (digits) => {
        const spec = { json: { args: { n: { enum: [whole(digits)] } } } };
        expect(faultOf(spec, `{"n": ${digits}}`)).toBeUndefined();
        expect(faultOf(spec, `{"n": ${digits + 1n}}`)).toBe('json:not-listed');
      }),
    );
  });
});

test('the values that these tests make are such as the decoder gives out', () => {
  fc.assert(
    fc.property(anyArguments, (args) => {
      expect(isJsonObject(args) && !isExactNumber(args)).toBe(true);
    }),
    { numRuns: 20 },
  );
});
