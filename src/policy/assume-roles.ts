import type { Subject } from './access-request.ts';
import type { CompiledPolicy, Role } from './model.ts';

/**
 * A copy of a subject that has exactly these roles, whatever bindings say: for a caller of whom only a record is left.
 * Conditions on claims still read the subject's own credentials; `scopes:` asks for nothing, as none are recorded.
 *
 * @param names names that the policy does not define are left out
 */
export function assumeRoles(subject: Subject, names: readonly string[], policy: CompiledPolicy): Subject {
  const assumed: Subject = { id: subject.id, credentials: subject.credentials };
  const roles = [...new Set(names)]
    .map((name) => policy.parts.roles.get(name))
    .filter((role): role is Role => role !== undefined);
  policy.parts.roleSets.set(assumed, { roles, bindings: [], scopes: undefined });
  return assumed;
}
