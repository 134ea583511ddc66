import type { z } from 'zod';
import type { JsonValue } from '../../values/json.ts';
import { isNumber, toWhole } from '../exact-order.ts';
import type { Role, RoleKind } from '../role.ts';
import { boolOptions, enumOptions } from './choice-options.ts';
import { toFaults } from './faults.ts';

const faults = toFaults({
  type: 'send true or false, not text or a number',
  'not-listed': 'add the value to the list of `enum`',
});

/** `true` or `false`. */
export const boolRole = {
  name: 'bool',
  options: boolOptions,
  compile(_options: z.output<typeof boolOptions>): Role {
    return {
      name: 'bool',
      secret: false,
      judge: (value) => (typeof value === 'boolean' ? undefined : faults.type),
    };
  },
} satisfies RoleKind<typeof boolOptions>;

/** One of a list, of the same type. */
export const enumRole = {
  name: 'enum',
  options: enumOptions,
  compile(values: z.output<typeof enumOptions>): Role {
    const listed = new Set(values.map(toMember));
    return {
      name: 'enum',
      secret: false,
      judge: (value) => (listed.has(toMember(value)) ? undefined : faults['not-listed']),
    };
  },
} satisfies RoleKind<typeof enumOptions>;

/** Whole numbers beyond 2^53 are compared by their digits, as bigints, however they are kept. */
function toMember(value: JsonValue): unknown {
  if (!isNumber(value) || Number.isSafeInteger(value)) return value;
  const whole = toWhole(value);
  if (whole === undefined) return typeof value === 'number' ? value : Number(value.rawJSON);
  const number = Number(whole);
  return Number.isSafeInteger(number) ? number : whole;
}
