import { scanArguments } from '../../src/signatures/scan.ts';
import { selectSignatures } from '../../src/signatures/signatures.ts';
import type { JsonValue } from '../../src/values/json.ts';

const usual = selectSignatures(undefined);

/** The first signature, of those that are on by default, that notices a value or a call's arguments. */
export function noticedIn(value: JsonValue): string | undefined {
  return scanArguments({ value }, usual)[0]?.signature.name;
}
