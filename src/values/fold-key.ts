import { normalForm } from './normal-form.ts';

const unseen = /[\p{Default_Ignorable_Code_Point}\p{Cc}]+/gu;

/** No name that anybody declares is as long, nor does a longer key fold to one. */
const longestFolded = 4096;

/**
 * Folds a key as the most lenient of decoders might: compatibility forms, case, and characters that are not seen.
 * Two keys that fold to the same text may be one key to a server, as `Path`, `path` and `ſ`-spelt forms are to Go's
 * `encoding/json`.
 */
export function foldKey(key: string): string {
  // Plain lower-case keys are nearly all keys; normalising them would cost more than the rest of a decision.
  if (/^[\x20-\x40\x5b-\x7e]*$/.test(key)) return key;
  const seen = key.replace(unseen, '');
  if (seen.length > longestFolded) return seen;
  const plain = normalForm(seen, 'NFKC').replace(unseen, '');
  return normalForm(plain.toUpperCase().toLowerCase(), 'NFKC');
}
