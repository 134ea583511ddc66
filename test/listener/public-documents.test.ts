import { once } from 'node:events';
import { connect } from 'node:http2';
import { describe, expect, it } from 'vitest';
import { makeTestCa } from '../support/certificates.ts';
import { send, sendBytes, sendHttp2 } from '../support/raw-client.ts';
import { ping, rawPost, startListener, testFolder } from './support.ts';

const path = '/.well-known/oauth-protected-resource/w/mcp';
const body = Buffer.from('{"resource":"https://mcp.example/w/mcp"}');
const document = { contentType: 'application/json', body, maxAge: 300 };
const documents = (asked: string) => (asked === path ? document : undefined);

const start = (options: Parameters<typeof startListener>[0] = {}) =>
  startListener(options, undefined, { documents });

async function tlsOptions(mode: 'none' | 'require') {
  const ca = await makeTestCa();
  const server = await ca.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth'] });
  const folder = await testFolder({
    'ca.crt': ca.caPem,
    'tls.crt': server.certPem,
    'tls.key': server.keyPem,
  });
  const tls = {
    certificate: `${folder}/tls.crt`,
    key: `${folder}/tls.key`,
    ...(mode === 'none' ? {} : { clients: { ca: `${folder}/ca.crt`, mode } }),
  };
  return { ca, tls };
}

describe('public documents', () => {
  it('are given to anybody, with how long they may be kept', async () => {
    const listener = await start();
    const answer = await send('GET', listener.address.url + path);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(body);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(body.length),
      'cache-control': 'public, max-age=300',
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
    });
    expect(listener.arrivals).toEqual([]);
    expect(listener.refusals).toEqual([]);
  });

  it('are the same whatever the query, Accept and Origin say', async () => {
    const listener = await start();
    for (const headers of [
      { accept: 'text/html' },
      { origin: 'https://stranger.example' },
      { origin: 'null' },
      { authorization: 'Bearer nonsense' },
      { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' },
    ]) {
      const answer = await send('GET', `${listener.address.url}${path}?resource=https://evil.example`, {
        headers,
      });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual(body);
    }
  });

  it('answer HEAD with the head alone', async () => {
    const listener = await start();
    const { text } = await sendBytes(listener.address.url, [
      `HEAD ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
    ]);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(text.toLowerCase()).toContain(`content-length: ${body.length}\r\n`);
    expect(text.endsWith('\r\n\r\n')).toBe(true);
  });

  it('tell browsers that they may send MCP-Protocol-Version', async () => {
    const listener = await start();
    const answer = await send('OPTIONS', listener.address.url + path, {
      headers: {
        origin: 'https://stranger.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'mcp-protocol-version',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD',
      'access-control-allow-headers': 'MCP-Protocol-Version',
      allow: 'GET, HEAD, OPTIONS',
    });
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
    expect(answer.body).toHaveLength(0);
  });

  it('are not there for other methods, and say for which', async () => {
    const listener = await start();
    for (const verb of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND']) {
      const answer = await send(verb, listener.address.url + path, {
        headers: { 'content-type': 'application/json' },
      });
      expect(answer.status, verb).toBe(405);
      expect(answer.headers['allow'], verb).toBe('GET, HEAD, OPTIONS');
    }
    expect(listener.refusals.map(({ code }) => code)).toEqual(Array(6).fill('http-method'));
    expect(listener.arrivals).toEqual([]);
  });

  it('need a Host that is served here', async () => {
    const listener = await start();
    for (const host of ['evil.example', '127.0.0.1.evil.example', 'user@127.0.0.1', '127.0.0.1#', '']) {
      const answer = await send('GET', listener.address.url + path, { headers: ['host', host] });
      expect(answer.status, host).toBe(403);
    }
    const twice = await send('GET', listener.address.url + path, {
      headers: ['host', '127.0.0.1', 'host', 'evil.example'],
    });
    expect(twice.status).toBe(400);
  });

  it('take no body', async () => {
    const listener = await start();
    const answer = await send('GET', listener.address.url + path, {
      headers: ['content-length', '2'],
      body: '{}',
    });
    expect(answer.status).toBe(400);
    const chunked = await sendBytes(listener.address.url, [
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ]);
    expect(chunked.text).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('should NOT be found at a path in disguise', async () => {
    const listener = await start();
    const paths = [
      `${path}/`,
      `/${path}`,
      path.replace('/w/', '//w/'),
      path.replace('/w/', '/w%2f'),
      path.replace('/w/', '%2fw%2f'),
      path.replace('well', 'w%65ll'),
      path.replace('oauth', 'OAuth'),
      path.replace('/w/mcp', '/W/mcp'),
      path.replace('/w/mcp', '/w/mcp;x=1'),
      path.replace('/w/mcp', '/./w/mcp'),
      path.replace('/w/mcp', '/x/../w/mcp'),
      path.replace('/w/mcp', '/w\\mcp'),
      `${path}%00`,
      `${path}%20`,
      `${path}#x`,
      path.replace('/.well-known', '/.well-known/.well-known'),
      `http://127.0.0.1${path}`,
      '/.well-known/',
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-protected-resource/',
      '/.well-known/__proto__',
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-authorization-server/w/mcp',
      '/.well-known/openid-configuration',
      '/authorize',
      '/token',
      '/register',
    ];
    for (const disguise of paths) {
      const { text } = await sendBytes(listener.address.url, [
        `GET ${disguise} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
      ]);
      expect(text, disguise).toMatch(/^HTTP\/1\.1 (?:404|400) /);
      expect(text, disguise).not.toContain('mcp.example');
    }
  });

  it('do not end the connection, nor hold it', async () => {
    const listener = await start();
    const get = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
    const { text } = await sendBytes(listener.address.url, [
      get,
      get,
      `${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`,
    ]);
    expect(text.match(/HTTP\/1\.1 200 /g)).toHaveLength(3);
    expect(listener.arrivals).toHaveLength(1);
  });

  it('stand behind client certificates where the listener requires them', async () => {
    const { ca, tls } = await tlsOptions('require');
    const listener = await start({ tls });
    const url = listener.address.url + path;
    await expect(send('GET', url, { tls: { ca: ca.caPem } })).rejects.toThrow();
    const { certPem, keyPem } = await ca.issue({ uris: ['spiffe://test.local/alice'] });
    const answer = await send('GET', url, { tls: { ca: ca.caPem, cert: certPem, key: keyPem } });
    expect(answer.status).toBe(200);
  });

  it('are given over HTTP/2, with all of it', async () => {
    const { ca, tls } = await tlsOptions('none');
    const listener = await start({ tls });
    const url = listener.address.url + path;
    const options = { tls: { ca: ca.caPem } };
    for (const [verb, length] of [
      ['GET', body.length],
      ['HEAD', 0],
      ['OPTIONS', 0],
    ] as const) {
      const answer = await sendHttp2(verb, url, options);
      expect(answer.status, verb).toBe(verb === 'OPTIONS' ? 204 : 200);
      expect(answer.body, verb).toHaveLength(length);
    }
    const wrongHost = await sendHttp2('GET', url, { ...options, headers: { ':authority': 'evil.example' } });
    expect(wrongHost.status).toBe(403);
  });

  it('do not wait for what HTTP/2 may still send with a GET', async () => {
    const { ca, tls } = await tlsOptions('none');
    const listener = await start({ tls });
    const session = connect(listener.address.url, { ca: ca.caPem });
    const stream = session.request({ ':method': 'GET', ':path': path }, { endStream: false });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    // Closed by the server, although this side never says that it has ended.
    await once(stream, 'close');
    expect(Buffer.concat(chunks)).toEqual(body);
    session.destroy();
  });
});

describe('an access token in the query', () => {
  const spellings = [
    'access_token=secret',
    'a=1&access_token=secret',
    'a=1;access_token=secret',
    'access_token',
    'access%5ftoken=secret',
    '%61ccess_token=secret',
    'Access_Token=secret',
    'ACCESS_TOKEN=secret',
    '&&access_token=',
    'x=?access_token=secret',
    '+access_token=secret',
    'access_token%20=secret',
  ];

  it('is refused at a route that takes tokens, however it is spelt, and stands in no record', async () => {
    const listener = await startListener({}, undefined, { tokenRoutes: new Set(['w']) });
    for (const query of spellings) {
      const answer = await send('POST', `${listener.mcp}?${query}`, {
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          authorization: 'Bearer good',
        },
        body: ping,
      });
      expect(answer.status, query).toBe(400);
      expect(answer.json(), query).toMatchObject({ error: { data: { reason: 'token-in-query' } } });
    }
    expect(listener.arrivals).toEqual([]);
    expect(JSON.stringify(listener.refusals)).not.toContain('secret');
  });

  it('stands in no record where the path leads nowhere', async () => {
    const listener = await startListener();
    await send('GET', `${listener.address.url}/nowhere?access_token=secret`);
    expect(listener.refusals).toHaveLength(1);
    expect(JSON.stringify(listener.refusals)).not.toContain('secret');
  });

  it('is told from what only resembles it', async () => {
    const listener = await startListener({}, undefined, { tokenRoutes: new Set(['w']) });
    for (const query of ['token=1', 'x=access_token', 'my_access_token=1', 'access_token_type=1', '']) {
      const answer = await send('POST', `${listener.mcp}?${query}`, {
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: ping,
      });
      expect(answer.status, query).toBe(200);
    }
  });
});
