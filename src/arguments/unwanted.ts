import type { CharacterClass } from '../values/characters.ts';
import { findInSteps, stripInSteps } from '../values/characters-in-steps.ts';
import type { Steps } from '../values/steps.ts';

/** Characters that most text has no use for, and that show a reader something else than what a program reads. */
export const unwantedKinds = ['control', 'bidi', 'invisible'] as const;

export type UnwantedKind = (typeof unwantedKinds)[number];

/** Tag letters are not seen either. */
function classesOf(kinds: ReadonlySet<UnwantedKind>): ReadonlySet<CharacterClass> {
  return new Set<CharacterClass>(kinds.has('invisible') ? [...kinds, 'tags'] : kinds);
}

/**
 * Prepares the search for a kind that stands in a text; it gives undefined where none of those banned does. With places to
 * stop.
 */
export function createUnwantedSearch(
  banned: ReadonlySet<UnwantedKind>,
): (text: string) => Steps<UnwantedKind | undefined> {
  const classes = classesOf(banned);
  return function* (text) {
    if (classes.size === 0) return undefined;
    const found = yield* findInSteps(text, classes);
    return found === 'tags' ? 'invisible' : (found as UnwantedKind | undefined);
  };
}

/**
 * Prepares what takes out of a text what of these kinds has no meaning where it stands.
 *
 * @param ansi whether orders to terminals go too: no escape character and no C1 control remains
 */
export function createUnwantedStrip(
  kinds: ReadonlySet<UnwantedKind>,
  ansi: boolean,
): (text: string) => Steps<string> {
  const classes = new Set(classesOf(kinds));
  if (ansi) classes.add('ansi');
  return (text) => stripInSteps(text, classes, () => {});
}
