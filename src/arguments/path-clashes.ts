import { parseValuePath, type ValuePath } from '../values/value-path.ts';

/** What is wrong with the paths of one rule, beside their roles. */
export interface PathFault {
  readonly path: string;
  readonly message: string;
}

/** Why a text names no argument; undefined where it does. */
export function argumentPathFault(text: string): string | undefined {
  const path = parseValuePath(text);
  if (path === undefined) {
    return 'not an argument path: write name, a.b, a[0], a[*] or ["odd name"], with or without "$."';
  }
  return path.some((step) => step.kind === 'key' && step.name === '__proto__')
    ? 'an argument is never named __proto__'
    : undefined;
}

/** Paths of one rule that contradict each other: no call could fit them, or one of them would never be asked. */
export function* pathClashes(texts: readonly string[]): Generator<PathFault> {
  const places = new Map<string, { readonly text: string; readonly spelling: string }>();
  const kinds = new Map<string, { readonly text: string; readonly list: boolean }>();
  for (const text of texts) {
    const path = parseValuePath(text);
    if (path === undefined) continue;
    let place = '';
    for (const step of path) {
      const list = step.kind !== 'key';
      const kind = kinds.get(place);
      if (kind === undefined) kinds.set(place, { text, list });
      else if (kind.list !== list) {
        yield { path: text, message: `what is a list here is an object in "${kind.text}", or the reverse` };
        break;
      }
      place += list ? `[${step.kind === 'each' ? '*' : step.index}]` : `.${JSON.stringify(step.folded)}`;
    }
    const known = places.get(place);
    const spelling = spell(path);
    if (known === undefined) places.set(place, { text, spelling });
    else if (known.spelling === spelling)
      yield { path: text, message: `names the same argument as "${known.text}"` };
    else {
      const message = `differs from "${known.text}" only in spelling: a lenient server takes them for one`;
      yield { path: text, message };
    }
  }
}

function spell(path: ValuePath): string {
  return path
    .map((step) =>
      step.kind === 'key' ? JSON.stringify(step.name) : step.kind === 'each' ? '*' : step.index,
    )
    .join('.');
}
