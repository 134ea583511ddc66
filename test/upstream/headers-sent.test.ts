import { describe, expect, it } from 'vitest';
import { failureOf, httpServer, message, pong, upstreamAt } from './harness.ts';

async function echo() {
  const seen: string[][] = [];
  const { url } = await httpServer((request, response) => {
    seen.push(request.rawHeaders);
    response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
  });
  return { url, seen };
}

describe('headers sent to the upstream', () => {
  it('are the transport own ones and nothing else', async () => {
    const { url, seen } = await echo();
    await upstreamAt(url).send(message());
    expect(seen).toEqual([
      [
        'host',
        new URL(url).host,
        'connection',
        'keep-alive',
        'accept',
        'application/json, text/event-stream',
        'accept-encoding',
        'identity',
        'content-type',
        'application/json',
        'content-length',
        '40',
      ],
    ]);
  });

  it('ask for a stream alone with GET, and name no content type without a body', async () => {
    const { url, seen } = await echo();
    const upstream = upstreamAt(url);
    await upstream.send(message({ verb: 'GET', body: undefined }));
    await upstream.send(message({ verb: 'DELETE', body: undefined }));
    expect(seen[0]).toContain('text/event-stream');
    expect(seen.flat()).not.toContain('content-type');
    expect(seen.flat()).not.toContain('content-length');
  });

  it('carry the protocol headers of the message and the credential', async () => {
    const { url, seen } = await echo();
    const headers = ['Mcp-Session-Id', 'up-1', 'last-event-id', '7', 'Mcp-Param-Region', '=?base64?w6k=?='];
    const upstream = upstreamAt(url, { credential: { header: 'X-Key', value: 'k3y' } });
    await upstream.send(message({ headers }));
    expect(seen[0]).toEqual(expect.arrayContaining([...headers, 'x-key', 'k3y']));
  });

  it('do not remember those of an earlier message', async () => {
    const { url, seen } = await echo();
    const upstream = upstreamAt(url);
    await upstream.send(message({ headers: ['mcp-session-id', 'mine'] }));
    await upstream.send(message());
    expect(seen[1]).not.toContain('mcp-session-id');
  });

  const foreign = [
    'authorization',
    'Authorization',
    'cookie',
    'dpop',
    'host',
    'connection',
    'content-length',
    'transfer-encoding',
    'x-forwarded-for',
    'forwarded',
    'proxy-authorization',
    'x-ssl-client-cert',
    'traceparent',
    'mcp-',
    'mcp-a b',
    'mcp-x\r\nauthorization',
    'mcp-x:',
    '',
  ];
  for (const name of foreign) {
    it(`should NOT forward ${JSON.stringify(name)}`, async () => {
      const { url, seen } = await echo();
      const failure = await failureOf(upstreamAt(url).send(message({ headers: [name, 'v'] })));
      expect([failure.code, failure.message]).toEqual(['internal', 'Internal error']);
      expect(seen).toEqual([]);
    });
  }

  for (const value of [
    'a\r\nx: y',
    'a\nb',
    'a\rb',
    'a\0b',
    'é',
    '\u2028',
    ' lead',
    'trail ',
    '\t',
    '',
    '\x7f',
    'a\x1bb',
  ]) {
    it(`should NOT send the value ${JSON.stringify(value)}`, async () => {
      const { url, seen } = await echo();
      const failure = await failureOf(upstreamAt(url).send(message({ headers: ['mcp-name', value] })));
      expect([failure.code, failure.message]).toEqual([
        'header-invalid',
        'A header is repeated or malformed',
      ]);
      expect(seen).toEqual([]);
    });
  }
});
