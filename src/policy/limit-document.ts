import { z } from 'zod';
import { rate } from '../document/units.ts';
import { amountFault } from './amount.ts';
import { costsBeyond, fixedFault } from './amount-reach.ts';
import { faultless, oneOrMore } from './conditions/options.ts';
import {
  description,
  endsATrial,
  forPeople,
  patterns,
  roleNames,
  ruleId,
  targets,
  trial,
  upstreams,
} from './document-names.ts';
import { patternFault } from './pattern.ts';

export const limitKeys = [
  'principal',
  'role',
  'certificate',
  'token',
  'session',
  'tool',
  'method',
  'upstream',
  'address',
] as const;

export type LimitKey = (typeof limitKeys)[number];

const periods = ['hour', 'day', 'month'] as const;
export type Period = (typeof periods)[number];

/** Beyond it, sums in thousandths would leave the numbers that a double holds exactly. */
const mostUnits = 1_000_000_000_000;

/** A hundred years: beyond it, whole microseconds would leave the numbers that a double holds exactly. */
const longestBurstMs = 100 * 365 * 86_400_000;

const amount = (what: string, bounds: { readonly positive: boolean }) =>
  z
    .number()
    .min(bounds.positive ? 0.001 : 0, {
      error: `must be at least ${bounds.positive ? 0.001 : 0}`,
      abort: true,
    })
    .max(mostUnits, { error: `must be at most ${mostUnits}`, abort: true })
    .refine((value) => Math.round(value * 1000) / 1000 === value, `${what} has at most three decimals`);

const quotaExpected = 'expected a quota such as 5000/day: a number and hour, day or month';
const quota = z
  .string({ error: quotaExpected })
  .transform((text, context): { readonly count: number; readonly period: Period } => {
    const match = /^([1-9][0-9]{0,11}) ?\/ ?(hour|day|month)$/.exec(text);
    if (match === null) {
      context.addIssue({ code: 'custom', message: quotaExpected });
      return z.NEVER;
    }
    return { count: Number(match[1]), period: match[2] as Period };
  })
  .meta({ title: 'quota' });

const sumExpected = 'expected an amount and its period, such as "args.amount per day": hour, day or month';
const sum = z
  .string({ error: sumExpected })
  .transform((text, context): { readonly amount: string; readonly period: Period } => {
    const match = /^(.+?)\s+per\s+(hour|day|month)$/s.exec(text.trim());
    const message = match === null ? sumExpected : amountFault(match[1]!);
    if (match === null || message !== undefined) {
      context.addIssue({ code: 'custom', message: message ?? sumExpected });
      return z.NEVER;
    }
    return { amount: match[1]!, period: match[2] as Period };
  })
  .meta({ title: 'CEL per hour, day or month' });

const cost = z.union(
  [
    amount('a cost', { positive: false }),
    faultless(amountFault).meta({ title: 'CEL' }),
    z
      .record(faultless(patternFault), amount('a cost', { positive: false }))
      .refine((costs) => Object.keys(costs).length > 0, 'names no tool'),
  ],
  {
    error: (issue) =>
      typeof issue.input === 'string'
        ? amountFault(issue.input)
        : 'expected a number of at least 0, an expression such as args.rows / 1000, or numbers by tool',
  },
);

/** One entry of `limits:`. */
export const limit = z
  .strictObject({
    name: ruleId.describe('Name in answers, audit and metrics.'),
    description: description.optional().describe(forPeople),
    match: z
      .strictObject({
        ...targets,
        methods: patterns
          .optional()
          .describe(
            'Patterns of JSON-RPC methods, whatever the target; also `stream-open`, `session-end` and `response`.',
          ),
        upstreams: upstreams.optional(),
        roles: roleNames
          .optional()
          .describe('Counts only callers that have one of these roles. Absent: every caller.'),
      })
      .refine((value) => Object.keys(value).length > 0, 'matches nothing: name tools, methods, upstreams …')
      .describe('What is counted. All keys given must match; of several kinds of target, one.'),
    per: oneOrMore(z.enum(limitKeys)).describe(
      'What is counted apart; any mix. `role`: a caller counts under each of its roles that `match` means. ' +
        '`certificate`: the client certificate. `token`: the access token, by its `jti`. `session`: the legacy session. ' +
        '`tool`: the name of the target; names that neither policy nor the upstream knows share one count. `address`: one ' +
        'IPv6 /64 is one. Callers that have no such thing (no certificate, no token, no session, no role) share one count.',
    ),
    rate: rate().optional().describe('So many units in so long, evenly spread.'),
    burst: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .describe(
        'How many units may come at once before the rate holds. Needs `rate`. Default: the count of the rate, so that 30/min refuses nobody who makes 30 calls.',
      ),
    concurrency: z.int().min(1).max(1_000_000).optional().describe('How many calls may run at once.'),
    quota: quota
      .optional()
      .describe('So many units in each hour, day or month of the calendar, in UTC: `5000/day`.'),
    cost: cost
      .optional()
      .describe(
        'Units that a call costs, of `rate` and `quota`. A number; numbers by patterns of tools, of which the dearest that ' +
          'matches counts, and 1 where none does; or CEL over `args` and `tool`, such as `args.rows / 1000`: at least 1, ' +
          'rounded up to thousandths. A cost that the arguments do not tell refuses the call. Default 1.',
      ),
    sum: sum
      .optional()
      .describe(
        'Adds up an amount from the arguments, in CEL over `args` and `tool`, in each hour, day or month: ' +
          '`args.amount per day`. Needs `most`. An amount that cannot be told, or is negative, refuses the call.',
      ),
    most: amount('"most"', { positive: true })
      .optional()
      .describe('What the amounts of `sum` may add up to.'),
    onStoreLoss: z
      .enum(['local', 'deny', 'allow'])
      .prefault('local')
      .describe(
        'What holds while the shared store cannot be asked. Default `local`: each process counts by itself, so that callers ' +
          'are still held back. `deny`: refused. `allow`: not counted. Of no effect where limits are counted in memory.',
      ),
    ...trial,
  })
  .superRefine(endsATrial)
  .superRefine((value, context) => {
    const fail = (message: string, path: string[] = []) =>
      context.addIssue({ code: 'custom', message, path });
    const { rate, burst, concurrency, quota, cost, sum, most } = value;
    if (rate === undefined && concurrency === undefined && quota === undefined && sum === undefined) {
      fail('needs "rate", "concurrency", "quota" or "sum"');
    }
    if (burst !== undefined && rate === undefined) fail('"burst" needs "rate"');
    if (cost !== undefined && rate === undefined && quota === undefined)
      fail('"cost" needs "rate" or "quota"');
    if (sum !== undefined && most === undefined) fail('"sum" needs "most"');
    if (most !== undefined && sum === undefined) fail('"most" needs "sum"');
    if (rate !== undefined && ((burst ?? rate.count) * rate.periodMs) / rate.count > longestBurstMs) {
      fail('takes more than a hundred years to come back after a burst', ['rate']);
    }
    const all = Math.min(rate === undefined ? mostUnits : (burst ?? rate.count), quota?.count ?? mostUnits);
    for (const { path, message } of costsBeyond(cost, all, value.match)) fail(message, ['cost', ...path]);
    const everySum =
      sum === undefined ? undefined : fixedFault(sum.amount, 0, most ?? mostUnits, value.match);
    if (everySum !== undefined) fail(everySum, ['sum']);
  });

export type LimitDocument = z.output<typeof limit>;
