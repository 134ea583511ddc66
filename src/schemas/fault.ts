/** Why a value does not fit. Never a value. */
export interface SchemaFault {
  /** Where in the value: `edits[0].path`; empty for the whole of it. At most 256 characters, printable ASCII. */
  readonly path: string;
  /** The keyword that refuses; `steps` or `depth` where judging would have cost too much. */
  readonly keyword: string;
}

/** Longer paths help nobody, and the sender chooses their names. */
const longestPath = 256;

/**
 * A path as policy files write them. Names that are no plain words stand in quotes; beyond ASCII they are escaped,
 * since a log or a terminal could be misled by what they hold.
 */
export function formatPath(steps: readonly (string | number)[]): string {
  let path = '';
  for (const step of steps) {
    if (typeof step === 'number') path += `[${step}]`;
    else if (plainName.test(step)) path += path === '' ? step : `.${step}`;
    else path += `[${quote(step)}]`;
    if (path.length > longestPath) return `${path.slice(0, longestPath - 3)}...`;
  }
  return path;
}

const plainName = /^[A-Za-z0-9_-]{1,64}$/;

function quote(name: string): string {
  return JSON.stringify(name.slice(0, longestPath)).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
