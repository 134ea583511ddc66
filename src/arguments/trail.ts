/** The way from the arguments to a value: names that the policy gives, and positions. */
export type Trail = (string | number)[];

const longest = 256;

/** `edits[2].path`, at most 256 characters; `(arguments)` for all of them. */
export function formatTrail(trail: Trail): string {
  let text = '';
  for (const step of trail) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[^.[\]"'*$\s]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === '' ? step : `.${step}`;
  }
  if (text === '') return '(arguments)';
  return text.length > longest ? `${text.slice(0, longest - 1)}\u2026` : text;
}
