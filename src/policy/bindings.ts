import type { Subject, SubjectCredential } from './access-request.ts';
import type { BindingDocument, CredentialDocument } from './binding-document.ts';
import { compileClaims } from './conditions/claims.ts';
import type { CompiledBinding, CompiledPolicy, Role, RoleSet } from './model.ts';
import { compilePattern, type NamePattern, type Separator } from './pattern.ts';
import { heldScopes, impliedBy, type ScopeHierarchy } from './required-scopes.ts';

/**
 * The roles of a subject, and the bindings that give them. Remembered for each subject object, so that a caller's
 * second request finds them at once; a subject must therefore not change after it is first seen.
 */
export function rolesOf(subject: Subject, policy: CompiledPolicy): RoleSet {
  const { bindings, hierarchy, roleSets } = policy.parts;
  const known = roleSets.get(subject);
  if (known !== undefined) return known;
  const matching = bindings.filter((binding) => binding.matches(subject));
  const roles = new Set<Role>();
  for (const binding of matching) for (const role of binding.roles) roles.add(role);
  for (const role of keyRoles(subject, policy)) roles.add(role);
  const set: RoleSet = { roles: [...roles], bindings: matching, scopes: heldScopes(subject, hierarchy) };
  roleSets.set(subject, set);
  return set;
}

/** The roles that the key file gives to the caller's API key, as far as the policy defines them. */
function* keyRoles({ credentials }: Subject, policy: CompiledPolicy): Generator<Role> {
  for (const credential of credentials) {
    if (credential.kind !== 'apiKey') continue;
    for (const name of credential.roles ?? []) {
      const role = policy.parts.roles.get(name);
      if (role !== undefined) yield role;
    }
  }
}

/** Whether one of a binding's alternatives describes one of the subject's credentials, or would with more scopes. */
export function compileBinding(
  document: BindingDocument,
  hierarchy: ScopeHierarchy,
): Pick<CompiledBinding, 'matches' | 'lackingScopes'> {
  const tests = document.to.map((credential) => compileCredential(credential, hierarchy));
  const lacking = document.to.flatMap((credential) =>
    'token' in credential ? [compileLacking(credential.token, hierarchy)] : [],
  );
  const matches = ({ credentials }: Subject) =>
    tests.some((test) => credentials.some((credential) => test(credential)));
  return {
    matches,
    lackingScopes: (subject) => {
      if (lacking.length === 0 || matches(subject)) return [];
      return lacking
        .flatMap((lacks) => subject.credentials.map(lacks))
        .filter((scopes) => scopes !== undefined && scopes.length > 0) as readonly (readonly string[])[];
    },
  };
}

type CredentialTest = (credential: SubjectCredential) => boolean;

function compileCredential(document: CredentialDocument, hierarchy: ScopeHierarchy): CredentialTest {
  if ('any' in document) return () => true;
  if ('anonymous' in document) return (credential) => credential.kind === 'anonymous';
  if ('apiKey' in document) {
    const names = compileAll(document.apiKey, undefined);
    return (credential) => credential.kind === 'apiKey' && anyMatches(names, [credential.name]);
  }
  if ('certificate' in document) return compileCertificate(document.certificate);
  const lacks = compileLacking(document.token, hierarchy);
  return (credential) => lacks(credential)?.length === 0;
}

/** All that is given must hold of the same certificate. */
function compileCertificate(
  document: Extract<CredentialDocument, { certificate: unknown }>['certificate'],
): CredentialTest {
  const uris = compileAll(document.uri, '/');
  const dns = compileAll(document.dns, '.');
  const names = compileAll(document.cn, undefined);
  const fingerprints = document.fingerprint?.map((text) => text.replaceAll(':', '').toLowerCase());
  return (credential) =>
    credential.kind === 'certificate' &&
    anyMatches(uris, credential.uris) &&
    anyMatches(dns, credential.dns) &&
    anyMatches(names, credential.commonName === undefined ? [] : [credential.commonName]) &&
    (fingerprints === undefined || fingerprints.includes(credential.fingerprint256));
}

/**
 * All that is given must hold of the same token. A claim that cannot be evaluated binds nothing.
 *
 * @returns the scopes that the token lacks; undefined where it would not do with any
 */
function compileLacking(
  document: Extract<CredentialDocument, { token: unknown }>['token'],
  hierarchy: ScopeHierarchy,
): (credential: SubjectCredential) => readonly string[] | undefined {
  const subjects = compileAll(document.subject, undefined);
  const clients = compileAll(document.client, undefined);
  const claims = document.claims === undefined ? undefined : compileClaims(document.claims, 'allow');
  const { issuer, scopes, bound } = document;
  return (credential) => {
    if (credential.kind !== 'token' || credential.issuer !== issuer) return undefined;
    if (!anyMatches(subjects, [credential.subject])) return undefined;
    if (!anyMatches(clients, credential.clientId === undefined ? [] : [credential.clientId]))
      return undefined;
    if (bound !== undefined && (credential.bound === undefined || !bound.includes(credential.bound)))
      return undefined;
    if (claims !== undefined && claims.test(credential.claims) !== 'true') return undefined;
    if (scopes === undefined) return [];
    const held = impliedBy(credential.scopes, hierarchy);
    return scopes.filter((scope) => !held.has(scope));
  };
}

function compileAll(
  texts: readonly string[] | undefined,
  separator: Separator,
): readonly NamePattern[] | undefined {
  return texts?.map((text) => compilePattern(text, separator));
}

/** Where nothing is asked, anything will do. */
function anyMatches(patterns: readonly NamePattern[] | undefined, names: readonly string[]): boolean {
  return patterns === undefined || patterns.some((pattern) => names.some((name) => pattern.matches(name)));
}
