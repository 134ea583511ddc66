import { describe, expect, test } from 'vitest';
import { createFilterReport } from '../../src/gateway/filter-events.ts';

function make() {
  let now = 0;
  const lines: unknown[] = [];
  const events: unknown[] = [];
  const report = createFilterReport({
    metrics: { boundReached: () => undefined, limitEvent: (event) => events.push(event) },
    log: { warn: (event, fields) => lines.push([event, fields]) },
    monotonic: () => now,
  });
  return {
    lines,
    counted: () => events.length,
    full: (limit: string) => report({ kind: 'limit-store-full', limit, upstream: 'warehouse' }),
    wait: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const line = (limit: string, calls: number) => ['a limit has no room for more keys', { limit, calls }];

describe('a limit without room', () => {
  test('is told in the log once a minute, with the number of calls, and counted each time', () => {
    const { lines, counted, full, wait } = make();
    for (let calls = 0; calls < 1000; calls += 1) full('a');
    full('b');
    expect(lines).toEqual([line('a', 1), line('b', 1)]);
    wait(59_999);
    full('a');
    expect(lines).toHaveLength(2);
    wait(1);
    full('a');
    expect(lines.slice(2)).toEqual([line('a', 1001)]);
    expect(counted()).toBe(1003);
  });

  test('of many limits keeps no more than a thousand in mind', () => {
    const { lines, full } = make();
    for (let limit = 0; limit < 1001; limit += 1) full(`l${limit}`);
    full('l1000');
    expect(lines).toHaveLength(1001);
    full('l0');
    expect(lines).toHaveLength(1002);
  });
});
