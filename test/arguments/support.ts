import { compileArgumentRule } from '../../src/arguments/compile.ts';
import { readArgumentRule } from '../../src/arguments/options.ts';
import type { ArgumentRule, CallContext } from '../../src/arguments/rule.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { JsonObject, JsonValue } from '../../src/values/json.ts';

export const caller: CallContext = {
  upstream: 'warehouse',
  tool: 'probe',
  principal: { id: 'token:https://idp.example#alice', domain: 'acme.example', roles: ['analyst'] },
  time: 1_800_000_000_000,
};

/** One rule, read and compiled as from a policy file. */
export function ruleOf(document: object, mode: 'enforce' | 'shadow' = 'enforce'): ArgumentRule {
  return compileArgumentRule(readArgumentRule(document), { id: 'r', location: 'test.yaml:1', mode });
}

/** What a rule with this one specification says of a value: `role:fault`, or undefined. */
export function faultOf(spec: object, value: JsonValue): string | undefined {
  return faultIn({ args: { value: spec } }, { value });
}

export function faultIn(document: object, args: JsonObject): string | undefined {
  const { fault } = ruleOf(document).judge(args, caller);
  return fault === undefined ? undefined : `${fault.role}:${fault.fault}`;
}

/** The arguments after rewriting. */
export function rewriteOf(document: object, args: JsonObject): JsonObject {
  return ruleOf(document).judge(args, caller).args;
}

/** `line: path: message` of everything wrong with the `args` of one entry, one argument for each line from 5 on. */
export function problemsOf(...lines: readonly string[]): readonly string[] {
  const text = [
    'version: 1',
    'arguments:',
    '  - match: {}',
    '    args:',
    ...lines.map((line) => `      ${line}`),
  ];
  const compiled = compilePolicy([{ file: 'test.yaml', text: text.join('\n') }]);
  if (compiled.ok) return [];
  return compiled.problems.map(({ line, path, message }) => `${line}: ${path}: ${message}`);
}

/** What the decoder makes of a number that no double holds. */
export const exact = (digits: string): JsonValue => JSON.rawJSON(digits);
