import { describe, expect, it } from 'vitest';
import type { SubjectCredential } from '../../src/policy/access-request.ts';
import { decide, isVisible } from '../../src/policy/decide.ts';
import { explain, formatExplanation } from '../../src/policy/explain.ts';
import { anonymous, ask, policyOf, problemsOf, type Question, requestOf } from './support/build.ts';

const issuer = 'https://idp.example';
const token = (...scopes: readonly string[]): SubjectCredential => ({
  kind: 'token',
  issuer,
  subject: 'alice',
  scopes,
  claims: {},
});

const policy = policyOf(`
version: 1
roles:
  user:
    allow:
      - { tools: [read, write, wipe, "x_*"] }
      - { tools: [small], when: { args: { n: { max: 3 } } } }
      - { resources: ["file:///**"], prompts: [p], methods: ["logging/setLevel"] }
    deny:
      - { tools: [x_hidden] }
  auditor: { allow: [{ tools: [log] }] }
bindings:
  - { roles: user, to: { any: true } }
  - { roles: auditor, to: { token: { issuer: "${issuer}", subject: auditor } } }
scopes:
  - { match: { tools: [read, small] }, scopes: read }
  - { id: writing, match: { tools: [write, x_hidden, absent] }, scopes: [read, write] }
  - { match: { tools: [wipe], upstreams: [w] }, scopes: wipe }
  - { match: { resources: ["file:///secret/**"] }, scopes: secret }
  - { match: { prompts: "*", methods: "logging/*" }, scopes: talk }
  - { match: { tools: "*", roles: auditor }, scopes: audit }
  - { match: { tools: [x_tried] }, scopes: tried, mode: shadow }
  - { match: { tools: [x_a], upstreams: ["p*", "*q"] }, scopes: pat }
implies:
  admin: [write, wipe]
  write: read
`);

describe('scopes', () => {
  const rows: readonly (readonly [string, Question, readonly SubjectCredential[], string | undefined])[] = [
    ['has it', { tool: 'read' }, [token('read')], undefined],
    ['has none', { tool: 'read' }, [token()], 'scopes.read'],
    ['another spelling', { tool: 'read' }, [token('Read', 'read2', 'rea', ' read')], 'scopes.read'],
    ['some of them', { tool: 'write' }, [token('read')], 'scopes.write'],
    ['implied by one step', { tool: 'read' }, [token('write')], undefined],
    ['implied by two steps', { tool: 'write' }, [token('admin')], undefined],
    ['not implied backwards', { tool: 'wipe', upstream: 'w' }, [token('write')], 'scopes.wipe'],
    ['another upstream', { tool: 'wipe', upstream: 'v' }, [token()], undefined],
    ['a resource', { resource: 'file:///secret/a' }, [token('read')], 'scopes.secret'],
    ['another resource', { resource: 'file:///open/a' }, [token()], undefined],
    ['subscribing', { resource: 'file:///secret/a', action: 'subscribe' }, [token()], 'scopes.secret'],
    ['a prompt', { prompt: 'p' }, [token()], 'scopes.talk'],
    ['a method', { method: 'logging/setLevel' }, [token()], 'scopes.talk'],
    ['what no entry names', { tool: 'x_a' }, [token()], undefined],
    ['anonymous', { tool: 'write' }, [anonymous], undefined],
    ['an API key', { tool: 'write' }, [{ kind: 'apiKey', name: 'k' }], undefined],
    ['two tokens, one of them without', { tool: 'read' }, [token('read'), token('x')], 'scopes.read'],
    ['two tokens, the other one without', { tool: 'read' }, [token('x'), token('read')], 'scopes.read'],
    ['two tokens that both have it', { tool: 'read' }, [token('read', 'x'), token('write')], undefined],
    ['an upstream by pattern', { tool: 'x_a', upstream: 'p2' }, [token()], 'scopes.pat'],
    ['a key beside a token', { tool: 'read' }, [{ kind: 'apiKey', name: 'k' }, token()], 'scopes.read'],
  ];
  it.each(rows)('%s', (_, question, credentials, missing) => {
    const decision = ask(policy, { ...question, credentials });
    if (missing === undefined) expect(decision).toMatchObject({ effect: 'allow' });
    else {
      expect(decision).toMatchObject({
        effect: 'deny',
        visible: true,
        reasons: [{ code: 'scope-missing', condition: missing }],
      });
    }
    const request = requestOf({ ...question, credentials });
    expect(isVisible(request, policy)).toBe(decide(request, policy).visible);
  });

  it('asks callers with a role for more', () => {
    const auditor: SubjectCredential = { ...token(), subject: 'auditor' } as SubjectCredential;
    expect(ask(policy, { tool: 'log', credentials: [auditor] }).reasons).toMatchObject([
      { code: 'scope-missing', condition: 'scopes.audit', location: 'a.yaml:21' },
    ]);
    expect(ask(policy, { tool: 'x_a', credentials: [token()] }).effect).toBe('allow');
  });

  it('does not tell of scopes where rules refuse', () => {
    const codes = (question: Question) => ask(policy, { ...question, credentials: [token()] });
    expect(codes({ tool: 'x_hidden' })).toMatchObject({
      visible: false,
      reasons: [{ code: 'denied-by-rule' }],
    });
    expect(codes({ tool: 'absent' })).toMatchObject({ visible: false, reasons: [{ code: 'no-rule' }] });
    expect(codes({ tool: 'small', args: { n: 9 } })).toMatchObject({
      visible: true,
      reasons: [{ code: 'condition-failed' }],
    });
    expect(codes({ tool: 'small', args: { n: 1 } })).toMatchObject({ reasons: [{ code: 'scope-missing' }] });
  });

  it('names every entry that lacks something', () => {
    const both = policyOf(`
version: 1
roles: { r: { allow: [{ tools: "*" }] } }
bindings: [{ roles: r, to: { any: true } }]
scopes:
  - { id: first, match: {}, scopes: a }
  - { id: second, match: { tools: t }, scopes: [b, c] }
  - { id: third, match: { tools: t }, scopes: a }
`);
    expect(ask(both, { tool: 't', credentials: [token('b')] }).reasons).toMatchObject([
      { rule: 'first', condition: 'scopes.a' },
      { rule: 'second', condition: 'scopes.c' },
      { rule: 'third', condition: 'scopes.a' },
    ]);
    // An empty match is about all there is, implied methods too.
    expect(ask(both, { method: 'initialize', implied: true, credentials: [token()] })).toMatchObject({
      effect: 'deny',
      reasons: [{ rule: 'first' }],
    });
  });

  it('tries entries out in shadow mode', () => {
    expect(ask(policy, { tool: 'x_tried', credentials: [token()] })).toMatchObject({
      effect: 'allow',
      shadow: { effect: 'deny', reason: { code: 'scope-missing', condition: 'scopes.tried' } },
    });
    expect(ask(policy, { tool: 'x_tried', credentials: [token('tried')] }).shadow).toBeUndefined();
  });

  it('lets no shadow rule tell of an allow that a missing scope would take back', () => {
    const tried = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t, mode: shadow }, { tools: u }] } }
bindings: [{ roles: r, to: { any: true } }]
scopes: [{ match: { tools: t }, scopes: a }]
`);
    expect(ask(tried, { tool: 't', credentials: [token()] })).toMatchObject({
      effect: 'deny',
      reasons: [{ code: 'no-rule' }],
    });
    expect(ask(tried, { tool: 't', credentials: [token()] }).shadow).toBeUndefined();
    expect(ask(tried, { tool: 't', credentials: [token('a')] }).shadow).toMatchObject({ effect: 'allow' });
  });

  it('explains what is asked for, and what is missing', () => {
    const request = requestOf({ tool: 'write', credentials: [token('read')] });
    const explanation = explain(request, policy);
    expect(explanation.scopes).toEqual([
      { rule: 'writing', location: 'a.yaml:17', shadow: false, asks: ['read', 'write'], missing: ['write'] },
    ]);
    expect(formatExplanation(explanation)).toContain('writing (a.yaml:17): read write, missing: write');
  });
});

describe('a file with scopes', () => {
  it.each([
    ['a space', 'scopes: [{ match: {}, scopes: "a b" }]'],
    ['a quote', `scopes: [{ match: {}, scopes: 'a"b' }]`],
    ['a line break', 'scopes: [{ match: {}, scopes: "a\\nb" }]'],
    ['a backslash', `scopes: [{ match: {}, scopes: 'a\\b' }]`],
    ['an umlaut', 'scopes: [{ match: {}, scopes: "lesen\u00fc" }]'],
    ['nothing', 'scopes: [{ match: {}, scopes: "" }]'],
    ['an empty list', 'scopes: [{ match: {}, scopes: [] }]'],
    ['too many', `scopes: [{ match: {}, scopes: [${Array.from({ length: 33 }, (_, i) => `s${i}`)}] }]`],
    ['in a binding', 'bindings: [{ roles: [], to: { token: { issuer: i, scopes: "a b" } } }]'],
    ['in a hierarchy', 'implies: { "a b": [c] }'],
  ])('may not have %s in a scope', (_, text) => {
    expect(problemsOf(`version: 1\n${text}\n`)).not.toEqual([]);
  });

  it('may not imply in circles, whatever file closes them', () => {
    expect(problemsOf('version: 1\nimplies: { a: a }')).toEqual([
      'a.yaml:2:12: implies.a[0]: scopes imply each other in a circle: a -> a',
    ]);
    const first = 'version: 1\nimplies:\n  a: [b]\n  b: [x, c]\n';
    const second = 'version: 1\nimplies:\n  c: [y, a]\n';
    expect(problemsOf(first, second)).toEqual([
      'b.yaml:3:10: implies.c[1]: scopes imply each other in a circle: a -> b -> c -> a',
    ]);
  });

  it('may imply one scope by two ways', () => {
    expect(problemsOf('version: 1\nimplies: { a: [b, c], b: [d], c: [d] }')).toEqual([]);
  });

  it('knows roles and ids of its entries', () => {
    expect(problemsOf('version: 1\nscopes: [{ match: { roles: nobody }, scopes: a }]')).toHaveLength(1);
    const twice = '{ id: x, match: {}, scopes: a }';
    expect(problemsOf(`version: 1\nscopes: [${twice}, ${twice}]`)).toHaveLength(1);
  });
});
