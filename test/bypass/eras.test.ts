import { beforeAll, describe, expect, it } from 'vitest';
import { initialize, modern } from '../support/mcp-messages.ts';
import { post, send } from '../support/raw-client.ts';
import { type Arena, expectHonestCall, legacyCall, type Refusal, startArena } from './arena.ts';

let arena: Arena;
let session: string;
beforeAll(async () => {
  arena = await startArena();
  session = (await post(arena.url, initialize('2025-06-18'))).headers['mcp-session-id']!;
});

const versionKey = 'io.modelcontextprotocol/protocolVersion';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';
const { headers, body } = modern('tools/call', { name: 'allowed' });
const meta = body.params!['_meta'] as Readonly<Record<string, unknown>>;
const withMeta = (changed: unknown, method = 'tools/call') => ({
  ...body,
  method,
  params: { name: 'allowed', protocolVersion: '2025-11-25', _meta: changed },
});

describe('a message of one era in the clothes of the other', () => {
  const mismatch = { status: 400, rpc: -32020, reason: 'header-mismatch', id: 1 } as const;
  const missing = { status: 400, rpc: -32602, reason: 'meta-missing', id: 1 } as const;
  const unsupported = { status: 400, rpc: -32022, reason: 'revision-unsupported', id: 1 } as const;
  const disguises: readonly (readonly [string, unknown, Readonly<Record<string, string>>, Refusal])[] = [
    [
      'a modern body, a legacy version header',
      body,
      { ...headers, 'mcp-protocol-version': '2025-11-25' },
      mismatch,
    ],
    ['a modern body, no headers at all', body, {}, mismatch],
    ['a modern body, only a session', body, { 'mcp-session-id': 's' }, mismatch],
    ['a legacy body, modern headers', legacyCall('allowed').body, headers, missing],
    [
      'initialize, modern headers',
      initialize('2025-11-25', 1),
      { 'mcp-protocol-version': '2026-07-28' },
      mismatch,
    ],
    [
      'initialize with modern _meta',
      withMeta(meta, 'initialize'),
      { ...headers, 'mcp-method': 'initialize' },
      { status: 404, rpc: -32601, reason: 'method-unknown', id: 1 },
    ],
    [
      'initialize with modern _meta and a legacy header',
      withMeta(meta, 'initialize'),
      { 'mcp-protocol-version': '2025-11-25' },
      mismatch,
    ],
    [
      'ping with modern _meta',
      withMeta(meta, 'ping'),
      { ...headers, 'mcp-method': 'ping' },
      { status: 404, rpc: -32601, reason: 'method-unknown', id: 1 },
    ],
    [
      'a legacy version in _meta',
      withMeta({ ...meta, [versionKey]: '2025-11-25' }),
      { ...headers, 'mcp-protocol-version': '2025-11-25' },
      unsupported,
    ],
    [
      'a legacy version in _meta, no header',
      withMeta({ ...meta, [versionKey]: '2025-11-25' }),
      {},
      unsupported,
    ],
    [
      'an unknown version in _meta',
      withMeta({ ...meta, [versionKey]: '2099-01-01' }),
      { ...headers, 'mcp-protocol-version': '2099-01-01' },
      unsupported,
    ],
    ['an empty version in _meta', withMeta({ ...meta, [versionKey]: '' }), {}, unsupported],
    ['a version with a blank in _meta', withMeta({ ...meta, [versionKey]: '2026-07-28 ' }), {}, unsupported],
    ['a number for a version', withMeta({ ...meta, [versionKey]: 20260728 }), headers, missing],
    ['null for a version', withMeta({ ...meta, [versionKey]: null }), headers, missing],
    ['a list for a version', withMeta({ ...meta, [versionKey]: ['2026-07-28'] }), headers, missing],
    ['no capabilities', withMeta({ [versionKey]: '2026-07-28' }), headers, missing],
    ['null for capabilities', withMeta({ ...meta, [capabilitiesKey]: null }), headers, missing],
    ['a list for capabilities', withMeta({ ...meta, [capabilitiesKey]: [] }), headers, missing],
    ['an empty _meta, modern headers', withMeta({}), headers, missing],
    [
      'an unknown version header',
      legacyCall('allowed').body,
      { 'mcp-protocol-version': '2025-11-26' },
      unsupported,
    ],
    [
      'the pre-release version',
      legacyCall('allowed').body,
      { 'mcp-protocol-version': '2024-10-07' },
      unsupported,
    ],
    [
      'a version header in another spelling',
      legacyCall('allowed').body,
      { 'mcp-protocol-version': '2025-11-25;q=1' },
      unsupported,
    ],
    ['DRAFT', legacyCall('allowed').body, { 'mcp-protocol-version': 'DRAFT-2026-v1' }, unsupported],
  ];
  for (const [name, message, given, refusal] of disguises) {
    it(`should NOT bypass: ${name}`, () =>
      arena.refused(() => post(arena.url, message, { headers: given }), refusal));
  }

  it('should NOT bypass: GET and DELETE with the version header of 2026-07-28', async () => {
    for (const verb of ['GET', 'DELETE']) {
      const given = { ...headers, 'mcp-session-id': session, accept: 'text/event-stream' };
      await arena.refused(() => send(verb, arena.url, { headers: given }), {
        status: 405,
        rpc: -32601,
        reason: 'http-method',
      });
    }
  });

  it('a session header on a modern call opens no session and goes nowhere', async () => {
    for (const id of [session, 'stolen', 'recorder-session']) {
      const { value, seen } = await arena.observe(() =>
        post(arena.url, body, { headers: { ...headers, 'mcp-session-id': id, 'last-event-id': '1' } }),
      );
      expect(value.status).toBe(200);
      expect(value.headers['mcp-session-id']).toBeUndefined();
      expect(Object.keys(seen[0]!.headers)).not.toContain('mcp-session-id');
      expect(Object.keys(seen[0]!.headers)).not.toContain('last-event-id');
    }
  });

  it('a session is not driven by the methods of another revision', async () => {
    for (const version of ['2024-11-05', '2025-03-26', '2025-11-25']) {
      const given = { 'mcp-session-id': session, 'mcp-protocol-version': version };
      await arena.refused(() => post(arena.url, legacyCall('allowed').body, { headers: given }), {
        status: 400,
        rpc: -32600,
        reason: 'header-invalid',
        id: 1,
      });
    }
  });

  it('a legacy call reaches the upstream as a legacy call, whatever _meta hints', async () => {
    const hints = {
      [capabilitiesKey]: { sampling: {} },
      'io.modelcontextprotocol/clientInfo': { name: 'x' },
    };
    const { seen } = await arena.observe(() => post(arena.url, withMeta(hints)));
    expect(seen).toHaveLength(1);
    expect(seen[0]!.headers['mcp-protocol-version']).toBeUndefined();
    expect(seen[0]!.body.toString()).not.toContain(versionKey);
  });
});

describe('a revision that is not served here', () => {
  it('should NOT bypass under the name of another', async () => {
    const only = await startArena({ config: { revisions: ['2026-07-28'] } });
    const refusal = { status: 400, rpc: -32022, reason: 'revision-unsupported', id: 1 } as const;
    for (const version of [undefined, '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
      const given: Record<string, string> = version === undefined ? {} : { 'mcp-protocol-version': version };
      await only.refused(() => post(only.url, legacyCall('allowed').body, { headers: given }), refusal);
      await only.refused(() => post(only.url, initialize(version, 1)), refusal);
    }
    expect((await post(only.url, body, { headers })).status).toBe(200);
  });
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
