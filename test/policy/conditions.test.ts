import { describe, expect, it } from 'vitest';
import { foldKey } from '../../src/values/fold-key.ts';
import { ask, oneRole, tokenWith } from './support/build.ts';

/** `yes` the condition holds, `no` it does not, `?` it cannot be evaluated. */
type Answer = 'yes' | 'no' | '?';

/**
 * What a `when` says is read off two policies: an allow rule that has it, and a deny rule that has it over a plain
 * allow. Only a condition that holds allows; only one that certainly does not hold fails to deny.
 */
function answer(when: string, question: Parameters<typeof ask>[1]): Answer {
  const allowed =
    ask(oneRole(`[{ tools: t, when: ${when} }]`), { tool: 't', ...question }).effect === 'allow';
  const denied =
    ask(oneRole('[{ tools: t }]', `[{ tools: t, when: ${when} }]`), { tool: 't', ...question }).effect ===
    'deny';
  if (allowed) {
    expect(denied, 'a condition that holds must deny as well').toBe(true);
    return 'yes';
  }
  return denied ? '?' : 'no';
}

const exact = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('12345678901234567890');

describe('conditions on arguments', () => {
  const table: readonly [string, unknown, Answer][] = [
    // equals and oneOf
    ['{ a: { equals: 5 } }', { a: 5 }, 'yes'],
    ['{ a: { equals: 5 } }', { a: 6 }, 'no'],
    ['{ a: { equals: 5 } }', { a: '5' }, '?'],
    ['{ a: { equals: 5 } }', { a: [5] }, '?'],
    ['{ a: { equals: 5 } }', { a: { valueOf: 5 } }, '?'],
    ['{ a: { equals: 5 } }', {}, '?'],
    ['{ a: { equals: 0 } }', { a: -0 }, 'yes'],
    ['{ a: { equals: "" } }', { a: '' }, 'yes'],
    ['{ a: { equals: "" } }', { a: null }, '?'],
    ['{ a: { equals: null } }', { a: null }, 'yes'],
    ['{ a: { equals: null } }', { a: 'x' }, '?'],
    ['{ a: { equals: true } }', { a: 'true' }, '?'],
    ['{ a: { equals: false } }', { a: 0 }, '?'],
    ['{ a: { equals: é } }', { a: 'e\u0301' }, 'no'],
    ['{ a: { oneOf: [x, 1] } }', { a: 1 }, 'yes'],
    ['{ a: { oneOf: [x, 1] } }', { a: 'y' }, 'no'],
    ['{ a: { oneOf: [x, y] } }', { a: 1 }, '?'],
    ['{ a: { oneOf: [x, y] } }', { a: 'X' }, 'no'],
    // min and max
    ['{ a: { max: 1000 } }', { a: 1000 }, 'yes'],
    ['{ a: { max: 1000 } }', { a: 1000.5 }, 'no'],
    ['{ a: { max: 1000 } }', { a: '1' }, '?'],
    ['{ a: { max: 1000 } }', { a: null }, '?'],
    ['{ a: { max: 1000 } }', { a: true }, '?'],
    ['{ a: { max: 1000 } }', { a: [1] }, '?'],
    ['{ a: { max: 1000 } }', { a: Number.NaN }, '?'],
    ['{ a: { max: 1000 } }', { a: Number.NEGATIVE_INFINITY }, '?'],
    ['{ a: { max: 1000 } }', { a: exact }, '?'],
    ['{ a: { max: 1000 } }', { a: { rawJSON: '1' } }, '?'],
    ['{ a.rawJSON: { present: true } }', { a: exact }, '?'],
    ['{ a.rawJSON: { present: true } }', { a: { rawJSON: '1' } }, 'yes'],
    ['{ a: { min: 0, max: 9 } }', { a: 5 }, 'yes'],
    ['{ a: { min: 0, max: 9 } }', { a: -1 }, 'no'],
    // lengths
    ['{ a: { maxLength: 2 } }', { a: '😀😀' }, 'yes'],
    ['{ a: { maxLength: 2 } }', { a: 'abc' }, 'no'],
    ['{ a: { maxLength: 2 } }', { a: [1, 2, 3] }, 'no'],
    ['{ a: { minLength: 1 } }', { a: [] }, 'no'],
    ['{ a: { maxLength: 2 } }', { a: { length: 1 } }, '?'],
    // pattern: the whole text
    ['{ a: { pattern: "[a-z]+" } }', { a: 'abc' }, 'yes'],
    ['{ a: { pattern: "[a-z]+" } }', { a: 'abc1' }, 'no'],
    ['{ a: { pattern: "[a-z]+" } }', { a: 'abc\n' }, 'no'],
    ['{ a: { pattern: "[a-z]+" } }', { a: '1\nabc' }, 'no'],
    ['{ a: { pattern: "a|ab" } }', { a: 'ab' }, 'yes'],
    ['{ a: { pattern: "a|b" } }', { a: 'xb' }, 'no'],
    ['{ a: { pattern: "^a$" } }', { a: 'a\n' }, 'no'],
    ['{ a: { pattern: "[0-9]+" } }', { a: 5 }, '?'],
    ['{ a: { pattern: "(a+)+" } }', { a: `${'a'.repeat(5000)}!` }, 'no'],
    // prefix
    ['{ a: { prefix: /data/ } }', { a: '/data/x' }, 'yes'],
    ['{ a: { prefix: /data/ } }', { a: '/Work/x' }, 'no'],
    ['{ a: { prefix: /data/ } }', { a: ['/data/x'] }, '?'],
    // contains
    ['{ a: { contains: x } }', { a: ['y', 'x'] }, 'yes'],
    ['{ a: { contains: x } }', { a: ['y'] }, 'no'],
    ['{ a: { contains: x } }', { a: [] }, 'no'],
    ['{ a: { contains: x } }', { a: [['x']] }, '?'],
    ['{ a: { contains: x } }', { a: 'x' }, '?'],
    // present and optional
    ['{ a: { present: true } }', { a: null }, 'yes'],
    ['{ a: { present: true } }', {}, 'no'],
    ['{ a: { present: false } }', {}, 'yes'],
    ['{ a: { present: false } }', { a: undefined }, 'no'],
    ['{ a: { present: true, min: 5 } }', {}, 'no'],
    ['{ a: { present: true, min: 5 } }', { a: 'x' }, '?'],
    ['{ a: { optional: true, max: 5 } }', {}, 'yes'],
    ['{ a: { optional: true, max: 5 } }', { a: 6 }, 'no'],
    ['{ a: { optional: true, max: 5 } }', { a: null }, '?'],
    // paths
    ['{ a.b: { max: 5 } }', { a: { b: 1 } }, 'yes'],
    ['{ $.a.b: { max: 5 } }', { a: { b: 1 } }, 'yes'],
    ['{ a.b: { max: 5 } }', { 'a.b': 1 }, '?'],
    ['{ \'["a.b"]\': { max: 5 } }', { 'a.b': 1 }, 'yes'],
    ['{ "$[\'a.b\']": { max: 5 } }', { 'a.b': 1 }, 'yes'],
    ['{ a.b: { present: false } }', { a: {} }, 'yes'],
    ['{ a.b: { present: false } }', {}, 'yes'],
    ['{ a.b: { present: false } }', { a: 'text' }, '?'],
    ['{ a.b: { present: false } }', { a: [] }, '?'],
    ['{ "a[0]": { max: 5 } }', { a: [1, 9] }, 'yes'],
    ['{ "a[1]": { max: 5 } }', { a: [1, 9] }, 'no'],
    ['{ "a[2]": { max: 5 } }', { a: [1, 9] }, '?'],
    ['{ "a[0]": { max: 5 } }', { a: { 0: 1 } }, '?'],
    ['{ "a[0]": { max: 5 } }', { a: '123' }, '?'],
    ['{ "a[0].b[1]": { equals: x } }', { a: [{ b: [0, 'x'] }] }, 'yes'],
    // inherited names are not arguments
    ['{ constructor: { present: true } }', {}, 'no'],
    ['{ toString: { present: false } }', {}, 'yes'],
    ['{ a.length: { present: true } }', { a: [1] }, '?'],
    // several arguments: one that certainly fails settles it
    ['{ a: { max: 5 }, b: { max: 5 } }', { a: 1, b: 1 }, 'yes'],
    ['{ a: { max: 5 }, b: { max: 5 } }', { a: 9 }, 'no'],
    ['{ a: { max: 5 }, b: { max: 5 } }', { a: 1 }, '?'],
  ];
  for (const [args, given, expected] of table) {
    it(`${args} of ${show(given)}: ${expected}`, () => {
      expect(answer(`{ args: ${args} }`, { args: given as Record<string, unknown> })).toBe(expected);
    });
  }

  it('find nothing in a call without arguments', () => {
    expect(answer('{ args: { a: { max: 5 } } }', {})).toBe('?');
    expect(answer('{ args: { a: { present: false } } }', {})).toBe('yes');
  });
});

describe('a sibling that a lenient server could take for the argument', () => {
  const disguises: readonly [string, string][] = [
    ['path', 'Path'],
    ['path', 'PATH'],
    ['path', 'pAth'],
    ['path', 'ｐａｔｈ'],
    ['path', 'pa\u200bth'],
    ['path', 'path\0'],
    ['path', 'pa\u00adth'],
    ['path', '\ufeffpath'],
    ['params', 'param\u017f'],
    ['key', '\u212aey'],
    ['straße', 'STRASSE'],
    ['file', 'ﬁle'],
    ['Path', 'path'],
  ];
  for (const [name, sibling] of disguises) {
    it(`${JSON.stringify(name)} beside ${JSON.stringify(sibling)} cannot be evaluated`, () => {
      for (const when of [
        `${name}: { equals: good }`,
        `${name}: { present: true }`,
        `${name}: { present: false }`,
      ]) {
        expect(answer(`{ args: { ${when} } }`, { args: { [name]: 'good', [sibling]: 'bad' } })).toBe('?');
        expect(answer(`{ args: { ${when} } }`, { args: { [sibling]: 'bad' } })).toBe('?');
      }
      expect(
        answer(`{ args: { o.${name}: { equals: good } } }`, {
          args: { o: { [name]: 'good', [sibling]: 1 } },
        }),
      ).toBe('?');
    });
  }

  it('other siblings do not matter', () => {
    const args = { path: 'good', paths: 1, pat: 1, 'path ': 1, o: { Path: 1 } };
    expect(answer('{ args: { path: { equals: good } } }', { args })).toBe('yes');
  });

  it('folding is stable', () => {
    for (const key of ['Straße', 'ſ', 'K', 'ﬁ', 'İ', 'ı', 'ΑΣ', 'ς', '\u0345', '😀']) {
      expect(foldKey(foldKey(key))).toBe(foldKey(key));
    }
  });
});

describe('[*] in an argument path', () => {
  const allow = oneRole('[{ tools: t, when: { args: { "paths[*]": { prefix: /data/ } } } }]');
  const deny = oneRole(
    '[{ tools: t }]',
    '[{ tools: t, when: { args: { "paths[*].name": { prefix: /etc/ } } } }]',
  );
  const effect = (policy: typeof allow, paths: unknown) => ask(policy, { tool: 't', args: { paths } }).effect;

  it('lets an allow rule allow only if every element holds', () => {
    expect(effect(allow, ['/data/a', '/data/b'])).toBe('allow');
    expect(effect(allow, ['/data/a', '/etc/b'])).toBe('deny');
    expect(effect(allow, ['/data/a', 5])).toBe('deny');
    expect(effect(allow, [])).toBe('deny');
    expect(effect(allow, '/data/a')).toBe('deny');
  });

  it('lets a deny rule deny if any element holds: an innocent one beside it is no cover', () => {
    expect(effect(deny, [{ name: '/home' }])).toBe('allow');
    expect(effect(deny, [{ name: '/home' }, { name: '/etc/passwd' }])).toBe('deny');
    expect(effect(deny, [{ name: '/home' }, {}])).toBe('deny');
    expect(effect(deny, [{ name: '/home' }, { Name: '/etc/passwd', name: '/home' }])).toBe('deny');
    expect(effect(deny, [])).toBe('deny');
  });
});

describe('conditions on claims', () => {
  const table: readonly [string, Record<string, unknown>, Answer][] = [
    ['{ groups: data }', { groups: 'data' }, 'yes'],
    ['{ groups: data }', { groups: ['ops', 'data'] }, 'yes'],
    ['{ groups: data }', { groups: ['ops'] }, 'no'],
    ['{ groups: data }', { groups: [] }, 'no'],
    ['{ groups: data }', { groups: 'database' }, 'no'],
    ['{ groups: data }', { groups: 5 }, '?'],
    ['{ groups: data }', { groups: { data: true } }, '?'],
    ['{ groups: data }', { groups: [['data']] }, '?'],
    ['{ groups: data }', {}, '?'],
    ['{ groups: data }', { groups: 'data', Groups: 'x' }, '?'],
    ['{ groups: [data, ops] }', { groups: 'ops' }, 'yes'],
    ['{ groups: [data, ops] }', { groups: 'x' }, 'no'],
    ['{ level: { min: 3 } }', { level: 3 }, 'yes'],
    ['{ level: { min: 3 } }', { level: '3' }, '?'],
    ['{ realm_access.roles: admin }', { realm_access: { roles: ['admin'] } }, 'yes'],
    ['{ "https://idp.example/roles": admin }', { 'https://idp.example/roles': 'admin' }, 'yes'],
    ['{ email_verified: true }', { email_verified: 'true' }, '?'],
    ['{ email_verified: true }', { email_verified: true }, 'yes'],
  ];
  for (const [claims, given, expected] of table) {
    it(`${claims} of ${show(given)}: ${expected}`, () => {
      expect(answer(`{ claims: ${claims} }`, { credentials: [tokenWith(given)] })).toBe(expected);
    });
  }

  it('cannot be evaluated without a token, nor with two', () => {
    expect(answer('{ claims: { groups: data } }', {})).toBe('?');
    const two = [tokenWith({ groups: 'data' }), tokenWith({ groups: 'data' })];
    expect(answer('{ claims: { groups: data } }', { credentials: two })).toBe('?');
  });
});

describe('conditions on the network', () => {
  const table: readonly [string, string, Answer][] = [
    ['10.0.0.0/8', '10.255.0.1', 'yes'],
    ['10.0.0.0/8', '11.0.0.1', 'no'],
    ['10.0.0.0/8', '::ffff:10.1.2.3', 'yes'],
    ['10.0.0.0/8', '::FFFF:0a01:0203', 'yes'],
    ['"::ffff:10.0.0.0/104"', '10.1.2.3', 'yes'],
    ['"::ffff:10.0.0.0/104"', '11.1.2.3', 'no'],
    ['10.0.0.0/8', '::10.1.2.3', 'no'],
    ['192.168.1.7', '192.168.1.7', 'yes'],
    ['192.168.1.7', '192.168.1.8', 'no'],
    ['0.0.0.0/0', '203.0.113.1', 'yes'],
    ['0.0.0.0/0', '2001:db8::1', 'no'],
    ['"::/0"', '2001:db8::1', 'yes'],
    ['"2001:db8::/32"', '2001:db8:ffff::1', 'yes'],
    ['"2001:db8::/32"', '2001:db9::1', 'no'],
    ['"2001:db8::/33"', '2001:db8:8000::1', 'no'],
    ['"fe80::/10"', 'fe80::1%eth0', 'yes'],
    ['"::1"', '::1', 'yes'],
    ['"::1"', '0:0:0:0:0:0:0:1', 'yes'],
    ['10.0.0.0/8', '10.0.0.1%eth0', '?'],
    ['10.0.0.0/8', '010.0.0.1', '?'],
    ['10.0.0.0/8', '10.1', '?'],
    ['10.0.0.0/8', '10.0.0.256', '?'],
    ['10.0.0.0/8', '167772161', '?'],
    ['10.0.0.0/8', '0x0a.0.0.1', '?'],
    ['10.0.0.0/8', '10.0.0.1 ', '?'],
    ['10.0.0.0/8', '1::2::3', '?'],
    ['10.0.0.0/8', '::12345', '?'],
    ['10.0.0.0/8', '1:2:3:4:5:6:7:8:9', '?'],
    ['10.0.0.0/8', '1:2:3:4:5:6:7', '?'],
    ['10.0.0.0/8', '10.0.0.1::', '?'],
    ['10.0.0.0/8', '', '?'],
    ['[10.0.0.0/8, 192.168.0.0/16]', '192.168.3.4', 'yes'],
    ['{ notIn: 10.0.0.0/8 }', '10.0.0.1', 'no'],
    ['{ notIn: 10.0.0.0/8 }', '11.0.0.1', 'yes'],
    ['{ notIn: 10.0.0.0/8 }', 'unknown', '?'],
    ['{ in: 10.0.0.0/8, notIn: 10.9.0.0/16 }', '10.9.0.1', 'no'],
    ['{ in: 10.0.0.0/8, notIn: 10.9.0.0/16 }', '10.8.0.1', 'yes'],
  ];
  for (const [network, address, expected] of table) {
    it(`${network} from ${JSON.stringify(address)}: ${expected}`, () => {
      expect(answer(`{ network: ${network} }`, { address })).toBe(expected);
    });
  }
});

describe('conditions on time', () => {
  const table: readonly [string, string, Answer][] = [
    // 2026-01-01 is a Thursday.
    ['{ days: thu }', '2026-01-01T00:00:00Z', 'yes'],
    ['{ days: [fri, sat] }', '2026-01-01T23:59:59Z', 'no'],
    ['{ between: ["08:00", "18:00"] }', '2026-01-01T08:00:00Z', 'yes'],
    ['{ between: ["08:00", "18:00"] }', '2026-01-01T17:59:59.999Z', 'yes'],
    ['{ between: ["08:00", "18:00"] }', '2026-01-01T18:00:00Z', 'no'],
    ['{ between: ["08:00", "18:00"] }', '2026-01-01T07:59:59.999Z', 'no'],
    ['{ between: ["00:00", "24:00"] }', '2026-01-01T23:59:00Z', 'yes'],
    ['{ between: ["08:00", "18:00"], zone: Europe/Berlin }', '2026-01-01T07:30:00Z', 'yes'],
    ['{ between: ["08:00", "18:00"], zone: Europe/Berlin }', '2026-07-01T06:30:00Z', 'yes'],
    ['{ between: ["08:00", "18:00"], zone: Europe/Berlin }', '2026-01-01T06:30:00Z', 'no'],
    ['{ between: ["08:00", "18:00"], zone: Asia/Kolkata }', '2026-01-01T02:30:00Z', 'yes'],
    ['{ between: ["08:00", "18:00"], zone: Asia/Kolkata }', '2026-01-01T02:29:00Z', 'no'],
    ['{ days: fri, zone: Pacific/Kiritimati }', '2026-01-01T12:00:00Z', 'yes'],
    // Across midnight: the small hours belong to the day before.
    ['{ between: ["22:00", "06:00"] }', '2026-01-01T23:00:00Z', 'yes'],
    ['{ between: ["22:00", "06:00"] }', '2026-01-01T05:59:00Z', 'yes'],
    ['{ between: ["22:00", "06:00"] }', '2026-01-01T06:00:00Z', 'no'],
    ['{ days: thu, between: ["22:00", "06:00"] }', '2026-01-01T23:00:00Z', 'yes'],
    ['{ days: thu, between: ["22:00", "06:00"] }', '2026-01-02T05:00:00Z', 'yes'],
    ['{ days: thu, between: ["22:00", "06:00"] }', '2026-01-01T05:00:00Z', 'no'],
    ['{ days: sun, between: ["22:00", "06:00"] }', '2026-01-05T05:00:00Z', 'yes'],
  ];
  for (const [time, at, expected] of table) {
    it(`${time} at ${at}: ${expected}`, () => {
      expect(answer(`{ time: ${time} }`, { time: Date.parse(at) })).toBe(expected);
    });
  }
  for (const time of [Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 1]) {
    it(`cannot be evaluated at ${time}`, () => {
      expect(answer('{ time: { days: thu } }', { time })).toBe('?');
    });
  }
});

function show(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'number' && !Number.isFinite(member) ? String(member) : member,
  );
}
