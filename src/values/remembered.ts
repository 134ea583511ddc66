/**
 * UTF-16 units of all texts that one role remembers. 131,072, a quarter of a megabyte: a thousand queries of ordinary
 * length, and little enough for a policy with a hundred such roles.
 */
const mostUnits = 131_072;
/** Longer texts are not remembered: a few of them would drive everything else out. */
const longestText = 8192;

/**
 * Remembers what was made of a text, for judgements that cost much and depend on nothing but the text. Callers repeat
 * themselves. Two generations: when the younger one is full it becomes the older one, and the older one is forgotten.
 */
export function remembered<T>(judge: (text: string) => T, units: number = mostUnits): (text: string) => T {
  let young = new Map<string, { readonly answer: T }>();
  let old = young;
  let left = units / 2;
  return (text) => {
    const known = young.get(text);
    if (known !== undefined) return known.answer;
    const entry = old.get(text) ?? { answer: judge(text) };
    if (text.length > longestText) return entry.answer;
    // An empty text counts too, or nothing would bound how many entries there are.
    left -= text.length + 1;
    if (left < 0) {
      old = young;
      young = new Map();
      left = units / 2 - text.length - 1;
    }
    young.set(text, entry);
    return entry.answer;
  };
}
