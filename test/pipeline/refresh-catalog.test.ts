import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { defaultDecodeLimits } from '../../src/mcp/decode.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import { defaultLookBounds, type LookBounds } from '../../src/pipeline/list-bounds.ts';
import { createCatalogRefresher } from '../../src/pipeline/refresh-catalog.ts';
import type { UpstreamAnswer, UpstreamMessage } from '../../src/pipeline/upstream-port.ts';

type Sent = { readonly id?: string; readonly method: string; readonly params: Record<string, unknown> };
type Answer = (sent: Sent, message: UpstreamMessage) => UpstreamAnswer | Promise<UpstreamAnswer>;

/** An upstream that answers as told, with the gateway's own look at it. */
function looking(answer: Answer, bounds?: LookBounds) {
  const bound: string[] = [];
  const messages: UpstreamMessage[] = [];
  const sent: string[] = [];
  const catalog = createCatalog();
  let now = 0;
  const port = {
    name: 'w',
    async send(message: UpstreamMessage) {
      messages.push(message);
      const body = message.body === undefined ? undefined : (JSON.parse(String(message.body)) as Sent);
      sent.push(body?.method ?? message.verb);
      return answer(body ?? { method: message.verb, params: {} }, message);
    },
  };
  const refresh = createCatalogRefresher({
    upstream: (name) => (name === 'w' ? { port, catalog } : undefined),
    decodeLimits: defaultDecodeLimits,
    ...(bounds === undefined ? {} : { bounds }),
    onBound: (word, upstream) => bound.push(`${upstream} ${word}`),
    monotonic: () => now,
  });
  return {
    bound,
    catalog,
    messages,
    sent,
    refresh: () => refresh('w'),
    elsewhere: () => refresh('elsewhere'),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

function json(body: object, status = 200, sessionId?: string): UpstreamAnswer {
  return { kind: 'json', status, sessionId, body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...body })) };
}

/** A list whose pages have no end, each with one tool of this name. */
const endlessList =
  (name: string): Answer =>
  ({ id, method }) =>
    method === 'tools/list'
      ? json({ id, result: { tools: [{ name, inputSchema: {} }], nextCursor: `after ${id}` } })
      : json({ id, error: { code: -32601, message: 'unknown' } });

const oneTool: Answer = ({ id, method }) =>
  method === 'tools/list'
    ? json({ id, result: { tools: [{ name: 'echo', inputSchema: {} }] } })
    : json({ id, result: { supportedVersions: ['2026-07-28'], instructions: 'be kind' } });

/** A server of 2025-11-25 that knows sessions and nothing modern. */
const legacy =
  (asStream: boolean): Answer =>
  (sent, { verb, headers }) => {
    const { id, method } = sent;
    const inSession = headers.includes('session-1');
    const answered = (body: object, sessionId?: string): UpstreamAnswer => {
      const whole = json(body, 200, sessionId);
      if (!asStream || whole.kind !== 'json') return whole;
      const noise = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'ping' });
      return {
        kind: 'stream',
        sessionId,
        events: (async function* () {
          yield { data: Buffer.alloc(0), id: 'prime', retry: 5 };
          yield { data: Buffer.from(noise), id: undefined, retry: undefined };
          yield { data: whole.body, id: undefined, retry: undefined };
          yield { data: Buffer.from('never read'), id: undefined, retry: undefined };
        })(),
      };
    };
    if (verb === 'DELETE') return { kind: 'accepted', status: 200, sessionId: undefined };
    if (method === 'initialize') {
      const result = { protocolVersion: '2025-11-25', capabilities: {}, instructions: 'old words' };
      return answered({ id, result }, 'session-1');
    }
    if (!inSession) return json({ id, error: { code: -32000, message: 'no session' } }, 400);
    if (method === 'notifications/initialized') {
      return { kind: 'accepted', status: 202, sessionId: undefined };
    }
    const page = sent.params['cursor'] === undefined ? { nextCursor: '' } : {};
    const name = sent.params['cursor'] === undefined ? 'first' : 'second';
    return answered({ id, result: { tools: [{ name, inputSchema: {} }], ...page } });
  };

describe('a look at the list', () => {
  test('of a modern server learns its tools and its instructions', async () => {
    const upstream = looking(oneTool);
    expect(await upstream.refresh()).toBe('learnt');
    expect(upstream.sent).toEqual(['tools/list', 'server/discover']);
    expect([...upstream.catalog.tools()].map(({ name, definition }) => [name, definition])).toEqual([
      ['echo', { name: 'echo', inputSchema: {} }],
    ]);
    expect(upstream.catalog.instructions()).toBe('be kind');
    expect(upstream.catalog.freshness).toEqual({ readAt: 0, stale: false });
  });

  test.each([false, true])(
    'of a legacy server opens a session and ends it (streams: %s)',
    async (streams) => {
      const upstream = looking(legacy(streams));
      expect(await upstream.refresh()).toBe('learnt');
      expect([...upstream.catalog.tools()].map(({ name }) => name)).toEqual(['first', 'second']);
      expect(upstream.catalog.instructions()).toBe('old words');
      const asked = ['initialize', 'notifications/initialized', 'tools/list', 'tools/list', 'DELETE'];
      expect(upstream.sent).toEqual(['tools/list', ...asked]);
      for (const { headers } of upstream.messages.slice(2)) {
        expect(headers).toEqual(['mcp-protocol-version', '2025-11-25', 'mcp-session-id', 'session-1']);
      }
      // What it speaks is remembered: the next look begins there.
      upstream.pass(10_000);
      expect(await upstream.refresh()).toBe('learnt');
      expect(upstream.sent.slice(6)).toEqual(asked);
    },
  );

  test('ends the session also where the rest fails', async () => {
    const upstream = looking((sent, message) =>
      sent.method === 'tools/list'
        ? json({ id: sent.id, error: { code: -32603, message: 'no' } })
        : legacy(false)(sent, message),
    );
    expect(await upstream.refresh()).toBe('failed');
    expect(upstream.sent).toContain('DELETE');
  });

  test.each<[string, object]>([
    ['another revision of today', { protocolVersion: '2026-07-28' }],
    ['no revision', {}],
    ['a revision that does not exist', { protocolVersion: '2027-01-01' }],
  ])('gives up where initialize settles on %s', async (_what, result) => {
    const upstream = looking(({ id, method }) =>
      method === 'initialize'
        ? json({ id, result })
        : json({ id, error: { code: -32000, message: 'no' } }, 400),
    );
    expect(await upstream.refresh()).toBe('failed');
    expect(upstream.sent).toEqual(['tools/list', 'initialize']);
  });

  test('takes a server without the method for one without tools', async () => {
    const upstream = looking(({ id }) => json({ id, error: { code: -32601, message: 'unknown' } }));
    expect(await upstream.refresh()).toBe('learnt');
    expect([...upstream.catalog.tools()]).toEqual([]);
  });

  test('gives up a list without end, and all its pages share one time limit', async () => {
    const upstream = looking(endlessList('echo'));
    expect(await upstream.refresh()).toBe('failed');
    expect(upstream.messages).toHaveLength(100);
    expect(new Set(upstream.messages.map(({ signal }) => signal)).size).toBe(1);
    expect(upstream.catalog.tool('echo')).toBeDefined();
    expect(upstream.bound).toEqual(['w list-pages']);
  });

  test('ends a list at as many tools as a server may have, and the rest does not exist', async () => {
    let page = 0;
    const upstream = looking(
      ({ id, method }) => {
        if (method !== 'tools/list') return json({ id, result: { supportedVersions: ['2026-07-28'] } });
        page += 1;
        const tools = [1, 2].map((one) => ({ name: `t${page}_${one}`, inputSchema: {} }));
        return json({ id, result: { tools, nextCursor: `after ${page}` } });
      },
      { ...defaultLookBounds, tools: 3 },
    );
    expect(await upstream.refresh()).toBe('learnt');
    expect([...upstream.catalog.tools()].map(({ name }) => name)).toEqual(['t1_1', 't1_2', 't2_1']);
    expect(upstream.bound).toEqual(['w tools-per-list']);
  });

  test('learns no tool whose schema is too large', async () => {
    const inputSchema = { description: 'x'.repeat(2000) };
    const upstream = looking(
      ({ id }) =>
        json({
          id,
          result: {
            tools: [
              { name: 'a', inputSchema },
              { name: 'b', inputSchema: {} },
            ],
          },
        }),
      { ...defaultLookBounds, schemaBytes: 1024 },
    );
    expect(await upstream.refresh()).toBe('learnt');
    expect([...upstream.catalog.tools()].map(({ name }) => name)).toEqual(['b']);
    expect(upstream.bound).toEqual(['w schema-bytes']);
  });

  test('is given up once all pages together are too large, also where they come as streams of noise', async () => {
    const upstream = looking(endlessList('x'.repeat(64)), { ...defaultLookBounds, bytes: 1000 });
    expect(await upstream.refresh()).toBe('failed');
    expect(upstream.messages.length).toBeLessThan(10);
    expect(upstream.bound).toEqual(['w list-bytes']);
    let events = 0;
    const noisy = looking(
      () => ({
        kind: 'stream',
        sessionId: undefined,
        events: (async function* () {
          for (;;) {
            events += 1;
            yield { data: Buffer.alloc(0), id: undefined, retry: undefined };
          }
        })(),
      }),
      { ...defaultLookBounds, bytes: 1600 },
    );
    expect(await noisy.refresh()).toBe('failed');
    expect(events).toBeLessThan(500);
    expect(noisy.bound).toContain('w list-bytes');
  });

  test('happens once at a time, and not again before the cool-down is over', async () => {
    const upstream = looking(oneTool);
    await Promise.all([upstream.refresh(), upstream.refresh()]);
    upstream.pass(9_999);
    expect(await upstream.refresh()).toBe('learnt');
    expect(upstream.sent).toHaveLength(2);
    upstream.pass(1);
    await upstream.refresh();
    expect(upstream.sent).toHaveLength(4);
  });

  test('rests from its end, however long it hung, and only a second where the server told of a change', async () => {
    let hang = 10_000;
    const look = looking((sent, message) => {
      if (sent.method === 'tools/list') look.pass(hang);
      return oneTool(sent, message);
    });
    const lists = () => look.sent.filter((method) => method === 'tools/list').length;
    await look.refresh();
    hang = 0;
    look.pass(9_000);
    await look.refresh();
    expect(lists()).toBe(1);
    look.catalog.freshness.stale = true;
    await look.refresh();
    expect(lists()).toBe(2);
    for (let told = 0; told < 100; told += 1) {
      look.catalog.freshness.stale = true;
      await look.refresh();
    }
    expect(lists()).toBe(2);
  });

  test('of a server that is not there is tried again after a second', async () => {
    let up = false;
    const upstream = looking((sent, message) => {
      if (!up) throw new GatewayError('upstream-unreachable');
      return oneTool(sent, message);
    });
    expect(await upstream.refresh()).toBe('unreachable');
    up = true;
    upstream.pass(999);
    expect(await upstream.refresh()).toBe('unreachable');
    expect(upstream.sent).toHaveLength(1);
    upstream.pass(1);
    expect(await upstream.refresh()).toBe('learnt');
  });

  test('that brings nothing leaves the catalog as stale as it was', async () => {
    for (const stale of [true, false]) {
      const upstream = looking(({ id }) => json({ id, result: { tools: 'none' } }));
      upstream.catalog.freshness.stale = stale;
      expect(await upstream.refresh()).toBe('failed');
      expect(upstream.catalog.freshness).toEqual({ readAt: undefined, stale });
    }
  });

  test('does not hide a change that was told while it was going on', async () => {
    const upstream = looking((sent, message) => {
      if (sent.method === 'tools/list') upstream.catalog.freshness.stale = true;
      return oneTool(sent, message);
    });
    expect(await upstream.refresh()).toBe('learnt');
    expect(upstream.catalog.freshness.stale).toBe(true);
  });

  test('of an upstream that does not exist fails', async () => {
    expect(await looking(oneTool).elsewhere()).toBe('failed');
  });

  test.each<[string, UpstreamAnswer]>([
    ['an HTTP failure', { kind: 'refused', status: 500 }],
    ['nothing', { kind: 'accepted', status: 202, sessionId: undefined }],
    ['no JSON', { kind: 'json', status: 200, sessionId: undefined, body: Buffer.from('{"a":1,"a":2}') }],
    ['an answer to another question', json({ id: 'other', result: { tools: [] } })],
  ])('fails where the upstream answers %s', async (_what, answer) => {
    expect(await looking(() => answer).refresh()).toBe('failed');
  });
});

test('what is no name is not remembered: it could be of any length', async () => {
  for (const name of ['x'.repeat(257), 'two\nlines', '']) {
    const upstream = looking(endlessList(name));
    await upstream.refresh();
    expect(upstream.catalog.tool(name)).toBeUndefined();
  }
});
