import {
  type Binding,
  compileExpression,
  type Declarations,
  type Expression,
  type Reads,
} from '../../expressions/expression.ts';
import { timestampType } from '../../expressions/time-functions.ts';
import type { JsonObject } from '../../values/json.ts';
import type { AccessRequest, Subject } from '../access-request.ts';
import type { Condition } from './condition.ts';
import { disguises } from './disguises.ts';

/** What an expression may look at, and of what types it is. Kinds of credential that a caller has not are absent. */
const declarations: Declarations = {
  principal: {
    id: 'string',
    roles: 'list<string>',
    domain: 'string',
    claims: 'map',
    certificate: { uris: 'list<string>', dns: 'list<string>', cn: 'string', fingerprint: 'string' },
    token: {
      issuer: 'string',
      subject: 'string',
      scopes: 'list<string>',
      client: 'string',
      bound: 'string',
    },
    apiKey: 'string',
    anonymous: 'bool',
  },
  call: { upstream: 'string', kind: 'string', name: 'string', action: 'string' },
  args: 'map',
  context: { time: timestampType, address: 'string' },
};
const variables = Object.keys(declarations);

/** Tells expressions of the caller: an object with the members of `principal`. */
export type DescribeCaller = (subject: Subject) => JsonObject;

/**
 * What a condition depends on: on the caller alone, on the caller and the target, or on this one request. Only the first
 * two say something about what a caller may see.
 */
export type Dependence = 'caller' | 'target' | 'request';

/** Says what is wrong with an expression; undefined where nothing is. */
export function celFault(text: string): string | undefined {
  const compiled = compileExpression(text, variables, declarations);
  return compiled.ok ? undefined : compiled.message;
}

/** What an expression says whatever the request is; undefined where that depends. */
export function constantTruth(text: string): 'true' | 'false' | 'unknown' | undefined {
  const expression = compile(text);
  return [...expression.reads.values()].some(isRead) ? undefined : expression.test({});
}

/**
 * `cel: "args.end - args.start <= 86400"`: the condition holds where the expression is true, and cannot be evaluated
 * where the expression cannot, or where an object that it reads by name has a sibling key that folds to the name.
 */
export function compileCel(
  text: string,
  describe: DescribeCaller,
): { readonly condition: Condition; readonly dependence: Dependence } {
  const expression = compile(text);
  const reads = (variable: string) => isRead(expression.reads.get(variable)!);
  const hidesClaim = disguises(expression.reads.get('principal'));
  const hidesArgument = disguises(expression.reads.get('args'));
  const condition: Condition = {
    test: (request) => {
      const principal = reads('principal') ? describe(request.subject) : {};
      const args = (request.context.arguments ?? {}) as JsonObject;
      if (hidesClaim(principal) || hidesArgument(args)) return 'unknown';
      return expression.test({ principal, args, call: callOf(request), context: contextOf(request) });
    },
    blame: () => 'cel',
  };
  const dependence = reads('args') || reads('context') ? 'request' : reads('call') ? 'target' : 'caller';
  return { condition, dependence };
}

function compile(text: string): Expression {
  const compiled = compileExpression(text, variables, declarations);
  if (!compiled.ok) throw new TypeError('the schema lets only expressions through');
  return compiled.expression;
}

function isRead({ whole, members }: Reads): boolean {
  return whole || members.size > 0;
}

function callOf({ resource: { upstream, kind, name }, action }: AccessRequest): JsonObject {
  return { upstream, kind, name, action };
}

/** A time that is none is absent: every comparison with it would be false, and so a deny rule would not deny. */
function contextOf({ context: { time, address } }: AccessRequest): Binding {
  const moment = new Date(time);
  return Number.isFinite(moment.getTime()) ? { time: moment, address } : { address };
}
