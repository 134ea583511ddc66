import { z } from 'zod';
import { parseValuePath } from '../../values/value-path.ts';
import { networkFault } from './address.ts';
import { celFault } from './cel.ts';
import { claimPath } from './claims.ts';
import { isTimeZone, parseTimeOfDay, weekdays } from './time.ts';
import { compileRegex } from './value-test.ts';

/** Text that a check finds no fault with; otherwise the fault is the message. */
export function faultless(fault: (text: string) => string | undefined) {
  return z.string().superRefine((text, context) => {
    const message = fault(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** One item, or a list of at least one; always a list afterwards. */
export function oneOrMore<T extends z.ZodType>(item: T) {
  return z
    .union([item, z.array(item).min(1, 'the list is empty: leave the key out, or name something')])
    .transform((value): z.output<T>[] => (Array.isArray(value) ? value : [value]));
}

const number = z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
  error: 'a whole number beyond 2^53 cannot be compared exactly',
});
const scalar = z.union([z.string(), number, z.boolean(), z.null()]);
const length = z.int().nonnegative();

const operators = z
  .strictObject({
    equals: scalar.optional().describe('The value is this one, of the same type.'),
    oneOf: z.array(scalar).min(1).optional().describe('The value is one of these, of the same type.'),
    contains: scalar.optional().describe('The value is a list that has this among its elements.'),
    min: number.optional().describe('The value is a number, this one at least.'),
    max: number.optional().describe('The value is a number, this one at most.'),
    minLength: length.optional().describe('Shortest length: of text in code points, of lists in elements.'),
    maxLength: length.optional().describe('Greatest length: of text in code points, of lists in elements.'),
    pattern: faultless((text) => {
      if (text.length > 1000) return 'a pattern must not be longer than 1000 characters';
      return compileRegex(text) === undefined ? 'not a valid regular expression (RE2 syntax)' : undefined;
    })
      .optional()
      .describe('RE2 syntax, matched against the whole text, in linear time. At most 1000 characters.'),
    prefix: z.string().min(1).optional().describe('The value is text that begins with this.'),
    present: z
      .boolean()
      .optional()
      .describe('Whether there has to be a value at all. `false`: there must be none.'),
    optional: z
      .literal(true)
      .optional()
      .describe('Holds where there is no value; where there is one, the other operators decide.'),
  })
  .superRefine((value, context) => {
    const fail = (message: string) => context.addIssue({ code: 'custom', message });
    const names = Object.keys(value);
    if (names.length === 0) fail('names no operator');
    if (value.optional === true && names.length === 1) fail('"optional" needs another operator beside it');
    if (value.optional === true && value.present !== undefined) fail('"optional" contradicts "present"');
    if (value.present === false && names.length > 1)
      fail('"present: false" leaves nothing for other operators');
    if (value.min !== undefined && value.max !== undefined && value.min > value.max) {
      fail('"min" is greater than "max"');
    }
    if (value.minLength !== undefined && value.maxLength !== undefined && value.minLength > value.maxLength) {
      fail('"minLength" is greater than "maxLength"');
    }
  });

const argumentPath = faultless((text) =>
  parseValuePath(text) === undefined
    ? 'not an argument path: write name, a.b, a[0], a[*] or ["odd name"], with or without "$."'
    : undefined,
);
const claimName = faultless((text) =>
  claimPath(text) === undefined
    ? 'not a claim: write name, a.b, ["odd name"] or a name that begins with https://'
    : undefined,
);

const claimTest = z.union([scalar, z.array(scalar).min(1), operators]);
export const claims = z
  .record(claimName, claimTest)
  .refine((value) => Object.keys(value).length > 0, 'names no claim');

const networks = oneOrMore(faultless(networkFault));
const network = z.union([
  networks.transform((list) => ({ in: list, notIn: undefined })),
  z
    .strictObject({
      in: networks.optional().describe('Networks or addresses, one of which the peer must be in.'),
      notIn: networks.optional().describe('Networks or addresses, none of which the peer may be in.'),
    })
    .refine((value) => value.in !== undefined || value.notIn !== undefined, 'needs "in" or "notIn"')
    .transform((value) => ({ in: value.in, notIn: value.notIn })),
]);

const timeOfDay = faultless((text) =>
  parseTimeOfDay(text) === undefined ? 'expected a time of day such as "08:00"' : undefined,
);
const time = z
  .strictObject({
    days: oneOrMore(z.enum(weekdays)).optional().describe('Days of the week. Absent: all.'),
    between: z
      .tuple([timeOfDay, timeOfDay])
      .refine(([from, to]) => from !== to, 'begins when it ends')
      .optional()
      .describe(
        'From and to, such as `["08:00", "18:00"]`; the end is not part of it. A span that crosses midnight belongs to ' +
          'the day on which it began. Absent: the whole day.',
      ),
    zone: faultless((text) => (isTimeZone(text) ? undefined : 'not an IANA time zone'))
      .prefault('UTC')
      .describe(
        'IANA time zone. Default UTC, because the zone of the machine would make one policy mean two things.',
      ),
  })
  .refine((value) => value.days !== undefined || value.between !== undefined, 'needs "days" or "between"');

/** A rule's `when`: all of it must hold. */
export const when = z
  .strictObject({
    args: z
      .record(argumentPath, operators)
      .refine((value) => Object.keys(value).length > 0, 'names no argument')
      .optional()
      .describe(
        'Argument paths and what must hold of the value there. Only tools and prompts have arguments.',
      ),
    claims: claims
      .optional()
      .describe("Claims of the caller's token: a value, a list of values, or operators."),
    network: network
      .optional()
      .describe(
        "Source address of the peer as the kernel gives it, never a header's: a list, or `in` and `notIn`.",
      ),
    time: time.optional().describe('When the call arrived.'),
    cel: faultless(celFault)
      .optional()
      .describe(
        'An expression in CEL (https://cel.dev) over `principal`, `call`, `args` and `context`, which must be true. Checked ' +
          'for types when the policy is loaded. At most 4096 characters, 512 parts and 32 levels; one evaluation takes at ' +
          'most 100,000 steps inside of loops, and what takes more cannot be evaluated.',
      ),
  })
  .refine((value) => Object.keys(value).length > 0, 'names no condition');

export type WhenDocument = z.output<typeof when>;
export type ValueOperators = z.output<typeof operators>;
export type ClaimTest = z.output<typeof claimTest>;
export type NetworkTest = z.output<typeof network>;
export type TimeTest = z.output<typeof time>;
