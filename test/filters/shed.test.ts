import { describe, expect, it } from 'vitest';
import { shed } from '../../src/filters/shed.ts';
import type { Frame } from '../../src/mcp/frame.ts';
import {
  call,
  type ExchangeShape,
  makeExchange,
  modernCall,
  modernExchange,
  note,
  policyOf,
  principal,
  resultOf,
  told,
  up,
} from './support.ts';

/** Sheds these kinds, and writes down what it was told of. */
function shedding(...kinds: readonly string[]) {
  const counted: string[] = [];
  const filter = shed({
    sheds: (kind) => kinds.includes(kind),
    retryAfter: () => 3,
    onShed: (kind, upstream) => counted.push(`${kind} ${upstream}`),
  });
  return { filter, counted };
}

async function verdictOf(exchange: ReturnType<typeof makeExchange>, ...kinds: readonly string[]) {
  return told(await up(shedding(...kinds).filter, exchange));
}

const legacy = (request: Frame, shape: ExchangeShape = {}) => makeExchange({ ...shape, request });

const sessions: readonly [string, ReturnType<typeof makeExchange>][] = [
  ['initialize', legacy(call('initialize', { protocolVersion: '2025-11-25' }))],
  [
    'subscriptions/listen',
    modernExchange(modernCall('subscriptions/listen', { notifications: { toolsListChanged: true } })),
  ],
  ['tasks/result', legacy(call('tasks/result', { taskId: 't' }))],
];
const lists: readonly [string, ReturnType<typeof makeExchange>][] = [
  ['tools/list', legacy(call('tools/list'))],
  ['tools/list of 2026-07-28', modernExchange(modernCall('tools/list'))],
  ['resources/list', legacy(call('resources/list'))],
  ['resources/templates/list', legacy(call('resources/templates/list'))],
  ['prompts/list', legacy(call('prompts/list'))],
  ['server/discover', modernExchange(modernCall('server/discover'))],
];
const others: readonly [string, ReturnType<typeof makeExchange>][] = [
  ['tools/call', legacy(call('tools/call', { name: 'query', arguments: {} }))],
  ['resources/read', legacy(call('resources/read', { uri: 'file:///a' }))],
  ['ping', legacy(call('ping'))],
  ['a cancellation', legacy(note('notifications/cancelled', { requestId: 1 }))],
  ['initialized', legacy(note('notifications/initialized'))],
  ['the answer to a question', legacy(resultOf(1, {}))],
  ['the end of a session', legacy({ kind: 'session-end' })],
  ['an unknown method', legacy(call('initialize/now'))],
];

describe('an overload', () => {
  it('refuses with 503 and says when to come back', async () => {
    const { filter, counted } = shedding('session');
    const verdict = await up(filter, sessions[0]![1]);
    expect(verdict).toMatchObject({
      kind: 'reject',
      error: { code: 'overloaded', headers: { 'retry-after': '3' } },
    });
    expect(counted).toEqual(['session warehouse']);
  });

  for (const [name, exchange] of sessions) {
    it(`refuses a new session or subscription: ${name}`, async () => {
      expect(await verdictOf(exchange, 'session')).toBe('overloaded');
      expect(await verdictOf(exchange, 'list')).toBe('pass');
    });
  }
  for (const [name, exchange] of lists) {
    it(`refuses a list: ${name}`, async () => {
      expect(await verdictOf(exchange, 'list')).toBe('overloaded');
      expect(await verdictOf(exchange, 'session')).toBe('pass');
    });
  }
  for (const [name, exchange] of others) {
    it(`lets pass here what is no session and no list: ${name}`, async () => {
      expect(await verdictOf(exchange, 'session', 'list')).toBe('pass');
    });
  }

  it('lets pass whatever callers of high priority ask', async () => {
    const policy = policyOf(`
version: 1
roles:
  oncall: { priority: high, allow: [{ tools: ["*"] }] }
bindings:
  - { roles: [oncall], to: [{ apiKey: oncall }] }
`);
    const request = call('initialize', { protocolVersion: '2025-11-25' });
    const { filter, counted } = shedding('session', 'list');
    const ask = async (name: string) =>
      told(await up(filter, makeExchange({ request, policy, principal: principal(name) })));
    expect(await ask('oncall')).toBe('pass');
    expect(await ask('alice')).toBe('overloaded');
    expect(counted).toHaveLength(1);
  });
});
