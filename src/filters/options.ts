import { z } from 'zod';
import { bytes, duration } from '../document/units.ts';
import { isRevision, revisions } from '../mcp/revision.ts';
import { signatures } from '../signatures/signatures.ts';

const count = (maximum: number) => z.number().int().min(1).max(maximum);

/** `limits:` of the gateway file, as far as frames and the memory of the checks are concerned. */
export const frameLimitsSchema = z.strictObject({
  requestBytes: bytes({ min: 1024 })
    .prefault('4MiB')
    .describe(
      'One frame of a client. Default 4MiB, the body limit of the official SDKs; a larger frame would be refused by ' +
        'most servers anyway.',
    ),
  resultBytes: bytes({ min: 1024 })
    .prefault('16MiB')
    .describe(
      'One frame of an upstream. Default 16MiB, because the largest thing that the specification sizes (one skill) ' +
        'still fits into one result.',
    ),
  framesPerExchange: count(100_000_000)
    .prefault(10_000)
    .describe(
      'Frames that one call may bring back. Default 10000, because a call that reports progress ten times a second ' +
        'for a quarter of an hour stays below it.',
    ),
  bytesPerExchange: bytes({ min: 1024 })
    .prefault('64MiB')
    .describe(
      'Bytes that one call may bring back. Default 64MiB, four of the largest results; a stream that sends more ' +
        'before its answer is a leak or an attack.',
    ),
  framesPerStream: count(100_000_000)
    .prefault(1_000_000)
    .describe(
      'Frames on one long-lived stream. Default 1000000, because a stream that stays open for an hour may then carry ' +
        '277 messages a second.',
    ),
  bytesPerStream: bytes({ min: 1024 })
    .prefault('1GiB')
    .describe('Bytes on one long-lived stream. Default 1GiB: the same hour at 2 Mbit/s.'),
});

/** `session:` of the gateway file. */
export const sessionSchema = z.strictObject({
  keys: z
    .array(z.string().min(1).meta({ title: 'file' }))
    .min(1)
    .max(8)
    .optional()
    .describe(
      'Files with key material of at least 32 bytes each: the first seals, all open. Read at start. Absent: a random ' +
        'key for each process, so that a restart ends sessions and no other replica can open them.',
    ),
  maxAge: duration({ min: 1000, max: 30 * 86_400_000 })
    .prefault('24h')
    .describe(
      'After this a session id opens no more. Default 24h, a working day and its night; a client then initialises ' +
        'again, which costs it one round trip.',
    ),
});

/** What stays behind when a call is over. Each process counts for itself. */
export const sessionLimitsSchema = z.strictObject({
  total: count(10_000_000)
    .prefault(100_000)
    .describe(
      'Legacy sessions that are counted, in all. Beyond, `initialize` is refused. Default 100000, of some 500 bytes each ' +
        'here; servers that keep more for one client, the gateway, have other troubles.',
    ),
  perPrincipal: count(10_000_000)
    .prefault(10_000)
    .describe(
      'The same of one principal. Default 10000, because few clients end their sessions: a service that opens five a ' +
        'second stays below it within `idle`.',
    ),
  idle: duration({ min: 1000, max: 30 * 86_400_000 })
    .prefault('30m')
    .describe(
      'A session that nobody used for so long counts no more, and neither do its subscriptions; it can still be used, and ' +
        'counts again then. Default 30m, because whoever pauses for longer has most likely left.',
    ),
  streamsPerSession: count(100_000)
    .prefault(64)
    .describe(
      'Streams of one legacy session that are meant to stay open. Default 64: a client needs one, and some more while it ' +
        'reconnects or waits for tasks.',
    ),
  streamsPerPrincipal: count(1_000_000)
    .prefault(1000)
    .describe(
      'The same of one principal, on all upstreams. Default 1000, nearly all that one upstream has by default: a service ' +
        'that listens for its users needs many, and one caller must not take all.',
    ),
  subscriptions: count(10_000_000)
    .prefault(100_000)
    .describe(
      'Resources that clients are subscribed to, in all. Default 100000, of some 150 bytes each: 15 MB.',
    ),
  subscriptionsPerSession: count(1024)
    .prefault(1024)
    .describe(
      'Resources of one session, and of one `subscriptions/listen` stream, whose tasks count too. Default 1024, as many as ' +
        'the official SDKs allow.',
    ),
  subscriptionsPerPrincipal: count(10_000_000)
    .prefault(10_000)
    .describe('Resources of one principal. Default 10000, a tenth of all.'),
});

/** What one server may list. */
export const listLimitsSchema = z.strictObject({
  tools: count(100_000)
    .prefault(2000)
    .describe(
      'Tools of one upstream, over all pages. Those beyond are not listed, and cannot be called where schemas are ' +
        'enforced. Default 2000, because no model can choose among more.',
    ),
  schemaBytes: bytes({ min: 1024, max: 256 * 1024 })
    .prefault('256KiB')
    .describe(
      'Each schema of one tool as JSON. A tool with a larger one is not listed. Default 256KiB, ten times the largest of ' +
        'public servers.',
    ),
  bytes: bytes({ min: 65_536, max: 1024 ** 3 })
    .prefault('32MiB')
    .describe(
      "All pages of the gateway's own look at the lists of one upstream. Beyond, the look has failed. Default 32MiB: 2,000 " +
        'tools of 16 KiB each.',
    ),
});

/** Bounds on what the checks remember between frames. */
export const memorySchema = z.strictObject({
  rateKeys: count(10_000_000)
    .prefault(100_000)
    .describe(
      'Keys of rates. When all of them still count, a new one is refused; once half of them do, so is one of a caller who ' +
        'has a tenth. Default 100000, of about 250 bytes each: 25 MB, and more callers than one gateway serves.',
    ),
  quotaKeys: count(10_000_000)
    .prefault(100_000)
    .describe(
      'Keys of quotas and of sums, which count until their hour, day or month is over. Default 100000, as for rates; apart ' +
        'from them, so that a month of many callers leaves room for rates.',
    ),
  concurrencyKeys: count(10_000_000)
    .prefault(100_000)
    .describe(
      'Keys of concurrency limits. Default 100000, because each running exchange needs one at least.',
    ),
  requests: count(10_000_000)
    .prefault(100_000)
    .describe(
      'Requests under way. Default 100000: ten for each connection that a listener accepts by default.',
    ),
  requestsPerSession: count(100_000)
    .prefault(256)
    .describe(
      'Requests under way in one session. Default 256, because no client has more calls open, and a loop soon has.',
    ),
  answerBytes: bytes({ min: 1024 ** 2 })
    .prefault('256MiB')
    .describe(
      'Bytes of answers of all upstreams that are in memory at one time; the first 64KiB of each are free, and one of several ' +
        'upstreams takes no more than it leaves. Beyond, the answer that grows is dropped. Default 256MiB, sixteen of the ' +
        'largest results: decoded they take several times as much.',
    ),
  lateAnswers: duration({ min: 1000 })
    .prefault('10m')
    .describe(
      'How long the answer to a call whose stream broke may be fetched by resuming. Default 10m, what servers keep ' +
        'events for.',
    ),
  questions: count(1_000_000)
    .prefault(10_000)
    .describe(
      "Questions of servers that wait for their client's answer. Default 10000, in all sessions together.",
    ),
  questionsPerSession: count(10_000)
    .prefault(64)
    .describe('Questions open in one session. Default 64, because people answer them one at a time.'),
  questionAge: duration({ min: 1000 })
    .prefault('30m')
    .describe(
      'How long a question may wait. Default 30m, because a person may have to look something up before answering.',
    ),
});

/** Modern `requestState` handles. */
export const requestStateSchema = z.strictObject({
  maxAge: duration({ min: 1000 })
    .prefault('10m')
    .describe(
      'After this a handle opens no more. Default 10m, the time that the official SDKs give a state.',
    ),
  maxBytes: bytes({ min: 256, max: 1024 ** 2 })
    .prefault('64KiB')
    .describe(
      'Size of one state. Default 64KiB, because a state travels in a request body, twice; SDK states are below 4KiB.',
    ),
  maxQuestions: count(1024)
    .prefault(64)
    .describe('Questions in one result. Default 64, because people answer them one at a time.'),
});

/** Handles for an upstream's task ids and cursors. */
export const handlesSchema = z.strictObject({
  taskAge: duration({ min: 60_000, max: 30 * 86_400_000 })
    .prefault('24h')
    .describe(
      'After this the id of a task opens no more. Default 24h, as for sessions: a task that takes longer is a job, and ' +
        'is looked up by a tool of its own.',
    ),
  cursorAge: duration({ min: 1000, max: 86_400_000 })
    .prefault('1h')
    .describe(
      'After this a cursor opens no more. Default 1h, because a list is read in one go; a client then begins anew.',
    ),
});

/** `definitions:` of the gateway file. */
export const definitionsSchema = z.strictObject({
  maxAge: duration({ min: 10_000, max: 86_400_000 })
    .prefault('60s')
    .describe(
      'How old the last look at the tools of an upstream may be at a call before the gateway looks again, beside the ' +
        'call. Default 60s, because a server that changes a tool need not tell, and one list a minute costs little.',
    ),
});

/** `signatures:` of the gateway file. */
export const signaturesSchema = z.strictObject({
  enabled: z
    .array(
      z.string().refine((name) => signatures.has(name), {
        error: 'there is no such signature; docs/signatures.md lists them',
      }),
    )
    .optional()
    .describe(
      'Names of the signatures that alert. Default: those that were measured to notice at most 0.1 % of honest calls.',
    ),
});

/** `disclosure:` of an upstream. */
export const disclosureSchema = z
  .union([
    z.literal('hidden').transform(() => ({ mode: 'hidden' as const })),
    z.strictObject({
      mode: z
        .literal('explained')
        .describe('Each denial names its reason and the rule of the policy that settled it.'),
      contact: z
        .string()
        .min(1)
        .max(500)
        .regex(/^[^\u0000-\u001f\u007f]*$/, 'no control characters')
        .describe('Told with each denial: how to ask for access, such as an address or a page.'),
    }),
  ])
  .prefault('hidden')
  .describe(
    'What a denial tells the caller. `hidden`: what a caller may not see is answered as if it did not exist. `explained`: ' +
      'reason, rule and contact, for every denied name, whether the server has it or not. Lists are filtered in both.',
  );

export const filterOptionsSchema = z.strictObject({
  revisions: z
    .array(z.string().refine(isRevision, `expected one of ${revisions.join(', ')}`))
    .min(1)
    .prefault([...revisions])
    .describe('Protocol revisions that are served. Default: all that this gateway knows.'),
  frames: frameLimitsSchema.prefault({}),
  session: sessionSchema.prefault({}),
  memory: memorySchema.prefault({}),
  sessions: sessionLimitsSchema.prefault({}),
  lists: listLimitsSchema.prefault({}),
  rateLimitFields: z
    .boolean()
    .prefault(false)
    .describe(
      'Whether answers carry `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10) about limits that ' +
        'count the caller alone. Default false: a caller that knows what is left can use all of it.',
    ),
  requestState: requestStateSchema.prefault({}),
  handles: handlesSchema.prefault({}),
  definitions: definitionsSchema.prefault({}),
  signatures: signaturesSchema.prefault({}),
});

export type Disclosure = z.output<typeof disclosureSchema>;
export type FrameLimits = z.output<typeof frameLimitsSchema>;
export type MemoryLimits = z.output<typeof memorySchema>;
export type SessionLimits = z.output<typeof sessionLimitsSchema>;
export type ListLimits = z.output<typeof listLimitsSchema>;
export type RequestStateOptions = z.output<typeof requestStateSchema>;
export type HandleOptions = z.output<typeof handlesSchema>;
export type FilterOptions = z.output<typeof filterOptionsSchema>;
