import { withGrammars } from '../arguments/with-grammars.ts';
import { readPolicySources } from '../config/policy-sources.ts';
import type { Config } from '../config/schema.ts';
import { formatProblem } from '../document/problems.ts';
import type { Log } from '../observe/log.ts';
import {
  type CompiledPolicy,
  compileParsed,
  compilePolicy,
  type PolicyCompilation,
} from '../policy/compile.ts';
import type { PolicyWarning } from '../policy/lint/warning.ts';
import { finish, finishInTurns, type Steps } from '../values/steps.ts';
import { readPolicyDocuments } from './read-documents.ts';
import type { ReloadStep } from './reloader.ts';
import { withoutRolesOfKeys } from './roles-of-keys.ts';

/** The policy that new exchanges begin with. */
export interface PolicyInForce {
  readonly policy: CompiledPolicy;
  readonly reloadStep: ReloadStep;
}

/** Compiles the policy files of a folder. */
export async function loadPolicies(folder: string): Promise<PolicyCompilation> {
  const sources = await readPolicySources(folder);
  return withGrammars(() => compilePolicy(sources));
}

/** Lines of the log between two places to stop: a folder may have thousands of warnings. */
const warningsPerStep = 32;

/** As `loadPolicies`, while calls are served. */
async function loadPoliciesBeside(folder: string): Promise<PolicyCompilation> {
  const sources = await readPolicySources(folder);
  const parsed = await readPolicyDocuments(sources);
  const files = sources.map((source, index) => ({ source, parsed: parsed[index]! }));
  return withGrammars(() => finishInTurns(compileParsed(files)));
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
  function* warn(found: readonly PolicyWarning[]): Steps<void> {
    for (const [index, warning] of withoutRolesOfKeys(found, config).entries()) {
      deps.log.warn('a policy warning', { warning: formatProblem(warning) });
      if (index % warningsPerStep === 0) yield;
    }
  }
  if (!deps.silent) finish(warn(compiled.warnings));
  return {
    get policy() {
      return policy;
    },
    reloadStep: {
      what: 'policies',
      async read() {
        const next = await loadPoliciesBeside(config.policies);
        if (!next.ok) throw new Error(next.problems.map(formatProblem).join('; '));
        policy = next.policy;
        deps.onChange();
        // Nobody waits for lines of the log: what is reloaded beside, and the next reload, are in force the sooner.
        finishInTurns(warn(next.warnings)).catch((cause: unknown) =>
          deps.log.error('policy warnings were not told', { cause }),
        );
      },
    },
  };
}
