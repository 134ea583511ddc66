import type { ArgumentFault, ArgumentRule, Rewrite } from '../arguments/rule.ts';
import { isExactNumber, isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { parseValuePath } from '../values/value-path.ts';
import type { CallJudgement } from './judge-call.ts';

/** What the entries of `arguments:` make of the arguments of a call. Values of secret arguments are not in it. */
export interface ExplainedArguments {
  /** Every entry that is about the target, in order. */
  readonly rules: readonly ExplainedArgumentRule[];
  /** Why the call is refused; absent where it is not. */
  readonly refused?: ArgumentFault;
  /** What entries in shadow mode would refuse. */
  readonly wouldRefuse: readonly ArgumentFault[];
  readonly rewrites: readonly ExplainedRewrite[];
  /** The arguments as they would be sent. Absent where the call is refused. */
  readonly sent?: JsonObject;
  /** What a gateway would ask of the machine before it lets the call through. Not asked here. */
  readonly lookups: readonly {
    readonly rule: string;
    readonly path: string;
    readonly role: string;
    readonly kind: 'real-path' | 'addresses';
  }[];
}

export interface ExplainedArgumentRule {
  readonly rule: string;
  readonly location: string;
  readonly shadow: boolean;
  readonly schema?: 'enforce' | 'alert' | 'off';
  readonly unknown?: 'refuse' | 'allow';
}

export interface ExplainedRewrite {
  readonly rule: string;
  readonly path: string;
  readonly rewrite: Rewrite['rewrite'];
  /** What would be sent in this place; absent where nothing is. */
  readonly sent?: JsonValue;
}

/** Puts a judgement of arguments into plain data for an operator, who gave the arguments. */
export function explainArguments({
  rules,
  judgement,
}: NonNullable<CallJudgement['content']>): ExplainedArguments {
  const { args, fault, wouldRefuse, rewrites, lookups } = judgement;
  const sent = fault === undefined ? withoutSecrets(args, rules) : undefined;
  return {
    rules: rules.map(describeRule),
    ...(fault === undefined ? {} : { refused: fault }),
    wouldRefuse,
    rewrites: rewrites.map(({ rule, path, rewrite }) => {
      const value = sent === undefined ? undefined : valueAt(sent, path);
      return { rule, path, rewrite, ...(value === undefined ? {} : { sent: value }) };
    }),
    ...(sent === undefined ? {} : { sent }),
    lookups: lookups.map(({ rule, path, role, lookup }) => ({
      rule: rule.id,
      path,
      role,
      kind: lookup.kind,
    })),
  };
}

function describeRule({ id, location, mode, schema, unknown }: ArgumentRule): ExplainedArgumentRule {
  return {
    rule: id,
    location,
    shadow: mode === 'shadow',
    ...(schema === undefined ? {} : { schema }),
    ...(unknown === undefined ? {} : { unknown }),
  };
}

/** Undefined where the path is too long to be read back. */
function valueAt(args: JsonObject, path: string): JsonValue | undefined {
  const steps = parseValuePath(path);
  return steps?.reduce<JsonValue | undefined>((value, step) => {
    if (step.kind === 'key') return isJsonObject(value) ? own(value, step.name) : undefined;
    return step.kind === 'index' && Array.isArray(value)
      ? (value as readonly JsonValue[])[step.index]
      : undefined;
  }, args);
}

const hidden = '[secret]';

/** Shorter secrets are hidden only where they are a whole value: parts of other texts look like them by chance. */
const shortestInside = 6;

/** Hides what any rule calls secret, wherever in the arguments the same text stands again. */
function withoutSecrets(args: JsonObject, rules: readonly ArgumentRule[]): JsonObject {
  const secrets = new Set(rules.flatMap((rule) => rule.secretsIn(args)));
  if (secrets.size === 0) return args;
  const inside = [...secrets].filter(({ length }) => length >= shortestInside);

  function text(value: string): string {
    if (secrets.has(value)) return hidden;
    let clean = value;
    for (const secret of inside) clean = clean.replaceAll(secret, hidden);
    return clean;
  }

  function clean(value: JsonValue): JsonValue {
    if (typeof value === 'string') return text(value);
    if (typeof value === 'number') return secrets.has(JSON.stringify(value)) ? hidden : value;
    if (isExactNumber(value)) return secrets.has(value.rawJSON) ? hidden : value;
    if (Array.isArray(value)) return (value as readonly JsonValue[]).map(clean);
    return isJsonObject(value) ? members(value) : value;
  }

  function members(object: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(object).map(([key, value]) => [text(key), value === undefined ? value : clean(value)]),
    );
  }

  return members(args);
}
