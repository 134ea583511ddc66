import type { JsonObject } from '../values/json.ts';
import type { Subject } from './access-request.ts';
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
