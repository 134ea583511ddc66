import type { CompiledRule } from './model.ts';
import { compilePattern, type NamePattern } from './pattern.ts';

/**
 * On which upstreams a role's allow rules allow anything at all: for methods that come with any allow rule.
 *
 * Rules that add nothing are not kept, so that a role with thousands of rules is asked about a few.
 */
export class Coverage {
  readonly #exact = new Map<string, CompiledRule[]>();
  readonly #patterned = new Map<string, { readonly pattern: NamePattern; readonly rules: CompiledRule[] }>();

  add(rule: CompiledRule): void {
    for (const pattern of rule.scope.upstreams ?? [everyUpstream]) {
      if (pattern.exact) {
        const rules = this.#exact.get(pattern.text);
        if (rules === undefined) this.#exact.set(pattern.text, [rule]);
        else addUnlessCovered(rules, rule);
      } else {
        const entry = this.#patterned.get(pattern.text);
        if (entry === undefined) this.#patterned.set(pattern.text, { pattern, rules: [rule] });
        else addUnlessCovered(entry.rules, rule);
      }
    }
  }

  /** Calls back with each kept allow rule that covers the upstream, until the callback says that it has enough. */
  some(upstream: string, isEnough: (rule: CompiledRule) => boolean): boolean {
    if (this.#exact.get(upstream)?.some(isEnough)) return true;
    for (const { pattern, rules } of this.#patterned.values()) {
      if (pattern.matches(upstream) && rules.some(isEnough)) return true;
    }
    return false;
  }
}

const everyUpstream = compilePattern('*', undefined);

/** A rule without conditions on the caller stands for all that come after it in the same mode, for as long. */
function addUnlessCovered(rules: CompiledRule[], rule: CompiledRule): void {
  const covered = rules.some(
    (known) =>
      known.shadow === rule.shadow &&
      known.until === rule.until &&
      (known.when === undefined || known.when.standing.length === 0),
  );
  if (!covered) rules.push(rule);
}
