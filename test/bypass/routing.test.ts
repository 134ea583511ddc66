import { beforeAll, describe, expect, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post, send, sendBytes } from '../support/raw-client.ts';
import { type Arena, expectHonestCall, legacyCall, startArena } from './arena.ts';

let arena: Arena;
let origin: string;
beforeAll(async () => {
  arena = await startArena({ also: ['x'], listener: { origins: ['https://app.example'] } });
  origin = new URL(arena.url).origin;
});

const text = JSON.stringify(legacyCall('allowed').body);

/** One request over a bare socket: no client tidies up the target or the headers. */
async function raw(
  target: string,
  lines: readonly string[] = [],
  verb = 'POST',
  host = new URL(origin).host,
) {
  const head = [
    `${verb} ${target} HTTP/1.1`,
    ...(host === '' ? [] : [`Host: ${host}`]),
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...lines,
    'Connection: close',
  ];
  const answer = await sendBytes(origin, [`${head.join('\r\n')}\r\n\r\n${text}`], { quiet: 2_000 });
  const [first = '', body = ''] = [
    answer.text.split('\r\n')[0],
    answer.text.slice(answer.text.indexOf('\r\n\r\n') + 4),
  ];
  const status = Number(first.split(' ')[1]);
  return {
    status,
    headers: { 'content-type': /content-type: ([^\r]*)/i.exec(answer.text)?.[1] ?? '' },
    body: Buffer.from(body, 'latin1'),
    json: <T>() => JSON.parse(body) as T,
  };
}

describe('a path that some router takes for a served one', () => {
  const paths = [
    '/w/mcp/',
    '/w/mcp/..',
    '/w/mcp/.',
    '/w/mcp/../mcp',
    '/w/./mcp',
    '/x/../w/mcp',
    '//w/mcp',
    '/w//mcp',
    '/w/mcp//',
    '/W/mcp',
    '/w/MCP',
    '/w%2fmcp',
    '/w%2Fmcp',
    '/%77/mcp',
    '/w/%6dcp',
    '/w/mcp%00',
    '/w/mcp%20',
    '/w/mcp%23',
    '/w/mcp%3f',
    '/w/mcp;x=1',
    '/w;x/mcp',
    '/w/mcp;',
    '/w/mcp&x',
    '/w/mcp#x',
    '/w/mcp%',
    '/w\\mcp',
    '/\\w/mcp',
    '/w/mcp/tools/call',
    '/w/mcp.json',
    '/w',
    '/w/',
    '/mcp',
    '/',
    '/*',
    '/w/%2e/mcp',
    '/x/%2e%2e/w/mcp',
    '/x/..%2fw/mcp',
    '/x/..;/w/mcp',
    '/__proto__/mcp',
    '/constructor',
    '/livez',
    '/metrics',
    '/.well-known/oauth-protected-resource',
    '/register',
    '/token',
  ];
  for (const path of paths) {
    it(`should NOT bypass: ${path}`, () =>
      arena.refused(() => raw(path), { status: 404, rpc: -32601, reason: 'route-unknown' }));
  }
  it('should NOT bypass: the absolute form, a star, or an authority for a target', async () => {
    const host = new URL(origin).host;
    for (const target of [`http://${host}/w/mcp`, 'http://evil.example/w/mcp', '*', host]) {
      const { value, seen } = await arena.observe(() => raw(target));
      expect(value.status).toBeGreaterThanOrEqual(400);
      expect(value.status).toBeLessThan(500);
      expect(seen).toEqual([]);
    }
  });
  it('a query goes nowhere', async () => {
    for (const query of [
      '?',
      '?access_token=x',
      '?path=/../x',
      '?name=forbidden&method=tools/call',
      '?%00',
    ]) {
      const { value, seen } = await arena.observe(() => raw(`/w/mcp${query}`));
      expect([query, value.status]).toEqual([query, 200]);
      expect(seen.map(({ path }) => path)).toEqual(['/mcp']);
    }
  });
});

describe('a verb that nobody judges', () => {
  const refusal = { status: 405, rpc: -32601, reason: 'http-method' } as const;
  for (const verb of [
    'PUT',
    'PATCH',
    'OPTIONS',
    'TRACE',
    'PROPFIND',
    'SEARCH',
    'LINK',
    'PURGE',
    'MKCOL',
    'QUERY',
    'M-SEARCH',
  ]) {
    it(`should NOT bypass: ${verb}`, () => arena.refused(() => raw('/w/mcp', [], verb), refusal));
  }
  for (const verb of ['post', 'Post', 'POSTS', 'POST,GET', 'PO\0ST', 'BREW', 'PRI']) {
    it(`should NOT bypass: ${JSON.stringify(verb)}`, () =>
      arena.refused(() => raw('/w/mcp', [], verb), { status: 400, rpc: -32600, reason: 'header-invalid' }));
  }
  it('should NOT bypass: HEAD', async () => {
    const { value, seen, audit } = await arena.observe(() => send('HEAD', arena.url));
    expect(value.status).toBe(405);
    expect(seen).toEqual([]);
    expect(audit).toMatchObject([{ code: 'http-method', status: 405, verb: 'HEAD' }]);
  });
  for (const verb of ['GET', 'DELETE']) {
    it(`should NOT bypass: ${verb} with a body`, () =>
      arena.refused(() => raw('/w/mcp', [], verb), { status: 400, rpc: -32600, reason: 'header-invalid' }));
  }
  for (const header of [
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    '_method',
    'X-Original-Method',
  ]) {
    it(`should NOT bypass: ${header}`, async () => {
      const { value, seen } = await arena.observe(() => raw('/w/mcp', [`${header}: DELETE`]));
      expect(value.status).toBe(200);
      expect(seen.map(({ verb }) => verb)).toEqual(['POST']);
      expect(seen[0]!.rawHeaders.join().toLowerCase()).not.toContain(header.toLowerCase());
    });
  }
  for (const header of [
    'X-Original-URL: /x/mcp',
    'X-Rewrite-URL: /x/mcp',
    'X-Forwarded-Prefix: /x',
    'X-Forwarded-Path: /x/mcp',
  ]) {
    it(`leads nowhere else: ${header}`, async () => {
      const { audit, seen } = await arena.observe(() => raw('/w/mcp', [header]));
      expect(audit).toMatchObject([{ upstream: 'w', code: 'ok' }]);
      expect(seen).toHaveLength(1);
    });
  }
});

describe('a host that is not served', () => {
  const port = () => new URL(origin).port;
  const refusal = { status: 403, rpc: -32600, reason: 'host-refused' } as const;
  const hosts = [
    () => '',
    () => 'evil.example',
    () => `evil.example:${port()}`,
    () => `127.0.0.1.evil.example:${port()}`,
    () => `localhost.:${port()}`,
    () => 'localhost.evil.example',
    () => 'xlocalhost',
    () => `user@localhost:${port()}`,
    () => 'localhost@evil.example',
    () => 'localhost:',
    () => 'localhost:x',
    () => 'localhost:99999999',
    () => 'localhost:80:80',
    () => 'localhost/',
    () => 'localhost/w/mcp',
    () => 'localhost#evil.example',
    () => 'localhost?evil.example',
    () => 'localhost, evil.example',
    () => 'localhost evil.example',
    () => 'http://localhost',
    () => '0.0.0.0',
    () => '127.1',
    () => '127.0.0.2',
    () => '2130706433',
    () => '0x7f.0.0.1',
    () => '0177.0.0.1',
    () => '[::ffff:127.0.0.1]',
    () => '[0:0:0:0:0:0:0:1]',
    () => '::1',
    () => '[::1',
    () => '[::1%25lo]',
    () => 'LOCALHOS\u00cc'.normalize(),
    () => 'localhost%00.evil.example',
  ];
  for (const host of hosts) {
    it(`should NOT bypass: ${JSON.stringify(host.toString().slice(6))}`, () =>
      arena.refused(() => raw('/w/mcp', [], 'POST', host()), refusal));
  }
  for (const header of [
    'X-Forwarded-Host: localhost',
    'Forwarded: host=localhost',
    'X-Host: localhost',
    'X-Original-Host: localhost',
  ]) {
    it(`should NOT bypass: evil.example with ${header}`, () =>
      arena.refused(() => raw('/w/mcp', [header], 'POST', 'evil.example'), refusal));
  }
  it('should NOT bypass: two of them', () =>
    arena.refused(() => raw('/w/mcp', ['Host: localhost']), {
      status: 400,
      rpc: -32600,
      reason: 'header-invalid',
    }));
});

describe('an origin that is not allowed', () => {
  const refusal = { status: 403, rpc: -32600, reason: 'origin-refused' } as const;
  const origins = [
    'null',
    '',
    'https://evil.example',
    'http://app.example',
    'https://app.example.evil.example',
    'https://evilapp.example',
    'https://app.example:8443',
    'https://app.example:443',
    'https://app.example/',
    'https://app.example/x',
    'https://APP.example',
    'HTTPS://app.example',
    'https://user@app.example',
    'https://app.example, https://evil.example',
    'https://app.example https://evil.example',
    'https://app.example.',
    'https://app.example?',
    'https://app.example#',
    'app.example',
    '//app.example',
    'https:app.example',
    'https:\\\\app.example',
    'file://',
    'chrome-extension://x',
    '*',
    'undefined',
    'http://localhost',
    'http://127.0.0.1',
  ];
  for (const value of origins) {
    it(`should NOT bypass: ${JSON.stringify(value)}`, () =>
      arena.refused(() => raw('/w/mcp', [`Origin: ${value}`]), refusal));
  }
  it('should NOT bypass: two of them', () =>
    arena.refused(() => raw('/w/mcp', ['Origin: https://app.example', 'Origin: https://evil.example']), {
      status: 400,
      rpc: -32600,
      reason: 'header-invalid',
    }));
  it('the allowed one, and none, pass; and no header invites others', async () => {
    for (const lines of [['Origin: https://app.example'], []]) {
      const { seen } = await arena.observe(() => raw('/w/mcp', lines));
      expect(seen).toHaveLength(1);
    }
    const answer = await post(arena.url, text, { headers: { origin: 'https://app.example' } });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
  it('should NOT bypass on GET, DELETE and in 2026-07-28', async () => {
    for (const verb of ['GET', 'DELETE']) {
      await arena.refused(
        () => send(verb, arena.url, { headers: { origin: 'null', accept: 'text/event-stream' } }),
        refusal,
      );
    }
    const { headers, body } = modern('tools/call', { name: 'allowed' });
    await arena.refused(() => post(arena.url, body, { headers: { ...headers, origin: 'null' } }), refusal);
  });
});

describe('an Accept that a client of this protocol does not send', () => {
  const refusal = { status: 406, rpc: -32600, reason: 'not-acceptable' } as const;
  for (const accept of [
    'application/json',
    'text/event-stream',
    '*/*',
    'application/*, text/*',
    'application/json;q=0, text/event-stream',
    'application/json, text/event-stream;q=0.000',
    'application/jsonx, text/event-streams',
    'text/html',
    '',
    ',',
  ]) {
    it(`should NOT bypass: ${JSON.stringify(accept)}`, () =>
      arena.refused(() => post(arena.url, text, { headers: { accept } }), refusal));
  }
});

it('honest calls pass beside all this', () => expectHonestCall(arena));
