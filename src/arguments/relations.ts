import { compileExpression, type Expression } from '../expressions/expression.ts';
import { expressionFaults } from '../expressions/schema-faults.ts';
import type { JsonObject, JsonValue } from '../values/json.ts';
import { type RelationDocument, relationVariables } from './relation-options.ts';
import type { RoleFault } from './role.ts';
import type { CallContext } from './rule.ts';

/** A condition on the arguments together, on the caller and on the call. */
export interface Relation {
  /** @returns undefined where the relation holds */
  judge(args: JsonObject, call: CallContext): RoleFault | undefined;
  /** Why it can hold for no arguments of this JSON Schema; undefined where it may. */
  faultIn(schema: JsonValue): string | undefined;
}

export function compileRelation(document: RelationDocument, index: number): Relation {
  const expression = compile(document.that);
  const id = document.id ?? `relations[${index}]`;
  const allow = document.message ?? `the relation ${id} must hold`;
  // Which of the two it was is for whoever writes the rule: a relation that cannot be evaluated never lets anything through.
  const broken: RoleFault = { fault: 'does-not-hold', allow };
  const unknown: RoleFault = { fault: 'cannot-be-evaluated', allow };
  return {
    faultIn(schema) {
      const fault = expressionFaults(expression, schema);
      return fault === undefined ? undefined : `${id}: ${fault}`;
    },
    judge(args, { principal, tool, upstream, time }) {
      const truth = expression.test({ args, principal, call: { tool, upstream, time } });
      return truth === 'true' ? undefined : truth === 'false' ? broken : unknown;
    },
  };
}

function compile(text: string): Expression {
  const compiled = compileExpression(text, relationVariables);
  if (!compiled.ok) throw new TypeError('the schema lets only expressions through');
  return compiled.expression;
}
