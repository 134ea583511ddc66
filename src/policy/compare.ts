import type { JsonObject } from '../values/json.ts';
import type { AccessRequest, Subject } from './access-request.ts';
import type { PolicyFile } from './compile.ts';
import { decide } from './decide.ts';
import type { PolicyDocument } from './document.ts';
import { type ImaginedCaller, imagineCallers } from './imagine-callers.ts';
import { type ImaginedTarget, imagineTargets } from './imagine-targets.ts';
import type { CompiledPolicy } from './model.ts';
import { RuleTexts } from './rule-texts.ts';

/** One of two policies that are compared. */
export interface ComparedPolicy {
  readonly policy: CompiledPolicy;
  readonly files: readonly PolicyFile[];
}

/** What somebody may do to something: always, depending on the request, or never. */
export type Reach = 'always' | 'depends' | 'never';

/** One thing that is not the same for one caller. */
export interface Difference {
  readonly caller: string;
  readonly target: ImaginedTarget;
  readonly before: Reach;
  readonly after: Reach;
  /** `changed`: it depends on the request before and after, but on other conditions. */
  readonly kind: 'gains' | 'loses' | 'changed';
  /** Where it is not the reach that changed: the rules that name the target, before and after. */
  readonly conditions?: { readonly before: readonly string[]; readonly after: readonly string[] };
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** How many questions were put to both. */
  readonly asked: number;
  /** There were more questions than `most`: the answer is not whole. */
  readonly cut: boolean;
}

/** A million questions take some seconds. */
const mostQuestions = 2_000_000;

/** An address that hardly any network condition means (RFC 5737): what depends on it counts as depending. */
const nowhere = '192.0.2.1';

export interface CompareOptions {
  /** Upstreams that exist beside those that the policies name. */
  readonly upstreams?: readonly string[];
  /** Milliseconds since the epoch: which rules in shadow mode have come to their end. */
  readonly time: number;
  /** Questions after which it stops. */
  readonly most?: number;
}

/**
 * Who gains and who loses what between two policies, over every caller and every target that either of them can tell
 * apart ({@link imagineCallers}, {@link imagineTargets}). Conditions on arguments, network and time are compared as
 * they are written: two spellings of one condition count as a change.
 */
export function comparePolicies(
  before: ComparedPolicy,
  after: ComparedPolicy,
  { upstreams, time, most = mostQuestions }: CompareOptions,
): Comparison {
  const documents = [...before.files, ...after.files].map(({ document }) => document);
  const callers = imagineCallers(documents);
  const targets = imagineTargets(documents, upstreams ?? []);
  const [old, next] = [new RuleTexts(before), new RuleTexts(after)];
  const differences: Difference[] = [];
  let asked = 0;
  for (const caller of callers) {
    // Roles are remembered by subject and policy, so the two do not meet.
    for (const target of targets) {
      if (asked >= most) return { differences, asked, cut: true };
      asked += 1;
      const found = differ(
        requestOf(caller.subject, target, time),
        caller,
        target,
        [before.policy, old],
        [after.policy, next],
      );
      if (found !== undefined) differences.push(found);
    }
  }
  return { differences, asked, cut: false };
}

type Side = readonly [CompiledPolicy, RuleTexts];

function differ(
  request: AccessRequest,
  caller: ImaginedCaller,
  target: ImaginedTarget,
  before: Side,
  after: Side,
): Difference | undefined {
  const [old, next] = [standingOf(request, before), standingOf(request, after)];
  const base = { caller: caller.name, target, before: old.reach, after: next.reach };
  if (old.reach !== next.reach) {
    return { ...base, kind: rank[next.reach] > rank[old.reach] ? 'gains' : 'loses' };
  }
  if (old.reach !== 'depends' || same(old.rules, next.rules)) return undefined;
  return { ...base, kind: 'changed', conditions: { before: old.rules, after: next.rules } };
}

const rank: Readonly<Record<Reach, number>> = { never: 0, depends: 1, always: 2 };

interface Standing {
  readonly reach: Reach;
  /** The rules that name the target, as they are written, sorted. */
  readonly rules: readonly string[];
}

function standingOf(request: AccessRequest, [policy, texts]: Side): Standing {
  const decision = decide(request, policy);
  // Whoever may not even know of the target is past all conditions on the request.
  if (decision.effect === 'deny' && !decision.visible) return { reach: 'never', rules: [] };
  const found = texts.about(request);
  // Once an ACL protects the target, what roles allow elsewhere lets nobody in.
  const rules = found.isProtected
    ? found.rules.filter(({ acl, effect }) => acl || effect === 'deny')
    : found.rules;
  const isSettled = rules.every(({ passing }) => !passing);
  const isOpen = rules.every(({ effect }) => effect === 'allow') && rules.some(({ passing }) => !passing);
  if (decision.effect === 'allow' && (isSettled || isOpen)) return { reach: 'always', rules: [] };
  const lacking = decision.reasons.flatMap(({ code, condition }) =>
    code === 'scope-missing' ? [`lacks ${condition}`] : [],
  );
  return { reach: 'depends', rules: [...new Set([...rules.map(({ text }) => text), ...lacking])].sort() };
}

function requestOf(subject: Subject, target: ImaginedTarget, time: number): AccessRequest {
  const { upstream, kind, name, action, implied } = target;
  return {
    subject,
    action,
    resource: { upstream, kind, name, ...(implied ? { implied } : {}) },
    context: { arguments: undefined, address: nowhere, time },
  };
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

/** One section of the files that is not about who may do what, as JSON, by the name of its entries. */
export function sectionsThatDiffer(
  before: readonly PolicyDocument[],
  after: readonly PolicyDocument[],
): readonly { readonly section: string; readonly gone: number; readonly added: number }[] {
  const found: { section: string; gone: number; added: number }[] = [];
  for (const section of ['limits', 'arguments', 'results', 'tools', 'flows'] as const) {
    const [old, next] = [before, after].map(
      (documents) =>
        new Set(documents.flatMap((document) => (document[section] as readonly JsonObject[]).map(canonical))),
    ) as [Set<string>, Set<string>];
    const gone = old.difference(next).size;
    const added = next.difference(old).size;
    if (gone + added > 0) found.push({ section, gone, added });
  }
  return found;
}

function canonical(entry: JsonObject): string {
  const { description: _, ...meaning } = entry;
  return JSON.stringify(meaning);
}
