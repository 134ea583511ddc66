import type { ArgumentRule } from '../arguments/rule.ts';
import type { FlowDocument } from '../flows/options.ts';
import type { ResultRule } from '../results/rule.ts';
import type { Action, ResourceKind, Subject } from './access-request.ts';
import type { CompiledAmount } from './amount.ts';
import type { RuleEffect } from './conditions/condition.ts';
import type { When } from './conditions/when.ts';
import type { Coverage } from './coverage.ts';
import type { LimitKey, Period } from './limit-document.ts';
import type { NameIndex } from './name-index.ts';
import type { NamePattern } from './pattern.ts';
import type { Priority } from './priority-names.ts';
import type { ScopeHierarchy } from './required-scopes.ts';
import type { Trial } from './trial.ts';

/** What `compilePolicy` makes and `decide`, `limitsFor` and `explain` read. */

/** Where a rule is written: its id and `file:line`. */
export interface RuleOrigin {
  readonly id: string;
  readonly location: string;
}

export interface CompiledRule extends RuleOrigin, Trial {
  /** Position among all rules, files in order of their names: reasons come in this order. */
  readonly order: number;
  readonly effect: RuleEffect;
  /** Whose rule it is: one role, or those of an ACL entry. */
  readonly roles: readonly Role[];
  /** Undefined: every action. */
  readonly actions: ReadonlySet<Action> | undefined;
  readonly when: When | undefined;
  readonly auditArguments: boolean;
  readonly scope: Scope;
}

/** Which targets something is about. */
export interface Scope {
  /** Undefined: every upstream. */
  readonly upstreams: readonly NamePattern[] | undefined;
  /** Undefined: every target. Otherwise a kind that is absent is not meant. */
  readonly names: ReadonlyMap<ResourceKind, readonly NamePattern[]> | undefined;
}

export interface Role {
  readonly name: string;
  readonly location: string;
  readonly rules: ScopeIndex<CompiledRule>;
  readonly coverage: Coverage;
  /** How much its callers matter in an overload. */
  readonly priority: Priority;
}

/** An `acl` entry's object: once it matches, only its entries say who may. */
export interface AclObject extends RuleOrigin, Trial {
  readonly order: number;
  readonly scope: Scope;
  readonly entries: ReadonlyMap<Role, readonly CompiledRule[]>;
}

/** One entry of `scopes:`. */
export interface ScopeRule extends RuleOrigin, Trial {
  readonly order: number;
  readonly scope: Scope;
  /** Undefined: whatever roles the caller has. */
  readonly roles: ReadonlySet<Role> | undefined;
  /** Never empty. */
  readonly scopes: readonly string[];
}

/** Upstream, then kind, then name. */
export interface ScopeIndex<T> {
  readonly exact: Map<string, Map<ResourceKind, NameIndex<T>>>;
  /** What is meant for every upstream, or for a pattern of upstreams. */
  readonly patterned: Map<ResourceKind, NameIndex<T>>;
}

/** What policy makes of the credentials of one subject. */
export interface RoleSet {
  readonly roles: readonly Role[];
  readonly bindings: readonly CompiledBinding[];
  /** With all that they imply; undefined where the subject has no token. */
  readonly scopes: ReadonlySet<string> | undefined;
}

export interface CompiledBinding extends RuleOrigin {
  readonly roles: readonly Role[];
  matches(subject: Subject): boolean;
  /**
   * Of each alternative that describes a token of the subject but for scopes, those that it lacks. Empty where the binding
   * matches without more, or would not for any scope.
   */
  lackingScopes(subject: Subject): readonly (readonly string[])[];
}

/** A rule that is in force as it is written, or still tried out, as the time is. */
export interface InTime<T> {
  readonly rule: T;
  /** The rule once its trial is over; undefined where it is none, or has no end. */
  readonly later: { readonly until: number; readonly rule: T } | undefined;
}

export interface LimitRow {
  readonly limit: InTime<CompiledLimit>;
  /** Position among all limits. */
  readonly order: number;
  readonly upstreams: readonly NamePattern[] | undefined;
  readonly roles: ReadonlySet<Role> | undefined;
}

/** A rule about content, beside what its targets do not say. */
export interface ContentRow<T> {
  /** The rule as a list, for calls that it alone is about: the same object each time. */
  readonly alone: InTime<readonly T[]>;
  /** Position among the rules of its section, files in order of their names. */
  readonly order: number;
  readonly upstreams: readonly NamePattern[] | undefined;
  readonly roles: ReadonlySet<Role> | undefined;
}

export interface ContentIndex<T> {
  readonly count: number;
  readonly index: ScopeIndex<ContentRow<T>>;
}

export interface ToolMark {
  readonly untrusted: boolean;
  readonly egress: boolean;
}

/** One entry of `timeouts:`. */
export interface TimeoutRule {
  readonly id: string;
  /** Milliseconds that the whole call may take. */
  readonly total: number;
}

/** One entry of `flows:`. */
export interface FlowRule extends FlowDocument {
  readonly id: string;
  /** `file:line`. */
  readonly location: string;
  readonly mode: 'enforce' | 'shadow';
}

/** One limit, ready to be counted. What it matches has been settled by `limitsFor`. */
export interface CompiledLimit {
  readonly name: string;
  /** What has a count of its own. */
  readonly per: readonly LimitKey[];
  /** Names of the roles of callers that it counts; undefined: every caller. */
  readonly roles: ReadonlySet<string> | undefined;
  /** So many in a period, and so many at once after a pause: a token bucket. */
  readonly rate?: { readonly count: number; readonly periodMs: number; readonly burst: number };
  /** Calls that may run at one time. */
  readonly concurrency?: number;
  /** Units in each window of the calendar. `most` in thousandths. */
  readonly quota?: { readonly period: Period; readonly most: number };
  /** Amounts from arguments, added up in each window of the calendar. `most` in thousandths. */
  readonly sum?: { readonly period: Period; readonly most: number; readonly amount: CompiledAmount };
  /** What a call costs of the rate and of the quota. */
  readonly cost: CompiledAmount;
  readonly onStoreLoss: 'local' | 'deny' | 'allow';
  readonly mode: 'enforce' | 'shadow';
  /** `file:line`. */
  readonly location: string;
}

export type { LimitKey } from './limit-document.ts';

/** A folder of policy files, ready to decide. Immutable: a reload makes a new one. */
export interface CompiledPolicy {
  /** SHA-256 over file names and texts, lower-case hex: names the policy in audit records. */
  readonly hash: string;
  readonly limits: readonly CompiledLimit[];
  /** Exact names that policy mentions: what may appear as a metric label. */
  readonly knownNames: { readonly tools: ReadonlySet<string>; readonly prompts: ReadonlySet<string> };
  /** For this room only. */
  readonly parts: PolicyParts;
}

export interface PolicyParts {
  readonly roles: ReadonlyMap<string, Role>;
  readonly rules: readonly CompiledRule[];
  readonly acl: readonly AclObject[];
  readonly aclIndex: ScopeIndex<AclObject>;
  readonly bindings: readonly CompiledBinding[];
  readonly scopes: { readonly count: number; readonly index: ScopeIndex<ScopeRule> };
  readonly hierarchy: ScopeHierarchy;
  readonly limitIndex: ScopeIndex<LimitRow>;
  readonly arguments: ContentIndex<ArgumentRule>;
  readonly results: ContentIndex<ResultRule>;
  readonly marks: ContentIndex<ToolMark>;
  readonly flows: readonly ContentRow<FlowRule>[];
  readonly timeouts: ContentIndex<TimeoutRule>;
  /** Whether a rule, an object or an entry of `scopes:` is tried out until a certain time: then decisions need one. */
  readonly dated: boolean;
  /** Milliseconds; 0 without any flow rule. */
  readonly longestHold: number;
  /** Roles by subject object: identity gives out one object for one credential while it is cached. */
  readonly roleSets: WeakMap<Subject, RoleSet>;
}
