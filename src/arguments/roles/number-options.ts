import { z } from 'zod';
import { type ExactNumber, isExactNumber, toExactNumber } from '../../values/json.ts';
import { isGreater } from '../exact-order.ts';

const exactNumber = z.custom<ExactNumber>(
  (value) => isExactNumber(value) && /^-?\d+$/.test(value.rawJSON),
  'expected a whole number',
);
/** YAML would round such a number; as text it keeps its digits. */
const wholeText = z
  .string()
  .regex(/^-?(?:0|[1-9]\d{0,99})$/, 'expected a whole number')
  .transform((digits) => (Number.isSafeInteger(Number(digits)) ? Number(digits) : toExactNumber(digits)));

const expected = { error: 'expected a whole number, or one beyond 2^53 as text' };
const whole = z.union([z.int(), wholeText, exactNumber], expected);

/** Any number. A whole one beyond 2^53 is written as text, so that it is exact. */
export const anyNumber = z.union(
  [
    z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
      error: 'a whole number beyond 2^53 is written as text, so that it is exact',
    }),
    wholeText,
    exactNumber,
  ],
  { error: 'expected a number, or a whole one beyond 2^53 as text' },
);

const order = { error: '`min` is greater than `max`' };

/** `int:` of an argument. */
export const intOptions = z
  .strictObject({
    min: whole
      .optional()
      .describe(
        'Least value. Default -(2^53 - 1), because below it many servers round what they read; write such a number as text.',
      ),
    max: whole
      .optional()
      .describe(
        'Greatest value. Default 2^53 - 1, because above it many servers round what they read; write such a number as text.',
      ),
    multipleOf: z.int().min(1).optional().describe('The value is a multiple of this.'),
  })
  .refine(({ min, max }) => min === undefined || max === undefined || !isGreater(min, max), order);

/** `number:` of an argument. */
export const numberOptions = z
  .strictObject({
    min: anyNumber.optional().describe('Least value.'),
    max: anyNumber.optional().describe('Greatest value.'),
  })
  .refine(({ min, max }) => min === undefined || max === undefined || !isGreater(min, max), order);
