import { expect, it, onTestFinished } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { createShedding } from '../../src/gateway/overload.ts';
import type { Principal } from '../../src/identity/principal.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { overloadOptions } from '../../src/overload/options.ts';
import type { Unread } from '../../src/pipeline/arrival.ts';
import { policyOf, principal } from '../filters/support.ts';

const policy = policyOf(`
version: 1
roles:
  low: { priority: low, allow: [{ tools: ["*"] }] }
  normal: { allow: [{ tools: ["*"] }] }
  high: { priority: high, allow: [{ tools: ["*"] }] }
bindings:
  - { roles: [low], to: [{ apiKey: low }] }
  - { roles: [normal], to: [{ apiKey: normal }] }
  - { roles: [high], to: [{ apiKey: high }] }
`);

/** A load whose line is bounded by 16 requests. */
function stage() {
  const shedding = createShedding(
    overloadOptions.parse({ inFlight: 16, share: 1, delay: 'off', memory: 'off' }),
  );
  onTestFinished(shedding.stop);
  const load = shedding.load({
    metrics: createMetrics({ upstreams: ['w'], version: '0', process: false }),
    recorder: { accepting: () => true, record: async () => undefined },
    apiKeyHeader: 'x-api-key',
    policy: () => policy,
    now: () => 0,
  });
  let port = 0;
  /** A request on a connection of its own. */
  const from = (key: string): Unread => {
    port += 1;
    const peer = { address: '127.0.0.1', port, tls: undefined };
    return { peer, upstream: 'w', verb: 'POST', rawHeaders: ['X-Api-Key', key] };
  };
  /** As a connection is once a request of it has been identified. */
  const known = (caller: Principal, arrival: Unread): Unread => {
    const place = load.enter();
    place.admit({ principal: caller, policy, arrival, asked: 'bound' });
    place.leave();
    return arrival;
  };
  /** Puts so many in line at once, so large that each needs a turn of its own. */
  const wait = (arrival: () => Unread, count: number): void => {
    for (let waiting = 0; waiting < count; waiting += 1) {
      load.takeTurn(arrival(), Number.POSITIVE_INFINITY, () => true);
    }
  };
  return { shedding, load, from, known, wait };
}

it('strangers who fill the line are turned away at its end, and keep no caller out who stands before them', () => {
  const { shedding, load, from, known, wait } = stage();
  // One begins, and one waits: from now on it is noted who comes.
  wait(() => from('stranger'), 2);
  const [low, normal, high] = ['low', 'normal', 'high'].map((name) => known(principal(name), from(name))) as [
    Unread,
    Unread,
    Unread,
  ];
  wait(() => from('stranger'), 14);
  expect(shedding.measures.waiting).toBe(15);
  expect(load.turnsAway(from('stranger'))).toBe('bound');
  // Nothing asks strangers whose heads do not say what they bring.
  wait(() => from('stranger'), 1000);
  expect(load.turnsAway(from('stranger'))).toBeInstanceOf(GatewayError);
  expect(load.turnsAway(low)).toBeInstanceOf(GatewayError);
  expect(load.turnsAway(normal)).toBe('caller');
  expect(load.turnsAway(high)).toBe('caller');
  // And each rank has a bound of its own.
  wait(() => normal, 16);
  expect(load.turnsAway(normal)).toBeInstanceOf(GatewayError);
  expect(load.turnsAway(high)).toBe('caller');
  wait(() => high, 16);
  expect(load.turnsAway(high)).toBeInstanceOf(GatewayError);
});

it('callers who are known leave the line before strangers who came earlier', async () => {
  const { load, from, known, wait } = stage();
  const order: string[] = [];
  const enter = (name: string, arrival: Unread): void => {
    load.takeTurn(arrival, Number.POSITIVE_INFINITY, () => order.push(name) > 0);
  };
  wait(() => from('stranger'), 2);
  const callers = (['low', 'normal', 'high'] as const).map(
    (name) => [name, known(principal(name), from(name))] as const,
  );
  enter('stranger', from('stranger'));
  for (const [name, arrival] of callers) enter(name, arrival);
  // Other credentials on a connection are somebody else, however well it is known.
  enter('stranger', { ...callers[2]![1], rawHeaders: ['X-Api-Key', 'guessed'] });
  await expect.poll(() => order.length).toBe(5);
  expect(order.indexOf('high')).toBeLessThan(order.indexOf('normal'));
  expect(order.indexOf('normal')).toBeLessThan(order.lastIndexOf('stranger'));
  expect(order.at(-1)).toBe('low');
});
