import { z } from 'zod';
import type { Scalar } from '../plain-values.ts';
import { isJsonScalar } from '../plain-values.ts';

/** `bool:` of an argument. */
export const boolOptions = z.strictObject({});

/** `enum:` of an argument: the list itself. */
export const enumOptions = z
  .array(z.custom<Scalar>(isJsonScalar, 'expected text, a number, true, false or null'))
  .min(1, 'the list is empty: name something')
  .max(10_000)
  .describe('The values that are allowed, each of its own type: `"1"` is not `1`.');
