import { z } from 'zod';
import { filterOptionsSchema } from '../filters/options.ts';
import { requestDecodeOptions, resultDecodeOptions } from '../mcp/options.ts';

const { frames, handles, lists, memory, rateLimitFields, requestState, sessions } = filterOptionsSchema.shape;

/** The `limits:` section. */
export const limitsOptions = z
  .strictObject({
    request: requestDecodeOptions
      .prefault({})
      .describe('Bounds on the JSON that clients send. Beyond them a request is refused.'),
    result: resultDecodeOptions
      .prefault({})
      .describe('Bounds on the JSON that upstreams send. Beyond them an answer is refused.'),
    frames: frames.describe('Bounds on sizes and numbers of frames in one exchange or stream.'),
    memory: memory.describe('Bounds on what the checks remember between frames.'),
    sessions: sessions.describe('Bounds on sessions, streams and subscriptions of one principal and in all.'),
    lists: lists.describe('Bounds on what one upstream may list.'),
    rateLimitFields,
    requestState: requestState.describe(
      "Bounds on the handles that stand for an upstream's `requestState` (2026-07-28).",
    ),
    handles: handles.describe("Bounds on the handles that stand for an upstream's task ids and cursors."),
  })
  .prefault({})
  .describe('Bounds on JSON, frames and memory. What is beyond a bound is refused, never cut.');
