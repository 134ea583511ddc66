import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExpression, type Expression } from '../../src/expressions/expression.ts';
import type { JsonObject, JsonValue } from '../../src/values/json.ts';

const variables = ['args', 'principal'];

function compiled(text: string): Expression {
  const result = compileExpression(text, variables);
  if (!result.ok) throw new Error(result.message);
  return result.expression;
}

function refusal(text: string): string {
  const result = compileExpression(text, variables);
  return result.ok ? 'compiled' : result.message;
}

const principal = { id: 'spiffe://acme.example/ns/data/sa/etl', domain: 'acme.example', roles: ['analyst'] };

function truth(text: string, args: JsonObject): string {
  return compiled(text).test({ args, principal });
}

describe('expressions', () => {
  it.each([
    [`args.to.endsWith('@' + principal.domain)`, { to: 'ann@acme.example' }, 'true'],
    [`args.to.endsWith('@' + principal.domain)`, { to: 'ann@evil.example' }, 'false'],
    ['args.limit <= 100', { limit: 100 }, 'true'],
    ['args.limit <= 100', { limit: 101 }, 'false'],
    ['args.limit <= 100', { limit: 99.5 }, 'true'],
    ['args.x < 1.5', { x: 1 }, 'true'],
    ['args.x < 1.5', { x: 1.25 }, 'true'],
    ['args.x < 1.5', { x: 1.75 }, 'false'],
    ['args.x == 1.0', { x: 1 }, 'true'],
    [`args['odd key'] == 1`, { 'odd key': 1 }, 'true'],
    ['args.list[1] == 2', { list: [1, 2] }, 'true'],
    ['args.a.b.c', { a: { b: { c: true } } }, 'true'],
    ['has(args.a) && args.a == null', { a: null }, 'true'],
    ['!has(args.a) || args.a <= 5', {}, 'true'],
    ['!has(args.a) || args.a <= 5', { a: 6 }, 'false'],
    [`args.paths.all(p, p.startsWith('/srv/'))`, { paths: ['/srv/a', '/srv/b'] }, 'true'],
    [`args.paths.all(p, p.startsWith('/srv/'))`, { paths: ['/srv/a', '/etc'] }, 'false'],
    [`args.paths.exists(p, p.contains('..'))`, { paths: ['/srv', '/srv/../etc'] }, 'true'],
    ['args.end - args.start <= 86400', { start: 10, end: 20 }, 'true'],
    [`'analyst' in principal.roles`, {}, 'true'],
    [`args.keys.all(k, k in ['a', 'b'])`, { keys: ['a'] }, 'true'],
    [`args.map.all(k, k.startsWith('x-'))`, { map: { 'x-a': 1, 'x-b': 2 } }, 'true'],
    ['size(args.text) <= 3', { text: 'a\u{1f600}b' }, 'true'],
    [`args.host.lowerAscii() == 'acme'`, { host: 'ACME' }, 'true'],
    [`int(args.count) <= 5`, { count: '5' }, 'true'],
    [`args.email.matches('^[a-z]+@acme\\\\.example$')`, { email: 'ann@acme.example' }, 'true'],
    [`args.list == [1, 2] && args.list != [2, 1]`, { list: [1, 2] }, 'true'],
  ])('%s of %j is %s', (text, args, expected) => {
    expect(truth(text, args as JsonObject)).toBe(expected);
  });

  it('keeps integers beyond 2^53 exact', () => {
    const args = { id: JSON.rawJSON('9007199254740993') };
    expect(truth('args.id == 9007199254740993', args)).toBe('true');
    expect(truth('args.id == 9007199254740992', args)).toBe('false');
    expect(truth('args.id > 9007199254740992', args)).toBe('true');
    expect(truth('args.id < 5', { id: JSON.rawJSON('9'.repeat(300)) })).toBe('false');
    expect(truth('args.id < 5', { id: JSON.rawJSON('9'.repeat(500)) })).toBe('unknown');
  });

  it('takes an object that only looks like an exact number for the object that it is', () => {
    expect(truth('args.id <= 5', { id: { rawJSON: '1' } })).toBe('unknown');
    expect(truth(`args.id.rawJSON == '1'`, { id: { rawJSON: '1' } })).toBe('true');
  });
});

describe('what cannot be evaluated', () => {
  it.each([
    ['args.missing == 1', {}],
    ['args.a.b == 1', { a: 'text' }],
    ['args.list[5] == 1', { list: [] }],
    [`args.limit <= 100`, { limit: '5' }],
    [`args.limit <= 100`, { limit: [5] }],
    [`args.limit <= 100`, { limit: true }],
    [`args.limit <= 100`, { limit: null }],
    ['args.flag', { flag: 1 }],
    ['args.flag', { flag: 'true' }],
    ['has(args.a.b)', {}],
    ['has(args.a.b)', { a: 'text' }],
    ['args.x / 0 == 1', { x: 1 }],
    ['args.x * 9223372036854775807 > 0', { x: 3 }],
    [`int(args.x) == 0`, { x: '' }],
    [`int(args.x) <= 7`, { x: '0b1' }],
    [`int(args.x) <= 7`, { x: '0x1' }],
    [`int(args.x) <= 7`, { x: ' 1' }],
    [`double(args.x) <= 7.0`, { x: 'inf' }],
    [`args.text.contains('a')`, { text: 5 }],
  ])('%s of %j is unknown', (text, args) => {
    expect(truth(text, args as JsonObject)).toBe('unknown');
  });

  it.each([
    [`args.mode != 'admin'`, [['admin'], { 0: 'admin' }, 5, true]],
    [`!(args.mode == 'admin')`, [['admin'], { 0: 'admin' }, 5, true]],
    [`!(args.mode in ['admin', 'root'])`, [['admin'], { 0: 'admin' }, 5, true]],
    ['args.mode != 5', ['5', [5], true]],
  ])('%s is unknown for a value of another type, not true', (text, modes) => {
    for (const mode of modes as JsonValue[]) expect(truth(text as string, { mode })).toBe('unknown');
  });

  it('is absorbed only where the rest settles it', () => {
    expect(truth('args.missing == 1 || true', {})).toBe('true');
    expect(truth('args.missing == 1 && false', {})).toBe('false');
    expect(truth('args.missing == 1 || false', {})).toBe('unknown');
    expect(truth('!(args.missing == 1)', {})).toBe('unknown');
  });

  it('includes a variable without a value', () => {
    expect(compiled('args.a == 1').test({})).toBe('unknown');
    expect(compiled('args.a == 1').test({ args: 'text' })).toBe('unknown');
    expect(compiled('args.a == 1').test(JSON.parse('{"__proto__":{"args":{"a":1}}}') as never)).toBe(
      'unknown',
    );
  });
});

describe('keys that strangers choose', () => {
  const inherited = [
    'constructor',
    '__proto__',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__defineGetter__',
    'size',
    'get',
    'length',
  ];

  it.each(inherited)('never reach a prototype: %s', (key) => {
    const reads = key === '__proto__' ? `args['__proto__']` : `args.${key}`;
    for (const args of [{}, { other: 1 }, { list: [] }]) {
      expect(truth(`${reads} != 1`, args)).toBe('unknown');
      expect(truth(`${reads} == ${reads}`, args)).toBe('unknown');
      expect(truth(`args.o['${key}'] != 1`, { o: {} })).toBe('unknown');
      expect(truth(`'${key}' in args`, args)).toBe('false');
      expect(truth(`args.o.exists(k, args.o[k] != null)`, { o: {} })).toBe('false');
    }
  });

  it.each(inherited.filter((key) => key !== '__proto__'))('are members like others: %s', (key) => {
    const args = JSON.parse(`{"${key}":"mine"}`) as JsonObject;
    expect(truth(`args.${key} == 'mine'`, args)).toBe('true');
    expect(truth(`has(args.${key})`, args)).toBe('true');
    expect(truth(`'${key}' in args`, args)).toBe('true');
    expect(truth(`args.o.${key} == 'mine' && args.o.all(k, k == '${key}')`, { o: args })).toBe('true');
  });
});

describe('expressions that do not compile', () => {
  it.each([
    ['args.limit <=', 'Unexpected token: EOF (at character 14)'],
    ['arguments.limit <= 1', 'Unknown variable: arguments (at character 1)'],
    ['1 + 1', 'the result is of type int, not bool'],
    [`'a' < 1`, 'no such overload: string < int (at character 1)'],
    [`duration('1h') == duration('1h')`, 'duration() is not supported'],
    [
      `timestamp('2026-01-01T00:00:00Z') == timestamp('2026-01-01T00:00:00Z')`,
      'timestamp() is not supported',
    ],
    ['cel.bind(x, args.a + args.a, x == x)', 'bind is not supported'],
    ['type(google) == string', 'google is not supported'],
    [`b'a' == b'a'`, 'bytes are not supported'],
    ['args.a.matches(args.b)', 'matches() takes a fixed pattern'],
    [`args.a.matches('(?=a)')`, 'matches() takes a regular expression of RE2, at most 1024 long'],
    ['args.a.all(x, x.all(y, y.all(z, z == 1)))', 'loops are nested too deeply'],
    [`args.a == '${'a'.repeat(4096)}'`, 'an expression has at most 4096 characters'],
  ])('%s', (text, message) => {
    expect(refusal(text)).toBe(message);
  });

  it('are refused however they are nested, without an overflow', () => {
    for (const [open, close] of [
      ['(', ')'],
      ['[', ']'],
      ['!', ''],
      ['-', ''],
      ['args.a ? ', ''],
      ['has(', ')'],
    ]) {
      const text = `${open!.repeat(600)}args.a${close!.repeat(600)}`;
      expect(refusal(text)).not.toBe('compiled');
    }
    expect(refusal(`args${'.a'.repeat(2000)} == 1`)).toMatch(/^Exceeded maxDepth/);
    expect(refusal(Array(700).fill('1').join('+'))).toMatch(/^Exceeded maxAstNodes/);
  });
});

describe('the work of one test', () => {
  const long = 'a'.repeat(2 ** 20);
  const list = Array.from({ length: 5_000 }, (_, index) => `element ${index}`);

  it.each([
    // The engine's own search takes minutes for these.
    ['args.text.contains(args.part)'],
    ['args.text.lastIndexOf(args.part) == -1'],
    ['args.list.all(x, args.list.exists(y, x == y))'],
    ['args.list.all(x, args.text.contains(x))'],
    [`args.list.map(x, args.text).join('') == ''`],
    [`args.text.split('a').all(x, x == '')`],
    [`args.text.matches('(a+)+$')`],
    [`args.list.all(x, x.foo == 1) || args.list.exists(x, x.bar == 2)`],
  ])('%s gives up', (text) => {
    const half = 'a'.repeat(2 ** 18);
    expect(truth(text, { text: long, part: `${half}b${half}`, list })).toBe('unknown');
  });

  it('does not depend on what the expression does not look at', () => {
    const args = { n: 1, huge: Array.from({ length: 50_000 }, () => [1]), deep: nest(60) };
    expect(truth('args.n == 1', args)).toBe('true');
    expect(truth('has(args.huge) && has(args.deep) && args.n == 1', args)).toBe('true');
    expect(truth('size(args.huge) > 0', args)).toBe('unknown');
    expect(truth('args.deep != args.n', args)).toBe('unknown');
    expect(truth('args.deep == args.deep', args)).toBe('unknown');
  });

  it('lets honest lists through', () => {
    const paths = Array.from({ length: 1_000 }, (_, index) => `/srv/data/${index}.txt`);
    expect(truth(`args.paths.all(p, p.startsWith('/srv/') && !p.contains('..'))`, { paths })).toBe('true');
  });

  it('starts afresh each time', () => {
    const expression = compiled('args.list.all(x, args.list.exists(y, x == y))');
    expect(expression.test({ args: { list } })).toBe('unknown');
    expect(expression.test({ args: { list: [1, 2] } })).toBe('true');
  });
});

function nest(depth: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

describe('any expression and any values', () => {
  const leaf = fc.constantFrom(
    'args.a',
    'args.b',
    'args.a.b',
    'args["a"]',
    'args.list[0]',
    'principal.id',
    '1',
    '1.5',
    `'a'`,
    'null',
    'true',
    '[1, 2]',
    `{'a': 1}`,
    'args',
    'x',
  );
  const expressions = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('==', '!=', '<', '<=', '+', '-', '*', '/', '%', '&&', '||', 'in'),
          tie('expression'),
        )
        .map(([a, op, b]) => `(${a} ${op} ${b})`),
      tie('expression').map((a) => `!(${a})`),
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('all', 'exists', 'exists_one', 'map', 'filter'),
          tie('expression'),
        )
        .map(([a, macro, b]) => `(${a}).${macro}(x, ${b})`),
      fc
        .tuple(
          tie('expression'),
          fc.constantFrom('contains', 'startsWith', 'split', 'indexOf'),
          tie('expression'),
        )
        .map(([a, name, b]) => `(${a}).${name}(${b})`),
      fc
        .tuple(fc.constantFrom('size', 'int', 'double', 'string', 'type', 'dyn'), tie('expression'))
        .map(([name, a]) => `${name}(${a})`),
      fc
        .tuple(tie('expression'), tie('expression'), tie('expression'))
        .map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.constant('has(args.a.b)'),
    ),
  })).expression;
  const values = fc.record({ args: fc.jsonValue({ maxDepth: 3 }), principal: fc.jsonValue({ maxDepth: 2 }) });

  it('gives one of three answers, the same each time', () => {
    let evaluated = 0;
    fc.assert(
      fc.property(expressions, values, (text, bindings) => {
        const result = compileExpression(text, variables);
        if (!result.ok) {
          expect(result.message).not.toBe('');
          return;
        }
        evaluated += 1;
        const given = bindings as Record<string, JsonValue>;
        const answer = result.expression.test(given);
        expect(['true', 'false', 'unknown']).toContain(answer);
        expect(result.expression.test(given)).toBe(answer);
      }),
      { numRuns: 1_000 },
    );
    expect(evaluated).toBeGreaterThan(20);
  });

  it('compiles or not, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 64 }), (text) => {
        const result = compileExpression(text, variables);
        if (result.ok) expect(['true', 'false', 'unknown']).toContain(result.expression.test({}));
      }),
      { numRuns: 500 },
    );
  });
});

describe('what an expression reads', () => {
  it('is known without values', () => {
    const { reads } = compiled(`args.a.b == 1 && has(args.c) && args.list.all(x, x.y == args[principal.id])`);
    expect(reads.get('args')!.whole).toBe(true);
    expect([...reads.get('args')!.members.keys()].sort()).toEqual(['a', 'c', 'list']);
    expect(reads.get('args')!.members.get('a')!.members.get('b')!.whole).toBe(true);
    expect(reads.get('args')!.members.get('c')!).toEqual({ whole: false, members: new Map() });
    expect([...reads.get('principal')!.members.keys()]).toEqual(['id']);
  });
});
