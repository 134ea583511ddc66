/** One thing that is wrong with a file that an operator wrote, and where. */
export interface Problem {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units. */
  readonly column: number;
  /** Where in the document: `roles.analyst.allow[0].tools`. Empty for the document itself. */
  readonly path: string;
  /** Never holds a value from the environment: such values may be secrets. */
  readonly message: string;
}

/** `file:line:col: path: message`, the shape that editors and CI turn into a link. */
export function formatProblem(problem: Problem): string {
  const where = `${problem.file}:${problem.line}:${problem.column}`;
  return problem.path === ''
    ? `${where}: ${problem.message}`
    : `${where}: ${problem.path}: ${problem.message}`;
}

/** Problems in reading order: by file, line, column. Does not change its argument. */
export function sortProblems(problems: readonly Problem[]): readonly Problem[] {
  return [...problems].sort(
    (a, b) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      a.line - b.line ||
      a.column - b.column ||
      (a.message < b.message ? -1 : a.message > b.message ? 1 : 0),
  );
}

export type DocumentPath = readonly (string | number)[];

/** `['roles', 'a.b', 'allow', 0]` -> `roles["a.b"].allow[0]`. */
export function formatPath(path: DocumentPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[A-Za-z_$][\w$-]*$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
