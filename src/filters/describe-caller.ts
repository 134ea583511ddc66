import type { Principal } from '../identity/principal.ts';
import { rolesOf } from '../policy/bindings.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { JsonObject } from '../values/json.ts';

/**
 * The caller as relations see it: `id`, `roles`, `claims` of its token, and `domain`: that of the mail address that its
 * token's issuer has not called unverified, or else the trust domain of its SPIFFE ID. What there is not is absent, so
 * that a relation over it cannot hold.
 *
 * Remembered for each principal as long as the policy is the same.
 */
export function describeCaller(principal: Principal, policy: CompiledPolicy): JsonObject {
  const known = described.get(principal);
  if (known !== undefined && known.policy === policy) return known.caller;
  const claims = claimsOf(principal);
  const domain = mailDomain(claims) ?? trustDomain(principal);
  const caller: JsonObject = {
    id: principal.id,
    roles: rolesOf(principal, policy).roles.map(({ name }) => name),
    ...(claims === undefined ? {} : { claims }),
    ...(domain === undefined ? {} : { domain }),
  };
  described.set(principal, { policy, caller });
  return caller;
}

const described = new WeakMap<Principal, { readonly policy: CompiledPolicy; readonly caller: JsonObject }>();

/** A token's claims are JSON that its issuer signed. */
function claimsOf({ credentials }: Principal): JsonObject | undefined {
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

function trustDomain({ credentials }: Principal): string | undefined {
  for (const credential of credentials) {
    if (credential.kind !== 'certificate') continue;
    for (const uri of credential.uris) {
      const match = /^spiffe:\/\/([a-z0-9._-]+)(?:\/|$)/.exec(uri);
      if (match !== null) return match[1];
    }
  }
  return undefined;
}
