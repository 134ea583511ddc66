import { foldKey } from '../values/fold-key.ts';
import { confusables } from './confusables.ts';

/** Servers, clients and readers treat these as one and the same: `read_file`, `read-file`, `readFile`. */
const separators = /[\p{Pc}\p{Pd}\p{Zs}./:]/gu;

/**
 * ASCII characters that are taken for one another: `1`, `I`, `|` and `l`; `0` and `O`; `m` and `rn` (Unicode TS 39).
 * `i` belongs to them because case is folded as well, and `I` is there already.
 */
const ascii: ReadonlyMap<string, string> = new Map([
  ['1', 'l'],
  ['i', 'l'],
  ['I', 'l'],
  ['|', 'l'],
  ['0', 'o'],
  ['m', 'rn'],
]);

/**
 * The keys of a name: two names that share one of them can be taken for one another.
 *
 * The first says what a lenient program makes of a name: compatibility forms, case, characters that are not seen, and
 * separators folded away. The second says what a reader sees: besides, characters that look alike are one
 * (the skeleton of Unicode TS 39, as far as it ends in ASCII). They differ only where the name is not plain ASCII or
 * has such characters.
 */
export function skeletonsOf(name: string): readonly [folded: string, seen: string] {
  const folded = foldKey(name).replace(separators, '');
  // Before case is folded: a capital of another script may look like a letter that its small form does not look like.
  const replaced = mapped(name.normalize('NFKC').normalize('NFD'), confusables);
  const once = foldKey(replaced).replace(separators, '').normalize('NFD');
  return [folded, mapped(mapped(once, confusables).toLowerCase(), ascii).normalize('NFC')];
}

function mapped(text: string, table: ReadonlyMap<string, string>): string {
  let result = '';
  for (const character of text) result += table.get(character) ?? character;
  return result;
}
