import type { ArgumentRule } from '../arguments/rule.ts';

/** What is done where something does not fit; no effect where it is not looked at. */
export interface Setting {
  readonly effect: 'refused' | 'alert' | 'would-refuse' | undefined;
  /** The rule that says so; undefined for the default. */
  readonly rule: string | undefined;
}

/** What the matching entries of `arguments:` say of a tool's own schema, all together. */
export interface SchemaRules {
  readonly schema: Setting;
  readonly unknown: Setting;
  /** Nothing at all is looked at. */
  readonly isOff: boolean;
  /** Arguments that rules name. */
  readonly named: ReadonlySet<string>;
}

/**
 * Of the rules that are enforced, the last that speaks of `schema`, and the last that speaks of `unknown`, decide;
 * `enforce` and `refuse` where none does. Where the schema is only watched or not looked at, unknown names are treated
 * alike unless a rule says `unknown: refuse`. Rules in shadow mode let nothing through and refuse nothing: where one
 * asks for more than is enforced, what it would refuse is noted.
 */
export function schemaRulesOf(
  rules: readonly ArgumentRule[],
  namedArguments: (rules: readonly ArgumentRule[]) => ReadonlySet<string>,
): SchemaRules {
  const [first] = rules;
  if (first === undefined) return noRules;
  if (rules.length > 1) return settings(rules, namedArguments);
  let known = settled.get(first);
  if (known === undefined) {
    known = settings(rules, namedArguments);
    settled.set(first, known);
  }
  return known;
}

/** Most calls have one rule, the same until the policy is another. */
const settled = new WeakMap<ArgumentRule, SchemaRules>();

function settings(
  rules: readonly ArgumentRule[],
  namedArguments: (rules: readonly ArgumentRule[]) => ReadonlySet<string>,
): SchemaRules {
  const enforced = rules.filter(({ mode }) => mode === 'enforce');
  const shadow = rules.filter(({ mode }) => mode === 'shadow');
  const schema = schemaSetting(enforced, shadow);
  const unknown = unknownSetting(enforced, shadow, schema);
  return {
    schema,
    unknown,
    isOff: schema.effect === undefined && unknown.effect === undefined,
    named: namedArguments(enforced),
  };
}

const byDefault: Setting = Object.freeze({ effect: 'refused', rule: undefined });

const noRules: SchemaRules = Object.freeze({
  schema: byDefault,
  unknown: byDefault,
  isOff: false,
  named: new Set<string>(),
});

function schemaSetting(enforced: readonly ArgumentRule[], shadow: readonly ArgumentRule[]): Setting {
  const last = enforced.findLast(({ schema }) => schema !== undefined);
  if (last === undefined) return byDefault;
  if (last.schema === 'enforce') return { effect: 'refused', rule: last.id };
  const stricter = shadow.findLast(({ schema }) => schema !== undefined);
  if (stricter?.schema === 'enforce') return { effect: 'would-refuse', rule: stricter.id };
  return { effect: last.schema === 'alert' ? 'alert' : undefined, rule: last.id };
}

function unknownSetting(
  enforced: readonly ArgumentRule[],
  shadow: readonly ArgumentRule[],
  schema: Setting,
): Setting {
  const last = enforced.findLast(({ unknown }) => unknown !== undefined);
  if (last?.unknown === 'refuse') return { effect: 'refused', rule: last.id };
  const stricter = shadow.findLast(({ unknown }) => unknown !== undefined);
  if (last === undefined) {
    if (schema.effect !== undefined || stricter?.unknown !== 'refuse') return schema;
    return { effect: 'would-refuse', rule: stricter.id };
  }
  if (stricter?.unknown === 'refuse') return { effect: 'would-refuse', rule: stricter.id };
  return { effect: undefined, rule: last.id };
}
