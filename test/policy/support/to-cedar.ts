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

export interface OracleWhen {
  readonly args?: Readonly<Record<string, OracleOperators>>;
  readonly claims?: Readonly<Record<string, string | OracleOperators>>;
  readonly network?: readonly string[];
}

export interface OracleEntry {
  readonly actions?: readonly string[];
  readonly when?: OracleWhen;
  readonly mode?: 'enforce' | 'shadow';
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
  | { readonly token: { readonly issuer: string; readonly claims?: Readonly<Record<string, string>> } }
  | { readonly apiKey: string }
  | { readonly anonymous: true }
  | { readonly any: true };

export interface OracleAcl {
  readonly tool?: readonly string[];
  readonly resource?: readonly string[];
  readonly upstreams?: readonly string[];
  readonly mode?: 'enforce' | 'shadow';
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
}

/**
 * `enforced`: the effect. `shadow`: the effect if rules in shadow mode were enforced. `visible`: what may be known,
 * where conditions on arguments and network count for the subject.
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

function standingTruth(when: OracleWhen | undefined): Truth {
  return all(Object.entries(when?.claims ?? {}).map(([name, wanted]) => claimTruth(name, wanted)));
}

function passingTruth(when: OracleWhen | undefined): Truth {
  const truths = Object.entries(when?.args ?? {}).map(([name, operators]) =>
    valueTruth('context.args', name, operators),
  );
  if (when?.network !== undefined) {
    const inside = or(when.network.map((range) => `context.ip.isInRange(ip("${range}"))`));
    truths.push({ holds: `(context has ip && ${inside})`, fails: `(context has ip && !${inside})` });
  }
  return all(truths);
}

/** When a rule counts, in one reading. A deny that cannot be evaluated denies; an allow that cannot does not allow. */
function counts(when: OracleWhen | undefined, effect: 'allow' | 'deny', reading: Reading): string {
  const standing = standingTruth(when);
  const passing = passingTruth(when);
  if (reading === 'visible') {
    const transient = when?.args !== undefined || when?.network !== undefined;
    if (effect === 'allow') return standing.holds;
    return transient ? 'false' : `!${standing.fails}`;
  }
  const truth = all([standing, passing]);
  return effect === 'allow' ? truth.holds : `!${truth.fails}`;
}

function credentialMatches(credential: OracleCredential): string {
  if ('any' in credential) return 'true';
  if ('anonymous' in credential) return 'context has anonymous';
  if ('apiKey' in credential) return `(context has apiKey && context.apiKey == "${credential.apiKey}")`;
  if ('certificate' in credential) {
    return `(context has uri && ${matches('context.uri', [credential.certificate.uri])})`;
  }
  const { issuer, claims } = credential.token;
  const tests = Object.entries(claims ?? {}).map(([name, wanted]) => claimTruth(name, wanted).holds);
  return `(context has issuer && ${and([`context.issuer == "${issuer}"`, ...tests])})`;
}

function hasRole(policy: OraclePolicy, role: string): string {
  return or(
    policy.bindings
      .filter(({ roles }) => roles.includes(role))
      .flatMap(({ to }) => to.map(credentialMatches)),
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
  const isIn = (mode: 'enforce' | 'shadow' | undefined) => reading === 'shadow' || mode !== 'shadow';
  const objects = policy.acl.filter(({ mode }) => isIn(mode));
  const targetOf = ({ tool, resource, upstreams }: OracleAcl) =>
    aboutTarget({
      ...(tool === undefined ? {} : { tools: tool }),
      ...(resource === undefined ? {} : { resources: resource }),
      ...(upstreams === undefined ? {} : { upstreams }),
    });
  const isProtected = or(objects.map(targetOf));
  const addImplied = (role: string, rule: OracleRule) =>
    add('allow', [
      'context.implied',
      hasRole(policy, role),
      matches('context.upstream', rule.upstreams),
      standingTruth(rule.when).holds,
    ]);

  for (const [role, { allow, deny }] of Object.entries(policy.roles)) {
    for (const [effect, rules] of [
      ['allow', allow],
      ['deny', deny],
    ] as const) {
      for (const rule of rules) {
        if (!isIn(rule.mode)) continue;
        const conditions = [
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
        if (!isIn(entry.mode)) continue;
        for (const role of entry.roles) {
          add(effect, [
            hasRole(policy, role),
            targetOf(object),
            aboutAction(entry.actions),
            counts(entry.when, effect, reading),
          ]);
          if (effect === 'allow') {
            addImplied(role, {
              ...(entry.when === undefined ? {} : { when: entry.when }),
              ...(object.upstreams === undefined ? {} : { upstreams: object.upstreams }),
            });
          }
        }
      }
    }
  }
  return policies.join('\n');
}
