import type { Reads } from '../../expressions/expression.ts';
import { isJsonObject, type JsonValue, own } from '../../values/json.ts';
import { hasDisguisedSibling, keyStep } from '../../values/value-path.ts';

/** Whether a value has a key that a lenient server could take for one that an expression reads by name. */
export function disguises(reads: Reads | undefined): (value: JsonValue) => boolean {
  return reads === undefined ? () => false : disguisesOf(reads);
}

function disguisesOf({ members }: Reads): (value: JsonValue | undefined) => boolean {
  const parts = [...members].map(([name, below]) => {
    const { folded } = keyStep(name) as { readonly folded: string };
    return { name, folded, below: disguisesOf(below) };
  });
  if (parts.length === 0) return () => false;
  return (value) =>
    isJsonObject(value) &&
    parts.some((part) => hasDisguisedSibling(value, part) || part.below(own(value, part.name)));
}
