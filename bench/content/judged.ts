import type { ArgumentFault, ArgumentRule } from '../../src/arguments/rule.ts';
import { decodeFrame, defaultDecodeLimits } from '../../src/mcp/decode.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { argumentRulesFor } from '../../src/policy/content.ts';
import { loadGrammar } from '../../src/sql/grammars.ts';
import type { JsonObject } from '../../src/values/json.ts';

// As a gateway does once it has read the policy.
await loadGrammar('postgresql');
await loadGrammar('sqlite');

/** Why a call would be refused: by the decoder of messages, or by a rule of the policy. */
export type Refusal = Pick<ArgumentFault, 'role' | 'fault' | 'path'>;

/** Judges calls as the gateway does: the same decoder, the same parser of policies, the same compiler and rules. */
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
  refusal(tool: string, value: JsonObject, args?: JsonObject): Refusal | undefined {
    const rules = this.#rulesFor(tool, args);
    const frame = decodeFrame(
      Buffer.from(
        JSON.stringify({
          jsonrpc: '2.0',
          id: 1,
          method: 'tools/call',
          params: { name: tool, arguments: value },
        }),
      ),
      defaultDecodeLimits,
      'toUpstream',
    );
    if (!frame.ok) return { role: 'message', fault: frame.failure.code, path: '(arguments)' };
    for (const rule of rules) {
      const judged = rule.judge(value, { upstream: 'bench', tool, principal: { id: 'bench' }, time: 0 });
      if (judged.fault !== undefined) return judged.fault;
    }
    return undefined;
  }

  /** Whether the policy says anything of the arguments of a tool. */
  knows(tool: string): boolean {
    return this.#rulesFor(tool, undefined).length > 0;
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
      time: 0,
    });
    if (this.#rules.size > 10_000) this.#rules.clear();
    this.#rules.set(key, rules);
    return rules;
  }
}
