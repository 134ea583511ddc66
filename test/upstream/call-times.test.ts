import { describe, expect, it } from 'vitest';
import { CallTimes, type TimedStage } from '../../src/upstream/call-times.ts';
import { httpUpstreamOptions } from '../../src/upstream/options.ts';

const { timeouts } = httpUpstreamOptions.parse({
  url: 'http://localhost/',
  timeouts: { headers: '30s', idle: '5m', total: '60s', longest: '15m', stream: '1h' },
});

/** The age in milliseconds at which a call is given up that hears something all the time, to the second. */
function endOf(stage: TimedStage, message: { longLived?: boolean; total?: number }): number {
  const started = performance.now();
  const times = new CallTimes(timeouts, { longLived: false, ...message });
  const made = performance.now() - started;
  for (let age = 1000; age <= 48 * 3_600_000; age += 1000) {
    times.heard = true;
    // What was made a little later than `started` is a little younger.
    if (times.check(stage, started + made + age) !== undefined) return age;
  }
  return Number.POSITIVE_INFINITY;
}

describe('the times of a call', () => {
  it.each<[string, TimedStage, { longLived?: boolean; total?: number }, number]>([
    ['that waits for a socket', 'queued', {}, 30_000],
    ['that waits for its answer', 'waiting', {}, 30_000],
    ['whose answer comes', 'answering', {}, 60_000],
    ['whose answer comes as a stream', 'streaming', {}, 60_000],
    ['that policy gives more', 'waiting', { total: 300_000 }, 300_000],
    ['that policy gives more, and that answers', 'streaming', { total: 300_000 }, 300_000],
    ['that policy gives more, and that waits for a socket', 'queued', { total: 300_000 }, 30_000],
    ['that policy gives less', 'waiting', { total: 5000 }, 5000],
    ['that policy gives less, and that answers', 'answering', { total: 5000 }, 5000],
    ['that policy gives less, and that waits for a socket', 'queued', { total: 5000 }, 5000],
    ['that policy gives more than the upstream allows', 'waiting', { total: 86_400_000 }, 900_000],
    ['that stays open', 'streaming', { longLived: true }, 3_600_000],
    [
      'that stays open, whatever policy gives calls',
      'streaming',
      { longLived: true, total: 5000 },
      3_600_000,
    ],
    ['that will stay open', 'waiting', { longLived: true }, 300_000],
  ])('%s', (_, stage, message, end) => {
    expect(endOf(stage, message)).toBe(end);
  });

  it('end when nothing is heard, but not while its consumer is slow', () => {
    const times = new CallTimes(timeouts, { longLived: true });
    const start = performance.now();
    times.heardAt = start;
    expect(times.check('streaming', start + 299_000)).toBeUndefined();
    times.paused = true;
    expect(times.check('streaming', start + 301_000)).toBeUndefined();
    times.paused = false;
    expect(times.check('streaming', start + 600_000)).toBeUndefined();
    expect(times.check('streaming', start + 601_001)?.code).toBe('upstream-timeout');
  });
});
