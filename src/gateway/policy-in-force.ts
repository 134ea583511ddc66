import { readPolicySources } from '../config/policy-sources.ts';
import type { Config } from '../config/schema.ts';
import { formatProblem } from '../document/problems.ts';
import type { Log } from '../observe/log.ts';
import { type CompiledPolicy, compilePolicy, type PolicyCompilation } from '../policy/compile.ts';
import type { PolicyWarning } from '../policy/lint/warning.ts';
import type { ReloadStep } from './reloader.ts';
import { withoutRolesOfKeys } from './roles-of-keys.ts';

/** The policy that new exchanges begin with. */
export interface PolicyInForce {
  readonly policy: CompiledPolicy;
  readonly reloadStep: ReloadStep;
}

/** Compiles the policy files of a folder. */
export async function loadPolicies(folder: string): Promise<PolicyCompilation> {
  return compilePolicy(await readPolicySources(folder));
}

/**
 * @param silent leaves the first warnings to another worker, who has read the same files
 * @param onChange called after another policy came into force
 */
export function createPolicyInForce(
  config: Config,
  compiled: Extract<PolicyCompilation, { ok: true }>,
  deps: { readonly log: Log; readonly silent: boolean; onChange(): void },
): PolicyInForce {
  let { policy } = compiled;
  const warn = (found: readonly PolicyWarning[]): void => {
    for (const warning of withoutRolesOfKeys(found, config))
      deps.log.warn('a policy warning', { warning: formatProblem(warning) });
  };
  if (!deps.silent) warn(compiled.warnings);
  return {
    get policy() {
      return policy;
    },
    reloadStep: {
      what: 'policies',
      async read() {
        const next = await loadPolicies(config.policies);
        if (!next.ok) throw new Error(next.problems.map(formatProblem).join('; '));
        warn(next.warnings);
        policy = next.policy;
        deps.onChange();
      },
    },
  };
}
