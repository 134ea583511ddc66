import { Environment } from '@marcbachmann/cel-js';

/** UTF-16 units of one expression. 4096, because what is longer is a program, and nobody reviews it. */
export const longestText = 4_096;

/** Bounds on the tree of one expression. */
const limits = {
  /** Some fifty comparisons. */
  maxAstNodes: 512,
  /** Brackets, and members of members. */
  maxDepth: 32,
  maxListElements: 256,
  maxMapEntries: 64,
  maxCallArguments: 8,
};

/** An environment without variables. */
export function createEnvironment(): Environment {
  return new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: false,
    limits,
  });
}

/** One line on why the package refuses an expression. It quotes the expression, never a value. */
export function describeError(error: unknown): string {
  const { summary, message, range } = error as {
    summary?: string;
    message?: string;
    range?: { start: number };
  };
  const reason = (summary ?? message ?? 'not valid').split('\n')[0]!;
  return range === undefined ? reason : `${reason} (at character ${range.start + 1})`;
}
