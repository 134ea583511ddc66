import { parseDocument } from '../../document/parse-document.ts';
import { sortProblems } from '../../document/problems.ts';
import type { PolicySource } from '../compile.ts';
import { policyDocument } from '../document.ts';
import type { PolicyFile } from '../policy-file.ts';
import { untoldAmounts } from './amounts.ts';
import { doubtfulBindings, wideRules } from './callers.ts';
import { duplicates } from './duplicates.ts';
import { impossibleConditions } from './impossible.ts';
import { openPriorities } from './priorities.ts';
import { shadowedRules, unknownUpstreams, unlistedTools } from './reach.ts';
import { trials } from './trials.ts';
import { cappedTimeouts, unreachableLimits } from './unreachable.ts';
import type { Lint, LintContext, PolicyWarning } from './warning.ts';

export { formatWarning, type LintContext, type PolicyWarning } from './warning.ts';

/** All that is looked for beside what `compilePolicy` warns of. */
const lints: readonly Lint[] = [
  unknownUpstreams,
  unlistedTools,
  shadowedRules,
  impossibleConditions,
  wideRules,
  openPriorities,
  untoldAmounts,
  unreachableLimits,
  cappedTimeouts,
  doubtfulBindings,
  duplicates,
  trials,
];

/**
 * What policy files that compile say, and their author can hardly mean: rules that can never match, wildcards, trials that
 * ended. Pure: the time comes in. Says nothing of files that do not compile.
 */
export function lintPolicy(sources: readonly PolicySource[], context: LintContext): readonly PolicyWarning[] {
  const files: PolicyFile[] = [];
  for (const source of sources) {
    const parsed = parseDocument(source, policyDocument);
    if (!parsed.ok) return [];
    files.push({ file: source.file, document: parsed.value, locate: parsed.locate });
  }
  const warnings = lints.flatMap((lint) => [...lint(files, context)]);
  return sortProblems(warnings) as readonly PolicyWarning[];
}
