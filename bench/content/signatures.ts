import { scanArguments } from '../../src/signatures/scan.ts';
import { selectSignatures } from '../../src/signatures/signatures.ts';

const usual = selectSignatures(undefined);

/** The first signature, of those that are on by default, that notices a text; undefined where none does. */
export function noticedIn(text: string): string | undefined {
  return scanArguments({ text }, usual)[0]?.signature.name;
}
