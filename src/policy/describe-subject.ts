import type { JsonObject } from '../values/json.ts';
import type { Subject, SubjectCredential } from './access-request.ts';
import { rolesOf } from './bindings.ts';
import type { CompiledPolicy } from './model.ts';

/**
 * The caller as relations see it: `id`, `roles`, `claims` of its token, and `domain`: that of the mail address that its
 * token's issuer has not called unverified, or else the trust domain of its SPIFFE ID. What there is not is absent, so
 * that a relation over it cannot hold.
 *
 * Remembered for each subject object as long as the policy is the same.
 */
export function describeSubject(subject: Subject, policy: CompiledPolicy): JsonObject {
  const known = described.get(subject);
  if (known !== undefined && known.policy === policy) return known.caller;
  const claims = claimsOf(subject);
  const domain = mailDomain(claims) ?? trustDomain(subject);
  const caller: JsonObject = {
    id: subject.id,
    roles: rolesOf(subject, policy).roles.map(({ name }) => name),
    ...(claims === undefined ? {} : { claims }),
    ...(domain === undefined ? {} : { domain }),
  };
  described.set(subject, { policy, caller });
  return caller;
}

/**
 * The caller as `when: { cel }` sees it: as relations do, and each credential beside. A kind of which the caller has
 * none, or more than one, is absent: nobody can say which of two tokens an expression means.
 */
export function describeCaller(subject: Subject, policy: CompiledPolicy): JsonObject {
  const known = callers.get(subject);
  if (known !== undefined && known.policy === policy) return known.caller;
  const certificate = only(subject, 'certificate');
  const token = only(subject, 'token');
  const apiKey = only(subject, 'apiKey');
  const { claims, ...described } = describeSubject(subject, policy);
  const caller: JsonObject = {
    ...described,
    ...(claims === undefined || token === undefined ? {} : { claims }),
    ...(certificate === undefined ? {} : { certificate: describeCertificate(certificate) }),
    ...(token === undefined ? {} : { token: describeToken(token) }),
    ...(apiKey === undefined ? {} : { apiKey: apiKey.name }),
    anonymous: subject.credentials.some(({ kind }) => kind === 'anonymous'),
  };
  callers.set(subject, { policy, caller });
  return caller;
}

function describeCertificate(of: Extract<SubjectCredential, { kind: 'certificate' }>): JsonObject {
  const { uris, dns, commonName: cn, fingerprint256: fingerprint } = of;
  return { uris, dns, fingerprint, ...(cn === undefined ? {} : { cn }) };
}

/** With its own scopes only: an expression that means implied ones says so. */
function describeToken(of: Extract<SubjectCredential, { kind: 'token' }>): JsonObject {
  const { issuer, subject, scopes, clientId: client, bound } = of;
  return {
    issuer,
    subject,
    scopes,
    ...(client === undefined ? {} : { client }),
    ...(bound === undefined ? {} : { bound }),
  };
}

function only<Kind extends SubjectCredential['kind']>({ credentials }: Subject, kind: Kind) {
  const found = credentials.filter((one) => one.kind === kind);
  return found.length === 1 ? (found[0] as Extract<SubjectCredential, { kind: Kind }>) : undefined;
}

const callers = new WeakMap<Subject, { readonly policy: CompiledPolicy; readonly caller: JsonObject }>();
const described = new WeakMap<Subject, { readonly policy: CompiledPolicy; readonly caller: JsonObject }>();

/** A token's claims are JSON that its issuer signed. */
function claimsOf({ credentials }: Subject): JsonObject | undefined {
  const token = credentials.find((credential) => credential.kind === 'token');
  return token?.claims as JsonObject | undefined;
}

function mailDomain(claims: JsonObject | undefined): string | undefined {
  if (claims === undefined || !Object.hasOwn(claims, 'email') || typeof claims.email !== 'string')
    return undefined;
  // Where the claim is there, only true proves anything (OpenID Connect Core 1.0, 5.1).
  if (Object.hasOwn(claims, 'email_verified') && claims.email_verified !== true) return undefined;
  return /^[^@\s]+@([A-Za-z0-9.-]+)$/.exec(claims.email)?.[1]?.toLowerCase();
}

function trustDomain({ credentials }: Subject): string | undefined {
  for (const credential of credentials) {
    if (credential.kind !== 'certificate') continue;
    for (const uri of credential.uris) {
      const match = /^spiffe:\/\/([a-z0-9._-]+)(?:\/|$)/.exec(uri);
      if (match !== null) return match[1];
    }
  }
  return undefined;
}
