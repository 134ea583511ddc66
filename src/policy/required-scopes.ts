import type { AccessRequest, Subject } from './access-request.ts';
import type { CompiledPolicy, Role, ScopeRule } from './model.ts';
import { coversUpstream, findInScope } from './scope.ts';
import { isOnTrial } from './trial.ts';

/** An entry of `scopes:` that asks for something that a token lacks. */
export interface MissingScopes {
  readonly rule: ScopeRule;
  /** In the order in which the entry names them; never empty. */
  readonly missing: readonly string[];
}

/**
 * The entries of `scopes:` that are about a target, in the order in which they are written.
 *
 * @param roles of the caller; undefined: of a caller whom nobody knows yet, whom entries for roles do not ask
 */
export function scopeRulesFor(
  { resource: { upstream, kind, name } }: AccessRequest,
  roles: readonly Role[] | undefined,
  policy: CompiledPolicy,
): readonly ScopeRule[] {
  const { count, index } = policy.parts.scopes;
  if (count === 0) return none;
  const found: ScopeRule[] = [];
  findInScope(index, upstream, kind, name, found);
  const rules = new Set<ScopeRule>();
  for (const rule of found) {
    if (!coversUpstream(rule.scope.upstreams, upstream)) continue;
    if (rule.roles !== undefined && roles?.some((role) => rule.roles?.has(role)) !== true) continue;
    rules.add(rule);
  }
  return [...rules].sort((a, b) => a.order - b.order);
}

/**
 * What `scopes:` asks of the caller's token for a target, and is not there.
 *
 * @param held as of `rolesOf(…).scopes`; undefined: there is no token, so nothing is asked
 * @param onTrial the entries that are enforced, or those that are only tried out
 */
export function missingScopes(
  rules: readonly ScopeRule[],
  held: ReadonlySet<string> | undefined,
  time: number,
  onTrial: boolean,
): readonly MissingScopes[] {
  if (held === undefined) return none;
  const found: MissingScopes[] = [];
  for (const rule of rules) {
    if (isOnTrial(rule, time) !== onTrial) continue;
    const missing = rule.scopes.filter((scope) => !held.has(scope));
    if (missing.length > 0) found.push({ rule, missing });
  }
  return found;
}

const none: readonly never[] = Object.freeze([]);

/** Scope -> every scope that it implies, through however many steps. */
export type ScopeHierarchy = ReadonlyMap<string, ReadonlySet<string>>;

/** What a list of scopes amounts to: they, and all that they imply. */
export function impliedBy(scopes: readonly string[], hierarchy: ScopeHierarchy): ReadonlySet<string> {
  const all = new Set(scopes);
  for (const scope of scopes) for (const implied of hierarchy.get(scope) ?? none) all.add(implied);
  return all;
}

/**
 * The scopes that a caller has by its token; undefined where it has none. Of two tokens only what both have counts:
 * nobody can say which of them the caller meant.
 */
export function heldScopes(
  { credentials }: Subject,
  hierarchy: ScopeHierarchy,
): ReadonlySet<string> | undefined {
  let held: ReadonlySet<string> | undefined;
  for (const credential of credentials) {
    if (credential.kind !== 'token') continue;
    const own = impliedBy(credential.scopes, hierarchy);
    held = held === undefined ? own : held.intersection(own);
  }
  return held;
}
