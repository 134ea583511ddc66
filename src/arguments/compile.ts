import type { JsonObject } from '../values/json.ts';
import { finish, type Steps } from '../values/steps.ts';
import { compileValues } from './compile-values.ts';
import { judgeTree, type TreeFault, type TreeLookup } from './judge-tree.ts';
import type { ArgumentRuleDocument } from './options.ts';
import { compileRelation } from './relations.ts';
import { rewriteTree } from './rewrite-tree.ts';
import { roles } from './roles/table.ts';
import type {
  ArgumentFault,
  ArgumentRule,
  CallContext,
  Rewrite,
  RuleJudgement,
  SecretPlaces,
} from './rule.ts';
import { isSecretAt, secretsIn } from './secrets.ts';

/** Where a rule stands, and whether it is enforced. */
export interface RulePlace {
  readonly id: string;
  /** `file:line`. */
  readonly location: string;
  readonly mode: 'enforce' | 'shadow';
}

/** Compiles one entry of `arguments:`. What the schema lets through compiles. */
export function compileArgumentRule(document: ArgumentRuleDocument, place: RulePlace): ArgumentRule {
  const { id, location, mode } = place;
  const tree = compileValues(document.args, roles);
  const relations = document.relations.map(compileRelation);

  const isOwnSecret: SecretPlaces = (trail) => isSecretAt(tree, trail);

  function* judge(
    given: JsonObject,
    call: CallContext,
    partial: boolean,
    isSecret: SecretPlaces = isOwnSecret,
  ): Steps<RuleJudgement> {
    const rewrites: Rewrite[] = [];
    const args = yield* rewriteTree(tree, given, {
      rule: id,
      rewrites,
      partial,
      isSecret: (trail) => isOwnSecret(trail) || isSecret(trail),
    });
    if (rewrites.length > 0) yield;
    const lookups: TreeLookup[] = [];
    let fault = yield* judgeTree(tree, args, partial, lookups);
    if (fault === undefined && !partial && relations.length > 0) {
      yield;
      fault = relate(args, call);
    }
    if (fault === undefined) return { args, rewrites, fault, lookups };
    return { args, rewrites, fault: faultOf(fault), lookups: [] };
  }

  function relate(args: JsonObject, call: CallContext): TreeFault | undefined {
    for (const relation of relations) {
      const fault = relation.judge(args, call);
      if (fault !== undefined) return { path: '(arguments)', role: 'relation', ...fault };
    }
    return undefined;
  }

  function faultOf({ path, role, fault, allow }: TreeFault): ArgumentFault {
    return { rule: id, location, path, role, fault, allow };
  }

  return {
    id,
    location,
    mode,
    unknown: document.unknown,
    schema: document.schema,
    names: new Set(tree.keys.keys()),
    judge: (args, call, isSecret) => finish(judge(args, call, false, isSecret)),
    judgePart: (args, call, isSecret) => finish(judge(args, call, true, isSecret)),
    judgeSteps: judge,
    relationFaults: (schema) => relations.flatMap((relation) => relation.faultIn(schema) ?? []),
    secretsIn: (args) => secretsIn(tree, args),
    isSecretAt: isOwnSecret,
  };
}

/** The top-level arguments that rules name: known, whatever the tool's schema says. */
export function namedArguments(rules: readonly ArgumentRule[]): ReadonlySet<string> {
  const [first, ...others] = rules;
  if (first === undefined) return none;
  if (others.length === 0) return first.names;
  const names = new Set(first.names);
  for (const rule of others) for (const name of rule.names) names.add(name);
  return names;
}

const none: ReadonlySet<string> = new Set();
