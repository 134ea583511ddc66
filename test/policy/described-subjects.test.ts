import { describe, expect, it } from 'vitest';
import type { SubjectCredential } from '../../src/policy/access-request.ts';
import { describeCaller, describeSubject } from '../../src/policy/describe-subject.ts';
import { policyOf } from './support/build.ts';

const text = (role: string) =>
  `version: 1\nroles: { ${role}: { allow: [{ tools: [a] }] } }\nbindings: [{ roles: [${role}], to: { any: true } }]`;
const subjectOf = (...credentials: SubjectCredential[]) => ({ id: 'someone', credentials });
const token = (claims: Record<string, unknown>): SubjectCredential => ({
  kind: 'token',
  issuer: 'https://i.example',
  subject: 'a',
  scopes: ['s'],
  claims,
});
const certificate = (uris: readonly string[] = [], commonName?: string): SubjectCredential => ({
  kind: 'certificate',
  fingerprint256: 'ab',
  commonName,
  uris,
  dns: ['a.example'],
});
const apiKey = (name: string): SubjectCredential => ({ kind: 'apiKey', name });
const anonymous: SubjectCredential = { kind: 'anonymous' };
const known = { id: 'someone', roles: ['r'] };

describe('the domain of a caller', () => {
  it.each<[string, Record<string, unknown>, string | undefined]>([
    ['its mail address', { email: 'a@B.Example' }, 'b.example'],
    ['its verified mail address', { email: 'a@b.example', email_verified: true }, 'b.example'],
    ['nothing for an unverified address', { email: 'a@b.example', email_verified: false }, undefined],
    ['nothing for a text that says verified', { email: 'a@b.example', email_verified: 'true' }, undefined],
    ['nothing without an address', {}, undefined],
    ['nothing for an address that is no text', { email: ['a@b.example'] }, undefined],
    ['nothing for a text that is no address', { email: 'b.example' }, undefined],
    ['nothing for an address with words before', { email: 'x a@b.example' }, undefined],
    ['nothing for an address with words behind', { email: 'a@b.example x' }, undefined],
    ['nothing for an address with two signs', { email: 'a@evil.example@b.example' }, undefined],
  ])('is that of %s: %j', (_title, claims, domain) => {
    const expected = { ...known, claims, ...(domain === undefined ? {} : { domain }) };
    expect(describeSubject(subjectOf(token(claims)), policyOf(text('r')))).toStrictEqual(expected);
  });

  it.each<[string, readonly string[], string | undefined]>([
    ['its SPIFFE ID', ['spiffe://trust.example/a'], 'trust.example'],
    ['a SPIFFE ID without a path', ['spiffe://trust.example'], 'trust.example'],
    ['its first SPIFFE ID', ['https://x.example/', 'spiffe://one/a', 'spiffe://two/a'], 'one'],
    ['nothing for another URI', ['https://x.example/'], undefined],
    ['nothing for a URI with a SPIFFE ID inside', ['https://x.example/spiffe://trust.example/a'], undefined],
    ['nothing for a SPIFFE ID with a port', ['spiffe://trust.example:1/a'], undefined],
    ['nothing without URIs', [], undefined],
  ])('is that of %s', (_title, uris, domain) => {
    const expected = { ...known, ...(domain === undefined ? {} : { domain }) };
    expect(describeSubject(subjectOf(certificate(uris)), policyOf(text('r')))).toStrictEqual(expected);
  });

  it('is found behind a credential that has none', () => {
    const subject = subjectOf(apiKey('k'), certificate(['spiffe://trust.example/a']));
    expect(describeSubject(subject, policyOf(text('r')))).toStrictEqual({
      ...known,
      domain: 'trust.example',
    });
  });

  it('is the mail address before the SPIFFE ID', () => {
    const subject = subjectOf(certificate(['spiffe://trust.example/a']), token({ email: 'a@b.example' }));
    expect(describeSubject(subject, policyOf(text('r')))).toMatchObject({ domain: 'b.example' });
  });
});

describe('a caller as an expression sees it', () => {
  it.each<[string, readonly SubjectCredential[], Record<string, unknown>]>([
    ['nobody known', [anonymous], { anonymous: true }],
    ['an API key', [apiKey('k')], { apiKey: 'k', anonymous: false }],
    ['an API key of somebody anonymous', [apiKey('k'), anonymous], { apiKey: 'k', anonymous: true }],
    ['neither of two API keys', [apiKey('k'), apiKey('l')], { anonymous: false }],
    [
      'a token',
      [token({ x: 1 })],
      {
        claims: { x: 1 },
        token: { issuer: 'https://i.example', subject: 'a', scopes: ['s'] },
        anonymous: false,
      },
    ],
    [
      'a token of a client, bound to its key',
      [{ ...token({}), clientId: 'c', bound: 'dpop' } as SubjectCredential],
      {
        claims: {},
        token: { issuer: 'https://i.example', subject: 'a', scopes: ['s'], client: 'c', bound: 'dpop' },
        anonymous: false,
      },
    ],
    ['neither of two tokens', [token({ x: 1 }), token({ x: 1 })], { anonymous: false }],
    [
      'a certificate',
      [certificate([], 'c')],
      { certificate: { uris: [], dns: ['a.example'], fingerprint: 'ab', cn: 'c' }, anonymous: false },
    ],
    [
      'a certificate without a common name',
      [certificate()],
      { certificate: { uris: [], dns: ['a.example'], fingerprint: 'ab' }, anonymous: false },
    ],
  ])('shows %s', (_title, credentials, seen) => {
    expect(describeCaller(subjectOf(...credentials), policyOf(text('r')))).toStrictEqual({
      ...known,
      ...seen,
    });
  });
});

describe.each([
  ['relations', describeSubject],
  ['expressions', describeCaller],
])('the caller of %s', (_title, seen) => {
  it('is remembered as long as the policy is the same', () => {
    const [subject, policy] = [subjectOf(anonymous), policyOf(text('r'))];
    expect(seen(subject, policy)).toBe(seen(subject, policy));
  });

  it('has its roles of the new policy once there is one', () => {
    const subject = subjectOf(anonymous);
    expect(seen(subject, policyOf(text('old')))).toMatchObject({ roles: ['old'] });
    expect(seen(subject, policyOf(text('new')))).toMatchObject({ roles: ['new'] });
  });
});
