import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import type { Verdict } from '../../src/pipeline/filter.ts';
import { endAll } from '../../src/pipeline/run.ts';
import {
  call,
  down,
  type frameOf,
  makeExchange,
  makeGate,
  modernCall,
  modernExchange,
  principal,
  resultOf,
  type TestGate,
  told,
  up,
} from './support.ts';

const initializing = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'test', version: '1' },
};
const initialized = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  serverInfo: { name: 's', version: '1' },
};

const gateWith = (sessions: Record<string, unknown>): TestGate => makeGate({ sessions });

/** One `initialize`, up to its end. @returns the verdict on the request */
async function open(gate: TestGate, upstreamId: string | undefined, name = 'alice'): Promise<Verdict> {
  const exchange = makeExchange({ request: call('initialize', initializing), principal: principal(name) });
  const verdict = await up(gate.filter('session-limits'), exchange);
  if (verdict.kind === 'pass' && upstreamId !== undefined) {
    exchange.facts.upstreamSessionId = upstreamId;
    await down(gate.filter('session'), exchange, resultOf(1, initialized));
  }
  endAll(gate.filters, exchange);
  return verdict;
}

/** An exchange inside a session. */
function inside(upstreamId: string, request = call('ping'), name = 'alice'): Exchange {
  const exchange = makeExchange({ request, principal: principal(name) });
  exchange.facts.session = {
    key: JSON.stringify([`apikey:${name}`, 'warehouse', upstreamId]),
    upstreamId,
    revision: '2025-11-25',
  };
  return exchange;
}

/** Runs one exchange to its end. */
async function run(gate: TestGate, exchange: Exchange, answered = true): Promise<unknown> {
  const filter = gate.filter('session-limits');
  const verdict = await up(filter, exchange);
  if (answered && exchange.request.kind === 'request') await down(filter, exchange, resultOf(1, {}));
  filter.end?.(exchange);
  return told(verdict);
}

const full = (bound: string, retryAfterMs: number) => ({ code: 'sessions-exhausted', bound, retryAfterMs });

describe('sessions', () => {
  test('of one principal are bounded, and another one still gets in', async () => {
    const gate = gateWith({ perPrincipal: 2, idle: '10s' });
    expect(told(await open(gate, 'a'))).toBe('pass');
    gate.clock.monotonic += 1000;
    expect(told(await open(gate, 'b'))).toBe('pass');
    expect(told(await open(gate, 'c'))).toEqual(full('sessions-per-principal', 9000));
    expect(told(await open(gate, 'c', 'bob'))).toBe('pass');
    expect(gate.events).toEqual([{ kind: 'bound', bound: 'sessions-per-principal', upstream: 'warehouse' }]);
  });

  test('are bounded in all, and the refusal says when to come back', async () => {
    const gate = gateWith({ total: 2, idle: '10s' });
    await open(gate, 'a', 'alice');
    await open(gate, 'b', 'bob');
    const verdict = await open(gate, 'c', 'carol');
    expect(told(verdict)).toEqual(full('sessions', 10_000));
    expect(verdict.kind === 'reject' && verdict.error.headers).toEqual({ 'retry-after': '10' });
  });

  test('count no more when nobody uses them, and go on counting when somebody does', async () => {
    const gate = gateWith({ perPrincipal: 2, idle: '10s' });
    await open(gate, 'a');
    await open(gate, 'b');
    gate.clock.monotonic += 6000;
    expect(await run(gate, inside('a'))).toBe('pass');
    gate.clock.monotonic += 6000;
    expect(told(await open(gate, 'c'))).toBe('pass');
    expect(told(await open(gate, 'd'))).toEqual(full('sessions-per-principal', 4000));
  });

  test("that were idle and are used again count for their owner, and take nobody else's room", async () => {
    const gate = gateWith({ perPrincipal: 2, total: 4, idle: '10s' });
    for (const [one, two] of ['ab', 'cd', 'ef']) {
      await open(gate, one);
      await open(gate, two);
      gate.clock.monotonic += 10_000;
    }
    for (const session of 'abcdef') expect(await run(gate, inside(session))).toBe('pass');
    expect(gate.events.filter(({ kind }) => kind === 'bound')).toHaveLength(4);
    expect(told(await open(gate, 'mine', 'bob'))).toBe('pass');
    expect(told(await open(gate, 'g'))).toEqual(full('sessions-per-principal', 10_000));
  });

  for (const [how, end] of [
    ['when its client ends it', call('ping')],
    ['when the server does not know it any more', call('tools/list')],
  ] as const) {
    test(`make room ${how}`, async () => {
      const gate = gateWith({ perPrincipal: 1 });
      await open(gate, 'a');
      const last = inside('a', end);
      last.facts.sessionOver = true;
      await run(gate, last);
      expect(told(await open(gate, 'b'))).toBe('pass');
    });
  }

  test('that are being opened count, and those that came to nothing do not', async () => {
    const gate = gateWith({ perPrincipal: 1 });
    const filter = gate.filter('session-limits');
    const exchange = makeExchange({ request: call('initialize', initializing) });
    expect(told(await up(filter, exchange))).toBe('pass');
    expect(told(await open(gate, 'b'))).toMatchObject({ code: 'sessions-exhausted' });
    filter.end?.(exchange);
    expect(told(await open(gate, undefined))).toBe('pass');
    expect(told(await open(gate, 'b'))).toBe('pass');
  });

  test('of servers that keep none are not counted', async () => {
    const gate = gateWith({ total: 1, perPrincipal: 1 });
    for (let index = 0; index < 5; index += 1) expect(told(await open(gate, undefined))).toBe('pass');
  });

  test('from another replica are served however many there are, and count once they are used', async () => {
    const gate = gateWith({ total: 3, perPrincipal: 2 });
    for (const id of ['a', 'b', 'c', 'd']) expect(await run(gate, inside(id))).toBe('pass');
    expect(gate.events).toContainEqual({
      kind: 'bound',
      bound: 'sessions-uncounted',
      upstream: 'warehouse',
    });
    expect(told(await open(gate, 'e'))).toMatchObject({ bound: 'sessions-per-principal' });
  });

  test('are none in 2026-07-28', async () => {
    const gate = gateWith({ total: 1, perPrincipal: 1 });
    for (let index = 0; index < 5; index += 1) {
      expect(await run(gate, modernExchange(modernCall('tools/list')))).toBe('pass');
    }
  });
});

describe('streams that stay open', () => {
  const openStream = (name: string): ReturnType<typeof frameOf> =>
    ({ kind: 'stream-open', lastEventId: undefined, name }) as never;

  test('of one session and of one principal are bounded, and closing one makes room', async () => {
    const gate = gateWith({ streamsPerSession: 2, streamsPerPrincipal: 3 });
    const filter = gate.filter('session-limits');
    const streams = ['a', 'a', 'b'].map((id) => inside(id, openStream(id)));
    for (const stream of streams) expect(told(await up(filter, stream))).toBe('pass');
    const refused = async (id: string, name?: string) => {
      const exchange = inside(id, openStream(id), name);
      const verdict = told(await up(filter, exchange));
      filter.end?.(exchange);
      return verdict;
    };
    expect(await refused('b')).toEqual({ code: 'streams-exhausted', bound: 'streams-per-principal' });
    filter.end?.(streams[2]!);
    expect(await refused('a')).toEqual({ code: 'streams-exhausted', bound: 'streams-per-session' });
    expect(await refused('b')).toBe('pass');
    expect(await refused('a', 'bob')).toBe('pass');
  });

  test('of 2026-07-28 count for their principal', async () => {
    const gate = gateWith({ streamsPerPrincipal: 1, streamsPerSession: 1 });
    const filter = gate.filter('session-limits');
    const listen = () => modernExchange(modernCall('subscriptions/listen', { notifications: {} }));
    const first = listen();
    expect(told(await up(filter, first))).toBe('pass');
    expect(told(await up(filter, listen()))).toMatchObject({ bound: 'streams-per-principal' });
    filter.end?.(first);
    expect(told(await up(filter, listen()))).toBe('pass');
  });
});

describe('subscriptions', () => {
  const subscribe = (uri: string) => call('resources/subscribe', { uri });
  const unsubscribe = (uri: string) => call('resources/unsubscribe', { uri });
  const refused = (bound: string) => ({ code: 'subscriptions-exhausted', bound });

  test('of one session are bounded; the same one twice is one', async () => {
    const gate = gateWith({ subscriptionsPerSession: 2 });
    expect(await run(gate, inside('a', subscribe('file:///1')))).toBe('pass');
    expect(await run(gate, inside('a', subscribe('file:///1')))).toBe('pass');
    expect(await run(gate, inside('a', subscribe('file:///2')))).toBe('pass');
    expect(await run(gate, inside('a', subscribe('file:///3')))).toEqual(
      refused('subscriptions-per-session'),
    );
    expect(await run(gate, inside('b', subscribe('file:///3')))).toBe('pass');
  });

  test('that the server refuses, or that are given up, do not count', async () => {
    const gate = gateWith({ subscriptionsPerSession: 1 });
    expect(await run(gate, inside('a', subscribe('file:///1')), false)).toBe('pass');
    expect(await run(gate, inside('a', subscribe('file:///2')))).toBe('pass');
    expect(await run(gate, inside('a', unsubscribe('file:///2')), false)).toBe('pass');
    expect(await run(gate, inside('a', subscribe('file:///3')))).toEqual(
      refused('subscriptions-per-session'),
    );
    expect(await run(gate, inside('a', unsubscribe('file:///2')))).toBe('pass');
    expect(await run(gate, inside('a', subscribe('file:///3')))).toBe('pass');
  });

  test('of one principal and in all are bounded, those of listen streams included', async () => {
    const gate = gateWith({ subscriptionsPerPrincipal: 3, subscriptions: 4 });
    const filter = gate.filter('session-limits');
    const listen = (uris: readonly string[], name?: string) =>
      modernExchange(modernCall('subscriptions/listen', { notifications: { resourceSubscriptions: uris } }), {
        principal: principal(name),
      });
    const stream = listen(['file:///1', 'file:///2']);
    expect(told(await up(filter, stream))).toBe('pass');
    expect(await run(gate, inside('a', subscribe('file:///3')))).toBe('pass');
    expect(await run(gate, inside('a', subscribe('file:///4')))).toEqual(
      refused('subscriptions-per-principal'),
    );
    expect(told(await up(filter, listen(['file:///1', 'file:///2'], 'bob')))).toEqual(
      refused('subscriptions'),
    );
    filter.end?.(stream);
    expect(await run(gate, inside('a', subscribe('file:///4')))).toBe('pass');
  });

  test('end with their session, and when nobody uses it', async () => {
    const gate = gateWith({ subscriptionsPerPrincipal: 1, idle: '10s' });
    await run(gate, inside('a', subscribe('file:///1')));
    expect(await run(gate, inside('b', subscribe('file:///1')))).toEqual(
      refused('subscriptions-per-principal'),
    );
    const last = inside('a');
    last.facts.sessionOver = true;
    await run(gate, last);
    expect(await run(gate, inside('b', subscribe('file:///1')))).toBe('pass');
    gate.clock.monotonic += 10_000;
    expect(await run(gate, inside('c', subscribe('file:///1')))).toBe('pass');
  });
});
