import { z } from 'zod';
import { duration } from '../document/units.ts';

/** What an entry of `tools:` says beside what it matches. */
export const toolMarkShape = {
  untrusted: z
    .literal(true)
    .optional()
    .describe('What these return may come from strangers: web pages, mails, tickets.'),
  egress: z.literal(true).optional().describe('These can carry what they are given out of the house.'),
};

/** One entry of `flows:`. */
export const flowShape = {
  per: z
    .enum(['session', 'trace', 'principal'])
    .prefault('session')
    .describe(
      'Who is held back: the legacy session, the trace of 2026-07-28, or whatever the principal does. Default `session`; ' +
        'where there is none, the principal.',
    ),
  hold: duration({ min: 1000, max: 30 * 86_400_000 })
    .prefault('10m')
    .describe('For how long after untrusted content was returned. Default 10m.'),
  effect: z
    .enum(['deny', 'approve'])
    .prefault('deny')
    .describe('What happens to a call of a tool marked `egress`: denied, or denied until it is approved.'),
};

export type ToolMarkDocument = z.output<z.ZodObject<typeof toolMarkShape>>;
export type FlowDocument = z.output<z.ZodObject<typeof flowShape>>;
