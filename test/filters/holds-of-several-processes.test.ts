import { expect, test } from 'vitest';
import { flow } from '../../src/filters/flow.ts';
import { createOutstanding } from '../../src/filters/outstanding.ts';
import { createSharedHolds } from '../../src/filters/shared-holds.ts';
import { CanaryBook } from '../../src/flows/canaries.ts';
import type { SharedState } from '../../src/state/contract.ts';
import { createMemoryState } from '../../src/state/memory.ts';
import { modernCall, modernExchange, policyOf, principal, resultOf, told } from './support.ts';

const policy = policyOf(`
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"] }
bindings:
  - { roles: [everything], to: [{ any: true }] }
tools:
  - { match: { tools: [fetch] }, untrusted: true }
  - { match: { tools: [send] }, egress: true }
`);

const clock = { at: 1_000_000 };
const monotonic = (): number => clock.at;

/** One process of several that share a state. Its clock does not begin where that of the others does. */
function processOf(state: SharedState, began: number) {
  return flow({
    outstanding: createOutstanding({ requests: 100, requestsPerSession: 10, lateAnswers: 1000 }, monotonic),
    principals: 100,
    monotonic: () => clock.at - began,
    key: Buffer.alloc(32, 1),
    canaries: () => new CanaryBook([]),
    approvals: undefined,
    shared: createSharedHolds(state, { now: () => clock.at, monotonic: () => clock.at - began }),
  });
}

const callOf = (name: string, who = 'alice') =>
  modernExchange(modernCall('tools/call', { name, arguments: {} }), { policy, principal: principal(who) });
const fetchIn = async (filter: ReturnType<typeof processOf>) => {
  const exchange = callOf('fetch');
  return filter.toClient!(resultOf(1, { content: [] }), exchange);
};
const sendIn = async (filter: ReturnType<typeof processOf>, who?: string) => {
  const exchange = callOf('send', who);
  return told(await filter.toUpstream!(exchange.request, exchange));
};

test('what one process returned holds back through the other, for the time of the rule, and nobody else', async () => {
  const state = createMemoryState(monotonic);
  const [one, two] = [processOf(state, 0), processOf(state, 900_000)];
  expect(await sendIn(two)).toBe('pass');
  expect((await fetchIn(one)).kind).toBe('pass');
  expect(await sendIn(two)).not.toBe('pass');
  expect(await sendIn(two, 'bob')).toBe('pass');
  clock.at += 599_000;
  expect(await sendIn(two)).not.toBe('pass');
  clock.at += 5_000;
  expect(await sendIn(two)).toBe('pass');
});

test('a clock that jumps by years ends no hold', async () => {
  const state = createMemoryState(monotonic);
  const holds = (jump: number) => createSharedHolds(state, { now: () => clock.at + jump, monotonic });
  const scope = { principal: 'alice', within: undefined };
  expect(await holds(0).record([scope], 600_000)).toBe(true);
  for (const jump of [-86_400_000, 365 * 86_400_000])
    expect(await holds(jump).ages([scope], 600_000)).toEqual([0]);
});

test('where nobody can be told nothing untrusted is returned, and where nobody can be asked nothing leaves', async () => {
  const lost: SharedState = {
    ...createMemoryState(monotonic),
    put: () => false,
    look: () => 'lost',
  };
  const filter = processOf(lost, 0);
  expect(await fetchIn(filter)).toMatchObject({ kind: 'reject', error: { code: 'overloaded' } });
  expect(await sendIn(processOf(lost, 0))).not.toBe('pass');
});

test('a caller that opens sessions without end is held back as a whole, and takes a bounded part of the memory', async () => {
  const state = createMemoryState(monotonic);
  const holds = createSharedHolds(state, { now: monotonic, monotonic });
  for (let index = 0; index < 500; index += 1)
    await holds.record([{ principal: 'alice', within: `trace ${index}` }], 600_000);
  expect(state.size).toBeLessThan(70);
  const [seen, never] = await holds.ages(
    [
      { principal: 'alice', within: 'trace unheard of' },
      { principal: 'bob', within: 'trace 1' },
    ],
    600_000,
  );
  expect(seen).toBe(0);
  expect(never).toBeUndefined();
});
