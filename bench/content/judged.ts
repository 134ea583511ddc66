import type { ArgumentFault, ArgumentRule } from '../../src/arguments/rule.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { argumentRulesFor } from '../../src/policy/content.ts';
import type { JsonObject } from '../../src/values/json.ts';

/** Judges arguments through a policy file, as the gateway does: the same parser, the same compiler, the same rules. */
export class PolicyJudge {
  readonly #rules = new Map<string, readonly ArgumentRule[]>();
  readonly #policy: string | undefined;

  /** @param policy text of a policy file with declared roles; without it, each call brings its roles */
  constructor(policy?: string) {
    this.#policy = policy;
  }

  /**
   * @param args roles by argument path, as `arguments[].args` of a policy file; undefined: those of the given file
   * @throws Error where the roles do not compile
   */
  fault(tool: string, value: JsonObject, args?: JsonObject): ArgumentFault | undefined {
    for (const rule of this.#rulesFor(tool, args)) {
      const judged = rule.judge(value, { upstream: 'bench', tool, principal: { id: 'bench' }, time: 0 });
      if (judged.fault !== undefined) return judged.fault;
    }
    return undefined;
  }

  #rulesFor(tool: string, args: JsonObject | undefined): readonly ArgumentRule[] {
    const key = JSON.stringify([tool, args]);
    const known = this.#rules.get(key);
    if (known !== undefined) return known;
    const text =
      args === undefined
        ? this.#policy
        : JSON.stringify({ version: 1, arguments: [{ match: { tools: ['*'] }, args }] });
    const compiled = compilePolicy(text === undefined ? [] : [{ file: 'roles.yaml', text }]);
    if (!compiled.ok)
      throw new Error(compiled.problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
    const rules = argumentRulesFor(compiled.policy, {
      upstream: 'bench',
      kind: 'tool',
      name: tool,
      subject: { id: 'bench', credentials: [] },
    });
    if (this.#rules.size > 100_000) this.#rules.clear();
    this.#rules.set(key, rules);
    return rules;
  }
}
