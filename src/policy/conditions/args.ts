import { parseValuePath } from '../../values/value-path.ts';
import { askAt } from './ask-at.ts';
import type { Condition, RuleEffect } from './condition.ts';
import type { ValueOperators } from './options.ts';
import { compileValueTest } from './value-test.ts';

/**
 * `args: { limit: { max: 1000 }, "options.depth": { min: 1 }, "paths[*]": { prefix: "/workspace/" } }`: one condition
 * for each argument named. A call without arguments has none of them.
 */
export function compileArgs(
  args: Readonly<Record<string, ValueOperators>>,
  effect: RuleEffect,
): readonly Condition[] {
  const quantifier = effect === 'allow' ? 'every' : 'some';
  return Object.entries(args).map(([text, operators]): Condition => {
    const path = parseValuePath(text);
    if (path === undefined) throw new TypeError('the schema lets only valid paths through');
    const value = compileValueTest(operators);
    const only = operatorNames(operators);
    return {
      test: (request) => askAt(request.context.arguments ?? {}, path, quantifier, value.test),
      blame: (request) => {
        let operator: string | undefined;
        askAt(request.context.arguments ?? {}, path, quantifier, (found) => {
          const truth = value.test(found);
          if (truth !== 'true') operator ??= value.blame(found);
          return truth;
        });
        return `args.${text}.${operator ?? only}`;
      },
    };
  });
}

function operatorNames(operators: ValueOperators): string {
  return Object.keys(operators)[0] ?? 'present';
}
