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
    .prefault('principal')
    .describe(
      'Who is held back: whatever the principal does, at every upstream; or only its legacy session, or its trace of ' +
        '2026-07-28, and the principal where there is none. Default `principal`: a session ends at one upstream.',
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

/** `flows:` of the gateway file. What is held back, and for how long, stands in the policies. */
export const flowOptionsSchema = z.strictObject({
  approvals: z
    .string()
    .min(1)
    .meta({ title: 'folder' })
    .optional()
    .describe(
      'Folder in which `sallyport approve` lays approvals, and from which the gateway takes them, so it may write there. ' +
        'Replicas must share it. Absent: rules with `effect: approve` deny.',
    ),
  principals: z
    .number()
    .int()
    .min(1)
    .max(10_000_000)
    .prefault(10_000)
    .describe(
      'Principals that are told apart while they are held back, with 64 sessions or traces each; where there are more, ' +
        'all are held back. Default 10000, at most some 100 MiB.',
    ),
});

/** One entry of `canaries:` of the gateway file. */
export const canaryOptionsSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected lower-case letters, digits and hyphens')
    .describe('Stands in records in place of the value.'),
  file: z
    .string()
    .min(1)
    .meta({ title: 'file' })
    .describe('One value a line, each at least 8 characters. Read at start and on reload.'),
  results: z
    .enum(['alert', 'refuse'])
    .prefault('alert')
    .describe('What is done where an upstream returns it. Default `alert`: counted and audited.'),
});

export const canariesSchema = z.array(canaryOptionsSchema).max(100).prefault([]);

export type FlowOptions = z.output<typeof flowOptionsSchema>;
export type CanaryOptions = z.output<typeof canaryOptionsSchema>;
