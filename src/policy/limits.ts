import type { ResourceKind, Subject } from './access-request.ts';
import { rolesOf } from './bindings.ts';
import { inForce } from './in-time.ts';
import type { CompiledLimit, CompiledPolicy, LimitRow, Role } from './model.ts';
import { coversUpstream, findInScope } from './scope.ts';

/** What is about to happen, as limits match it. */
export interface LimitQuestion {
  readonly upstream: string;
  readonly kind: ResourceKind;
  /** Name of the target: tool, prompt, resource URI; the method itself where `kind` is `method`. */
  readonly name: string;
  /** The JSON-RPC method: what `methods:` of a limit matches, whatever the target. */
  readonly method: string;
  readonly subject: Subject;
  /** When it happens, milliseconds since the epoch: a limit may be tried out until a certain time. */
  readonly time: number;
}

/** The limits that count this, each once, in the order in which they are written. */
export function limitsFor(policy: CompiledPolicy, about: LimitQuestion): readonly CompiledLimit[] {
  if (policy.limits.length === 0) return policy.limits;
  const index = policy.parts.limitIndex;
  const found: LimitRow[] = [];
  findInScope(index, about.upstream, about.kind, about.name, found);
  if (about.kind !== 'method') findInScope(index, about.upstream, 'method', about.method, found);
  if (found.length === 0) return [];
  sortByOrder(found);
  const limits: CompiledLimit[] = [];
  let last: LimitRow | undefined;
  for (const row of found) {
    // Several patterns of one limit may match.
    if (row === last) continue;
    last = row;
    if (!coversUpstream(row.upstreams, about.upstream)) continue;
    if (row.roles !== undefined && !hasAny(about.subject, row.roles, policy)) continue;
    limits.push(inForce(row.limit, about.time));
  }
  return limits;
}

/** They mostly are in order, and few. */
function sortByOrder(rows: LimitRow[]): void {
  for (let index = 1; index < rows.length; index += 1) {
    if (rows[index]!.order < rows[index - 1]!.order) {
      rows.sort((one, other) => one.order - other.order);
      return;
    }
  }
}

function hasAny(subject: Subject, roles: ReadonlySet<Role>, policy: CompiledPolicy): boolean {
  return rolesOf(subject, policy).roles.some((role) => roles.has(role));
}

/** Names of the subject's roles under which a limit counts it, sorted: those that its `match` means. */
export function rolesCounted(
  policy: CompiledPolicy,
  limit: CompiledLimit,
  subject: Subject,
): readonly string[] {
  return rolesOf(subject, policy)
    .roles.map(({ name }) => name)
    .filter((name) => limit.roles?.has(name) !== false)
    .sort();
}
