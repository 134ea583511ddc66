import { expect, test } from 'vitest';
import { createReloader } from '../../src/gateway/reloader.ts';

const silent = () => {};

test('of a part that reads several things, each that failed is told of by its own words', async () => {
  const told: unknown[] = [];
  const log = {
    debug: silent,
    info: silent,
    warn: silent,
    fatal: silent,
    error: (_: string, more: unknown) => told.push(more),
  };
  const failures = [new Error('keys.yaml: no such file'), new Error('no metadata of https://idp.example')];
  const reloader = createReloader(
    () => [{ what: 'identity', read: () => Promise.reject(new AggregateError(failures, 'Some failed')) }],
    {
      log: log as never,
      after: async () => {},
      onJoined: silent,
      sleep: async () => {},
      monotonic: () => 0,
    },
  );
  await reloader.run('files');
  expect(told).toEqual(failures.map((cause) => ({ what: 'identity', cause })));
  expect(reloader.failing()).toEqual(['identity']);
});
