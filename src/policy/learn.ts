import type { JsonObject, JsonValue } from '../values/json.ts';
import type { AccessRequest, Action, ResourceKind, SubjectCredential } from './access-request.ts';
import { patternFault, resourcePatternFault } from './pattern.ts';

/** What was learnt, and what could not be. */
export interface Learnt {
  /** A policy file, for review. */
  readonly document: JsonObject;
  /** Sentences about observations that no rule can name. */
  readonly leftOut: readonly string[];
  /** Sentences about callers whom the proposal knows by less than they proved. */
  readonly remarks: readonly string[];
}

/** Sentences about what was left out: more would be read by nobody. */
const mostLeftOut = 100;

/** `kind name` -> actions, by upstream. */
type Uses = Map<string, Map<string, Use>>;

interface Use {
  readonly kind: ResourceKind;
  readonly name: string;
  readonly actions: Set<Action>;
}

interface Caller {
  readonly id: string;
  readonly credentials: readonly SubjectCredential[];
  readonly uses: Uses;
  /** Methods that are allowed as soon as anything is; they need a rule of their own only where nothing else is. */
  readonly implied: Map<string, Set<string>>;
}

/**
 * Collects requests and writes the smallest policy that allows them: exact names, no wildcard, no caller that was not
 * seen, nothing to one caller that only another one did. Callers who did the same share a role.
 *
 * Arguments are not learnt: `roles propose` proposes rules on them.
 */
export class PolicyLearner {
  readonly #callers = new Map<string, Caller>();
  readonly #leftOut = new Set<string>();
  readonly #most: number;
  #count = 0;

  /** @param most different observations that are kept; more make {@link observe} answer false */
  constructor(most = 100_000) {
    this.#most = most;
  }

  /** @returns false where too much was seen to make a policy that anybody could review */
  observe({ subject, action, resource }: AccessRequest): boolean {
    const { upstream, kind, name, implied } = resource;
    const fault = nameFault(kind, name);
    if (fault !== undefined) {
      this.#leaveOut(`${kind} ${JSON.stringify(name)} on ${upstream}: its name ${fault}`);
      return true;
    }
    if (nameFault('method', upstream) !== undefined) {
      this.#leaveOut(`upstream ${JSON.stringify(upstream)}: no rule can name it`);
      return true;
    }
    // A caller may have chosen its own name: one with a wildcard would be bound together with everybody it matches.
    if (!subject.credentials.some((credential) => boundName(credential) !== undefined)) {
      this.#leaveOut(`${JSON.stringify(subject.id)}: no binding can name this caller and nobody else`);
      return true;
    }
    const caller = getOrAdd(this.#callers, subject.id, () => ({
      id: subject.id,
      credentials: subject.credentials,
      uses: new Map(),
      implied: new Map(),
    }));
    if (implied === true) {
      const methods = getOrAdd(caller.implied, upstream, () => new Set<string>());
      if (!methods.has(name)) this.#count += 1;
      methods.add(name);
    } else {
      const uses = getOrAdd(caller.uses, upstream, () => new Map<string, Use>());
      const use = getOrAdd(uses, `${kind} ${name}`, () => {
        this.#count += 1;
        return { kind, name, actions: new Set<Action>() };
      });
      use.actions.add(action);
    }
    return this.#count <= this.#most;
  }

  #leaveOut(sentence: string): void {
    if (this.#leftOut.size < mostLeftOut) this.#leftOut.add(sentence);
  }

  finish(): Learnt {
    const callers = [...this.#callers.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const learnt = new Map(callers.map((caller) => [caller, rulesOf(caller)]));
    const alike = new Map<string, Set<string>>();
    for (const [{ credentials }, allow] of learnt) {
      for (const credential of credentials)
        getOrAdd(alike, matcherText(credential), () => new Set<string>()).add(JSON.stringify(allow));
    }
    const remarks: string[] = [];
    const shared = new Map<string, { readonly allow: readonly JsonObject[]; readonly callers: Bound[] }>();
    for (const [caller, allow] of learnt) {
      // Whoever holds what a binding asks for has its roles: it must be nobody else's, or of those who did the same.
      const credential = caller.credentials.find(
        (one) => boundName(one) !== undefined && alike.get(matcherText(one))!.size === 1,
      );
      if (credential === undefined) {
        this.#leaveOut(
          `${JSON.stringify(caller.id)}: others who did other things share each of its names, so no binding can tell ` +
            'them apart',
        );
        continue;
      }
      if (caller.credentials.length > 1 && remarks.length < mostLeftOut) {
        remarks.push(
          `${JSON.stringify(caller.id)} is bound by its ${credential.kind} alone: a binding cannot ask for several ` +
            'credentials (`require` of the gateway file can)',
        );
      }
      getOrAdd(shared, JSON.stringify(allow), () => ({ allow, callers: [] })).callers.push({
        id: caller.id,
        credential,
      });
    }
    const roles: Record<string, JsonValue> = {};
    const bindings: JsonObject[] = [];
    for (const [index, { allow, callers }] of [...shared.values()].entries()) {
      const role = `learnt-${index + 1}`;
      roles[role] = { description: `Seen of ${describe(callers)}`, allow };
      const matchers = new Map(callers.map(({ credential }) => [matcherText(credential), credential]));
      bindings.push({ roles: [role], to: [...matchers.values()].map(matcherOf) });
    }
    return { document: { version: 1, roles, bindings }, leftOut: [...this.#leftOut], remarks };
  }
}

/** A caller, and the credential that a binding is to know it by. */
interface Bound {
  readonly id: string;
  readonly credential: SubjectCredential;
}

function nameFault(kind: ResourceKind, name: string): string | undefined {
  if (name.includes('*')) return 'holds a wildcard';
  const fault = patternFault(name) ?? (kind === 'resource' ? resourcePatternFault(name) : undefined);
  return fault === undefined ? undefined : 'cannot stand in a policy';
}

const memberOf: Readonly<Record<ResourceKind, string>> = {
  tool: 'tools',
  resource: 'resources',
  prompt: 'prompts',
  method: 'methods',
};

/** One rule for each upstream, kind and set of actions, in a stable order. */
function rulesOf(caller: Caller): readonly JsonObject[] {
  const rules: JsonObject[] = [];
  const upstreams = [...new Set([...caller.uses.keys(), ...caller.implied.keys()])].sort();
  for (const upstream of upstreams) {
    const uses = caller.uses.get(upstream);
    if (uses === undefined) {
      const methods = [...caller.implied.get(upstream)!].sort();
      rules.push({ methods, upstreams: [upstream], actions: ['use'] });
      continue;
    }
    const grouped = new Map<string, { kind: ResourceKind; actions: readonly string[]; names: string[] }>();
    for (const { kind, name, actions } of uses.values()) {
      const sorted = [...actions].sort();
      const group = getOrAdd(grouped, `${kind} ${sorted.join(' ')}`, () => ({
        kind,
        actions: sorted,
        names: [],
      }));
      group.names.push(name);
    }
    for (const [, { kind, actions, names }] of [...grouped].sort(([a], [b]) => (a < b ? -1 : 1))) {
      rules.push({ [memberOf[kind]]: names.sort(), upstreams: [upstream], actions });
    }
  }
  return rules;
}

/** The name by which a binding would know a credential; undefined where that name is a pattern, or none. */
function boundName(credential: SubjectCredential | undefined): string | undefined {
  if (credential === undefined) return undefined;
  if (credential.kind === 'anonymous') return '';
  const name =
    credential.kind === 'certificate'
      ? (credential.uris[0] ?? credential.dns[0] ?? credential.commonName)
      : credential.kind === 'token'
        ? credential.subject
        : credential.name;
  return name === undefined || name.includes('*') || patternFault(name) !== undefined ? undefined : name;
}

/** How a binding names this credential, and no other. */
function matcherOf(credential: SubjectCredential): JsonObject {
  switch (credential.kind) {
    case 'certificate': {
      const { uris, dns, commonName } = credential;
      if (uris[0] !== undefined) return { certificate: { uri: uris[0] } };
      if (dns[0] !== undefined) return { certificate: { dns: dns[0] } };
      return { certificate: { cn: commonName ?? '' } };
    }
    case 'token':
      return { token: { issuer: credential.issuer, subject: credential.subject } };
    case 'apiKey':
      return { apiKey: credential.name };
    case 'anonymous':
      return { anonymous: true };
  }
}

/** Two credentials that no binding of this file tells apart have the same. */
function matcherText(credential: SubjectCredential): string {
  return JSON.stringify(matcherOf(credential));
}

/** A description in a policy file has at most 1000 characters. */
const longestDescription = 900;

function describe(callers: readonly Bound[]): string {
  const text = callers.map(({ id }) => id).join(', ');
  return text.length <= longestDescription ? text : `${text.slice(0, longestDescription)}…`;
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  return made;
}
