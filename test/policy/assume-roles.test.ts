import { expect, it } from 'vitest';
import type { SubjectCredential } from '../../src/policy/access-request.ts';
import { assumeRoles } from '../../src/policy/assume-roles.ts';
import { rolesOf } from '../../src/policy/bindings.ts';
import { decide } from '../../src/policy/decide.ts';
import { policyOf, requestOf } from './support/build.ts';

const policy = policyOf(`version: 1
roles: { a: { allow: [{ tools: t, when: { claims: { g: x } } }] }, b: { allow: [{ tools: u }] } }
bindings: [{ roles: b, to: { any: true } }]
scopes: [{ match: {}, scopes: s }]
`);
const token: SubjectCredential = { kind: 'token', issuer: 'i', subject: 's', scopes: [], claims: { g: 'x' } };
const subject = { id: 'recorded', credentials: [token] };

it('a recorded caller has the roles of the record, each once, and no others', () => {
  const assumed = assumeRoles(subject, ['a', 'a', 'gone', 'constructor', 'A'], policy);
  const { roles, bindings } = rolesOf(assumed, policy);
  expect(roles.map(({ name }) => name)).toEqual(['a']);
  expect(bindings).toEqual([]);
  expect(assumed).toEqual(subject);
  const effect = (tool: string, by = assumed) =>
    decide({ ...requestOf({ tool }), subject: by }, policy).effect;
  // The claims are its own, and no scope is asked of it.
  expect(effect('t')).toBe('allow');
  expect(effect('u')).toBe('deny');
  expect(rolesOf(subject, policy).roles.map(({ name }) => name)).toEqual(['b']);
  expect(decide({ ...requestOf({ tool: 'u' }), subject }, policy).reasons[0].code).toBe('scope-missing');
});
