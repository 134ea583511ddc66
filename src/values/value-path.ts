import { foldKey } from './fold-key.ts';

export type PathStep =
  | { readonly kind: 'key'; readonly name: string; readonly folded: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'each' };

export type ValuePath = readonly PathStep[];

/**
 * Reads a path into JSON: `limit`, `options.depth`, `paths[0]`, `paths[*].name`, `["odd key"]`, each with or without
 * a leading `$.`.
 *
 * @returns undefined where the text is not a path
 */
export function parseValuePath(text: string): ValuePath | undefined {
  const steps: PathStep[] = [];
  let rest = text.startsWith('$.') ? text.slice(2) : /^\$(?=\[)/.test(text) ? text.slice(1) : text;
  if (rest === '' || text.length > 256) return undefined;
  while (rest !== '') {
    const match =
      /^\[(?:(\*)|(0|[1-9][0-9]{0,6})|("(?:[^"\\]|\\.)+"|'[^'\\]+'))\]/.exec(rest) ??
      (steps.length === 0 ? /^()()()([^.[\]"'*$\s]+)/ : /^()()()\.([^.[\]"'*$\s]+)/).exec(rest);
    if (match === null) return undefined;
    const [whole, each, index, quoted, plain] = match;
    if (each) steps.push({ kind: 'each' });
    else if (index) steps.push({ kind: 'index', index: Number(index) });
    else {
      const name = quoted ? unquote(quoted) : plain;
      if (name === undefined) return undefined;
      steps.push(keyStep(name));
    }
    rest = rest.slice(whole.length);
  }
  return steps[0]!.kind === 'key' ? steps : undefined;
}

/** The path of one member, whatever characters its name has. */
export function keyStep(name: string): PathStep {
  return { kind: 'key', name, folded: foldKey(name) };
}

function unquote(quoted: string): string | undefined {
  if (quoted.startsWith("'")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return undefined;
  }
}

/** Whether an object has a key that a lenient reader could take for the named one: it folds alike, and is another. */
export function hasDisguisedSibling(
  value: object,
  step: { readonly name: string; readonly folded: string },
): boolean {
  for (const key of Object.keys(value)) {
    if (key !== step.name && foldKey(key) === step.folded) return true;
  }
  return false;
}
