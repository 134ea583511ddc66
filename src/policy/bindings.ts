import type { Subject, SubjectCredential } from './access-request.ts';
import { compileClaims } from './conditions/claims.ts';
import type { BindingDocument, CredentialDocument } from './document.ts';
import type { CompiledPolicy, Role, RoleSet } from './model.ts';
import { compilePattern, type NamePattern, type Separator } from './pattern.ts';

/**
 * The roles of a subject, and the bindings that give them. Remembered for each subject object, so that a caller's
 * second request finds them at once; a subject must therefore not change after it is first seen.
 */
export function rolesOf(subject: Subject, policy: CompiledPolicy): RoleSet {
  const { bindings, roleSets } = policy.parts;
  const known = roleSets.get(subject);
  if (known !== undefined) return known;
  const matching = bindings.filter((binding) => binding.matches(subject));
  const roles = new Set<Role>();
  for (const binding of matching) for (const role of binding.roles) roles.add(role);
  const set: RoleSet = { roles: [...roles], bindings: matching };
  roleSets.set(subject, set);
  return set;
}

/** Whether one of a binding's alternatives describes one of the subject's credentials. */
export function compileBinding(document: BindingDocument): (subject: Subject) => boolean {
  const tests = document.to.map(compileCredential);
  return (subject) =>
    subject.credentials.length > 0 &&
    tests.some((test) => subject.credentials.some((credential) => test(credential)));
}

type CredentialTest = (credential: SubjectCredential) => boolean;

function compileCredential(document: CredentialDocument): CredentialTest {
  if ('any' in document) return () => true;
  if ('anonymous' in document) return (credential) => credential.kind === 'anonymous';
  if ('apiKey' in document) {
    const names = compileAll(document.apiKey, undefined);
    return (credential) => credential.kind === 'apiKey' && anyMatches(names, [credential.name]);
  }
  return 'certificate' in document ? compileCertificate(document.certificate) : compileToken(document.token);
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

/** All that is given must hold of the same token. A claim that cannot be evaluated binds nothing. */
function compileToken(document: Extract<CredentialDocument, { token: unknown }>['token']): CredentialTest {
  const subjects = compileAll(document.subject, undefined);
  const claims = document.claims === undefined ? undefined : compileClaims(document.claims, 'allow');
  return (credential) =>
    credential.kind === 'token' &&
    credential.issuer === document.issuer &&
    anyMatches(subjects, [credential.subject]) &&
    (document.scopes?.every((scope) => credential.scopes.includes(scope)) ?? true) &&
    (claims === undefined || claims.test(credential.claims) === 'true');
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
