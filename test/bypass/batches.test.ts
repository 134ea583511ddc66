import { beforeAll, describe, expect, it } from 'vitest';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import type { RpcMessage } from '../support/recorder-answers.ts';
import { SseEvents } from '../support/sse-events.ts';
import { type Arena, expectHonestCall, legacyCall, startArena } from './arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await startArena();
});

const allowed = (id: number) => ({ ...legacyCall('allowed').body, id });
const forbidden = (id: number) => ({ ...legacyCall('forbidden').body, id });
const notAllowed = { status: 400, rpc: -32600, reason: 'batch-not-allowed' } as const;
const invalid = { status: 400, rpc: -32600, reason: 'batch-invalid' } as const;
const shape = { status: 400, rpc: -32600, reason: 'frame-invalid' } as const;

describe('a batch where the revision has none', () => {
  for (const version of ['2024-11-05', '2025-06-18', '2025-11-25', '2026-07-28']) {
    for (const [name, batch] of [
      ['one call', [allowed(1)]],
      ['two calls', [allowed(1), allowed(2)]],
      ['a notification', [{ jsonrpc: '2.0', method: 'notifications/initialized' }]],
      ['an answer', [{ jsonrpc: '2.0', id: 1, result: {} }]],
    ] as const) {
      it(`should NOT bypass: ${name} with the header ${version}`, () =>
        arena.refused(
          () => post(arena.url, batch, { headers: { 'mcp-protocol-version': version } }),
          notAllowed,
        ));
    }
  }

  for (const revision of ['2024-11-05', '2025-06-18', '2025-11-25']) {
    it(`should NOT bypass in a session of ${revision}, with or without the version header`, async () => {
      const opened = await post(arena.url, initialize(revision));
      const session = { 'mcp-session-id': opened.headers['mcp-session-id']! };
      expect(session['mcp-session-id']).toBeDefined();
      await arena.refused(() => post(arena.url, [allowed(1)], { headers: session }), notAllowed);
      const { seen } = await arena.observe(() =>
        post(arena.url, [allowed(1)], { headers: { ...session, 'mcp-protocol-version': '2025-03-26' } }),
      );
      expect(seen).toEqual([]);
    });
  }

  it('should NOT bypass with a version header that nobody knows', () =>
    arena.refused(
      () => post(arena.url, [allowed(1)], { headers: { 'mcp-protocol-version': '2025-03-27' } }),
      {
        status: 400,
        rpc: -32022,
        reason: 'revision-unsupported',
      },
    ));
});

describe('a batch that is none', () => {
  const modernCall = modern('tools/call', { name: 'allowed' }).body;
  const disguises: readonly (readonly [string, unknown, typeof shape | typeof invalid])[] = [
    ['empty', [], invalid],
    ['nested', [[allowed(1)]], shape],
    ['nested beside a call', [allowed(1), [forbidden(2)]], shape],
    ['nested empty', [[]], shape],
    ['with a null', [allowed(1), null], shape],
    ['with a string', [allowed(1), JSON.stringify(forbidden(2))], shape],
    ['with a number', [1], shape],
    ['two equal ids', [allowed(1), forbidden(1)], invalid],
    [
      'two equal text ids',
      [
        { ...allowed(1), id: 'a' },
        { ...forbidden(1), id: 'a' },
      ],
      invalid,
    ],
    ['initialize inside', [initialize(), allowed(2)], invalid],
    ['initialize inside, last', [allowed(2), initialize()], invalid],
    ['initialize as a notification', [{ jsonrpc: '2.0', method: 'initialize' }, allowed(2)], invalid],
    ['a modern element', [modernCall], invalid],
    ['a modern element behind a legacy one', [allowed(2), modernCall], invalid],
    ['101 elements', Array.from({ length: 101 }, (_, id) => allowed(id)), invalid],
    ['an unknown member in one', [allowed(1), { ...allowed(2), extra: 1 }], shape],
    ['one that is request and answer', [{ ...allowed(1), result: {} }], shape],
    ['one without version', [{ id: 1, method: 'ping' }], shape],
  ];
  for (const [name, batch, refusal] of disguises) {
    it(`should NOT bypass: ${name}`, () => arena.refused(() => post(arena.url, batch), refusal));
  }
  for (const [name, text, reason] of [
    [
      'a repeated key in the second',
      `[${JSON.stringify(allowed(1))},{"jsonrpc":"2.0","id":2,"method":"ping","method":"tools/call"}]`,
      'json-repeated-key',
    ],
    [
      '__proto__ in the second',
      `[${JSON.stringify(allowed(1))},{"jsonrpc":"2.0","id":2,"method":"ping","params":{"__proto__":{}}}]`,
      'json-forbidden-key',
    ],
  ] as const) {
    it(`should NOT bypass: ${name}`, () =>
      arena.refused(() => post(arena.url, text), { status: 400, rpc: -32700, reason }));
  }
  it('should NOT bypass: a disguised key in the second', () =>
    arena.refused(() => post(arena.url, [allowed(1), { ...allowed(2), Method: 'ping' }]), {
      status: 400,
      rpc: -32600,
      reason: 'json-ambiguous-key',
    }));
});

describe('a batch of 2025-03-26', () => {
  const read = (body: Buffer) =>
    new SseEvents()
      .push(body)
      .map(({ data }) => JSON.parse(data) as RpcMessage & { error?: { code: number } });

  const mixtures: readonly (readonly [string, readonly unknown[], readonly number[]])[] = [
    ['the forbidden one last', [allowed(1), forbidden(2)], [2]],
    ['the forbidden one first', [forbidden(1), allowed(2)], [1]],
    ['forbidden between allowed', [allowed(1), forbidden(2), allowed(3)], [2]],
    ['ids of different types', [{ ...allowed(1), id: '1' }, forbidden(1)], [1]],
    [
      'many forbidden',
      [allowed(0), ...Array.from({ length: 60 }, (_, n) => forbidden(n + 1))],
      Array.from({ length: 60 }, (_, n) => n + 1),
    ],
    ['a forbidden method', [allowed(1), legacy('logging/setLevel', { level: 'debug' }, 2)], [2]],
    ['a forbidden resource', [allowed(1), legacy('resources/read', { uri: 'file:///secret' }, 2)], [2]],
  ];
  for (const [name, batch, refused] of mixtures) {
    it(`judges each by itself: ${name}`, async () => {
      const { value, seen, audit } = await arena.observe(() => post(arena.url, batch));
      expect(value.status).toBe(200);
      const answers = read(value.body);
      expect(answers).toHaveLength(batch.length);
      for (const id of refused) {
        expect(answers.find((answer) => answer.id === id)).toMatchObject({ error: { code: 4030 } });
      }
      expect(answers.filter(({ error }) => error === undefined)).toHaveLength(batch.length - refused.length);
      expect(seen.flatMap(({ messages }) => messages.map(({ params }) => params?.['name']))).toEqual(
        Array.from({ length: batch.length - refused.length }, () => 'allowed'),
      );
      // No array ever goes up: each message by itself, under an id of the gateway's.
      expect(seen.every(({ body }) => body[0] === 0x7b)).toBe(true);
      expect(audit.filter(({ code }) => code === 'denied')).toHaveLength(refused.length);
    });
  }

  it('of forbidden notifications alone is no success', async () => {
    const batch = [{ jsonrpc: '2.0', method: 'tools/call', params: { name: 'forbidden' } }];
    const { seen } = await arena.observe(() => post(arena.url, batch));
    expect(seen).toEqual([]);
  });

  it('of answers that nobody asked for is refused', () =>
    arena.refused(() => post(arena.url, [{ jsonrpc: '2.0', id: 1, result: {} }]), {
      status: 400,
      rpc: -32600,
      reason: 'answer-unexpected',
    }));
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
