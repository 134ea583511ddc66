import type { AuthenticatorAnswer } from './authenticator.ts';
import type { Credential, Principal } from './principal.ts';
import { joinIds } from './principal-id.ts';

/** A credential that was proven. */
export type Proven = AuthenticatorAnswer & { readonly kind: 'proven' };

interface Branch {
  principal: Principal | undefined;
  readonly next: WeakMap<Credential, Branch>;
}

/**
 * Remembers the Principal of each sequence of credential objects, so that policy can remember the roles of each
 * Principal. Needs no bound of its own: an entry goes when the authenticators' bounded caches let go of a credential.
 */
export function createPrincipals(): { of(proven: readonly Proven[]): Principal } {
  const root: Branch = { principal: undefined, next: new WeakMap() };
  return {
    of(proven) {
      let branch = root;
      for (const { credential } of proven) {
        let next = branch.next.get(credential);
        if (next === undefined) {
          next = { principal: undefined, next: new WeakMap() };
          branch.next.set(credential, next);
        }
        branch = next;
      }
      branch.principal ??= toPrincipal(proven);
      return branch.principal;
    },
  };
}

function toPrincipal(proven: readonly Proven[]): Principal {
  let expiresAt: number | undefined;
  for (const { credential } of proven) {
    if (credential.kind === 'anonymous' || credential.expiresAt === undefined) continue;
    expiresAt = Math.min(expiresAt ?? Number.POSITIVE_INFINITY, credential.expiresAt);
  }
  return Object.freeze({
    id: joinIds(proven.map(({ principalId }) => principalId)),
    credentials: Object.freeze(proven.map(({ credential }) => credential)),
    expiresAt,
  });
}
