import { describe, expect, it } from 'vitest';
import { problemsOf, warningsOf } from './support/build.ts';

const roles = 'roles: { r: { allow: [{ tools: t }] } }\nbindings: [{ roles: r, to: { any: true } }]';

describe('an id that is given twice is a problem, wherever both stand', () => {
  const places = [
    'acl: [{ id: x, tool: t }]',
    'acl: [{ tool: t, allow: [{ id: x, roles: r }] }]',
    'acl: [{ tool: t, deny: [{ id: x, roles: r }] }]',
    'scopes: [{ id: x, match: {}, scopes: a }]',
    'arguments: [{ id: x, match: {}, args: { a: { id: {} } } }]',
    'results: [{ id: x, match: {}, maxBytes: 1KiB }]',
    'flows: [{ id: x, per: principal, hold: 1m, effect: deny }]',
    'roles: { s: { deny: [{ id: x, tools: t }] } }',
  ];
  it.each(places)('%s', (text) => {
    const first = `version: 1\n${roles.replace('tools: t', 'id: x, tools: t')}`;
    const problems = problemsOf(first, `version: 1\n${text}`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^b\.yaml:2:\d+: \S+\.id: id "x" is already defined at a\.yaml:2$/);
    expect(problemsOf(`version: 1\n${roles}`, `version: 1\n${text}`)).toEqual([]);
  });
});

it('a role that nobody defines is a problem, wherever it is named', () => {
  for (const text of [
    'bindings: [{ roles: no, to: { any: true } }]',
    'acl: [{ tool: t, deny: [{ roles: no }] }]',
    'limits: [{ name: l, match: { roles: no }, per: tool, rate: 1/s }]',
    'scopes: [{ match: { roles: no }, scopes: a }]',
    'arguments: [{ match: { roles: no }, args: { a: { id: {} } } }]',
    'results: [{ match: { roles: no }, maxBytes: 1KiB }]',
    'tools: [{ match: { tools: t, roles: no }, egress: true }]',
    'flows: [{ match: { roles: no }, per: principal, hold: 1m, effect: deny }]',
  ]) {
    const problems = problemsOf(`version: 1\n${text}`);
    expect(problems, text).toHaveLength(1);
    expect(problems[0]).toMatch(/roles: role "no" is not defined in any file$/);
  }
});

describe('names', () => {
  it.each([
    [
      'roles: { "NAME": {} }',
      64,
      'a role name has up to 64 letters, digits, "_", "." and "-", and begins with a letter or digit',
    ],
    [
      'roles: { r: { allow: [{ id: "NAME", tools: t }] } }',
      128,
      'an id has up to 128 letters, digits, "_", ".", ":", "/" and "-", and begins with a letter or digit',
    ],
    [
      'scopes: [{ match: {}, scopes: "NAME" }]',
      128,
      'a scope has up to 128 printable ASCII characters, without spaces, quotes and backslashes',
    ],
  ])('in %s are short and plain', (text, longest, message) => {
    const of = (name: string) => problemsOf(`version: 1\n${text.replace('NAME', name)}`);
    for (const name of ['a', 'a-b_c.d', '0', 'x'.repeat(longest)]) expect(of(name), name).toEqual([]);
    for (const name of ['', 'a b', ' a', 'a ', 'é', 'x'.repeat(longest + 1), 'aé']) {
      expect(
        of(name).map((problem) => problem.replace(/^.*?: .*?: /, '')),
        name,
      ).toEqual([message]);
    }
  });

  it('of certificates by fingerprint are SHA-256 in hex', () => {
    const of = (text: string) =>
      problemsOf(
        `version: 1\nroles: { r: {} }\nbindings: [{ roles: r, to: { certificate: { fingerprint: "${text}" } } }]`,
      );
    for (const text of ['ab'.repeat(32), 'AB'.repeat(32), `${'AB:'.repeat(31)}AB`])
      expect(of(text), text).toEqual([]);
    for (const text of [
      '',
      'ab',
      'ab'.repeat(33),
      `x${'ab'.repeat(32)}`,
      `${'ab'.repeat(32)}x`,
      'xy'.repeat(32),
    ]) {
      expect(of(text), text).toHaveLength(1);
    }
  });
});

it('limits say what they count and how', () => {
  const of = (text: string) =>
    problemsOf(`version: 1\nlimits: [{ name: l, match: { tools: t }, per: tool, ${text} }]`);
  expect(of('concurrency: 1')).toEqual([]);
  expect(of('rate: 1/s')).toEqual([]);
  expect(of('rate: 1/s, burst: 2')).toEqual([]);
  expect(of('description: none')).toEqual([
    'a.yaml:2:10: limits[0]: needs "rate", "concurrency", "quota" or "sum"',
  ]);
  expect(of('concurrency: 1, burst: 2')).toEqual(['a.yaml:2:10: limits[0]: "burst" needs "rate"']);
});

it('warnings are about what a rule names', () => {
  const of = (rule: string) =>
    warningsOf(
      `version: 1\nroles: { r: { allow: [${rule}], deny: [{ tools: zz }] } }\nbindings: [{ roles: r, to: { any: true } }]`,
    ).filter((warning) => /can be asked to|conditions on arguments/.test(warning)).length;
  for (const [rule, count] of [
    ['{ tools: t, actions: [call] }', 0],
    ['{ tools: t, actions: [read] }', 1],
    ['{ resources: "a:b", actions: [read, subscribe, complete, ask] }', 0],
    ['{ resources: "a:b", actions: [get, call, use] }', 3],
    ['{ prompts: p, actions: [get, complete] }', 0],
    ['{ prompts: p, actions: [read] }', 1],
    ['{ methods: m, actions: [use, ask] }', 0],
    ['{ methods: m, actions: [call] }', 1],
    ['{ tools: t, prompts: p, actions: [call, get] }', 0],
    ['{ tools: t, when: { args: { a: { max: 1 } } } }', 0],
    ['{ prompts: t, when: { args: { a: { max: 1 } } } }', 0],
    ['{ methods: t, when: { args: { a: { max: 1 } } } }', 0],
    ['{ resources: "a:b", when: { args: { a: { max: 1 } } } }', 1],
    ['{ resources: "a:b", actions: [read], when: { args: { a: { max: 1 } } } }', 1],
    ['{ resources: "a:b", actions: [ask], when: { args: { a: { max: 1 } } } }', 0],
    ['{ resources: "a:b", when: { network: 10.0.0.0/8 } }', 0],
  ] as const) {
    expect(of(rule), rule).toBe(count);
  }
});

it('a role that only an entry names is a role that nobody has', () => {
  expect(
    warningsOf(
      'version: 1\nroles: { r: { allow: [{ tools: t }] } }\nacl: [{ tool: t, allow: [{ roles: r }] }]',
    ),
  ).toContainEqual('a.yaml:2:10: roles.r: no binding gives anyone the role "r"');
});
