import type { AccessRequest, Subject, SubjectCredential } from './access-request.ts';
import { rolesOf } from './bindings.ts';
import { decide } from './decide.ts';
import type { CompiledPolicy } from './model.ts';
import { missingScopes, scopeRulesFor } from './required-scopes.ts';
import { isOnTrial } from './trial.ts';

/**
 * Decisions that one search may make. 1024, because each costs microseconds and a policy that needs more to find an
 * answer asks for more combinations of scopes than anybody grants.
 */
const mostDecisions = 1_024;

/** Sets of scopes that bindings may ask for beside those that are there. 8 of them combine in 256 ways. */
const mostSets = 8;

/**
 * Every scope that `scopes:` asks of a token for all of these requests together, in order, each once. For the challenge
 * to a caller that nobody knows yet.
 */
export function scopesFor(requests: readonly AccessRequest[], policy: CompiledPolicy): readonly string[] {
  const all = new Set<string>();
  for (const request of requests) {
    for (const rule of scopeRulesFor(request, undefined, policy)) {
      if (isOnTrial(rule, request.context.time)) continue;
      for (const scope of rule.scopes) all.add(scope);
    }
  }
  return [...all];
}

/**
 * The scopes with which the same caller would be allowed all of these requests, those that its token has included;
 * undefined where it has no token, is allowed already, or would be refused all the same. So a challenge never sends
 * anybody to fetch a scope that opens nothing, and never tells of a target that stays hidden.
 *
 * Scopes are asked for by `scopes:` and by bindings (`token: { scopes }`). Of several ways the one with the fewest new
 * scopes is told, of these the first in alphabetical order. What the token has comes first, in its order.
 *
 * The work is bounded: at most {@link mostDecisions} decisions, over at most {@link mostSets} sets of scopes that
 * bindings ask for, the smallest. What would need more is refused without a way.
 *
 * @param requests of one caller
 */
export function stepUp(
  requests: readonly AccessRequest[],
  policy: CompiledPolicy,
): readonly string[] | undefined {
  const subject = requests[0]?.subject;
  if (subject === undefined || requests.some((request) => request.subject !== subject)) return undefined;
  const token = onlyToken(subject);
  if (token === undefined) return undefined;
  const search: Search = { requests, policy, token, wider: widerOf(subject, policy), left: mostDecisions };
  if (needed(search, []) === undefined) return undefined;

  let best: readonly string[] | undefined;
  for (const start of search.wider.starts()) {
    // No way through this start can be shorter than the start.
    if (best !== undefined && start.length > best.length) break;
    const found = complete(search, start);
    if (found === 'exhausted') break;
    if (found !== undefined && (best === undefined || compareSets(found, best) < 0)) best = found;
  }
  return best === undefined || best.length === 0 ? undefined : [...new Set([...token.scopes, ...best])];
}

type Token = Extract<SubjectCredential, { kind: 'token' }>;

interface Search {
  readonly requests: readonly AccessRequest[];
  readonly policy: CompiledPolicy;
  readonly token: Token;
  readonly wider: Wider;
  /** Decisions that may still be made. */
  left: number;
}

/** With two tokens nobody can say which one would have to have more. */
function onlyToken({ credentials }: Subject): Token | undefined {
  const tokens = credentials.filter((credential) => credential.kind === 'token');
  return tokens.length === 1 ? tokens[0] : undefined;
}

/**
 * Adds what `scopes:` asks for beside, until all is allowed. A new scope may bring a role, and a role another entry: each
 * round adds a scope, so that there are no more rounds than scopes.
 */
function complete(search: Search, start: readonly string[]): readonly string[] | 'exhausted' | undefined {
  let extra = start;
  for (;;) {
    const more = needed(search, extra);
    if (more === undefined) return extra;
    if (more === 'exhausted' || more.length === 0) return more === 'exhausted' ? more : undefined;
    extra = [...new Set([...extra, ...more])].sort();
  }
}

/**
 * What is still missing with these scopes: undefined where all is allowed, nothing where no scope of `scopes:` would
 * help.
 */
function needed(search: Search, extra: readonly string[]): readonly string[] | 'exhausted' | undefined {
  const { requests, policy, token, wider } = search;
  const raised = wider.subject(token, extra);
  const { roles, scopes: held } = rolesOf(raised, policy);
  const missing = new Set<string>();
  let refused = false;
  for (const given of requests) {
    if (search.left === 0) return 'exhausted';
    search.left -= 1;
    const request = { ...given, subject: raised };
    const { effect, reasons } = decide(request, policy);
    if (effect === 'allow') continue;
    if (reasons[0].code !== 'scope-missing') return [];
    refused = true;
    const asked = scopeRulesFor(request, roles, policy);
    for (const lack of missingScopes(asked, held, request.context.time, false)) {
      for (const scope of lack.missing) missing.add(scope);
    }
  }
  return refused ? [...missing] : undefined;
}

/** One caller, as it would be with more scopes. */
interface Wider {
  readonly of: Subject;
  /** The sets of scopes that a search begins with. */
  starts(): readonly (readonly string[])[];
  /** The caller with these scopes beside its own: the same object again, because its roles are remembered with it. */
  subject(token: Token, extra: readonly string[]): Subject;
}

/**
 * The caller that was asked about last. To find out its roles with every union of scopes costs far more than to decide,
 * and a batch may ask a hundred times.
 */
const lastWider = new WeakMap<CompiledPolicy, Wider>();

function widerOf(subject: Subject, policy: CompiledPolicy): Wider {
  const last = lastWider.get(policy);
  if (last?.of === subject) return last;
  const subjects = new Map<string, Subject>();
  let starts: readonly (readonly string[])[] | undefined;
  const wider: Wider = {
    of: subject,
    starts() {
      starts ??= unions(setsOf(subject, policy));
      return starts;
    },
    subject(token, extra) {
      const key = extra.join(' ');
      const known = subjects.get(key);
      if (known !== undefined) return known;
      const scopes = [...new Set([...token.scopes, ...extra])];
      const credentials = subject.credentials.map((one) => (one === token ? { ...token, scopes } : one));
      const raised: Subject = { id: subject.id, credentials };
      if (subjects.size < mostDecisions) subjects.set(key, raised);
      return raised;
    },
  };
  lastWider.set(policy, wider);
  return wider;
}

/** What bindings lack, each set once, the smallest first. */
function setsOf(subject: Subject, policy: CompiledPolicy): readonly (readonly string[])[] {
  const sets = new Map<string, readonly string[]>();
  for (const binding of policy.parts.bindings) {
    for (const scopes of binding.lackingScopes(subject)) {
      const sorted = [...new Set(scopes)].sort();
      sets.set(sorted.join(' '), sorted);
    }
  }
  return [...sets.values()].sort(compareSets).slice(0, mostSets);
}

/** Every union of some of the sets, none of them too, each once, the smallest first. */
function unions(sets: readonly (readonly string[])[]): readonly (readonly string[])[] {
  let all = new Map<string, readonly string[]>([['', []]]);
  for (const set of sets) {
    const next = new Map(all);
    for (const union of all.values()) {
      const wider = [...new Set([...union, ...set])].sort();
      next.set(wider.join(' '), wider);
    }
    all = next;
  }
  return [...all.values()].sort(compareSets);
}

function compareSets(a: readonly string[], b: readonly string[]): number {
  if (a.length !== b.length) return a.length - b.length;
  const [first, second] = [a.join(' '), b.join(' ')];
  return first < second ? -1 : first > second ? 1 : 0;
}
