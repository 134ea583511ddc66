import { isExactNumber, toExactNumber } from '../values/json.ts';
import type { Steps } from '../values/steps.ts';

/**
 * A plain value as one list: what each part is, then how many members it has or what it says. The list can be handed to
 * another thread in pieces, where a tree would be copied as a whole, with everybody waiting.
 */
export type Flat = readonly unknown[];

const scalar = 0;
const list = 1;
const object = 2;
const exactNumber = 3;

/** @throws TypeError where a part is neither a scalar nor a list nor a plain object */
export function flatten(value: unknown, into: unknown[] = []): unknown[] {
  if (isExactNumber(value)) into.push(exactNumber, value.rawJSON);
  else if (typeof value === 'function' || typeof value === 'symbol') throw notPlain();
  else if (typeof value !== 'object' || value === null) into.push(scalar, value);
  else if (Array.isArray(value)) {
    into.push(list, value.length);
    for (const item of value) flatten(item, into);
  } else {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) throw notPlain();
    const entries = Object.entries(value);
    into.push(object, entries.length);
    for (const [key, member] of entries) {
      into.push(key);
      flatten(member, into);
    }
  }
  return into;
}

function notPlain(): TypeError {
  return new TypeError('only plain values can be written flat');
}

/** Parts between two places to stop: some tenths of a millisecond. */
const partsPerStep = 2048;

/** What was written flat, from pieces of any length in their order. With places to stop. */
export function* inflate(pieces: readonly Flat[]): Steps<unknown> {
  let piece = 0;
  let at = 0;
  const take = (): unknown => {
    while (at >= pieces[piece]!.length) {
      piece += 1;
      at = 0;
    }
    return pieces[piece]![at++];
  };
  const open: { readonly into: unknown[] | Record<string, unknown>; left: number; key: string }[] = [];
  for (let parts = 1; ; parts += 1) {
    if (parts % partsPerStep === 0) yield;
    const kind = take();
    let value: unknown;
    if (kind === scalar) value = take();
    else if (kind === exactNumber) value = toExactNumber(take() as string);
    else {
      const left = take() as number;
      const into = kind === list ? [] : {};
      if (left > 0) {
        open.push({ into, left, key: kind === list ? '' : (take() as string) });
        continue;
      }
      value = into;
    }
    for (;;) {
      const holder = open.at(-1);
      if (holder === undefined) return value;
      const { into } = holder;
      if (Array.isArray(into)) into.push(value);
      else into[holder.key] = value;
      holder.left -= 1;
      if (holder.left > 0) {
        if (!Array.isArray(into)) holder.key = take() as string;
        break;
      }
      value = into;
      open.pop();
    }
  }
}
