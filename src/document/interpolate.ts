/** Values by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type Interpolated =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

/**
 * Fills `${NAME}`, `${NAME:-default}` and `${NAME:?message}` in one scalar. `$${` stands for a literal `${`.
 *
 * - `${NAME}`: the value; a name that is not set is an error, an empty value is not
 * - `${NAME:-default}`: the default where NAME is unset or empty
 * - `${NAME:?message}`: an error with that message where NAME is unset or empty
 *
 * Filled values are not filled again: the environment cannot smuggle in further references. Messages name the
 * variable, never its value.
 */
export function interpolate(text: string, environment: Environment): Interpolated {
  if (!text.includes('${')) return { ok: true, text };
  let out = '';
  let at = 0;
  while (true) {
    const start = text.indexOf('${', at);
    if (start < 0) return { ok: true, text: out + text.slice(at) };
    if (start > at && text[start - 1] === '$') {
      out += `${text.slice(at, start - 1)}\${`;
      at = start + 2;
      continue;
    }
    const end = text.indexOf('}', start);
    if (end < 0) return { ok: false, message: `"\${" has no closing "}"; write "$\${" for a literal "\${"` };
    const filled = fill(text.slice(start + 2, end), environment);
    if (!filled.ok) return filled;
    out += text.slice(at, start) + filled.text;
    at = end + 1;
  }
}

function fill(reference: string, environment: Environment): Interpolated {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::([-?])([\s\S]*))?$/.exec(reference);
  if (match === null) {
    return { ok: false, message: `a reference is written \${NAME}, \${NAME:-default} or \${NAME:?message}` };
  }
  const [, name, operator, operand] = match;
  const value = Object.hasOwn(environment, name!) ? environment[name!] : undefined;
  if (operator === undefined) {
    if (value === undefined) return { ok: false, message: `the environment variable ${name} is not set` };
    return { ok: true, text: value };
  }
  if (value !== undefined && value !== '') return { ok: true, text: value };
  if (operator === '-') return { ok: true, text: operand! };
  const why = operand === '' ? 'is not set' : operand!;
  return { ok: false, message: `the environment variable ${name}: ${why}` };
}
