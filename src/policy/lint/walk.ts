import type { DocumentPath } from '../../document/problems.ts';
import type { WhenDocument } from '../conditions/options.ts';
import type { RuleDocument } from '../document.ts';
import type { PolicyFile } from '../policy-file.ts';
import type { TargetTexts } from '../scope.ts';
import type { TrialDocument } from '../trial.ts';

/** A rule of a role, with its place. */
export interface PlacedRule {
  readonly file: PolicyFile;
  readonly path: DocumentPath;
  readonly role: string;
  readonly effect: 'allow' | 'deny';
  readonly rule: RuleDocument;
}

export function* rulesOf(files: readonly PolicyFile[]): Generator<PlacedRule> {
  for (const file of files) {
    for (const [role, document] of Object.entries(file.document.roles)) {
      for (const effect of ['allow', 'deny'] as const) {
        for (const [index, rule] of document[effect].entries()) {
          yield { file, path: ['roles', role, effect, index], role, effect, rule };
        }
      }
    }
  }
}

/** A protected object in the words of rules. */
export function targetsOfObject(object: PolicyFile['document']['acl'][number]): TargetTexts {
  const { tool: tools, resource: resources, prompt: prompts, upstreams } = object;
  return { tools, resources, prompts, upstreams };
}

export interface PlacedConditions {
  readonly file: PolicyFile;
  readonly path: DocumentPath;
  readonly effect: 'allow' | 'deny';
  readonly when: WhenDocument;
}

export function* conditionsOf(files: readonly PolicyFile[]): Generator<PlacedConditions> {
  for (const { file, path, effect, rule } of rulesOf(files)) {
    if (rule.when !== undefined) yield { file, path: [...path, 'when'], effect, when: rule.when };
  }
  for (const file of files) {
    for (const [index, object] of file.document.acl.entries()) {
      for (const effect of ['allow', 'deny'] as const) {
        for (const [entry, { when }] of object[effect].entries()) {
          if (when !== undefined) yield { file, path: ['acl', index, effect, entry, 'when'], effect, when };
        }
      }
    }
  }
}

const matchSections = ['scopes', 'limits', 'arguments', 'results', 'tools', 'flows', 'timeouts'] as const;

/** Everything that names targets, with the place of what names them. */
export function* targetsIn(
  files: readonly PolicyFile[],
): Generator<{ readonly file: PolicyFile; readonly path: DocumentPath; readonly targets: TargetTexts }> {
  for (const { file, path, rule } of rulesOf(files)) yield { file, path, targets: rule };
  for (const file of files) {
    for (const [index, object] of file.document.acl.entries()) {
      yield { file, path: ['acl', index], targets: targetsOfObject(object) };
    }
    for (const section of matchSections) {
      for (const [index, { match }] of file.document[section].entries()) {
        yield { file, path: [section, index, 'match'], targets: match };
      }
    }
  }
}

const trialSections = ['scopes', 'limits', 'arguments', 'results', 'flows'] as const;

/** Everything that can be tried out. */
export function* trialsIn(
  files: readonly PolicyFile[],
): Generator<{ readonly file: PolicyFile; readonly path: DocumentPath; readonly trial: TrialDocument }> {
  for (const { file, path, rule } of rulesOf(files)) yield { file, path, trial: rule };
  for (const file of files) {
    for (const [index, object] of file.document.acl.entries()) {
      yield { file, path: ['acl', index], trial: object };
      for (const effect of ['allow', 'deny'] as const) {
        for (const [entry, trial] of object[effect].entries()) {
          yield { file, path: ['acl', index, effect, entry], trial };
        }
      }
    }
    for (const section of trialSections) {
      for (const [index, trial] of file.document[section].entries()) {
        yield { file, path: [section, index], trial };
      }
    }
  }
}
