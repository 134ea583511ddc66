import { z } from 'zod';
import { duration } from '../document/units.ts';

const off = z.literal('off');

/** `overload:` of the gateway file: when the gateway takes less work, and how it measures that. */
export const overloadOptions = z
  .strictObject({
    inFlight: z
      .int()
      .min(16)
      .max(1_000_000)
      .prefault(4096)
      .describe(
        'Requests under way in all; beyond it nobody is let in, whatever his priority. From half of it on less important ' +
          'work is refused. Open streams do not count. Default 4096, because one process with calls of a second each is ' +
          'beyond its processor long before; what is left are servers that do not answer.',
      ),
    share: z
      .number()
      .min(0.01)
      .max(1)
      .prefault(0.5)
      .describe(
        'Share of `inFlight` that one caller may have under way, whatever its priority; beyond it, its requests are refused ' +
          'and those of others are not. 1 for no such bound. Default 0.5, because from half on work of others is refused: ' +
          'no caller alone can bring that about with calls that hang.',
      ),
    delay: z
      .union([off, duration({ min: 5, max: 10_000 })], {
        error: 'expected a time span with its unit, from 5ms to 10s, such as 100ms, or off',
      })
      .prefault('100ms')
      .describe(
        'How late the event loop may be, smoothed over 100 ms; `off` for no such measure. Beyond it work is refused in the ' +
          'stated order until the loop keeps up again. Default 100ms, because a processor that is merely full, with ' +
          'some hundred callers who wait for their answers, stays below it.',
      ),
    wait: z
      .union([off, duration({ min: 10, max: 60_000 })], {
        error: 'expected a time span with its unit, from 10ms to 1m, such as 500ms, or off',
      })
      .prefault('500ms')
      .describe(
        'How long a request may wait for its turn, smoothed over 100 ms; `off` for no such measure. Beyond it work is refused in ' +
          'the stated order; that callers of low priority wait refuses none but them. Default 500ms, because who waits longer ' +
          'is served sooner if he comes back later, and some hundred callers who each wait for their answer stay below it.',
      ),
    memory: z
      .union([off, z.number().min(0.1).max(0.99)], {
        error: 'expected a share from 0.1 to 0.99, such as 0.85, or off',
      })
      .prefault(0.85)
      .describe(
        "Share of the heap's limit, or of the memory that the control group allows, from which on work is refused; `off` " +
          'for no such measure. Two thirds of the way from there to the whole, all but callers of high priority are refused. ' +
          'Default 0.85, because collections of garbage keep a healthy heap below it.',
      ),
    retryAfter: duration({ min: 1000, max: 600_000 })
      .prefault('1s')
      .describe(
        'Least `Retry-After` of a refusal; up to three times as much is told, so that not all come back together. Default 1s, ' +
          'because an overload by a burst is over by then.',
      ),
  })
  .prefault({})
  .describe('What is refused, and in which order, when there is more to do than can be done.');

export type OverloadOptions = z.output<typeof overloadOptions>;
