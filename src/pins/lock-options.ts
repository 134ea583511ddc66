import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../values/json.ts';

const hash = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256: and 64 hexadecimal digits');
const review = {
  approvedBy: z.string().max(1000).optional(),
  note: z.string().max(10_000).optional(),
};

const toolSchema = z.strictObject({
  hash,
  ...review,
  reviewed: z
    .strictObject({ title: z.string().max(1000).optional(), description: z.string().max(100_000).optional() })
    .optional(),
  definition: z.custom<JsonObject>((value) => isJsonObject(value as never), 'expected a tool definition'),
});

const upstreamSchema = z.strictObject({
  instructions: z.strictObject({ hash, ...review, text: z.string() }).optional(),
  tools: z.record(z.string().min(1).max(256), toolSchema).prefault({}),
});

/** The lock file. */
export const lockSchema = z.strictObject({
  version: z.literal(1),
  upstreams: z.record(z.string().max(63), upstreamSchema).prefault({}),
});
