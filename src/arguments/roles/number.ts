import type { z } from 'zod';
import { isGreater, isNumber, toWhole } from '../exact-order.ts';
import type { Role, RoleKind } from '../role.ts';
import { toFaults } from './faults.ts';
import { intOptions, numberOptions } from './number-options.ts';

const faults = toFaults({
  type: 'send a number, not text',
  'not-whole': 'send a whole number, or use the role `number`',
  'below-min': 'lower `min`',
  'above-max': 'raise `max`',
  'not-a-multiple': 'change `multipleOf`',
});

/** Whole numbers of any size in a range. */
export const intRole = {
  name: 'int',
  options: intOptions,
  compile({ min, max, multipleOf }: z.output<typeof intOptions>): Role {
    const least = min ?? Number.MIN_SAFE_INTEGER;
    const greatest = max ?? Number.MAX_SAFE_INTEGER;
    return {
      name: 'int',
      secret: false,
      judge(value) {
        if (!isNumber(value)) return faults.type;
        if (!Number.isSafeInteger(value) && toWhole(value) === undefined) return faults['not-whole'];
        if (isGreater(least, value)) return faults['below-min'];
        if (isGreater(value, greatest)) return faults['above-max'];
        if (multipleOf !== undefined && toWhole(value)! % BigInt(multipleOf) !== 0n) {
          return faults['not-a-multiple'];
        }
        return undefined;
      },
    };
  },
} satisfies RoleKind<typeof intOptions>;

/** Numbers in a range. */
export const numberRole = {
  name: 'number',
  options: numberOptions,
  compile({ min, max }: z.output<typeof numberOptions>): Role {
    return {
      name: 'number',
      secret: false,
      judge(value) {
        if (!isNumber(value)) return faults.type;
        if (min !== undefined && isGreater(min, value)) return faults['below-min'];
        if (max !== undefined && isGreater(value, max)) return faults['above-max'];
        return undefined;
      },
    };
  },
} satisfies RoleKind<typeof numberOptions>;
