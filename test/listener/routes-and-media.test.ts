import { describe, expect, it } from 'vitest';
import { errorTable } from '../../src/errors.ts';
import { createListener } from '../../src/listener/listener.ts';
import { accepts, isPlainJson } from '../../src/listener/media.ts';
import { listenerOptions } from '../../src/listener/options.ts';
import { checkRoutes } from '../../src/listener/routes.ts';
import { post, send, sendBytes } from '../support/raw-client.ts';
import { ping, rawPost, startListener } from './support.ts';

describe('paths', () => {
  it('are found only in the exact bytes of the configuration, whatever a router would make of them', async () => {
    const listener = await startListener();
    const disguises = [
      '/w/mcp/',
      '//w/mcp',
      '/w//mcp',
      '/w/./mcp',
      '/x/../w/mcp',
      '/W/mcp',
      '/w/MCP',
      '/%77/mcp',
      '/w%2fmcp',
      '/w/mcp%00',
      '/w/mcp;a=b',
      '/w/mcp%3Fa',
      '/w/mcp#x',
      '/w\\mcp',
      '/w',
      '/',
      '*',
      `http://127.0.0.1:${listener.address.port}/w/mcp`,
      '/w/mcp/%',
      '/%ff',
    ];
    for (const path of disguises) {
      const head = rawPost(listener, [`Content-Length: ${ping.length}`], path);
      const { text } = await sendBytes(listener.mcp, [`${head}\r\n${ping}`]);
      expect([path, text.slice(0, 12)]).toEqual([path, 'HTTP/1.1 404']);
      expect(text).toContain('"reason":"route-unknown"');
    }
    expect(listener.arrivals).toHaveLength(0);
    expect(listener.refusals).toHaveLength(disguises.length);
  });

  it('may carry a query string, which goes nowhere', async () => {
    const listener = await startListener();
    expect((await post(`${listener.mcp}?token=secret`, ping)).status).toBe(200);
    expect(JSON.stringify(listener.arrivals[0])).not.toContain('secret');
  });

  it.each(['/a/:b', '/a/*', '/a%20b', 'a', '/', '/a/', '/a//b', '/a/../b', '/a?b', '/ä', ''])(
    'cannot be configured as %j',
    (path) => expect(() => checkRoutes(new Map([[path, 'w']]))).toThrow(TypeError),
  );
});

describe('methods', () => {
  it('other than POST, GET and DELETE are refused with Allow', async () => {
    const listener = await startListener();
    for (const verb of ['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'HEAD', 'QUERY']) {
      const answer = await send(verb, listener.mcp);
      expect([verb, answer.status, answer.headers['allow']]).toEqual([verb, 405, 'GET, POST, DELETE']);
    }
    expect(listener.refusals.map(({ code }) => code)).toEqual(Array(7).fill('http-method'));
    expect(listener.refusals[0]).toMatchObject({ verb: 'PUT', upstream: 'w', status: 405 });
    expect(listener.refusals.at(-1)!.verb).toBe('OTHER');
  });

  it('CONNECT, and requests that would change the protocol, are refused', async () => {
    const listener = await startListener();
    const own = `127.0.0.1:${listener.address.port}`;
    const connect = await sendBytes(listener.mcp, [`CONNECT ${own} HTTP/1.1\r\nHost: ${own}\r\n\r\n`]);
    expect(connect.text).toMatch(/^HTTP\/1\.1 405 /);
    const upgrade = await sendBytes(listener.mcp, [
      `GET /w/mcp HTTP/1.1\r\nHost: ${own}\r\nAccept: text/event-stream\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
    ]);
    expect(upgrade.text).toMatch(/^HTTP\/1\.1 400 /);
    const preface = await sendBytes(listener.mcp, ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']);
    expect(preface.text).toMatch(/^HTTP\/1\.1 400 /);
    expect(listener.arrivals).toHaveLength(0);
    expect(listener.refusals).toHaveLength(3);
  });

  it("goes on with HTTP/1.1 where a client offers h2c, as Java's does", async () => {
    const listener = await startListener();
    const { text } = await sendBytes(listener.mcp, [
      rawPost(listener, ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAEAAEAA']),
      `Content-Length: ${ping.length}\r\n\r\n${ping}`,
    ]);
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('GET and DELETE with a body are refused', async () => {
    const listener = await startListener();
    const own = `127.0.0.1:${listener.address.port}`;
    for (const verb of ['GET', 'DELETE']) {
      for (const framing of [
        'Content-Length: 2\r\n\r\n{}',
        'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
      ]) {
        const { text } = await sendBytes(listener.mcp, [
          `${verb} /w/mcp HTTP/1.1\r\nHost: ${own}\r\nAccept: text/event-stream\r\n${framing}`,
        ]);
        expect(text).toMatch(/^HTTP\/1\.1 400 /);
      }
    }
    expect(listener.arrivals).toHaveLength(0);
  });

  it('GET and DELETE arrive with an empty body', async () => {
    const listener = await startListener();
    expect((await send('GET', listener.mcp, { headers: { accept: 'text/event-stream' } })).status).toBe(200);
    expect((await send('DELETE', listener.mcp)).status).toBe(200);
    expect(listener.arrivals.map(({ verb, body, upstream }) => [verb, body.length, upstream])).toEqual([
      ['GET', 0, 'w'],
      ['DELETE', 0, 'w'],
    ]);
  });
});

describe('Content-Type', () => {
  it.each([
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/json ; CHARSET="utf-8"',
  ])('takes %j', (type) => expect(isPlainJson(type)).toBe(true));

  const disguises = [
    undefined,
    '',
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    'application/vnd.api+json',
    'application/jsonp',
    'application/json; charset=utf-16',
    'application/json; charset=utf-16le',
    'application/json; charset=utf8',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; boundary=x',
    'application/json;',
    'application/json, text/plain',
    'text/plain, application/json',
    'text/plain; a=application/json',
    'application/json text/plain',
    'application /json',
    'application/json\u00a0',
    'application/j\u017fon',
    'application/json; charset=utf-8 x',
    "application/json; charset='utf-8'",
    'application/json; charset="utf-8',
    '*/*',
  ];
  it.each(disguises)('refuses %j', (type) => expect(isPlainJson(type)).toBe(false));

  it('and Content-Encoding are refused with 415', async () => {
    const listener = await startListener();
    const headers: Record<string, string>[] = [
      { 'content-type': 'text/plain' },
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'identity' },
    ];
    for (const extra of headers)
      expect((await post(listener.mcp, ping, { headers: extra })).status).toBe(415);
    const without = await send('POST', listener.mcp, { body: ping, headers: { accept: 'application/json' } });
    expect(without.status).toBe(415);
    expect(listener.refusals.map(({ code }) => code)).toEqual(Array(4).fill('media-type'));
  });
});

describe('Accept', () => {
  it('needs both types for POST, spread over one or several headers, in any order', () => {
    for (const accept of [
      'application/json, text/event-stream',
      'text/event-stream,application/json;q=0.9',
      'Application/JSON , TEXT/event-stream, */*',
    ]) {
      expect(accepts(accept, 'application/json') && accepts(accept, 'text/event-stream')).toBe(true);
    }
  });

  it.each([
    undefined,
    '*/*',
    'application/*, text/*',
    'application/json',
    'text/event-stream',
    'application/json, text/event-stream;q=0',
    'application/json;q=0.000, text/event-stream',
    'application/jsonx, text/event-stream',
    'application/json; text/event-stream',
  ])('%j is not enough for POST', async (accept) => {
    expect(accepts(accept, 'application/json') && accepts(accept, 'text/event-stream')).toBe(false);
  });

  it('is answered with 406 where it is not enough', async () => {
    const listener = await startListener();
    expect((await post(listener.mcp, ping, { headers: { accept: '*/*' } })).status).toBe(406);
    expect((await send('GET', listener.mcp, { headers: { accept: 'application/json' } })).status).toBe(406);
    expect((await send('GET', listener.mcp)).status).toBe(406);
    const spread = [
      'content-type',
      'application/json',
      'accept',
      'application/json',
      'accept',
      'text/event-stream',
    ];
    expect((await send('POST', listener.mcp, { body: ping, headers: spread })).status).toBe(200);
  });
});

describe('every answer', () => {
  it('of the listener itself is a JSON-RPC error without id, and gives nothing away', async () => {
    const listener = await startListener();
    const answer = await send('POST', `${listener.address.url}/nothing`, { body: ping });
    expect(answer.json()).toEqual({
      jsonrpc: '2.0',
      error: {
        code: errorTable['route-unknown'].rpc,
        message: 'Nothing is served at this path',
        data: { reason: 'route-unknown' },
      },
    });
    expect(Object.keys(answer.headers).sort()).toEqual([
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
      'x-content-type-options',
    ]);
  });

  it('is not cached and not sniffed, and an empty one says so', async () => {
    const listener = await startListener({}, async (_arrival, reply) =>
      reply.send(202, { 'cache-control': 'public' }, undefined),
    );
    const answer = await post(listener.mcp, ping);
    expect(answer.status).toBe(202);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-length': '0',
    });
  });

  it('is a plain internal error where the gateway fails, and the cause stays inside', async () => {
    const broken = [
      async () => {
        throw new Error('secret detail');
      },
      async () => {},
      () => {
        throw new Error('secret detail');
      },
    ];
    for (const handle of broken) {
      const listener = await startListener({}, handle);
      const answer = await post(listener.mcp, ping);
      expect(answer.status).toBe(500);
      expect(answer.body.toString()).not.toContain('secret');
      expect(listener.refusals).toMatchObject([
        { code: 'internal', status: 500, upstream: 'w', verb: 'POST' },
      ]);
      // The connection is whole: the request was read to its end.
      expect(answer.headers['connection']).not.toBe('upgrade');
    }
  });
});

it('does not open plain HTTP for the network unless told to', async () => {
  const options = listenerOptions.parse({ bind: '0.0.0.0:0', hosts: ['a.example'] });
  const deps = {
    routes: new Map<string, string>(),
    handle: async () => {},
    onRefusal: () => {},
    log: { info: () => {}, warn: () => {}, error: () => {} },
  };
  await expect(createListener(options, deps)).rejects.toThrow(/plain HTTP is for loopback/);
});
