import type { JsonObject } from '../values/json.ts';
import type { AccessRequest, Subject } from './access-request.ts';
import { decide } from './decide.ts';
import type { PolicyDocument } from './document.ts';
import { bindingsBeyondImagining, type ImaginedCaller, imagineCallers } from './imagine-callers.ts';
import { type ImaginedTarget, imagineTargets } from './imagine-targets.ts';
import type { CompiledPolicy } from './model.ts';
import type { PolicyFile } from './policy-file.ts';
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
  /** `changed`: it depends on the request or the caller's claims before and after, but on other conditions. */
  readonly kind: 'gains' | 'loses' | 'changed';
  /** Milliseconds since the epoch. Where it is not so today: a rule's trial ends then. */
  readonly from?: number;
  /** Where it is not the reach that changed: the rules that name the target, before and after. */
  readonly conditions?: { readonly before: readonly string[]; readonly after: readonly string[] };
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** Bindings of one policy only, as they are written, whose tests of claims no imagined caller could put to the proof. */
  readonly unasked: { readonly before: readonly string[]; readonly after: readonly string[] };
  /** How many questions were put to both. */
  readonly asked: number;
  /** There were more questions than `most`: the answer is not whole. */
  readonly cut: boolean;
}

/** A million questions take some seconds. */
const mostQuestions = 2_000_000;

/** Ends of trials that are looked at, the nearest first: each asks everything once more. */
const mostTrials = 10;

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
  const [documents, later] = [before, after].map(({ files }) => files.map(({ document }) => document)) as [
    PolicyDocument[],
    PolicyDocument[],
  ];
  const all = [...documents, ...later];
  const callers = imagineCallers(all);
  const targets = imagineTargets(all, upstreams ?? []);
  const [old, next] = [new RuleTexts(before), new RuleTexts(after)];
  const ends = trialEnds(all, time);
  const [one, other] = [bindingsBeyondImagining(documents), bindingsBeyondImagining(later)];
  const unasked = { before: [...one.difference(other)], after: [...other.difference(one)] };
  const differences: Difference[] = [];
  const known = new Set<string>();
  let asked = 0;
  for (const caller of callers) {
    // Roles are remembered by subject and policy, so the two do not meet.
    for (const target of targets) {
      for (const moment of [time, ...ends.slice(0, mostTrials)]) {
        if (asked >= most) return { differences, unasked, asked, cut: true };
        asked += 1;
        const found = differ(
          requestOf(caller.subject, target, moment),
          caller,
          target,
          [before.policy, old],
          [after.policy, next],
        );
        if (found === undefined) continue;
        const text = JSON.stringify(found);
        if (known.has(text)) continue;
        if (ends.length > 0) known.add(text);
        differences.push(moment === time ? found : { ...found, from: moment });
      }
      known.clear();
    }
  }
  return { differences, unasked, asked, cut: ends.length > mostTrials };
}

/** When rules, ACL objects and entries of `scopes:` that are tried out today begin to count, in order. */
function trialEnds(documents: readonly PolicyDocument[], time: number): readonly number[] {
  const trials = documents.flatMap(({ roles, acl, scopes }) => [
    ...Object.values(roles).flatMap(({ allow, deny }) => [...allow, ...deny]),
    ...acl.flatMap((object) => [object, ...object.allow, ...object.deny]),
    ...scopes,
  ]);
  const ends = trials.flatMap(({ until }) => (until !== undefined && until > time ? [until] : []));
  return [...new Set(ends)].sort((a, b) => a - b);
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
  if (same(old.rules, next.rules)) return undefined;
  return { ...base, kind: 'changed', conditions: { before: old.rules, after: next.rules } };
}

const rank: Readonly<Record<Reach, number>> = { never: 0, depends: 1, always: 2 };

interface Standing {
  readonly reach: Reach;
  /** What it may depend on for some callers: the rules that name the target, as they are written, sorted. */
  readonly rules: readonly string[];
}

function standingOf(request: AccessRequest, [policy, texts]: Side): Standing {
  const decision = decide(request, policy);
  const found = texts.about(request);
  // Once an ACL protects the target, what roles allow elsewhere lets nobody in.
  const rules = found.isProtected
    ? found.rules.filter(({ acl, effect }) => acl || effect === 'deny')
    : found.rules;
  const lacking = decision.reasons.flatMap(({ code, condition }) =>
    code === 'scope-missing' ? [`lacks ${condition}`] : [],
  );
  const written = [...new Set([...rules.map(({ text }) => text), ...lacking])].sort();
  const [denies, allows] = [
    rules.filter(({ effect }) => effect === 'deny'),
    rules.filter(({ effect }) => effect === 'allow'),
  ];
  // Whoever may not even know of the target is past all conditions on the request; others may have the claims for it.
  if (decision.effect === 'deny' && !decision.visible) {
    const isClosed = allows.length === 0 || denies.some(({ conditional }) => !conditional);
    return { reach: 'never', rules: isClosed ? [] : written };
  }
  const isSettled = rules.every(({ passing }) => !passing);
  const isOpen = denies.length === 0 && allows.some(({ holds }) => holds);
  if (decision.effect === 'allow' && (isSettled || isOpen)) {
    const isOpenToAll =
      denies.length === 0 && (allows.length === 0 || allows.some((rule) => !rule.conditional));
    return { reach: 'always', rules: isOpenToAll ? [] : written };
  }
  return { reach: 'depends', rules: written };
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
  for (const section of ['limits', 'arguments', 'results', 'tools', 'flows', 'timeouts'] as const) {
    const [old, next] = [before, after].map(
      (documents) =>
        new Set(documents.flatMap((document) => (document[section] as readonly JsonObject[]).map(canonical))),
    ) as [Set<string>, Set<string>];
    const gone = old.difference(next).size;
    const added = next.difference(old).size;
    if (gone + added > 0) found.push({ section, gone, added });
  }
  const [old, next] = [before, after].map(prioritiesOf) as [Set<string>, Set<string>];
  const [gone, added] = [old.difference(next).size, next.difference(old).size];
  if (gone + added > 0) found.push({ section: 'priorities', gone, added });
  return found;
}

/** Those that are not the default. */
function prioritiesOf(documents: readonly PolicyDocument[]): Set<string> {
  return new Set(
    documents.flatMap(({ roles }) =>
      Object.entries(roles).flatMap(([name, { priority = 'normal' }]) =>
        priority === 'normal' ? [] : [`${name} ${priority}`],
      ),
    ),
  );
}

function canonical(entry: JsonObject): string {
  const { description: _, ...meaning } = entry;
  return JSON.stringify(meaning);
}
