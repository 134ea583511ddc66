import { expect, test } from 'vitest';
import { filterOptionsSchema } from '../../src/filters/options.ts';
import { runToClient, runToUpstream } from '../../src/pipeline/run.ts';
import { makeGate, modernCall, modernExchange, resultOf } from './support.ts';

test('the list enforces these checks, in this order', () => {
  expect(makeGate().filters.map(({ name }) => name)).toEqual([
    'protocol',
    'shed',
    'frame-limits',
    'limits-early',
    'session',
    'correlate',
    'results',
    'quarantine',
    'arguments',
    'capabilities',
    'authorize',
    'handles',
    'schema',
    'flow',
    'reviewed',
    'visibility',
    'definitions',
    'list-limits',
    'timeouts',
    'session-limits',
    'limits',
    'signatures',
    'answer-limits',
  ]);
});

test('every check can end an exchange that it has never seen', () => {
  const exchange = modernExchange(modernCall('tools/list'));
  for (const filter of makeGate().filters) filter.end?.(exchange);
  expect(exchange.facts.dropped.size).toBe(0);
});

test('a call and its answer pass the whole list, under the ids of each side', async () => {
  const { filters } = makeGate();
  const exchange = modernExchange(modernCall('tools/list', {}, 'mine'));
  const up = await runToUpstream(filters, exchange.request, exchange);
  if (up.kind !== 'go' || up.frame.kind !== 'request') throw new Error(up.kind);
  expect(up.frame.id).not.toBe('mine');
  const down = await runToClient(
    filters,
    resultOf(up.frame.id, { tools: [{ name: 'a' }], ttlMs: 0 }),
    exchange,
  );
  if (down.kind !== 'go' || down.frame.kind !== 'result') throw new Error(down.kind);
  expect(JSON.parse(down.frame.bytes.toString())).toEqual({
    jsonrpc: '2.0',
    id: 'mine',
    result: { tools: [{ name: 'a' }], ttlMs: 0, cacheScope: 'private' },
  });
});

test('the defaults are these', () => {
  expect(filterOptionsSchema.parse({})).toEqual({
    revisions: ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'],
    frames: {
      requestBytes: 4_194_304,
      resultBytes: 16_777_216,
      framesPerExchange: 10_000,
      bytesPerExchange: 67_108_864,
      framesPerStream: 1_000_000,
      bytesPerStream: 1_073_741_824,
    },
    session: { maxAge: 86_400_000 },
    memory: {
      rateKeys: 100_000,
      quotaKeys: 100_000,
      concurrencyKeys: 100_000,
      requests: 100_000,
      requestsPerSession: 256,
      answerBytes: 268_435_456,
      lateAnswers: 600_000,
      questions: 10_000,
      questionsPerSession: 64,
      questionAge: 1_800_000,
    },
    sessions: {
      total: 100_000,
      perPrincipal: 10_000,
      idle: 1_800_000,
      streamsPerSession: 64,
      streamsPerPrincipal: 1000,
      subscriptions: 100_000,
      subscriptionsPerSession: 1024,
      subscriptionsPerPrincipal: 10_000,
    },
    lists: { tools: 2000, schemaBytes: 262_144, bytes: 33_554_432 },
    requestState: { maxAge: 600_000, maxBytes: 65_536, maxQuestions: 64 },
    handles: { taskAge: 86_400_000, cursorAge: 3_600_000 },
    definitions: { maxAge: 60_000 },
    signatures: {},
    rateLimitFields: false,
  });
});
