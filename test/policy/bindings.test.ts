import { describe, expect, it } from 'vitest';
import type { SubjectCredential } from '../../src/policy/access-request.ts';
import { rolesOf } from '../../src/policy/bindings.ts';
import { explain, formatExplanation } from '../../src/policy/explain.ts';
import { policyOf, problemsOf, requestOf } from './support/build.ts';

const issuer = 'https://idp.example';
type Token = Extract<SubjectCredential, { kind: 'token' }>;
const token = (more: Partial<Token> = {}): Token => ({
  kind: 'token',
  issuer,
  subject: 'alice',
  scopes: [],
  claims: {},
  ...more,
});

function bound(to: string, ...credentials: readonly SubjectCredential[]): boolean {
  const policy = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t }] } }
bindings: [{ roles: r, to: ${to} }]
implies: { admin: [read] }
`);
  return rolesOf({ id: 'x', credentials }, policy).roles.length > 0;
}

describe('a binding to tokens that belong to their holder', () => {
  const either = `{ token: { issuer: "${issuer}", bound: [certificate, dpop] } }`;
  const byKey = `{ token: { issuer: "${issuer}", bound: dpop } }`;

  it('takes what was proved', () => {
    expect(bound(either, token({ bound: 'dpop' }))).toBe(true);
    expect(bound(either, token({ bound: 'certificate' }))).toBe(true);
    expect(bound(byKey, token({ bound: 'dpop' }))).toBe(true);
  });

  const disguises: readonly (readonly [string, readonly SubjectCredential[]])[] = [
    ['a bearer token', [token()]],
    ['a claim that says so', [token({ claims: { cnf: { jkt: 'x' }, bound: 'dpop' } })]],
    ['a scope that says so', [token({ scopes: ['dpop', 'bound'] })]],
    ['the other proof', [token({ bound: 'certificate' })]],
    [
      'a certificate beside a bearer token',
      [
        { kind: 'certificate', fingerprint256: '', commonName: undefined, uris: [], dns: [] },
        token({ claims: { cnf: { 'x5t#S256': 'x' } } }),
      ],
    ],
    ['another issuer’s bound token', [token({ issuer: 'https://other', bound: 'dpop' })]],
    ['a word that is none', [token({ bound: 'DPoP' as 'dpop' })]],
  ];
  it.each(disguises)('does not take %s', (_, credentials) => {
    expect(bound(byKey, ...credentials)).toBe(false);
  });

  it('knows two ways only', () => {
    const text = `version: 1\nroles: { r: {} }\nbindings: [{ roles: r, to: { token: { issuer: i, bound: mtls } } }]`;
    expect(problemsOf(text)).not.toEqual([]);
  });
});

describe('a binding to OAuth clients', () => {
  const toClient = `{ token: { issuer: "${issuer}", client: [agent, "ci-*"] } }`;
  it.each([
    ['agent', true],
    ['ci-7', true],
    ['Agent', false],
    ['agent2', false],
    ['xci-7', false],
    ['', false],
    [undefined, false],
  ])('%s: %s', (clientId, expected) => {
    expect(bound(toClient, token({ clientId }))).toBe(expected);
  });

  it('takes no token without one for any client', () => {
    const anyClient = `{ token: { issuer: "${issuer}", client: "*" } }`;
    expect(bound(anyClient, token({ clientId: '' }))).toBe(true);
    expect(bound(anyClient, token())).toBe(false);
  });

  it('does not look at claims', () => {
    expect(bound(toClient, token({ claims: { client_id: 'agent', azp: 'agent' } }))).toBe(false);
  });
});

it('a binding takes scopes that imply the ones it asks for', () => {
  const to = `{ token: { issuer: "${issuer}", scopes: [read] } }`;
  expect(bound(to, token({ scopes: ['admin'] }))).toBe(true);
  expect(bound(to, token({ scopes: ['other'] }))).toBe(false);
});

describe('roles that the key file gives', () => {
  const policy = policyOf(`
version: 1
roles: { a: { allow: [{ tools: t }] }, b: { allow: [{ tools: u }] } }
bindings: [{ roles: b, to: { apiKey: both } }]
`);
  const names = (credential: SubjectCredential) =>
    rolesOf({ id: 'x', credentials: [credential] }, policy).roles.map(({ name }) => name);

  it('are given if policy defines them', () => {
    expect(
      names({ kind: 'apiKey', name: 'k', roles: ['a', 'gone', 'A', '__proto__', 'constructor'] }),
    ).toEqual(['a']);
    expect(names({ kind: 'apiKey', name: 'both', roles: ['a', 'b'] })).toEqual(['b', 'a']);
    expect(names({ kind: 'apiKey', name: 'k' })).toEqual([]);
  });

  it('are given by keys only', () => {
    const disguised = { ...token({ claims: { roles: ['a'] } }), roles: ['a'] } as SubjectCredential;
    expect(names(disguised)).toEqual([]);
    expect(names({ kind: 'anonymous', roles: ['a'] } as SubjectCredential)).toEqual([]);
  });

  it('are explained', () => {
    const credentials: SubjectCredential[] = [{ kind: 'apiKey', name: 'both', roles: ['a', 'b'] }];
    const text = formatExplanation(explain(requestOf({ tool: 't', credentials }), policy));
    expect(text).toContain('a (a.yaml:3), given by the API key');
    expect(text).not.toContain('b (a.yaml:3), given');
  });
});

describe('a binding is to one kind of credential', () => {
  const members = {
    name: 'k',
    roles: ['r'],
    fingerprint256: 'ab'.repeat(32),
    commonName: 'k',
    uris: ['spiffe://acme.example/k'],
    dns: ['k.acme.example'],
    issuer,
    subject: 'k',
    scopes: ['s'],
    claims: { groups: 'g' },
    clientId: 'k',
    bound: 'dpop',
  };
  const rows = [
    ['apiKey', '{ apiKey: "*" }'],
    ['certificate', '{ certificate: { uri: "**" } }'],
    ['certificate', '{ certificate: { dns: "**" } }'],
    ['certificate', '{ certificate: { cn: "*" } }'],
    ['certificate', `{ certificate: { fingerprint: "${'ab'.repeat(32)}" } }`],
    ['token', `{ token: { issuer: "${issuer}" } }`],
    ['token', `{ token: { issuer: "${issuer}", subject: "*", scopes: s, claims: { groups: g } } }`],
    ['anonymous', '{ anonymous: true }'],
  ] as const;
  it.each(rows)('%s: %s', (kind, to) => {
    for (const other of ['apiKey', 'certificate', 'token', 'anonymous', 'none'] as const) {
      // A credential with the members of all kinds: what it is decides, not what it has.
      const credential = { ...members, kind: other, ...(other === 'apiKey' ? { roles: [] } : {}) };
      expect(bound(to, credential as unknown as SubjectCredential), other).toBe(other === kind);
    }
  });

  it('of a certificate without a common name, no pattern of names takes anything', () => {
    const nameless: SubjectCredential = {
      kind: 'certificate',
      fingerprint256: '',
      commonName: undefined,
      uris: [],
      dns: [],
    };
    for (const pattern of ['*', 'undefined', 'k*']) {
      expect(bound(`{ certificate: { cn: "${pattern}" } }`, nameless), pattern).toBe(false);
    }
  });

  it('of no credential at all, nothing binds', () => {
    for (const [, to] of rows) expect(bound(to), to).toBe(false);
    expect(bound('{ any: true }')).toBe(false);
  });

  it('of a claim with a list, every element has to hold', () => {
    const to = `{ token: { issuer: "${issuer}", claims: { "orgs[*].name": { prefix: acme } } } }`;
    expect(bound(to, token({ claims: { orgs: [{ name: 'acme-a' }, { name: 'acme-b' }] } }))).toBe(true);
    expect(bound(to, token({ claims: { orgs: [{ name: 'acme-a' }, { name: 'other' }] } }))).toBe(false);
    expect(bound(to, token({ claims: { orgs: [] } }))).toBe(false);
  });
});
