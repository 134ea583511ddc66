import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatWarning, type LintContext, lintPolicy } from '../../src/policy/lint/lint.ts';
import { policyOf, warningsOf } from './support/build.ts';

const now = Date.parse('2026-06-01T12:00:00Z');

/** `line:column code` of every warning about a policy that compiles. */
function codes(text: string, context: Partial<LintContext> = {}): readonly string[] {
  const whole = `version: 1\n${text}\n`;
  policyOf(whole);
  return lintPolicy([{ file: 'a.yaml', text: whole }], { now, ...context }).map(
    ({ line, column, code }) => `${line}:${column} ${code}`,
  );
}

const rule = (...lines: readonly string[]) =>
  `roles:\n  r:\n    allow:\n${lines.map((line) => `      - ${line}`).join('\n')}\nbindings: [{ roles: r, to: { apiKey: k } }]`;
const when = (condition: string) => rule(`{ tools: t, when: { ${condition} } }`);

describe('upstream-unknown', () => {
  const context = { upstreams: ['warehouse', 'mail'] };
  it.each([
    ['a rule', rule('{ tools: t, upstreams: [mail, wharehouse] }'), '5:39 upstream-unknown'],
    ['a pattern', rule('{ tools: t, upstreams: "ware-*" }'), '5:21 upstream-unknown'],
    ['a protected object', 'acl: [{ tool: t, upstreams: x }]', '2:18 upstream-unknown'],
    [
      'a limit',
      'limits: [{ name: l, match: { upstreams: x }, per: principal, rate: 1/s }]',
      '2:30 upstream-unknown',
    ],
    [
      'arguments',
      'arguments: [{ match: { upstreams: x } , args: { a: { text: {} } } }]',
      '2:24 upstream-unknown',
    ],
    ['scopes', 'scopes: [{ match: { upstreams: x }, scopes: a }]', '2:21 upstream-unknown'],
    ['marks', 'tools: [{ match: { upstreams: x }, egress: true }]', '2:20 upstream-unknown'],
  ])('of %s', (_, text, expected) => {
    expect(codes(text, context)).toEqual([expected]);
  });

  it('is not said of what there is, nor where nothing is known', () => {
    expect(codes(rule('{ tools: t, upstreams: [mail, "ware*"] }'), context)).toEqual([]);
    expect(codes(rule('{ tools: t, upstreams: x }'))).toEqual([]);
  });

  it('says what it could have been', () => {
    const text = `version: 1\n${rule('{ tools: t, upstreams: wharehouse }')}`;
    const [warning] = lintPolicy([{ file: 'a.yaml', text }], { now, ...context });
    expect(formatWarning(warning!)).toBe(
      'a.yaml:5:21: roles.r.allow[0].upstreams: no upstream is named "wharehouse"; did you mean "warehouse"? [upstream-unknown]',
    );
  });
});

describe('tool-unlisted', () => {
  const tools = new Map([
    ['warehouse', new Set(['query', 'describe_table'])],
    ['mail', new Set(['send'])],
  ]);
  const context = { upstreams: ['warehouse', 'mail'], tools };
  it.each([
    ['a name', rule('{ tools: [query, send, sent] }'), ['5:32 tool-unlisted']],
    ['a pattern', rule('{ tools: ["drop_*"] }'), ['5:19 tool-unlisted']],
    ['a name elsewhere', rule('{ tools: [send], upstreams: warehouse }'), ['5:19 tool-unlisted']],
    ['a protected object', 'acl: [{ tool: gone }]', ['2:9 tool-unlisted']],
    ['what there is', rule('{ tools: [query, "describe_*", "*"] }'), []],
    ['resources', rule('{ resources: "file:///**" }'), []],
  ])('%s', (_, text, expected) => {
    expect(codes(text, context).filter((code) => code.includes('tool-unlisted'))).toEqual(expected);
  });

  it('is not said where one upstream could not be asked', () => {
    const some = new Map([...tools].slice(0, 1));
    expect(codes(rule('{ tools: gone }'), { ...context, tools: some })).toEqual([]);
    expect(codes(rule('{ tools: gone, upstreams: warehouse }'), { ...context, tools: some })).toHaveLength(1);
  });
});

describe('shadowed', () => {
  const roles = (allow: string, deny: string, acl = '[]') =>
    `roles:\n  r:\n    allow: [${allow}]\n    deny: [${deny}]\nbindings: [{ roles: r, to: { apiKey: k } }]\nacl: ${acl}`;
  it.each([
    ['the same', '{ tools: t }', '{ tools: t }', true],
    ['a prefix', '{ tools: [drop_a, "drop_b*"] }', '{ tools: "drop_*" }', true],
    ['everything', '{ tools: t, prompts: p }', '{ tools: "*", prompts: "*" }', true],
    ['two denies together', '{ tools: [a, b] }', '{ tools: a }, { tools: b }', true],
    ['the same upstream', '{ tools: t, upstreams: u }', '{ tools: t, upstreams: "u*" }', true],
    ['a tree', '{ resources: "file:///a/b*" }', '{ resources: "file:///a/**" }', true],
    [
      'the same action',
      '{ resources: "f:///a", actions: read }',
      '{ resources: "f:///a", actions: [read, subscribe] }',
      true,
    ],
    ['another name', '{ tools: [t, u] }', '{ tools: t }', false],
    ['another kind', '{ tools: t }', '{ prompts: "*" }', false],
    ['a narrower pattern', '{ tools: "drop_*" }', '{ tools: "drop_a*" }', false],
    ['one segment', '{ resources: "file:///a/**" }', '{ resources: "file:///a/*" }', false],
    ['a condition', '{ tools: t }', '{ tools: t, when: { network: 10.0.0.0/8 } }', false],
    ['a trial', '{ tools: t }', '{ tools: t, mode: shadow, until: 2026-12-31 }', false],
    ['one upstream', '{ tools: t }', '{ tools: t, upstreams: u }', false],
    ['one action', '{ resources: "f:///a" }', '{ resources: "f:///a", actions: read }', false],
    ['a wildcard in the middle', '{ tools: "a*c" }', '{ tools: "*b*" }', false],
  ])('%s', (_, allow, deny, expected) => {
    expect(codes(roles(allow, deny))).toEqual(expected ? ['4:13 shadowed'] : []);
  });

  it('by protected objects', () => {
    const acl = '[{ tool: "pay_*", allow: [{ roles: r }] }]';
    expect(codes(roles('{ tools: pay_all }', '', acl))).toEqual(['4:13 shadowed-by-acl']);
    expect(codes(roles('{ tools: [pay_all, read] }', '', acl))).toEqual([]);
    const tried = '[{ tool: "pay_*", mode: shadow, until: 2026-12-31 }]';
    expect(codes(roles('{ tools: pay_all }', '', tried))).toEqual([]);
  });

  it('not by the deny of another role', () => {
    expect(codes(`roles: { a: { allow: [{ tools: t }] }, b: { deny: [{ tools: t }] } }`)).toEqual([]);
  });
});

describe('condition-impossible', () => {
  it.each([
    ['args: { n: { equals: 5, max: 3 } }'],
    ['args: { n: { oneOf: [5, 6], max: 3 } }'],
    ['args: { n: { oneOf: [a, b], equals: c } }'],
    ['args: { n: { oneOf: [a, b], min: 1 } }'],
    ['args: { n: { equals: abc, prefix: x } }'],
    ['args: { n: { equals: abc, pattern: "[0-9]+" } }'],
    ['args: { n: { equals: abcd, maxLength: 3 } }'],
    ['args: { n: { min: 1, prefix: a } }'],
    ['args: { n: { min: 1, contains: a } }'],
    ['args: { n: { min: 1, maxLength: 3 } }'],
    ['args: { n: { contains: a, prefix: a } }'],
    ['args: { n: { prefix: abcd, maxLength: 3 } }'],
    ['claims: { n: { equals: 5, max: 3 } }'],
    ['network: { in: [10.1.0.0/16], notIn: [10.0.0.0/8] }'],
    ['network: { in: [10.1.0.0/16, "2001:db8::1"], notIn: [10.0.0.0/8, "2001:db8::/32"] }'],
    ['time: { between: ["24:00", "00:00"] }'],
  ])('%s', (condition) => {
    expect(codes(when(condition)).map((code) => code.split(' ')[1])).toEqual(['condition-impossible']);
  });

  it.each([
    ['args: { n: { equals: 5, max: 5 } }'],
    ['args: { n: { oneOf: [1, 5], max: 3 } }'],
    ['args: { n: { equals: 5, max: 3, optional: true } }'],
    ['args: { n: { present: false } }'],
    ['args: { n: { min: 1, max: 1 } }'],
    ['args: { n: { prefix: abc, maxLength: 3 } }'],
    ['args: { n: { contains: a, minLength: 2 } }'],
    ['claims: { n: [a, b], m: x }'],
    ['network: { in: [10.0.0.0/8], notIn: [10.1.0.0/16] }'],
    ['network: { in: [10.1.0.0/16, 192.168.0.0/16], notIn: [10.0.0.0/8] }'],
    ['network: { notIn: [0.0.0.0/0] }'],
    ['time: { between: ["22:00", "06:00"], days: mon }'],
    ['time: { between: ["23:59", "24:00"] }'],
    ['cel: "args.n < 3"'],
  ])('is not said of %s', (condition) => {
    expect(codes(when(condition))).toEqual([]);
  });

  it('is said of entries of protected objects', () => {
    const acl =
      'roles: { r: {} }\nacl: [{ tool: t, allow: [{ roles: r, when: { args: { n: { equals: 5, max: 3 } } } }] }]';
    expect(codes(acl)).toEqual(['3:54 condition-impossible']);
  });
});

it.each([
  ['false', 'is always false'],
  ['true || args.n == 1 && false', undefined],
  ['1 < 2', 'is always true'],
  ['1 / 0 == 1', 'can never be evaluated'],
  [`timestamp('2020-01-01T00:00:00Z') < timestamp('2021-01-01T00:00:00Z')`, 'is always true'],
])('condition-constant: %s', (cel, expected) => {
  const text = `version: 1\n${when(`cel: ${JSON.stringify(cel)}`)}`;
  const found = lintPolicy([{ file: 'a.yaml', text }], { now });
  expect(found.map(({ code, message }) => [code, message])).toEqual(
    expected === undefined ? [] : [['condition-constant', `the expression ${expected}`]],
  );
});

describe('wildcards', () => {
  it('allows-all', () => {
    expect(codes(rule('{ tools: "*" }'))).toEqual(['5:9 allows-all']);
    expect(codes(rule('{ tools: [a, "**"], upstreams: "*" }'))).toEqual(['5:9 allows-all']);
    expect(codes(rule('{ resources: "**" }'))).toEqual(['5:9 allows-all']);
    for (const fine of [
      '{ tools: "*", upstreams: u }',
      '{ tools: "a*" }',
      '{ tools: "*", when: { network: 10.0.0.0/8 } }',
      '{ tools: "*", mode: shadow, until: 2026-12-31 }',
      '{ resources: "*" }',
    ]) {
      expect(codes(rule(fine)), fine).toEqual([]);
    }
  });

  it('allows-anybody-all', () => {
    const bound = (to: string) =>
      `roles: { r: { allow: [{ tools: "*", upstreams: u }] } }\nbindings:\n  - { roles: r, to: ${to} }`;
    expect(codes(bound('{ any: true }'))).toEqual(['4:5 allows-anybody-all']);
    expect(codes(bound('[{ apiKey: k }, { anonymous: true }]'))).toEqual(['4:5 allows-anybody-all']);
    expect(codes(bound('{ apiKey: k }'))).toEqual([]);
  });

  it('arguments-impossible, of amounts that limits read', () => {
    const limit = (match: string, amount: string) =>
      `limits:\n  - { name: l, match: ${match}, per: principal, ${amount} }\n`;
    const cost = 'quota: 5/day, cost: args.rows';
    for (const match of ['{ upstreams: [u] }', '{ methods: ["**"] }', '{ tools: [t], resources: ["**"] }']) {
      expect(codes(limit(match, cost)).map((code) => code.split(' ')[1])).toContain('arguments-impossible');
      expect(
        codes(limit(match, 'sum: args.rows per day, most: 5')).map((code) => code.split(' ')[1]),
      ).toContain('arguments-impossible');
    }
    for (const fine of [
      limit('{ tools: [t], prompts: [p] }', cost),
      limit('{ methods: ["**"] }', 'quota: 5/day, cost: "has(args.rows) ? args.rows : 1"'),
      limit('{ methods: ["**"] }', 'quota: 5/day, cost: 2'),
    ]) {
      expect(codes(fine).map((code) => code.split(' ')[1])).not.toContain('arguments-impossible');
    }
  });

  describe('limit-unreachable', () => {
    const limit = (text: string, match = '{ tools: [t] }') =>
      `limits:\n  - { name: l, match: ${match}, ${text} }\n`;
    const context = { atOnce: { all: 100, perCaller: 50 } };
    const found = (text: string, given: Partial<LintContext> = context) =>
      codes(text, given).filter((code) => code.endsWith('limit-unreachable'));
    it.each([
      ['a quota that the rate never fills', 'per: role, rate: 1/h, quota: 25/day', 1],
      ['one that it does fill', 'per: role, rate: 1/h, quota: 24/day', 0],
      ['a quota that the burst fills', 'per: role, rate: 1/h, burst: 20, quota: 25/day', 0],
      ['a rate that the quota never lets come', 'per: role, rate: 10/s, quota: 5/hour', 1],
      ['one that it does, where two windows meet', 'per: role, rate: 9/s, quota: 5/hour', 0],
      ['a rate slower than the quota', 'per: role, rate: 1/d, burst: 90, quota: 5/hour', 0],
      ['more of one caller than it may have', 'per: [principal, tool], concurrency: 51', 1],
      ['as many as it may have', 'per: principal, concurrency: 50', 0],
      ['more than there may be', 'per: tool, concurrency: 101', 1],
      ['as many as there may be', 'per: tool, concurrency: 100', 0],
    ])('%s', (_, text, times) => {
      expect(found(limit(text))).toHaveLength(times);
    });

    it('is not said of streams, nor where nothing is known', () => {
      for (const match of ['{ resources: ["**"] }', '{ methods: ["**"] }', '{ upstreams: ["*"] }']) {
        expect(found(limit('per: tool, concurrency: 101', match))).toEqual([]);
      }
      expect(found(limit('per: tool, concurrency: 101'), {})).toEqual([]);
    });
  });

  it('timeout-capped', () => {
    const longest = new Map([
      ['fast', 60_000],
      ['slow', 900_000],
    ]);
    const timeout = (total: string, upstreams: string) =>
      codes(`timeouts:\n  - { match: { tools: [t], upstreams: [${upstreams}] }, total: ${total} }\n`, {
        longest,
      });
    expect(timeout('61s', 'fast')).toEqual(['3:49 timeout-capped']);
    expect(timeout('901s', 'fast, slow')).toEqual(['3:55 timeout-capped']);
    for (const fine of [timeout('60s', 'fast'), timeout('61s', 'fast, slow'), timeout('61s', 'other')]) {
      expect(fine).toEqual([]);
    }
  });

  it('priority-anybody', () => {
    const bound = (priority: string, to: string) =>
      `roles: { r: { priority: ${priority}, allow: [{ tools: t }] } }\nbindings:\n  - { roles: r, to: ${to} }`;
    expect(codes(bound('high', '{ any: true }'))).toEqual(['4:5 priority-anybody']);
    expect(codes(bound('high', '[{ apiKey: k }, { anonymous: true }]'))).toEqual(['4:5 priority-anybody']);
    expect(codes(bound('high', '{ apiKey: k }'))).toEqual([]);
    expect(codes(bound('low', '{ any: true }'))).toEqual([]);
  });
});

describe('bindings', () => {
  const bound = (to: string) =>
    `roles: { r: { allow: [{ tools: t }] } }\nbindings: [{ roles: r, to: ${to} }]`;
  it('common-name', () => {
    expect(codes(bound('{ certificate: { cn: web } }'))).toEqual(['3:45 common-name']);
    expect(codes(bound('{ certificate: { cn: web, dns: web.acme.example } }'))).toEqual([]);
    expect(codes(bound('{ certificate: { uri: "spiffe://a/b" } }'))).toEqual([]);
  });

  it('issuer-unknown', () => {
    const to = '{ token: { issuer: "https://idp.example" } }';
    expect(codes(bound(to), { issuers: ['https://idp.example/'] })).toEqual(['3:39 issuer-unknown']);
    expect(codes(bound(to), { issuers: ['https://idp.example'] })).toEqual([]);
    expect(codes(bound(to))).toEqual([]);
  });

  it('binding-empty', () => {
    const text = 'roles: { r: {}, s: {} }\nbindings:\n  - { roles: [r, s], to: { apiKey: k } }';
    expect(codes(text)).toEqual(['4:7 binding-empty']);
    expect(codes(`${text}\nacl: [{ tool: t, allow: [{ roles: s }] }]`)).toEqual([]);
    expect(codes(`${text}\nscopes: [{ match: { roles: r }, scopes: a }]`)).toEqual([]);
    expect(codes(text.replace('r: {}', 'r: { priority: high }'))).toEqual([]);
  });

  it('scopes-unasked', () => {
    const text = 'scopes: [{ match: {}, scopes: a }]';
    expect(codes(text, { issuers: [] })).toEqual(['2:1 scopes-unasked']);
    expect(codes(text, { issuers: ['i'] })).toEqual([]);
    expect(codes(text)).toEqual([]);
  });
});

it('duplicate: but for name, description and the order of keys', () => {
  const text = rule(
    '{ id: a, tools: t, upstreams: u }',
    '{ upstreams: u, tools: [t], description: again }',
    '{ tools: t }',
  );
  expect(codes(text)).toEqual(['6:9 duplicate']);
  const twice = '{ match: {}, scopes: a }';
  expect(codes(`scopes: [${twice}, ${twice}]`)).toEqual(['2:36 duplicate']);
});

describe('trials', () => {
  const tried = (more: string) => codes(rule(`{ tools: t, ${more} }`));
  it.each([
    ['mode: shadow', ['5:21 trial-endless']],
    ['mode: shadow, until: 2026-12-31', []],
    ['mode: shadow, until: 2026-06-16', []],
    ['mode: shadow, until: 2026-06-14', ['5:35 trial-ending']],
    ['mode: shadow, until: 2026-06-01', ['5:35 trial-ending']],
    ['mode: shadow, until: 2026-05-31', ['5:35 trial-ended']],
    ['mode: enforce', []],
  ])('%s', (more, expected) => {
    expect(tried(more)).toEqual(expected);
  });

  it('in every section', () => {
    const mode = 'mode: shadow';
    const text = `
roles: { r: { allow: [{ tools: t, ${mode} }] } }
acl: [{ tool: t, ${mode} }, { tool: u, allow: [{ roles: r, ${mode} }] }]
limits: [{ name: l, match: { tools: t }, per: principal, rate: 1/s, ${mode} }]
arguments: [{ match: {}, args: { a: { text: {} } }, ${mode} }]
results: [{ match: {}, maxBytes: 1KiB, ${mode} }]
flows: [{ per: principal, hold: 1m, effect: deny, ${mode} }]
scopes: [{ match: {}, scopes: a, ${mode} }]`;
    expect(codes(text).filter((code) => code.endsWith('trial-endless'))).toHaveLength(8);
  });
});

describe('what the compiler warns of', () => {
  it('has codes too', () => {
    const compiled = warningsOf('version: 1\nroles: { r: {} }\n');
    expect(compiled).toEqual([
      'a.yaml:2:10: roles.r: no binding gives anyone the role "r"',
      'a.yaml:2:10: roles.r: role "r" has no rules',
    ]);
  });
});

it('a file that does not compile is not looked through', () => {
  expect(lintPolicy([{ file: 'a.yaml', text: 'version: 2' }], { now })).toEqual([]);
});

it.each(['policies', 'deploy/kustomize/base/policies'])('%s give no cause for a warning', (folder) => {
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(`${folder}/${name}`, 'utf8') }));
  expect(lintPolicy(sources, { now }).map(formatWarning)).toEqual([]);
});
