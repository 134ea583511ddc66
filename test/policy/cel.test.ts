import { describe, expect, it } from 'vitest';
import type { SubjectCredential } from '../../src/policy/access-request.ts';
import { decide, isVisible } from '../../src/policy/decide.ts';
import { anonymous, ask, policyOf, problemsOf, type Question, requestOf } from './support/build.ts';

const token: SubjectCredential = {
  kind: 'token',
  issuer: 'https://idp.example',
  subject: 'alice',
  scopes: ['read', 'mcp'],
  claims: { level: 3, groups: ['data'], email: 'alice@acme.example' },
  clientId: 'agent',
  bound: 'dpop',
};
const certificate: SubjectCredential = {
  kind: 'certificate',
  fingerprint256: 'ab',
  commonName: 'web',
  uris: ['spiffe://acme.example/web'],
  dns: ['web.acme.example'],
};

function policyWith(allow: string | undefined, deny?: string) {
  const rule = (cel: string | undefined) => ({
    tools: ['t*'],
    ...(cel === undefined ? {} : { when: { cel } }),
  });
  return policyOf(
    JSON.stringify({
      version: 1,
      roles: { user: { allow: [rule(allow)], deny: deny === undefined ? [] : [rule(deny)] } },
      bindings: [{ roles: 'user', to: { any: true } }],
    }),
  );
}

const allows = (cel: string, question: Question = {}) =>
  ask(policyWith(cel), { tool: 't', credentials: [token], ...question }).effect;
const denies = (cel: string, question: Question = {}) =>
  ask(policyWith(undefined, cel), { tool: 't', credentials: [token], ...question }).effect;

describe('when.cel', () => {
  it.each([
    [`principal.id == 'someone'`],
    [`'user' in principal.roles`],
    [`principal.domain == 'acme.example'`],
    [`principal.claims.level >= 3`],
    [`'data' in principal.claims.groups`],
    [`principal.token.issuer == 'https://idp.example' && principal.token.subject.startsWith('ali')`],
    [`'read' in principal.token.scopes`],
    [`principal.token.client == 'agent' && principal.token.bound == 'dpop'`],
    [`!principal.anonymous && !has(principal.apiKey) && !has(principal.certificate)`],
    [`call.upstream == 'u' && call.kind == 'tool' && call.name == 't' && call.action == 'call'`],
    [`args.end - args.start <= 10`],
    [`args.paths.all(p, p.startsWith('/srv/'))`],
    [`!has(args.force)`],
    [`context.address == '127.0.0.1'`],
    [`context.time < timestamp('2026-01-02T00:00:00Z')`],
    [`context.time == timestamp('2026-01-01T13:00:00+01:00')`],
    [
      `context.time.getHours() == 12 && context.time.getDayOfWeek() == 4 && context.time.getFullYear() == 2026`,
    ],
    [`context.time.getMonth() == 0 && context.time.getDate() == 1 && context.time.getDayOfMonth() == 0`],
    [`context.time.getMinutes() + context.time.getSeconds() == 0`],
  ])('%s', (cel) => {
    const args = { start: 1, end: 5, paths: ['/srv/a'] };
    expect(allows(cel, { args })).toBe('allow');
    expect(denies(`!(${cel})`, { args })).toBe('allow');
    expect(denies(cel, { args })).toBe('deny');
  });

  it('knows certificates, keys and the anonymous', () => {
    const cel = `principal.certificate.cn == 'web' && 'web.acme.example' in principal.certificate.dns &&
      principal.certificate.uris[0].startsWith('spiffe://acme.example/') && principal.certificate.fingerprint == 'ab'`;
    expect(allows(cel, { credentials: [certificate] })).toBe('allow');
    expect(allows(`principal.apiKey == 'k'`, { credentials: [{ kind: 'apiKey', name: 'k' }] })).toBe('allow');
    expect(allows('principal.anonymous', { credentials: [anonymous] })).toBe('allow');
  });

  const unknowns: readonly (readonly [string, string, Question])[] = [
    ['a member that is not there', 'args.n <= 3', {}],
    ['a call without arguments', 'args.n <= 3', { args: undefined as never }],
    ['another type', 'args.n <= 3', { args: { n: '3' } }],
    ['text that is a list', `args.n != 'admin'`, { args: { n: ['admin'] } }],
    ['a sibling spelt otherwise', 'args.n <= 3', { args: { n: 1, N: 9 } }],
    ['a sibling inside', 'args.o.n <= 3', { args: { o: { n: 1, 'ⓝ': 9, N: 2 } } }],
    ['a sibling of what is only asked for', 'has(args.n)', { args: { n: 1, N: 9 } }],
    ['a sibling around', 'args.o.n <= 3', { args: { o: { n: 1 }, O: { n: 9 } } }],
    ['no truth value', 'args.n', { args: { n: 1 } }],
    [
      'a loop that takes too long',
      'args.l.all(a, args.l.all(b, a == b))',
      { args: { l: Array(2_000).fill(1) } },
    ],
    ['a list that is too long', 'size(args.l) > 0', { args: { l: Array(20_000).fill(1) } }],
    ['a division by nothing', '1 / args.n == 1', { args: { n: 0 } }],
    ['a moment that is none', `timestamp(args.t) < context.time`, { args: { t: '2025-01-01' } }],
    ['a moment without its zone', `timestamp(args.t) < context.time`, { args: { t: '2025-01-01T00:00:00' } }],
    ['a time that is none', `context.time < timestamp('2030-01-01T00:00:00Z')`, { time: Number.NaN }],
    ['no token', `principal.token.client == 'agent'`, { credentials: [anonymous] }],
    ['two tokens', `principal.token.client == 'agent'`, { credentials: [token, token] }],
    ['claims of two tokens', `principal.claims.level == 3`, { credentials: [token, token] }],
    [
      'a claim spelt twice',
      'principal.claims.level >= 3',
      { credentials: [{ ...token, claims: { level: 3, Level: 1 } }] },
    ],
    ['a prototype', `args.constructor == null`, { args: {} }],
  ];
  it.each(unknowns)('%s neither allows nor keeps from denying', (_, cel, question) => {
    expect(allows(cel, question)).toBe('deny');
    expect(denies(cel, question)).toBe('deny');
    expect(denies(`!(${cel})`, question)).toBe('deny');
  });

  it('holds together with the other conditions', () => {
    const both = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t, when: { cel: "args.a == 1", args: { b: { equals: 2 } } } }] } }
bindings: [{ roles: r, to: { any: true } }]
`);
    expect(ask(both, { tool: 't', args: { a: 1, b: 2 } }).effect).toBe('allow');
    expect(ask(both, { tool: 't', args: { a: 1, b: 3 } }).reasons[0]).toMatchObject({
      condition: 'args.b.equals',
    });
    expect(ask(both, { tool: 't', args: { a: 2, b: 2 } }).reasons[0]).toMatchObject({
      code: 'condition-failed',
      condition: 'cel',
    });
  });
});

describe('what a condition in CEL hides', () => {
  const rows: readonly (readonly [string, string, boolean, boolean])[] = [
    ['on the caller, false', `principal.id == 'other'`, false, true],
    ['on the caller, true', `principal.id == 'someone'`, true, false],
    ['on the caller, unknown', `principal.apiKey == 'x'`, false, false],
    ['on the target, false', `call.name == 'tea'`, false, true],
    ['on the target, true', `call.name == 't'`, true, false],
    ['on both', `call.name == 't' && principal.id == 'someone'`, true, false],
    ['on arguments', 'args.n == 1', true, true],
    ['on the time', `context.time < timestamp('2020-01-01T00:00:00Z')`, true, true],
    ['on the caller or the address', `principal.id == 'other' || context.address == 'x'`, true, true],
    ['on the caller or arguments', `principal.id == 'someone' || args.n == 1`, true, true],
    ['on nothing, false', 'false', false, true],
    ['on nothing, true', 'true', true, false],
  ];
  it.each(rows)('%s', (_, cel, seenWithAllow, seenWithDeny) => {
    const request = requestOf({ tool: 't' });
    const unasked = { ...request, context: { ...request.context, arguments: undefined } };
    for (const [policy, seen] of [
      [policyWith(cel), seenWithAllow],
      [policyWith(undefined, cel), seenWithDeny],
    ] as const) {
      expect(isVisible(unasked, policy)).toBe(seen);
      expect(isVisible(unasked, policy)).toBe(decide(unasked, policy).visible);
    }
  });

  it('lets a rule on some targets come with the methods that any rule brings', () => {
    const policy = policyWith(`call.name.startsWith('tea')`);
    expect(ask(policy, { method: 'tools/list', implied: true }).effect).toBe('allow');
    const nobody = policyWith(`principal.id == 'other'`);
    expect(ask(nobody, { method: 'tools/list', implied: true }).effect).toBe('deny');
  });
});

describe('an expression that cannot work', () => {
  const at = (cel: string) =>
    problemsOf(`version: 1
roles:
  r:
    allow:
      - tools: t
        when:
          cel: ${JSON.stringify(cel)}
`);
  it.each([
    ['syntax', 'args.n <='],
    ['an unknown variable', 'user.id == 1'],
    ['an unknown function', 'args.n.exec()'],
    ['a misspelt member', `principal.role == 'a'`],
    ['a misspelt member that is only asked for', 'has(principal.tokens)'],
    ['a misspelt member inside', `principal.token.scope == 'a'`],
    ['a misspelt member of the call', `call.tool == 'a'`],
    ['a wrong type', 'principal.id > 3'],
    ['a list taken for text', `principal.roles == 'admin'`],
    ['a moment taken for a number', 'context.time > 5'],
    ['no truth value', 'principal.id'],
    ['a pattern that is computed', 'args.a.matches(args.b)'],
    ['a pattern that is none', `args.a.matches('(')`],
    ['a zone of the machine', `context.time.getHours('Europe/Berlin') > 3`],
    ['a clock', 'now() > context.time'],
    ['too long', `args.a == '${'x'.repeat(4096)}'`],
    ['too deep', `${'('.repeat(40)}true${')'.repeat(40)}`],
    ['too many parts', Array.from({ length: 300 }, (_, index) => `args.a${index}`).join(' && ')],
    ['loops too deep', 'args.a.all(a, args.b.all(b, args.c.all(c, a == b && b == c)))'],
    ['nothing', ''],
  ])('is a problem at its place: %s', (_, cel) => {
    const problems = at(cel);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^a\.yaml:7:16: roles\.r\.allow\[0\]\.when\.cel: ./);
  });

  it('says what is wrong in one line', () => {
    expect(at(`principal.role == 'a'`)[0]).toContain(
      'principal has no member role: it has id, roles, domain, claims, certificate, token, apiKey, anonymous',
    );
    expect(at('principal.id > 3')[0]).toContain('no such overload: string > int');
  });
});
