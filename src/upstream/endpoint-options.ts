import { z } from 'zod';
import { duration } from '../document/units.ts';

/** Active checks. */
export const healthOptions = z.strictObject({
  interval: duration({ min: 100, max: 3_600_000 })
    .prefault('10s')
    .describe(
      'Between two checks of an endpoint. Default 10s, because calls themselves show a failure at once where there are calls.',
    ),
  timeout: duration({ min: 1, max: 60_000 })
    .prefault('2s')
    .describe(
      'For one request of a check, connection included. Default 2s: `server/discover` and `ping` do nothing.',
    ),
  unhealthy: z
    .int()
    .min(1)
    .max(100)
    .prefault(3)
    .describe(
      'Checks in a row that fail until an endpoint is avoided. Default 3, so that one lost packet is none.',
    ),
  healthy: z
    .int()
    .min(1)
    .max(100)
    .prefault(2)
    .describe(
      'Checks in a row that succeed until it is used again. Default 2, so that a server that comes up and dies stays out.',
    ),
});

const beyondMost = { message: 'is longer than "most" beside it, which would cut it: give both' };

/** Passive ejection. */
export const ejectionOptions = z
  .strictObject({
    failures: z
      .int()
      .min(1)
      .max(10_000)
      .prefault(5)
      .describe('Calls in a row that fail until an endpoint is avoided. Default 5, because tools fail too.'),
    share: z
      .int()
      .min(1)
      .max(100)
      .prefault(50)
      .describe('Percent of the calls of 10s that fail until it is avoided. Default 50.'),
    calls: z
      .int()
      .min(1)
      .max(1_000_000)
      .prefault(20)
      .describe('Calls in 10s below which that share says nothing. Default 20.'),
    time: duration({ min: 1, max: 3_600_000 })
      .prefault('10s')
      .describe(
        'How long it is avoided the first time; each further time twice as long. Default 10s: a restart.',
      ),
    most: duration({ min: 1, max: 86_400_000 })
      .prefault('5m')
      .describe('The longest that it is avoided, and how long it must do well to be forgiven. Default 5m.'),
  })
  .refine(({ time, most }) => time <= most, { path: ['time'], ...beyondMost });

/** When calls are refused at once. */
export const breakerOptions = z
  .strictObject({
    failures: z
      .int()
      .min(1)
      .max(10_000)
      .prefault(5)
      .describe(
        'Failures without one answer in between until no call is sent there. Default 5, because a restart fails some.',
      ),
    silence: duration({ max: 3_600_000 })
      .prefault('10s')
      .describe(
        'How long nothing at all must have been answered, where connections came about. Default 10s: one caller with calls ' +
          'that hang must not shut the door to others.',
      ),
    open: duration({ min: 1, max: 3_600_000 })
      .prefault('2s')
      .describe('Until a call is let through as a probe; after each failed probe twice as long. Default 2s.'),
    most: duration({ min: 1, max: 3_600_000 })
      .prefault('10s')
      .describe('The longest wait for a probe. Default 10s: what has come up again is found within that.'),
    pace: duration({ min: 1, max: 3_600_000 })
      .prefault('1s')
      .describe('Between two probes. Default 1s, so that a server that has just come up is not run over.'),
  })
  .refine(({ open, most }) => open <= most, { path: ['open'], ...beyondMost });

/** What second tries may cost. */
export const retriesOptions = z.strictObject({
  share: z
    .int()
    .min(0)
    .max(100)
    .prefault(20)
    .describe(
      'Percent of the calls that may be made once more. Default 20: the load on what is left grows by no more.',
    ),
  perSecond: z
    .int()
    .min(0)
    .max(1000)
    .prefault(3)
    .describe(
      'Retries a second beside that. Default 3, so that an upstream with few calls has them too. 0 for both: none.',
    ),
});
