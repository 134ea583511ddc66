import { describe, expect, test } from 'vitest';
import { compilePolicy } from '../../src/policy/compile.ts';
import { problemsOf } from './support.ts';

describe('what is wrong with an argument is told with its place', () => {
  test.each([
    ['a: { int: {}, text: {} }', 'args.a: has one role, not int and text'],
    ['a: { pth: {} }', 'args.a.pth: unknown key; did you mean "path"?'],
    ['a: { intt: {} }', 'args.a.intt: unknown key; did you mean "int"?'],
    ['a: { int: { mni: 3 } }', 'args.a.int.mni: unknown key; did you mean "min"?'],
    ['a: {}', 'args.a: says nothing: give a role or a rewrite'],
    ['a: { int: { min: 4, max: 3 } }', 'args.a.int: `min` is greater than `max`'],
    ['a: { int: { min: 1.5 } }', 'args.a.int.min: '],
    ['a: { number: { min: .inf } }', 'args.a.number.min: '],
    ['a: { enum: [] }', 'args.a.enum: the list is empty: name something'],
    ['a: { enum: json }', 'args.a.enum: expected a list, found text'],
    ['a: { uuid: { versions: [9] } }', 'args.a.uuid.versions[0]: '],
    ['a: { date: { min: "2026-02-30" }, default: "2026-01-01" }', 'args.a.date.min: expected a date'],
    ['a: { date: { min: "2026-02-30" } }', 'args.a.date.min: expected a date'],
    ['a: { date: { min: "2026-02-02", max: "2026-02-01" } }', 'args.a.date: `min` is later than `max`'],
    ['a: { text: { pattern: "(" } }', 'args.a.text.pattern: expected a pattern in RE2 syntax'],
    [
      'a: { text: { pattern: "a", maxLength: 9999 } }',
      'args.a.text: with `pattern`, `maxLength` is 4096 at most',
    ],
    ['a: { text: { minLength: 3, maxLength: 2 } }', 'args.a.text: `minLength` exceeds `maxLength`'],
    ['a: { text: { ban: [colour] } }', 'args.a.text.ban[0]: must be one of'],
    ['a: { blob: { types: [image/bmp] } }', 'args.a.blob.types[0]: must be one of'],
    ['a: { json: { unknown: refuse } }', 'args.a.json: `unknown: refuse` needs `args`'],
    ['a: { json: { args: { b: { clamp: { max: 1 } } } } }', 'args.a.json.args.b.clamp: unknown key'],
    ['a: { json: { args: { "b[": { int: {} } } } }', 'args.a.json.args["b["]: not an argument path'],
    ['a: { json: { args: { b: {} } } }', 'args.a.json.args.b: says nothing: give a role'],
    ['"a[": { int: {} }', 'args["a["]: not an argument path'],
    ['"[*].a": { int: {} }', 'args["[*].a"]: not an argument path'],
    ['"a.[\\"__proto__\\"]": { int: {} }', 'not an argument path'],
    ['"a[\\"__proto__\\"].b": { int: {} }', 'an argument is never named __proto__'],
    ['a: { clamp: {} }', 'args.a.clamp: needs `min` or `max`'],
    ['a: { clamp: { min: 5, max: 1 } }', 'args.a.clamp: `min` is greater than `max`'],
    ['a: { text: {}, clamp: { max: 1 } }', 'args.a: "clamp" is for numbers, not for text'],
    ['a: { int: {}, strip: bidi }', 'args.a: "strip" and "normalize" are for text, not for int'],
    [
      'a: { strip: bidi, clamp: { max: 1 } }',
      'args.a: text is stripped and normalised, numbers are clamped: not both',
    ],
    ['a: { strip: [] }', 'args.a.strip: the list is empty'],
    ['a: { normalize: [path, trim] }', 'args.a: "path" and "trim" do not go together'],
    ['a: { int: { max: 3 }, default: 9 }', 'args.a.default: does not fit the role int: above-max'],
    ['a: { int: {}, default: "1" }', 'args.a.default: does not fit the role int: type'],
    ['a: { bool: {}, set: null }', 'args.a.set: does not fit the role bool: type'],
    ['a: { int: { max: 3 }, clamp: { max: 5 } }', 'args.a.clamp.max: does not fit the role int: above-max'],
    ['a: { int: { max: 12345678901234567890 } }', 'args.a.int.max: '],
    ['a: { int: { max: "1e3" } }', 'args.a.int.max: expected a whole number'],
    [
      'a: { clamp: { max: 12345678901234567890 } }',
      'args.a.clamp.max: a whole number beyond 2^53 is written as text',
    ],
    ['a: { set: 12345678901234567890 }', 'args.a.set: expected a value that JSON can hold'],
    ['a: { enum: [12345678901234567890] }', 'args.a.enum[0]: expected text, a number'],
    ['a: { set: .nan }', 'args.a.set: expected a value that JSON can hold'],
    ['a: { drop: true, int: {} }', 'args.a: "drop" leaves nothing for other keys but `secret`'],
    ['a: { drop: false }', 'args.a.drop: must be true'],
    ['a: { set: 1, default: 2 }', 'args.a: "set" leaves nothing for "default"'],
    ['a: { default: 1, required: true }', 'args.a: "default" leaves nothing for "required"'],
    ['a: { forbidden: true, int: {} }', 'args.a: "forbidden" leaves nothing for other keys'],
    ['"a[*]": { default: 1 }', 'args["a[*]"].default: "default" needs a path that ends in a name'],
    ['"a[0]": { drop: true }', 'args["a[0]"].drop: "drop" needs a path that ends in a name'],
    ['"a[*]": { int: {}, required: true }', 'args["a[*]"]: "required" needs a path that ends in a name'],
  ])('%s', (line, problem) => {
    const problems = problemsOf(line);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^5: /);
    expect(problems[0]).toContain(problem);
  });

  test('also where two paths contradict each other', () => {
    expect(
      problemsOf(
        'a: { int: {} }',
        '"$.a": { text: {} }',
        'A: { int: {} }',
        '"b.c": { int: {} }',
        '"b[*]": { int: {} }',
      ),
    ).toEqual([
      expect.stringContaining('6: arguments[0].args["$.a"]: names the same argument as "a"'),
      expect.stringContaining('7: arguments[0].args.A: differs from "a" only in spelling'),
      expect.stringContaining('9: arguments[0].args["b[*]"]: what is a list here is an object in "b.c"'),
    ]);
  });

  test('and never with the value', () => {
    const lines = ['a: { int: {}, default: hunter2 }', 'b: { enum: hunter2 }', 'c: { drop: hunter2 }'];
    expect(problemsOf(...lines)).toHaveLength(3);
    expect(problemsOf(...lines).join('\n')).not.toContain('hunter2');
  });
});

describe('what is right compiles', () => {
  test.each([
    'a: { int: { min: 1 }, clamp: { max: 1000 } }',
    'a: { int: { max: "12345678901234567890" } }',
    'a: { int: { max: "10" }, clamp: { max: "10" } }',
    'a: { secret: {}, drop: true }',
    'a: { text: {}, required: true, nullable: true }',
    'a: { enum: [a, 1, true, null] }',
    'a: { set: { deep: [1, { er: null }] } }',
    'a: { default: null, int: {}, nullable: true }',
    'a: { strip: [ansi, control], normalize: nfc }',
    '"a[*][0].b": { uuid: {}, required: true }',
    '"[\\"odd name\\"].x": { id: {} }',
    'a: { json: { args: { "b[*].c": { url: {} } } } }',
    'constructor: { int: {} }',
  ])('%s', (line) => {
    expect(problemsOf(line)).toEqual([]);
  });
});

describe('relations', () => {
  const problemsOfRelation = (text: string) => {
    const compiled = compilePolicy([
      { file: 'test.yaml', text: `version: 1\narguments:\n  - match: {}\n    relations:\n      - ${text}\n` },
    ]);
    return compiled.ok
      ? []
      : compiled.problems.map(({ line, path, message }) => `${line}: ${path}: ${message}`);
  };

  test.each(['"args.a == 1"', '{ that: "args.a < args.b", id: ordered, message: a is less than b }'])(
    '%s',
    (text) => {
      expect(problemsOfRelation(text)).toEqual([]);
    },
  );

  test.each([
    ['"args.a =="', '5: arguments[0].relations[0]: '],
    ['"secret == 1"', '5: arguments[0].relations[0]: '],
    ['"1 + 1"', '5: arguments[0].relations[0]: '],
    ['{ that: "args.a ==" }', '5: arguments[0].relations[0].that: '],
    ['{ id: x }', '5: arguments[0].relations[0].that: is missing'],
    ['{ that: "true", idd: x }', '5: arguments[0].relations[0].idd: unknown key; did you mean "id"?'],
  ])('%s', (text, problem) => {
    expect(problemsOfRelation(text)).toEqual([expect.stringContaining(problem)]);
  });
});
