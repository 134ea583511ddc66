import { describe, expect, it } from 'vitest';
import type { UpstreamAnswer, UpstreamMessage } from '../../src/pipeline/upstream-port.ts';
import { createCheck } from '../../src/upstream/health.ts';

const json = (status: number, body: unknown, sessionId?: string): UpstreamAnswer => ({
  kind: 'json',
  status,
  sessionId,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
});
const result = json(200, { jsonrpc: '2.0', id: 'health', result: {} });
const notInitialized = json(400, {
  jsonrpc: '2.0',
  error: { code: -32000, message: 'Bad Request: Server not initialized' },
  id: null,
});
const unknownMethod = json(200, { jsonrpc: '2.0', id: 'health', error: { code: -32601, message: 'no' } });

function setUp(answer: (method: string) => UpstreamAnswer | Error) {
  const asked: string[] = [];
  const messages: UpstreamMessage[] = [];
  const check = createCheck((message) => {
    messages.push(message);
    const method =
      message.verb === 'DELETE'
        ? 'DELETE'
        : (JSON.parse(message.body!.toString()) as { method: string }).method;
    asked.push(method);
    const given = answer(method);
    return given instanceof Error ? Promise.reject(given) : Promise.resolve(given);
  }, 1000);
  return { check, asked, messages };
}

const servers: readonly [string, (method: string) => UpstreamAnswer | Error, boolean, readonly string[]][] = [
  ['speaks 2026-07-28', () => result, true, ['server/discover', 'server/discover']],
  [
    'is older and has no sessions',
    (method) => (method === 'ping' ? result : unknownMethod),
    true,
    ['server/discover', 'ping', 'ping'],
  ],
  ['is older and wants a session', () => notInitialized, true, ['server/discover', 'ping', 'ping']],
  [
    'asks for a credential',
    () => ({ kind: 'refused', status: 401 }),
    true,
    ['server/discover', 'ping', 'ping'],
  ],
  ['is gone', () => new Error('refused'), false, ['server/discover', 'server/discover']],
  [
    'is behind a proxy that has lost it',
    () => ({ kind: 'refused', status: 502 }),
    false,
    ['server/discover', 'ping', 'server/discover', 'ping'],
  ],
  [
    'fails by itself',
    () => json(500, { jsonrpc: '2.0', id: 'health', error: { code: -32603, message: 'x' } }),
    false,
    ['server/discover', 'ping', 'server/discover', 'ping'],
  ],
  [
    'is another kind of server',
    () => json(200, '{"status":"ok"}'),
    false,
    ['server/discover', 'ping', 'server/discover', 'ping'],
  ],
  [
    'answers another question',
    () => json(200, { jsonrpc: '2.0', id: 1, result: {} }),
    false,
    ['server/discover', 'ping', 'server/discover', 'ping'],
  ],
  [
    'redirects',
    () => ({ kind: 'refused', status: 302 }),
    false,
    ['server/discover', 'ping', 'server/discover', 'ping'],
  ],
  [
    'accepts without a word',
    () => ({ kind: 'accepted', status: 202, sessionId: undefined }),
    false,
    ['server/discover', 'ping', 'server/discover', 'ping'],
  ],
];

describe('a health check of a server that', () => {
  for (const [what, answer, ok, asked] of servers) {
    it(`${what} is ${ok ? 'good' : 'bad'}, and remembers the era`, async () => {
      const server = setUp(answer);
      expect([await server.check.run(), await server.check.run(), server.asked]).toEqual([ok, ok, asked]);
      for (const message of server.messages) {
        expect([message.verb, message.longLived]).toEqual(['POST', false]);
        expect(message.headers).not.toContain('mcp-session-id');
      }
    });
  }

  it('answers by a stream is good', async () => {
    const { check } = setUp(() => ({
      kind: 'stream',
      sessionId: undefined,
      events: (async function* () {
        yield { data: Buffer.alloc(0), id: '1', retry: undefined };
        yield {
          data: Buffer.from(
            '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}',
          ),
          id: undefined,
          retry: undefined,
        };
        yield { data: (result as { body: Buffer }).body, id: undefined, retry: undefined };
      })(),
    }));
    expect(await check.run()).toBe(true);
  });

  it('gives everybody a session is told that nobody needs it', async () => {
    const { check, asked, messages } = setUp((method) =>
      method === 'DELETE' ? new Error('405') : json(200, { jsonrpc: '2.0', id: 'health', result: {} }, 's1'),
    );
    expect([await check.run(), asked]).toEqual([true, ['server/discover', 'DELETE']]);
    expect(messages[1]!.headers).toEqual(['mcp-session-id', 's1']);
  });

  it('becomes another version is asked anew after a check that failed', async () => {
    let now: (method: string) => UpstreamAnswer | Error = () => notInitialized;
    const { check, asked } = setUp((method) => now(method));
    await check.run();
    now = () => new Error('restarting');
    expect(await check.run()).toBe(false);
    now = () => result;
    expect(await check.run()).toBe(true);
    expect(asked).toEqual(['server/discover', 'ping', 'ping', 'server/discover']);
  });
});
