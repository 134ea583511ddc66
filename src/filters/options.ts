import { z } from 'zod';
import { bytes, duration } from '../document/units.ts';
import { isRevision, revisions } from '../mcp/revision.ts';

const count = (maximum: number) => z.number().int().min(1).max(maximum);

/** `limits:` of the gateway file, as far as frames and the memory of the checks are concerned. */
export const frameLimitsSchema = z.strictObject({
  /** 4 MiB: the body limit of the official SDKs; a larger frame would be refused by most servers anyway. */
  requestBytes: bytes({ min: 1024 }).default(4 * 1024 ** 2),
  /** 16 MiB: the largest thing that the specification sizes (one skill) still fits into one result. */
  resultBytes: bytes({ min: 1024 }).default(16 * 1024 ** 2),
  /** 10 000: a call that reports progress ten times a second for a quarter of an hour stays below it. */
  framesPerExchange: count(100_000_000).default(10_000),
  /** 64 MiB: four of the largest results; a stream that sends more before its answer is a leak or an attack. */
  bytesPerExchange: bytes({ min: 1024 }).default(64 * 1024 ** 2),
  /** 1 000 000: a stream that stays open for an hour may carry 277 messages a second. */
  framesPerStream: count(100_000_000).default(1_000_000),
  /** 1 GiB: the same hour at 2 Mbit/s. */
  bytesPerStream: bytes({ min: 1024 }).default(1024 ** 3),
});

/** `session:` of the gateway file. */
export const sessionSchema = z.strictObject({
  /** Files with key material, first seals, all open. Absent: a random key for each process, so a restart ends sessions. */
  keys: z.array(z.string().min(1)).min(1).max(8).optional(),
  /** 24 h: a working day and its night; a client then initialises again, which costs it one round trip. */
  maxAge: duration({ min: 1000, max: 30 * 86_400_000 }).default(86_400_000),
});

/** Bounds on what the checks remember between frames. */
export const memorySchema = z.strictObject({
  /** 100 000 keys of about 200 bytes: 20 MB, and more callers than one gateway serves. */
  rateKeys: count(10_000_000).default(100_000),
  /** 100 000: one key at least for each exchange that runs at the same time. */
  concurrencyKeys: count(10_000_000).default(100_000),
  /** 100 000 requests under way: ten for each connection that a listener accepts by default. */
  requests: count(10_000_000).default(100_000),
  /** 256 requests under way in one session: no client has more calls open, a loop soon has. */
  requestsPerSession: count(100_000).default(256),
  /** 10 min: how long the answer to a call whose stream broke may be fetched by resuming; what servers keep events for. */
  lateAnswers: duration({ min: 1000 }).default(600_000),
  /** 10 000 questions of servers that wait for their client's answer. */
  questions: count(1_000_000).default(10_000),
  /** 64 questions open in one session: people answer them one at a time. */
  questionsPerSession: count(10_000).default(64),
  /** 30 min: a person may have to look something up before answering. */
  questionAge: duration({ min: 1000 }).default(1_800_000),
});

/** Modern `requestState` handles. */
export const requestStateSchema = z.strictObject({
  /** 10 min: the time that the official SDKs give a state. */
  maxAge: duration({ min: 1000 }).default(600_000),
  /** 64 KiB: a state travels in a request body, twice; SDK states are below 4 KiB. */
  maxBytes: bytes({ min: 256, max: 1024 ** 2 }).default(64 * 1024),
  /** 64 questions in one result: people answer them one at a time. */
  maxQuestions: count(1024).default(64),
});

export const filterOptionsSchema = z.strictObject({
  /** Protocol revisions that are served. All that this gateway knows, unless told otherwise. */
  revisions: z
    .array(z.string().refine(isRevision, `expected one of ${revisions.join(', ')}`))
    .min(1)
    .default([...revisions]),
  frames: frameLimitsSchema.prefault({}),
  session: sessionSchema.prefault({}),
  memory: memorySchema.prefault({}),
  requestState: requestStateSchema.prefault({}),
});

export type FrameLimits = z.output<typeof frameLimitsSchema>;
export type MemoryLimits = z.output<typeof memorySchema>;
export type RequestStateOptions = z.output<typeof requestStateSchema>;
export type FilterOptions = z.output<typeof filterOptionsSchema>;
