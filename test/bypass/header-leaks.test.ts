import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { initialize, modern } from '../support/mcp-messages.ts';
import { openStream, post, type RawAnswer, send } from '../support/raw-client.ts';
import type { RecordedRequest } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';
import { type Arena, expectHonestCall, legacyCall, startArena } from './arena.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bypass-'));
afterAll(() => rmSync(folder, { recursive: true }));

let arena: Arena;
let withKeys: Arena;
let key: string;
beforeAll(async () => {
  const made = createApiKey('alice');
  key = made.key;
  writeFileSync(join(folder, 'keys.yaml'), JSON.stringify({ keys: [made.entry] }), { mode: 0o600 });
  writeFileSync(join(folder, 'upstream.token'), 'gateway-own-credential\n', { mode: 0o600 });
  [arena, withKeys] = await Promise.all([
    startArena(),
    startArena({
      config: { insecure: {}, identity: [{ apiKeys: { file: join(folder, 'keys.yaml') } }] },
      http: { credential: { header: 'authorization', file: join(folder, 'upstream.token') } },
    }),
  ]);
});

const marker = 'l3aked-value';

/** What a client may have on it that is none of the upstream's business. */
const private_ = {
  cookie: `session=${marker}`,
  cookie2: marker,
  'proxy-authorization': `Basic ${marker}`,
  'proxy-connection': marker,
  dpop: marker,
  'x-api-token': marker,
  'x-auth-token': marker,
  'x-csrf-token': marker,
  'x-forwarded-for': marker,
  'x-forwarded-host': marker,
  'x-forwarded-proto': marker,
  'x-forwarded-client-cert': marker,
  'x-real-ip': marker,
  forwarded: `for=${marker}`,
  'client-cert': marker,
  'x-ssl-client-cert': marker,
  via: marker,
  referer: `https://${marker}/`,
  'user-agent': marker,
  from: marker,
  'accept-language': marker,
  'if-none-match': `"${marker}"`,
  range: `bytes=0-1,${marker}`,
  'cache-control': marker,
  'x-http-method-override': marker,
  traceparent: marker,
  tracestate: `a=${marker}`,
  baggage: `a=${marker}`,
  'x-request-id': marker,
  'x-amzn-trace-id': marker,
  'sec-fetch-site': marker,
  'access-control-request-headers': marker,
  'keep-alive': marker,
  te: marker,
  'x-anything': marker,
} as const;

const legacyHeaders = ['accept', 'accept-encoding', 'connection', 'content-length', 'content-type', 'host'];

/** Names of all headers that reached the upstream, and that none of them holds the marker. */
function namesSent(request: RecordedRequest): readonly string[] {
  expect(request.rawHeaders.join('\n')).not.toContain(marker);
  return Object.keys(request.headers).sort();
}

describe('headers of the client on the way up', () => {
  for (const [name, value] of Object.entries(private_)) {
    it(`should NOT reach the upstream: ${name}`, async () => {
      const { headers, body } = modern('tools/call', { name: 'allowed' });
      const { seen } = await arena.observe(async () => {
        await post(arena.url, legacyCall('allowed').body, { headers: { [name]: value } });
        await post(arena.url, body, { headers: { ...headers, [name]: value } });
      });
      expect(seen.map(namesSent)).toEqual([
        legacyHeaders,
        [...legacyHeaders, 'mcp-method', 'mcp-name', 'mcp-protocol-version'].sort(),
      ]);
    });
  }
  it('should NOT reach the upstream: all of them at once, on GET and DELETE of a session', async () => {
    const opened = await post(arena.url, initialize(), { headers: private_ });
    const session = { 'mcp-session-id': opened.headers['mcp-session-id']! };
    arena.recorder.on('GET', { kind: 'sse', chunks: [] });
    const { seen } = await arena.observe(async () => {
      await send('GET', arena.url, { headers: { ...private_, ...session, accept: 'text/event-stream' } });
      await send('DELETE', arena.url, { headers: { ...private_, ...session } });
    });
    arena.recorder.on('GET', undefined);
    expect(seen.map(namesSent)).toEqual([
      ['accept', 'accept-encoding', 'connection', 'host', 'mcp-session-id'],
      ['accept', 'accept-encoding', 'connection', 'host', 'mcp-session-id'],
    ]);
    expect(seen.map(({ headers }) => headers['mcp-session-id'])).toEqual([
      'recorder-session',
      'recorder-session',
    ]);
  });
  it("should NOT reach the upstream: the client's credential; the gateway's own does", async () => {
    const { seen } = await withKeys.observe(() =>
      post(withKeys.url, legacyCall('allowed').body, { headers: { ...private_, 'x-api-key': key } }),
    );
    expect(seen[0]!.rawHeaders.join('\n')).not.toContain(key);
    expect(namesSent(seen[0]!)).toEqual([...legacyHeaders, 'authorization'].sort());
    expect(seen[0]!.headers['authorization']).toBe('gateway-own-credential');
  });
  it('should NOT reach the upstream by way of Connection', async () => {
    for (const connection of ['mcp-session-id', 'content-type', 'host, authorization', 'close, x-anything']) {
      const { seen } = await arena.observe(() =>
        post(arena.url, legacyCall('allowed').body, { headers: { connection, 'x-anything': marker } }),
      );
      expect(namesSent(seen[0]!)).toEqual(legacyHeaders);
    }
  });
  it('should NOT reach the upstream: the host that the client asked for', async () => {
    const { seen } = await arena.observe(() =>
      post(arena.url, legacyCall('allowed').body, { headers: { host: 'localhost' } }),
    );
    expect(seen[0]!.headers['host']).toBe(new URL(arena.recorder.url).host);
  });
});

describe('headers of the upstream on the way down', () => {
  const leaky = {
    'set-cookie': `a=${marker}`,
    'www-authenticate': `Bearer realm="${marker}"`,
    'proxy-authenticate': `Basic realm="${marker}"`,
    server: marker,
    'x-powered-by': marker,
    via: marker,
    location: `https://${marker}/`,
    'content-location': marker,
    link: `<https://${marker}/>`,
    refresh: `0; url=https://${marker}/`,
    'mcp-session-id': marker,
    'mcp-protocol-version': marker,
    'access-control-allow-origin': '*',
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': '*',
    'strict-transport-security': marker,
    'content-security-policy': marker,
    'alt-svc': `h3="${marker}"`,
    etag: `"${marker}"`,
    'cache-control': 'public, max-age=31536000',
    'x-request-id': marker,
    'retry-after': '31536000',
    'clear-site-data': '"*"',
    'x-accel-redirect': `/${marker}`,
    'x-sendfile': `/${marker}`,
  } as const;
  const own = [
    'cache-control',
    'connection',
    'content-length',
    'content-type',
    'date',
    'keep-alive',
    'transfer-encoding',
    'x-accel-buffering',
    'x-content-type-options',
  ];

  function expectOwnHeaders(answer: Pick<RawAnswer, 'headers'>, extra: readonly string[] = []): void {
    expect(Object.keys(answer.headers).filter((name) => !own.includes(name))).toEqual(extra);
    expect(JSON.stringify(answer.headers)).not.toContain(marker);
    expect(answer.headers['cache-control']).toBe('no-store');
  }

  for (const [form, status] of [
    ['json', 200],
    ['sse', 200],
    ['json', 400],
    ['json', 401],
    ['json', 403],
    ['json', 404],
    ['json', 500],
    ['text', 301],
    ['text', 307],
    ['text', 401],
    ['text', 407],
    ['text', 500],
    ['text', 503],
  ] as const) {
    it(`should NOT reach the client: from ${form} with ${status}`, async () => {
      arena.recorder.on('tools/call', ({ id }) => {
        const body =
          status === 200
            ? result(id, { content: [] })
            : { jsonrpc: '2.0', id, error: { code: -32000, message: 'x' } };
        if (form === 'sse') return { kind: 'sse', chunks: [event(body)], headers: leaky };
        const type = form === 'text' ? { 'content-type': 'text/html' } : {};
        return {
          kind: 'json',
          status,
          headers: { ...leaky, ...type },
          body: form === 'text' ? `<p>${marker}` : body,
        };
      });
      const { headers, body } = modern('tools/call', { name: 'allowed' });
      for (const answer of [
        await post(arena.url, legacyCall('allowed').body),
        await post(arena.url, body, { headers }),
      ]) {
        expectOwnHeaders(answer);
        expect(answer.body.toString()).not.toContain(marker);
        expect(answer.status).toBe(
          form === 'text'
            ? 200
            : (status === 400 || status === 404) && answer.json<{ id: number }>().id === 1
              ? answer.status
              : 200,
        );
      }
      arena.recorder.on('tools/call', undefined);
    });
  }
  it("should NOT reach the client: the upstream's session id; a sealed one does, and only from initialize", async () => {
    arena.recorder.on('initialize', ({ id }) => ({
      kind: 'json',
      headers: leaky,
      body: result(id, {
        protocolVersion: '2025-11-25',
        capabilities: {},
        serverInfo: { name: 'x', version: '1' },
      }),
    }));
    const answer = await post(arena.url, initialize());
    expectOwnHeaders(answer, ['mcp-session-id']);
    expect(Buffer.from(answer.headers['mcp-session-id']!, 'base64url').toString('latin1')).not.toContain(
      marker,
    );
    arena.recorder.on('initialize', undefined);
  });
  it('should NOT reach the client: on the standalone stream', async () => {
    arena.recorder.on('GET', { kind: 'sse', chunks: [], headers: leaky });
    const stream = await openStream('GET', arena.url);
    await stream.rest();
    expectOwnHeaders(stream);
    arena.recorder.on('GET', undefined);
  });
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
