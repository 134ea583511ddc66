import { describe, expect, test } from 'vitest';
import { createSessionSealer } from '../../src/filters/session-sealer.ts';
import type { Frame } from '../../src/mcp/frame.ts';
import {
  call,
  down,
  type ExchangeShape,
  makeExchange,
  makeGate,
  principal,
  resultOf,
  told,
  up,
} from './support.ts';

const now = 1_800_000_000_000;
const key = Buffer.alloc(32, 1);
const sealer = createSessionSealer({ keys: [key], maxAge: 86_400_000 });
const gate = () => makeGate({}, { keys: [key] });
const claims = {
  principalId: 'apikey:alice',
  upstream: 'warehouse',
  upstreamId: 'up-1',
  revision: '2025-11-25',
} as const;
const sealed = sealer.sealSession(claims, now)!;

const withSession = (id: string, shape: ExchangeShape = {}) =>
  makeExchange({ request: call('tools/list'), headers: { 'mcp-session-id': id }, time: now, ...shape });

describe('a session id', () => {
  test('opens for the principal and the upstream that it was made for', async () => {
    const exchange = withSession(sealed);
    expect(told(await up(gate().filter('session'), exchange))).toBe('pass');
    expect(exchange.facts.session).toMatchObject({ upstreamId: 'up-1', revision: '2025-11-25' });
  });

  test('is answered alike whether it is foreign, stale, altered or invented', async () => {
    const foreign: readonly [string, ExchangeShape][] = [
      [sealed, { principal: principal('bob') }],
      [sealed, { upstream: 'other' }],
      [sealed, { time: now + 86_400_001 }],
      [sealed, { time: now - 60_001 }],
      [`${sealed.slice(0, -1)}${sealed.endsWith('A') ? 'B' : 'A'}`, {}],
      ['up-1', {}],
      ['invented', {}],
      [createSessionSealer({ keys: [Buffer.alloc(32, 2)], maxAge: 1000 }).sealSession(claims, now)!, {}],
    ];
    for (const [id, shape] of foreign) {
      const exchange = withSession(id, shape);
      expect(told(await up(gate().filter('session'), exchange))).toBe('session-unknown');
      expect(exchange.facts.session).toBeUndefined();
    }
  });

  test('names the same session however often it is sealed, and no two sessions alike', () => {
    const open = (text: string) => sealer.openSession(text, 'apikey:alice', 'warehouse', now)?.key;
    const again = sealer.sealSession(claims, now + 1)!;
    const other = sealer.sealSession({ ...claims, upstreamId: 'up-2' }, now)!;
    expect(open(again)).toBe(open(sealed));
    expect(open(other)).not.toBe(open(sealed));
    expect(again).not.toContain('up-1');
  });

  test('does not let a request speak another revision than the session', async () => {
    expect(told(await up(gate().filter('session'), withSession(sealed, { revision: '2025-03-26' })))).toBe(
      'header-invalid',
    );
    const headers = { 'mcp-session-id': sealed, 'mcp-protocol-version': '2025-06-18' };
    expect(told(await up(gate().filter('session'), withSession(sealed, { headers })))).toBe('header-invalid');
  });

  test('counts for nothing in 2026-07-28, and on initialize', async () => {
    const modern = withSession('invented', { revision: '2026-07-28' });
    const initialize = withSession(sealed, {
      request: call('initialize', { protocolVersion: '2025-11-25' }),
    });
    for (const exchange of [modern, initialize]) {
      expect(told(await up(gate().filter('session'), exchange))).toBe('pass');
      expect(exchange.facts.session).toBeUndefined();
    }
  });

  test('may be absent where the upstream keeps no sessions, but not where one is to end', async () => {
    const session = gate().filter('session');
    expect(told(await up(session, makeExchange({ request: call('tools/list') })))).toBe('pass');
    expect(told(await up(session, makeExchange({ request: { kind: 'session-end' } })))).toBe(
      'session-missing',
    );
  });

  test('is refused where the upstream made one that no header may carry', () => {
    for (const upstreamId of ['', 'a b', 'a\nb', 'é', 'x'.repeat(513)]) {
      expect(sealer.sealSession({ ...claims, upstreamId }, now)).toBeUndefined();
    }
  });
});

describe('the answer to initialize', () => {
  const initialize = call('initialize', { protocolVersion: '2025-06-18' });
  const answer = (result: object, upstreamSessionId?: string) => {
    const exchange = makeExchange({ request: initialize, time: now });
    exchange.facts.upstreamSessionId = upstreamSessionId;
    return { exchange, frame: resultOf(1, result) };
  };

  test('carries a session id that opens, with the revision that was settled on', async () => {
    const { exchange, frame } = answer({ protocolVersion: '2025-03-26' }, 'fresh');
    expect(told(await down(gate().filter('session'), exchange, frame))).toBe('pass');
    const id = exchange.facts.replyHeaders['mcp-session-id']!;
    expect(sealer.openSession(id, 'apikey:alice', 'warehouse', now)).toMatchObject({
      upstreamId: 'fresh',
      revision: '2025-03-26',
    });
  });

  test('carries none where the upstream gave none, or on other answers', async () => {
    const none = answer({ protocolVersion: '2025-03-26' });
    const other = makeExchange({ request: call('tools/list') });
    other.facts.upstreamSessionId = 'fresh';
    for (const { exchange, frame } of [none, { exchange: other, frame: resultOf(1, { tools: [] }) }]) {
      expect(told(await down(gate().filter('session'), exchange, frame))).toBe('pass');
      expect(exchange.facts.replyHeaders).toEqual({});
    }
  });

  test('is refused where it settles on no legacy revision', async () => {
    for (const protocolVersion of ['2026-07-28', '2024-10-07', undefined, 1]) {
      const { exchange, frame } = answer({ protocolVersion }, 'fresh');
      expect(told(await down(gate().filter('session'), exchange, frame))).toBe('upstream-invalid');
    }
  });
});

describe('an event id', () => {
  const sealIn = async (shape: ExchangeShape, id: string) => {
    const exchange = withSession(sealed, shape);
    await up(gate().filter('session'), exchange);
    return { exchange, given: exchange.facts.sealEventId!(id) };
  };
  const resume = (lastEventId: string, shape: ExchangeShape = {}) => {
    const request: Frame = { kind: 'stream-open', lastEventId };
    return up(gate().filter('session'), withSession(sealed, { request, ...shape }));
  };

  test('comes back to the upstream as its own', async () => {
    const { exchange, given } = await sealIn({}, 'stream.7');
    expect(exchange.facts.resumable).toBe(true);
    expect(given).not.toBe('stream.7');
    const verdict = await resume(given);
    expect(verdict).toEqual({ kind: 'replace', frame: { kind: 'stream-open', lastEventId: 'stream.7' } });
  });

  test('resumes no other session, and nothing when it is altered', async () => {
    const { given } = await sealIn({}, 'stream.7');
    const bobs = sealer.sealSession({ ...claims, principalId: 'apikey:bob' }, now)!;
    const second = sealer.sealSession({ ...claims, upstreamId: 'up-2' }, now)!;
    const bob = { principal: principal('bob'), headers: { 'mcp-session-id': bobs } };
    expect(told(await resume(given, bob))).toBe('session-unknown');
    expect(told(await resume(given, { headers: { 'mcp-session-id': second } }))).toBe('session-unknown');
    expect(told(await resume(given, { headers: {} }))).toBe('session-unknown');
    for (const altered of ['stream.7', `${given}x`, given.slice(1), given.replace('.', ''), '', '.']) {
      expect(told(await resume(altered))).toBe('session-unknown');
    }
  });

  test('on the stream of initialize belongs to the session that it begins', async () => {
    const exchange = makeExchange({ request: call('initialize', {}), time: now });
    await up(gate().filter('session'), exchange);
    exchange.facts.upstreamSessionId = 'up-1';
    expect((await resume(exchange.facts.sealEventId!('e1'))).kind).toBe('replace');
  });
});
