import type { ArgumentRule } from '../arguments/rule.ts';
import type { ResultRule } from '../results/rule.ts';
import type { ResourceKind, Subject } from './access-request.ts';
import { rolesOf } from './bindings.ts';
import { inForce } from './in-time.ts';
import type { CompiledPolicy, ContentIndex, ContentRow, FlowRule, TimeoutRule, ToolMark } from './model.ts';
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

/** As {@link ContentQuestion}, for rules that may be tried out until a certain time. */
export interface TimedQuestion extends ContentQuestion {
  /** When the call arrived, milliseconds since the epoch. */
  readonly time: number;
}

/** The entries of `arguments:` that judge this call, in the order in which they are written. */
export function argumentRulesFor(policy: CompiledPolicy, about: TimedQuestion): readonly ArgumentRule[] {
  return find(policy, policy.parts.arguments, about, about.time);
}

/** The entries of `arguments:` that judge calls of a tool, whoever makes them, as they are written. */
export function argumentRulesAbout(
  policy: CompiledPolicy,
  upstream: string,
  tool: string,
): readonly ArgumentRule[] {
  const found: ContentRow<ArgumentRule>[] = [];
  findInScope(policy.parts.arguments.index, upstream, 'tool', tool, found);
  return [...new Set(found)]
    .filter((row) => coversUpstream(row.upstreams, upstream))
    .flatMap(({ alone }) => alone.rule);
}

/** The entries of `results:` that apply to what comes back, in the order in which they are written. */
export function resultRulesFor(policy: CompiledPolicy, about: TimedQuestion): readonly ResultRule[] {
  return find(policy, policy.parts.results, about, about.time);
}

/** What `tools:` says of a target, all entries together. */
export function marksOf(policy: CompiledPolicy, about: ContentQuestion): ToolMark {
  // Marks are never tried out: they are what they are at any time.
  const marks = find(policy, policy.parts.marks, about, 0);
  if (marks.length === 0) return noMark;
  return {
    untrusted: marks.some(({ untrusted }) => untrusted),
    egress: marks.some(({ egress }) => egress),
  };
}

/** The entries of `flows:` that hold back the egress calls of a subject. */
export function flowRulesFor(
  policy: CompiledPolicy,
  about: { readonly upstream: string; readonly subject: Subject; readonly time: number },
): readonly FlowRule[] {
  const { flows } = policy.parts;
  if (flows.length === 0) return none;
  return flows
    .filter((row) => applies(row, about, policy))
    .flatMap(({ alone }) => inForce(alone, about.time));
}

/** The shortest entry of `timeouts:` that is about a call; undefined where there is none. */
export function timeoutFor(policy: CompiledPolicy, about: ContentQuestion): TimeoutRule | undefined {
  // Times are never tried out: they are what they are at any time.
  const [first, ...others] = find(policy, policy.parts.timeouts, about, 0);
  return others.reduce((shortest, rule) => (rule.total < shortest!.total ? rule : shortest), first);
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

function find<T>(
  policy: CompiledPolicy,
  section: ContentIndex<T>,
  about: ContentQuestion,
  time: number,
): readonly T[] {
  if (section.count === 0) return none;
  const found: ContentRow<T>[] = [];
  findInScope(section.index, about.upstream, about.kind, about.name, found);
  const [first] = found;
  if (first === undefined) return none;
  if (found.length === 1) return applies(first, about, policy) ? inForce(first.alone, time) : none;
  const rows = new Set<ContentRow<T>>();
  for (const row of found) if (applies(row, about, policy)) rows.add(row);
  return [...rows].sort((a, b) => a.order - b.order).flatMap(({ alone }) => inForce(alone, time));
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
