import type { ArgumentRule } from '../arguments/rule.ts';
import type { ResultRule } from '../results/rule.ts';
import type { ResourceKind, Subject } from './access-request.ts';
import { rolesOf } from './bindings.ts';
import type { CompiledPolicy, ContentIndex, ContentRow, FlowRule, ToolMark } from './model.ts';
import { coversUpstream, findInScope } from './scope.ts';

export type { FlowRule, ToolMark } from './model.ts';

/** What a message is about, as rules on content match it. */
export interface ContentQuestion {
  readonly upstream: string;
  readonly kind: ResourceKind;
  /** Tool, prompt or method name, or normalised URI. */
  readonly name: string;
  readonly subject: Subject;
}

/** The entries of `arguments:` that judge this call, in the order in which they are written. */
export function argumentRulesFor(policy: CompiledPolicy, about: ContentQuestion): readonly ArgumentRule[] {
  return find(policy, policy.parts.arguments, about);
}

/** The entries of `arguments:` that judge calls of a tool, whoever makes them. */
export function argumentRulesAbout(
  policy: CompiledPolicy,
  upstream: string,
  tool: string,
): readonly ArgumentRule[] {
  const found: ContentRow<ArgumentRule>[] = [];
  findInScope(policy.parts.arguments.index, upstream, 'tool', tool, found);
  return [...new Set(found)].filter((row) => coversUpstream(row.upstreams, upstream)).map(({ rule }) => rule);
}

/** The entries of `results:` that apply to what comes back, in the order in which they are written. */
export function resultRulesFor(policy: CompiledPolicy, about: ContentQuestion): readonly ResultRule[] {
  return find(policy, policy.parts.results, about);
}

/** What `tools:` says of a target, all entries together. */
export function marksOf(policy: CompiledPolicy, about: ContentQuestion): ToolMark {
  const marks = find(policy, policy.parts.marks, about);
  if (marks.length === 0) return noMark;
  return {
    untrusted: marks.some(({ untrusted }) => untrusted),
    egress: marks.some(({ egress }) => egress),
  };
}

/** The entries of `flows:` that hold back the egress calls of a subject. */
export function flowRulesFor(
  policy: CompiledPolicy,
  about: { readonly upstream: string; readonly subject: Subject },
): readonly FlowRule[] {
  const { flows } = policy.parts;
  if (flows.length === 0) return none;
  return flows.filter((row) => applies(row, about, policy)).map(({ rule }) => rule);
}

/** Whether any target is marked at all. */
export function hasMarks(policy: CompiledPolicy): boolean {
  return policy.parts.marks.count > 0;
}

/** The longest `hold` of all entries of `flows:`, milliseconds; 0 without any. */
export function longestHold(policy: CompiledPolicy): number {
  return policy.parts.longestHold;
}

const none: readonly never[] = Object.freeze([]);
const noMark: ToolMark = Object.freeze({ untrusted: false, egress: false });

function find<T>(policy: CompiledPolicy, section: ContentIndex<T>, about: ContentQuestion): readonly T[] {
  if (section.count === 0) return none;
  const found: ContentRow<T>[] = [];
  findInScope(section.index, about.upstream, about.kind, about.name, found);
  const [first] = found;
  if (first === undefined) return none;
  if (found.length === 1) return applies(first, about, policy) ? first.alone : none;
  const rows = new Set<ContentRow<T>>();
  for (const row of found) if (applies(row, about, policy)) rows.add(row);
  return [...rows].sort((a, b) => a.order - b.order).map(({ rule }) => rule);
}

function applies<T>(
  row: Pick<ContentRow<T>, 'upstreams' | 'roles'>,
  about: { readonly upstream: string; readonly subject: Subject },
  policy: CompiledPolicy,
): boolean {
  if (!coversUpstream(row.upstreams, about.upstream)) return false;
  if (row.roles === undefined) return true;
  return rolesOf(about.subject, policy).roles.some((role) => row.roles?.has(role));
}
