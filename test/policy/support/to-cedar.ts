/**
 * Writes a policy document as Cedar policies: an independent reading of what the document means. Nothing here calls the
 * code under test; the types are those of the YAML text.
 */

export interface OracleOperators {
  readonly equals?: string | number;
  readonly oneOf?: readonly (string | number)[];
  readonly min?: number;
  readonly max?: number;
  readonly prefix?: string;
  readonly contains?: string;
  readonly present?: boolean;
  readonly optional?: true;
}

/** An expression that both engines can say: atoms, joined. */
export type OracleExpression =
  | { readonly all: readonly OracleExpression[] }
  | { readonly any: readonly OracleExpression[] }
  | { readonly not: OracleExpression }
  | { readonly argumentAtMost: readonly [name: string, limit: number] }
  | { readonly argumentIs: readonly [name: string, text: string] }
  | { readonly hasArgument: string }
  | { readonly claimAtLeast: readonly [name: string, limit: number] }
  | { readonly hasScope: string }
  | { readonly callIs: readonly [member: 'name' | 'kind' | 'upstream' | 'action', text: string] }
  | { readonly addressIs: string }
  | { readonly before: number };

export interface OracleWhen {
  readonly time?: { readonly days?: readonly string[]; readonly between?: readonly [string, string] };
  readonly cel?: OracleExpression;
  readonly args?: Readonly<Record<string, OracleOperators>>;
  readonly claims?: Readonly<Record<string, string | OracleOperators>>;
  readonly network?: readonly string[];
}

export interface OracleEntry {
  readonly actions?: readonly string[];
  readonly when?: OracleWhen;
  readonly mode?: 'enforce' | 'shadow';
  readonly until?: string;
}

export interface OracleRule extends OracleEntry {
  readonly tools?: readonly string[];
  readonly resources?: readonly string[];
  readonly prompts?: readonly string[];
  readonly methods?: readonly string[];
  readonly upstreams?: readonly string[];
}

export type OracleCredential =
  | { readonly certificate: { readonly uri: string } }
  | {
      readonly token: {
        readonly issuer: string;
        readonly claims?: Readonly<Record<string, string>>;
        readonly scopes?: readonly string[];
        readonly bound?: readonly string[];
        readonly client?: string;
      };
    }
  | { readonly apiKey: string }
  | { readonly anonymous: true }
  | { readonly any: true };

export interface OracleAcl {
  readonly tool?: readonly string[];
  readonly resource?: readonly string[];
  readonly upstreams?: readonly string[];
  readonly mode?: 'enforce' | 'shadow';
  readonly until?: string;
  readonly allow: readonly (OracleEntry & { readonly roles: readonly string[] })[];
  readonly deny: readonly (OracleEntry & { readonly roles: readonly string[] })[];
}

export interface OraclePolicy {
  readonly version: 1;
  readonly roles: Readonly<
    Record<string, { readonly allow: readonly OracleRule[]; readonly deny: readonly OracleRule[] }>
  >;
  readonly bindings: readonly {
    readonly roles: readonly string[];
    readonly to: readonly OracleCredential[];
  }[];
  readonly acl: readonly OracleAcl[];
  readonly scopes: readonly OracleScopes[];
  readonly implies: Readonly<Record<string, readonly string[]>>;
}

export interface OracleScopes {
  readonly match: {
    readonly tools?: readonly string[];
    readonly upstreams?: readonly string[];
    readonly roles?: readonly string[];
  };
  readonly scopes: readonly string[];
  readonly mode?: 'enforce' | 'shadow';
  readonly until?: string;
}

/**
 * `enforced`: the effect. `shadow`: the effect if rules in shadow mode were enforced. `visible`: what may be known,
 * where conditions on arguments, network and time count for the subject.
 */
export type Reading = 'enforced' | 'shadow' | 'visible';

/** Two Cedar expressions: that a condition holds, and that it does not. Neither: it cannot be evaluated. */
interface Truth {
  readonly holds: string;
  readonly fails: string;
}

const text = (value: string | number) => (typeof value === 'number' ? String(value) : `"${value}"`);
const and = (parts: readonly string[]) => (parts.length === 0 ? 'true' : `(${parts.join(' && ')})`);
const or = (parts: readonly string[]) => (parts.length === 0 ? 'false' : `(${parts.join(' || ')})`);

function all(truths: readonly Truth[]): Truth {
  return {
    holds: and(truths.map(({ holds }) => holds)),
    fails: or(truths.map(({ fails }) => fails)),
  };
}

/** Both of Cedar's and our wildcards match any characters here; `*` within segments has a test of its own. */
function matches(variable: string, patterns: readonly string[] | undefined): string {
  if (patterns === undefined) return 'true';
  return or(
    patterns.map((pattern) =>
      pattern.includes('*')
        ? `${variable} like "${pattern.replaceAll('**', '*')}"`
        : `${variable} == "${pattern}"`,
    ),
  );
}

/** Values in Cedar's context carry their type: `{ t: "long", long: 5 }`. Cedar itself has no test for a type. */
function operatorTruth(place: string, operators: OracleOperators): Truth {
  const typed = (type: string, test: string): Truth => ({
    holds: `(${place}.t == "${type}" && ${test})`,
    fails: `(${place}.t == "${type}" && !(${test}))`,
  });
  const ofType = (values: readonly (string | number)[], test: (variable: string) => string): Truth => {
    const type = typeof values[0] === 'number' ? 'long' : 'string';
    return typed(type, test(`${place}.${type}`));
  };
  const truths: Truth[] = [];
  const { equals, oneOf, min, max, prefix, contains } = operators;
  if (equals !== undefined) truths.push(ofType([equals], (variable) => `${variable} == ${text(equals)}`));
  if (oneOf !== undefined) {
    truths.push(ofType(oneOf, (variable) => `[${oneOf.map(text).join(', ')}].contains(${variable})`));
  }
  if (min !== undefined) truths.push(typed('long', `${place}.long >= ${min}`));
  if (max !== undefined) truths.push(typed('long', `${place}.long <= ${max}`));
  if (prefix !== undefined) truths.push(typed('string', `${place}.string like "${prefix}*"`));
  if (contains !== undefined) truths.push(typed('set', `${place}.set.contains("${contains}")`));
  return all(truths);
}

function valueTruth(record: string, name: string, operators: OracleOperators): Truth {
  const has = `${record} has ${name}`;
  const place = `${record}.${name}`;
  const clear = `(${has} && ${place}.t != "ambiguous")`;
  const { present, optional, ...others } = operators;
  const truths: Truth[] = [];
  if (present === true) truths.push({ holds: clear, fails: `!(${has})` });
  if (present === false) truths.push({ holds: `!(${has})`, fails: clear });
  const rest = operatorTruth(place, others);
  if (Object.keys(others).length > 0) {
    truths.push({ holds: `(${has} && ${rest.holds})`, fails: `(${has} && ${rest.fails})` });
  }
  const truth = all(truths);
  return optional === true ? { ...truth, holds: `(!(${has}) || ${truth.holds})` } : truth;
}

function claimTruth(name: string, wanted: string | OracleOperators): Truth {
  const inToken = (truth: Truth): Truth => ({
    holds: `(context has claims && ${truth.holds})`,
    fails: `(context has claims && ${truth.fails})`,
  });
  if (typeof wanted !== 'string') return inToken(valueTruth('context.claims', name, wanted));
  // A bare value: the claim is that value, or a list with it.
  const place = `context.claims.${name}`;
  const is = `(${place}.t == "string" && ${place}.string == "${wanted}")`;
  const has = `(${place}.t == "set" && ${place}.set.contains("${wanted}"))`;
  const known = `(${place}.t == "string" || ${place}.t == "set")`;
  return inToken({
    holds: `(context.claims has ${name} && (${is} || ${has}))`,
    fails: `(context.claims has ${name} && ${known} && !(${is} || ${has}))`,
  });
}

/** What an expression looks at: the caller, the target, or this one request. */
function dependence(expression: OracleExpression): 'caller' | 'target' | 'request' {
  if ('not' in expression) return dependence(expression.not);
  if ('all' in expression || 'any' in expression) {
    const parts = ('all' in expression ? expression.all : expression.any).map(dependence);
    return parts.includes('request') ? 'request' : parts.includes('target') ? 'target' : 'caller';
  }
  if ('claimAtLeast' in expression || 'hasScope' in expression) return 'caller';
  return 'callIs' in expression ? 'target' : 'request';
}

function argumentsOf(expression: OracleExpression): readonly string[] {
  if ('not' in expression) return argumentsOf(expression.not);
  if ('all' in expression) return expression.all.flatMap(argumentsOf);
  if ('any' in expression) return expression.any.flatMap(argumentsOf);
  if ('argumentAtMost' in expression) return [expression.argumentAtMost[0]];
  if ('argumentIs' in expression) return [expression.argumentIs[0]];
  return 'hasArgument' in expression ? [expression.hasArgument] : [];
}

/** An argument with a second spelling leaves the whole expression open, whatever its other parts say. */
function expressionTruth(expression: OracleExpression): Truth {
  const { holds, fails } = partTruth(expression);
  const clear = argumentsOf(expression).map(
    (name) => `(!(context.args has ${name}) || context.args.${name}.t != "ambiguous")`,
  );
  return { holds: and([...clear, holds]), fails: and([...clear, fails]) };
}

function partTruth(expression: OracleExpression): Truth {
  const plain = (test: string): Truth => ({ holds: test, fails: `!(${test})` });
  if ('all' in expression) return all(expression.all.map(partTruth));
  if ('any' in expression) {
    const parts = expression.any.map(partTruth);
    return { holds: or(parts.map(({ holds }) => holds)), fails: and(parts.map(({ fails }) => fails)) };
  }
  if ('not' in expression) {
    const { holds, fails } = partTruth(expression.not);
    return { holds: fails, fails: holds };
  }
  if ('hasArgument' in expression) return plain(`(context.args has ${expression.hasArgument})`);
  if ('argumentAtMost' in expression) {
    const [name, limit] = expression.argumentAtMost;
    const at = `context.args.${name}`;
    // An integer beyond 2^53 is compared exactly, and is greater than all that is written here.
    return {
      holds: `(context.args has ${name} && ${at}.t == "long" && ${at}.long <= ${limit})`,
      fails: `(context.args has ${name} && (${at}.t == "huge" || (${at}.t == "long" && ${at}.long > ${limit})))`,
    };
  }
  if ('argumentIs' in expression) {
    const [name, wanted] = expression.argumentIs;
    const at = `context.args.${name}`;
    // Null may be compared with everything.
    return {
      holds: `(context.args has ${name} && ${at}.t == "string" && ${at}.string == "${wanted}")`,
      fails: `(context.args has ${name} && (${at}.t == "null" || (${at}.t == "string" && ${at}.string != "${wanted}")))`,
    };
  }
  if ('claimAtLeast' in expression) {
    const [name, limit] = expression.claimAtLeast;
    const at = `context.claims.${name}`;
    const there = `context has claims && context.claims has ${name}`;
    return {
      holds: `(${there} && (${at}.t == "huge" || (${at}.t == "long" && ${at}.long >= ${limit})))`,
      fails: `(${there} && ${at}.t == "long" && ${at}.long < ${limit})`,
    };
  }
  if ('hasScope' in expression) {
    const test = `context.scopes.contains("${expression.hasScope}")`;
    return { holds: `(context has scopes && ${test})`, fails: `(context has scopes && !${test})` };
  }
  if ('callIs' in expression) return plain(`(context.${expression.callIs[0]} == "${expression.callIs[1]}")`);
  if ('addressIs' in expression) return plain(`(context.address == "${expression.addressIs}")`);
  return plain(`(context.time < ${expression.before})`);
}

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function timeTruth({ days = weekdays, between }: NonNullable<OracleWhen['time']>): Truth {
  const isDay = (shift: number) =>
    or(days.map((day) => `context.day == ${(weekdays.indexOf(day) + shift) % 7}`));
  const minutes = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const [from, to] = between === undefined ? [0, 1440] : [minutes(between[0]), minutes(between[1])];
  const after = `context.minute >= ${from}`;
  const before = `context.minute < ${to}`;
  const holds =
    from < to ? and([after, before, isDay(0)]) : or([and([after, isDay(0)]), and([before, isDay(1)])]);
  return { holds, fails: `!(${holds})` };
}

/** @param about which expressions count as known: those on the caller, or those on caller and target */
function standingTruth(when: OracleWhen | undefined, about: 'caller' | 'target'): Truth {
  const truths = Object.entries(when?.claims ?? {}).map(([name, wanted]) => claimTruth(name, wanted));
  if (when?.cel !== undefined) {
    const on = dependence(when.cel);
    if (on === 'caller' || on === about) truths.push(expressionTruth(when.cel));
  }
  return all(truths);
}

function passingTruth(when: OracleWhen | undefined): Truth {
  const truths = Object.entries(when?.args ?? {}).map(([name, operators]) =>
    valueTruth('context.args', name, operators),
  );
  if (when?.network !== undefined) {
    const inside = or(when.network.map((range) => `context.ip.isInRange(ip("${range}"))`));
    truths.push({ holds: `(context has ip && ${inside})`, fails: `(context has ip && !${inside})` });
  }
  if (when?.time !== undefined) truths.push(timeTruth(when.time));
  if (when?.cel !== undefined && dependence(when.cel) === 'request') truths.push(expressionTruth(when.cel));
  return all(truths);
}

/** When a rule counts, in one reading. A deny that cannot be evaluated denies; an allow that cannot does not allow. */
function counts(when: OracleWhen | undefined, effect: 'allow' | 'deny', reading: Reading): string {
  const standing = standingTruth(when, 'target');
  const passing = passingTruth(when);
  if (reading === 'visible') {
    const transient =
      when?.args !== undefined ||
      when?.network !== undefined ||
      when?.time !== undefined ||
      (when?.cel !== undefined && dependence(when.cel) === 'request');
    if (effect === 'allow') return standing.holds;
    return transient ? 'false' : `!${standing.fails}`;
  }
  const truth = all([standing, passing]);
  return effect === 'allow' ? truth.holds : `!${truth.fails}`;
}

/** Whether the token has a scope, or one that implies it. */
function holdsScope(scope: string, implies: OraclePolicy['implies']): string {
  const worth = new Set([scope]);
  for (const _ of Object.keys(implies)) {
    for (const [name, implied] of Object.entries(implies)) {
      if (implied.some((one) => worth.has(one))) worth.add(name);
    }
  }
  return or([...worth].map((one) => `context.scopes.contains("${one}")`));
}

function credentialMatches(credential: OracleCredential, implies: OraclePolicy['implies']): string {
  if ('any' in credential) return 'true';
  if ('anonymous' in credential) return 'context has anonymous';
  if ('apiKey' in credential) return `(context has apiKey && context.apiKey == "${credential.apiKey}")`;
  if ('certificate' in credential) {
    return `(context has uri && ${matches('context.uri', [credential.certificate.uri])})`;
  }
  const { issuer, claims, scopes = [], bound, client } = credential.token;
  const tests = Object.entries(claims ?? {}).map(([name, wanted]) => claimTruth(name, wanted).holds);
  const proofs = [
    ...scopes.map((scope) => holdsScope(scope, implies)),
    ...(bound === undefined ? [] : [`(context has bound && ${matches('context.bound', bound)})`]),
    ...(client === undefined ? [] : [`(context has client && ${matches('context.client', [client])})`]),
  ];
  return `(context has issuer && ${and([`context.issuer == "${issuer}"`, ...tests, ...proofs])})`;
}

function hasRole(policy: OraclePolicy, role: string): string {
  return or(
    policy.bindings
      .filter(({ roles }) => roles.includes(role))
      .flatMap(({ to }) => to.map((credential) => credentialMatches(credential, policy.implies))),
  );
}

function aboutTarget(rule: OracleRule): string {
  const named = (kind: string, patterns: readonly string[] | undefined) =>
    patterns === undefined ? [] : [`(context.kind == "${kind}" && ${matches('context.name', patterns)})`];
  return and([
    or([
      ...named('tool', rule.tools),
      ...named('resource', rule.resources),
      ...named('prompt', rule.prompts),
      ...named('method', rule.methods),
    ]),
    matches('context.upstream', rule.upstreams),
  ]);
}

function aboutAction(actions: readonly string[] | undefined): string {
  return actions === undefined ? 'true' : or(actions.map((action) => `context.action == "${action}"`));
}

export function toCedar(policy: OraclePolicy, reading: Reading): string {
  const policies: string[] = [];
  const add = (effect: 'allow' | 'deny', conditions: readonly string[]) => {
    const keyword = effect === 'allow' ? 'permit' : 'forbid';
    policies.push(`${keyword}(principal, action, resource) when { ${and(conditions)} };`);
  };
  // A trial lasts through its last day.
  const isIn = ({ mode, until }: Pick<OracleEntry, 'mode' | 'until'>): string => {
    if (reading === 'shadow' || mode !== 'shadow') return 'true';
    return until === undefined ? 'false' : `(context.time >= ${Date.parse(until) + 86_400_000})`;
  };
  const objects = policy.acl;
  const targetOf = ({ tool, resource, upstreams }: OracleAcl) =>
    aboutTarget({
      ...(tool === undefined ? {} : { tools: tool }),
      ...(resource === undefined ? {} : { resources: resource }),
      ...(upstreams === undefined ? {} : { upstreams }),
    });
  const isProtected = or(objects.map((object) => and([isIn(object), targetOf(object)])));
  const addImplied = (role: string, rule: OracleRule, inForce = 'true') =>
    add('allow', [
      inForce,
      'context.implied',
      hasRole(policy, role),
      matches('context.upstream', rule.upstreams),
      isIn(rule),
      standingTruth(rule.when, 'caller').holds,
    ]);

  for (const [role, { allow, deny }] of Object.entries(policy.roles)) {
    for (const [effect, rules] of [
      ['allow', allow],
      ['deny', deny],
    ] as const) {
      for (const rule of rules) {
        const conditions = [
          isIn(rule),
          hasRole(policy, role),
          aboutTarget(rule),
          aboutAction(rule.actions),
          counts(rule.when, effect, reading),
        ];
        add(effect, effect === 'allow' ? [...conditions, `!${isProtected}`] : conditions);
        if (effect === 'allow') addImplied(role, rule);
      }
    }
  }
  for (const object of objects) {
    for (const effect of ['allow', 'deny'] as const) {
      for (const entry of object[effect]) {
        const inForce = and([isIn(object), isIn(entry)]);
        for (const role of entry.roles) {
          add(effect, [
            inForce,
            hasRole(policy, role),
            targetOf(object),
            aboutAction(entry.actions),
            counts(entry.when, effect, reading),
          ]);
          if (effect === 'allow') {
            addImplied(
              role,
              {
                ...(entry.when === undefined ? {} : { when: entry.when }),
                ...(object.upstreams === undefined ? {} : { upstreams: object.upstreams }),
              },
              inForce,
            );
          }
        }
      }
    }
  }
  if (reading !== 'visible') {
    for (const rule of policy.scopes) {
      const { tools, upstreams, roles } = rule.match;
      add('deny', [
        isIn(rule),
        'context has scopes',
        tools === undefined ? 'true' : and(['context.kind == "tool"', matches('context.name', tools)]),
        matches('context.upstream', upstreams),
        roles === undefined ? 'true' : or(roles.map((role) => hasRole(policy, role))),
        or(rule.scopes.map((scope) => `!${holdsScope(scope, policy.implies)}`)),
      ]);
    }
  }
  return policies.join('\n');
}

/** The expression as a policy file has it. */
export function toCel(expression: OracleExpression): string {
  if ('all' in expression) return `(${expression.all.map(toCel).join(' && ')})`;
  if ('any' in expression) return `(${expression.any.map(toCel).join(' || ')})`;
  if ('not' in expression) return `!${toCel(expression.not)}`;
  if ('hasArgument' in expression) return `has(args.${expression.hasArgument})`;
  if ('argumentAtMost' in expression) {
    return `(args.${expression.argumentAtMost[0]} <= ${expression.argumentAtMost[1]})`;
  }
  if ('argumentIs' in expression)
    return `(args.${expression.argumentIs[0]} == "${expression.argumentIs[1]}")`;
  if ('claimAtLeast' in expression) {
    return `(principal.claims.${expression.claimAtLeast[0]} >= ${expression.claimAtLeast[1]})`;
  }
  if ('hasScope' in expression) return `("${expression.hasScope}" in principal.token.scopes)`;
  if ('callIs' in expression) return `(call.${expression.callIs[0]} == "${expression.callIs[1]}")`;
  if ('addressIs' in expression) return `(context.address == "${expression.addressIs}")`;
  const moment = new Date(expression.before).toISOString();
  return `(context.time < timestamp("${moment}"))`;
}
