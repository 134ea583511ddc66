import { describe, expect, test } from 'vitest';
import type { Claim, LimitStore, Taken } from '../../src/limits/contract.ts';
import { createMemoryStore } from '../../src/limits/memory-store.ts';
import { runToUpstream } from '../../src/pipeline/run.ts';
import {
  call,
  type ExchangeShape,
  limitsOf,
  makeExchange,
  makeGate,
  modernCall,
  note,
  policyWithLimits,
  principal,
  type TestGate,
  told,
  up,
} from './support.ts';

const query = (args: object = {}) => call('tools/call', { name: 'query', arguments: args });
const bounds = { rateKeys: 100, quotaKeys: 100, concurrencyKeys: 100 };

/** A store that writes down what it was asked, and answers as memory does. */
function watchedStore(): {
  readonly store: LimitStore;
  readonly takes: (readonly Claim[])[];
  readonly released: string[];
} {
  const takes: (readonly Claim[])[] = [];
  const released: string[] = [];
  const memory = createMemoryStore(bounds, () => undefined);
  const store: LimitStore = {
    ...memory,
    size: 0,
    take(claims, ...rest) {
      takes.push(claims);
      return memory.take(claims, ...rest);
    },
    release(held, holder) {
      released.push(holder);
      memory.release(held, holder);
    },
  };
  return { store, takes, released };
}

/** What becomes of one exchange that nothing else refuses, until its end. */
async function run(gate: TestGate, shape: ExchangeShape): Promise<unknown> {
  const exchange = makeExchange(shape);
  const verdict = await up(limitsOf(gate), exchange);
  limitsOf(gate).end?.(exchange);
  return told(verdict);
}

const everything = policyWithLimits(`
  - { name: rate, match: { tools: ["*"] }, per: principal, rate: 10/min }
  - { name: quota, match: { tools: ["*"] }, per: [principal, tool], quota: 10/day }
  - { name: budget, match: { tools: [query] }, per: role, sum: args.amount per month, most: 100 }
  - { name: at-once, match: { tools: ["*"] }, per: upstream, concurrency: 3 }
`);

describe('the limits of a policy', () => {
  test('are taken in one step, after everything that may refuse', async () => {
    const { store, takes } = watchedStore();
    const gate = makeGate({}, { limits: store });
    const exchange = makeExchange({ policy: everything, request: query({ amount: 2.5 }) });
    expect(told(await up(limitsOf(gate), exchange))).toBe('pass');
    expect(takes).toHaveLength(1);
    expect(takes[0]!.map(({ limit, amount, measure }) => [limit, measure.kind, amount])).toEqual([
      ['rate', 'rate', 1000],
      ['quota', 'window', 1000],
      ['budget', 'window', 2500],
      ['at-once', 'places', 1000],
    ]);
    expect(exchange.facts.limits).toEqual(['rate', 'quota', 'budget', 'at-once']);
  });

  test('charge a frame that something refuses its rates and quotas, once, when it ends', async () => {
    const { store, takes } = watchedStore();
    const gate = makeGate({}, { limits: store });
    const exchange = makeExchange({ policy: everything, request: query({ amount: 5 }) });
    await up(gate.filter('limits-early'), exchange);
    expect(takes).toEqual([]);
    gate.filter('limits').end?.(exchange);
    gate.filter('limits').end?.(exchange);
    expect(takes.map((claims) => claims.map(({ limit, enforced }) => [limit, enforced]))).toEqual([
      [
        ['rate', false],
        ['quota', false],
      ],
    ]);
  });

  test('on polling tasks count no call that becomes one, and those on calls no polling', async () => {
    const policy = policyWithLimits(`
  - { name: calls, match: { tools: ["*"] }, per: principal, rate: 10/min }
  - { name: polls, match: { methods: ["tasks/*"] }, per: principal, rate: 10/min }
`);
    const counting = async (request: ReturnType<typeof call>) => {
      const exchange = makeExchange({ policy, request });
      await up(limitsOf(makeGate()), exchange);
      return exchange.facts.limits;
    };
    const asTask = call('tools/call', { name: 'query', arguments: {}, task: { ttl: 1000 } });
    expect(await counting(asTask)).toEqual(['calls']);
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      expect(await counting(call(method, { taskId: 'a' }))).toEqual(['polls']);
    }
  });

  test('count one message once, however many targets it has', async () => {
    const { store, takes } = watchedStore();
    const gate = makeGate({}, { limits: store });
    const policy = policyWithLimits(
      '  - { name: l, match: { resources: ["**"] }, per: [principal, tool], rate: 10/min }',
    );
    const resourceSubscriptions = Array.from({ length: 50 }, (_, index) => `file:///${index}`);
    const request = modernCall('subscriptions/listen', { notifications: { resourceSubscriptions } });
    const exchange = makeExchange({ policy, request, revision: '2026-07-28' });
    expect(told(await up(limitsOf(gate), exchange))).toBe('pass');
    expect(takes[0]!.map(({ amount }) => amount)).toEqual([1000]);
  });

  test('give places back where they were taken, whatever a reload has made of the limit', async () => {
    const gate = makeGate();
    const atOnce = (text: string) => policyWithLimits(`  - { match: { tools: ["*"] }, ${text} }`);
    const before = atOnce('name: l, per: principal, concurrency: 2');
    const lower = atOnce('name: l, per: principal, concurrency: 1');
    const filter = limitsOf(gate);
    const begun = [before, before].map((policy) => makeExchange({ policy, request: query() }));
    for (const exchange of begun) expect(told(await up(filter, exchange))).toBe('pass');
    // What runs counts on, so that a reload hands nobody fresh places.
    expect(await run(gate, { policy: lower, request: query() })).toMatchObject({
      code: 'concurrency-limited',
    });
    for (const text of ['name: renamed, per: principal', 'name: l, per: upstream']) {
      const policy = atOnce(`${text}, concurrency: 1`);
      expect(await run(gate, { policy, request: query() })).toBe('pass');
    }
    for (const exchange of begun) filter.end?.(exchange);
    expect(await run(gate, { policy: lower, request: query() })).toBe('pass');
    expect(gate.deps.limits.size).toBe(0);
  });

  test('let nobody try for less than calling costs', async () => {
    const policy = policyWithLimits(
      '  - { name: l, match: { tools: ["*"] }, per: principal, quota: 5/day }',
      'other',
    );
    const gate = makeGate();
    for (let tries = 0; tries < 5; tries += 1) {
      const exchange = makeExchange({ policy, request: query() });
      expect(await runToUpstream(gate.filters, exchange.request, exchange)).toMatchObject({
        kind: 'reject',
        filter: 'authorize',
      });
      for (const filter of gate.filters) filter.end?.(exchange);
    }
    const exchange = makeExchange({ policy, request: query() });
    const passage = await runToUpstream(gate.filters, exchange.request, exchange);
    // In the words of what does not exist: the limit would tell otherwise.
    expect(passage).toMatchObject({ kind: 'reject', filter: 'limits-early', error: { code: 'denied' } });
    expect(exchange.facts).toMatchObject({ limitedBy: 'l', target: { kind: 'tool', name: 'query' } });
  });

  test('let nobody try dear calls for nothing, either', async () => {
    const { store } = watchedStore();
    const gate = makeGate({}, { limits: store });
    const policy = policyWithLimits(
      '  - { name: l, match: { tools: ["*"] }, per: principal, quota: 5/day, cost: args.rows }',
    );
    const shape = { policy, request: query({ rows: 4 }) };
    const attempt = async () => {
      const exchange = makeExchange(shape);
      const verdict = told(await up(gate.filter('limits-early'), exchange));
      gate.filter('limits').end?.(exchange);
      return verdict;
    };
    // Four units, then one: four more do not fit, and the least is charged.
    expect([await attempt(), await attempt()]).toEqual(['pass', 'pass']);
    expect(await attempt()).toMatchObject({ code: 'quota-exhausted', limit: 'l' });
  });

  test('are told by the one that lasts longest, and by no time where none helps', async () => {
    const time = Date.UTC(2026, 0, 15, 23);
    const policy = policyWithLimits(`
  - { name: slow, match: { tools: [query] }, per: principal, rate: 1/min }
  - { name: daily, match: { tools: [query] }, per: principal, quota: 1/day }
  - { name: monthly, match: { tools: [dear] }, per: principal, sum: args.amount per month, most: 10 }
  - { name: all, match: { tools: ["*"] }, per: principal, concurrency: 1 }`);
    const gate = makeGate();
    const first = makeExchange({ policy, time, request: query() });
    await up(limitsOf(gate), first);
    expect(await run(gate, { policy, time, request: query() })).toEqual({
      code: 'quota-exhausted',
      limit: 'daily',
      retryAfterMs: 3_600_000,
    });
    const dear = (amount: number) => call('tools/call', { name: 'dear', arguments: { amount } });
    expect(await run(gate, { policy, time, request: dear(11) })).toEqual({
      code: 'cost-too-high',
      limit: 'monthly',
    });
    expect(await run(gate, { policy, time, request: dear(1) })).toEqual({
      code: 'concurrency-limited',
      limit: 'all',
    });
  });
});

describe('what a call costs', () => {
  const costing = (cost: string) =>
    policyWithLimits(
      `  - { name: l, match: { tools: ["*"] }, per: principal, quota: 100/day, cost: ${cost} }`,
    );

  test.each([
    ['3', {}, 33],
    ['0.5', {}, 200],
    ['{ query: 5, "q*": 20, "other": 99 }', {}, 5],
    ['{ other: 99 }', {}, 100],
    ['args.rows / 1000', { rows: 25_000 }, 4],
    ['args.rows / 1000', { rows: 1 }, 100],
    ['args.rows / 1000', { rows: 0 }, 100],
    ['args.rows / 1000', { rows: 1999 }, 50],
    ['"tool == \'query\' ? 10 : 1"', {}, 10],
    ['"has(args.rows) ? args.rows / 1000 : 2"', {}, 50],
    ['size(args.ids) * 5', { ids: [1, 2] }, 10],
    ['args.a.b * 0.5', { a: { b: 40 } }, 5],
  ])('%s with %j leaves %i calls of a hundred units', async (cost, args, calls) => {
    const gate = makeGate();
    const policy = costing(cost);
    let passed = 0;
    while (passed < 300 && (await run(gate, { policy, request: query(args) })) === 'pass') passed += 1;
    expect(passed).toBe(calls);
  });

  test('is read from what will be sent, not from what arrived', async () => {
    const { store, takes } = watchedStore();
    const gate = makeGate({}, { limits: store });
    const policy = costing('args.rows');
    const exchange = makeExchange({ policy, request: query({ rows: 5 }) });
    await up(gate.filter('limits-early'), exchange);
    await up(gate.filter('limits'), exchange, query({ rows: 50 }));
    expect(takes[0]!.map(({ amount }) => amount)).toEqual([50_000]);
  });

  test('that cannot be told refuses, and names the limit', async () => {
    const gate = makeGate();
    expect(await run(gate, { policy: costing('args.rows'), request: query() })).toEqual({
      code: 'cost-unknown',
      limit: 'l',
    });
  });

  test('that cannot be told for a limit in shadow mode is reported, and refuses nothing', async () => {
    const gate = makeGate();
    const policy = policyWithLimits(
      '  - { name: l, match: { tools: ["*"] }, per: principal, quota: 1/day, cost: args.x, mode: shadow }',
    );
    expect(await run(gate, { policy, request: query() })).toBe('pass');
    expect(gate.events).toEqual([{ kind: 'shadow-limit', limit: 'l', upstream: 'warehouse' }]);
  });
});

describe('a store that has to be asked', () => {
  const policy = policyWithLimits('  - { name: l, match: { tools: ["*"] }, per: principal, concurrency: 2 }');

  function slowStore() {
    const { store, released } = watchedStore();
    const waiting: (() => void)[] = [];
    const slow: LimitStore = {
      ...store,
      size: 0,
      take: (...args) =>
        new Promise<Taken>((resolve) => {
          waiting.push(() => resolve(store.take(...args)));
        }),
    };
    return { slow, released, answer: () => waiting.shift()?.() };
  }

  test('gets a place back that came when the exchange had ended', async () => {
    const { slow, released, answer } = slowStore();
    const filter = limitsOf(makeGate({}, { limits: slow }));
    const exchange = makeExchange({ policy, request: query() });
    const verdict = up(filter, exchange);
    filter.end?.(exchange);
    expect(released).toEqual([]);
    answer();
    expect(told(await verdict)).toBe('internal');
    expect(released).toEqual([exchange.id]);
  });

  test('gets a place back at the end, once', async () => {
    const { slow, released, answer } = slowStore();
    const filter = limitsOf(makeGate({}, { limits: slow }));
    const exchange = makeExchange({ policy, request: query() });
    const verdict = up(filter, exchange);
    answer();
    expect(told(await verdict)).toBe('pass');
    expect(released).toEqual([]);
    filter.end?.(exchange);
    filter.end?.(exchange);
    expect(released).toEqual([exchange.id]);
  });

  test('is waited for by no frame that was refused for another reason', async () => {
    const { slow, answer } = slowStore();
    const gate = makeGate({}, { limits: slow });
    const counted = policyWithLimits(
      '  - { name: l, match: { tools: ["*"] }, per: principal, quota: 1/day }',
    );
    const attempt = async () => {
      const exchange = makeExchange({ policy: counted, request: query() });
      const verdict = told(await up(gate.filter('limits-early'), exchange));
      gate.filter('limits').end?.(exchange);
      return verdict;
    };
    expect([await attempt(), await attempt()]).toEqual(['pass', 'pass']);
    answer();
    await Promise.resolve();
    expect(await attempt()).toMatchObject({ code: 'quota-exhausted' });
  });

  test('that cannot be asked refuses what says so', async () => {
    const { store } = watchedStore();
    const lost: LimitStore = {
      ...store,
      size: 0,
      take: () => ({ ok: false, unavailable: 'lost', limit: 'l' }),
    };
    const exchange = makeExchange({ policy, request: query() });
    expect(told(await up(limitsOf(makeGate({}, { limits: lost })), exchange))).toBe('limits-unavailable');
    expect(exchange.facts.limitedBy).toBe('l');
  });
});

describe('what callers are told of limits', () => {
  const policy = policyWithLimits(`
  - { name: mine, match: { tools: ["*"] }, per: [principal, tool], rate: 30/min, burst: 10, quota: 5/day }
  - { name: ours, match: { tools: ["*"] }, per: upstream, quota: 100/day }
  - { name: sessions, match: { tools: ["*"] }, per: session, quota: 100/month }
  - { name: money, match: { tools: ["*"] }, per: principal, sum: "1 per day", most: 100 }`);
  const time = Date.UTC(2026, 0, 15, 23);

  test('is what is left of their own, where the option is on', async () => {
    const exchange = makeExchange({ policy, time, request: query() });
    await up(limitsOf(makeGate({ rateLimitFields: true })), exchange);
    expect(exchange.facts.replyHeaders).toEqual({
      ratelimit: '"mine";r=9;t=2, "mine day";r=4;t=3600',
      'ratelimit-policy': '"mine";q=10;w=20, "mine day";q=5;w=86400',
    });
  });

  test('is nothing where it is off', async () => {
    const exchange = makeExchange({ policy, time, request: query() });
    await up(limitsOf(makeGate()), exchange);
    expect(exchange.facts.replyHeaders).toEqual({});
  });

  test('is when to come again, in a header where no id takes an answer', async () => {
    const notes = policyWithLimits(
      '  - { name: n, match: { methods: ["**"] }, per: principal, rate: 4/min, burst: 1 }',
    );
    const gate = makeGate({ rateLimitFields: true });
    const ask = async (request = note('notifications/initialized')) => {
      const verdict = await up(limitsOf(gate), makeExchange({ policy: notes, request }));
      return verdict.kind === 'reject' ? verdict.error.headers : verdict.kind;
    };
    const fields = { ratelimit: '"n";r=0;t=15', 'ratelimit-policy': '"n";q=1;w=15' };
    expect(await ask()).toBe('pass');
    expect(await ask()).toEqual({ ...fields, 'retry-after': '15' });
    expect(await ask(call('tools/list'))).toEqual(fields);
  });

  test('tells nothing of what others use up', async () => {
    const shared = policyWithLimits(
      '  - { name: ours, match: { tools: ["*"] }, per: [upstream, tool], quota: 1/day }',
    );
    const gate = makeGate({ rateLimitFields: true });
    await run(gate, { policy: shared, request: query(), principal: principal('bob') });
    const exchange = makeExchange({ policy: shared, request: query() });
    const verdict = await up(limitsOf(gate), exchange);
    expect(verdict).toMatchObject({ kind: 'reject', error: { headers: {} } });
    expect(exchange.facts.replyHeaders).toEqual({});
  });
});
