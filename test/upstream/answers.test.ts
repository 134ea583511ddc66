import { describe, expect, it } from 'vitest';
import { asStream, collect, httpServer, message, pong, upstreamAt } from './harness.ts';

describe('answers of an honest upstream', () => {
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
  ]) {
    it(`gives the bytes of a body of type ${type}`, async () => {
      const { url } = await httpServer((_, response) => {
        response.writeHead(200, { 'content-type': type, 'mcp-session-id': 'abc-123' }).end(pong);
      });
      const answer = await upstreamAt(url).send(message());
      expect(answer).toMatchObject({ kind: 'json', status: 200, sessionId: 'abc-123' });
      expect(answer.kind === 'json' && answer.body.toString()).toBe(pong);
    });
  }

  it('joins a body that comes in pieces', async () => {
    const text = JSON.stringify({ text: 'é'.repeat(200_000) });
    const { url } = await httpServer(async (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += 30_001) {
        response.write(bytes.subarray(at, at + 30_001));
        await new Promise(setImmediate);
      }
      response.end();
    });
    const answer = await upstreamAt(url).send(message());
    expect(answer.kind === 'json' && answer.body.toString()).toBe(text);
  });

  for (const status of [400, 401, 404, 405, 500, 503]) {
    it(`gives a JSON body of status ${status} with its status`, async () => {
      const { url } = await httpServer((_, response) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(pong);
      });
      expect(await upstreamAt(url).send(message())).toMatchObject({ kind: 'json', status });
    });
  }

  it('looks past interim answers', async () => {
    const { url } = await httpServer((_, response) => {
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.writeProcessing();
      response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
    });
    expect(await upstreamAt(url).send(message())).toMatchObject({ kind: 'json', status: 200 });
  });

  const empty: readonly [number, Record<string, string>][] = [
    [202, {}],
    [204, {}],
    [200, {}],
    [200, { 'content-length': '0' }],
    [200, { 'content-type': 'application/json' }],
    [202, { 'content-type': 'text/plain', 'content-length': '8' }],
  ];
  for (const [status, headers] of empty) {
    it(`takes ${status} ${JSON.stringify(headers)} as accepted`, async () => {
      const { url } = await httpServer((_, response) => {
        response
          .writeHead(status, headers)
          .end('content-length' in headers && headers['content-length'] === '8' ? 'Accepted' : '');
      });
      expect(await upstreamAt(url).send(message())).toEqual({
        kind: 'accepted',
        status,
        sessionId: undefined,
      });
    });
  }

  for (const status of [400, 401, 403, 404, 405, 500, 502, 503]) {
    it(`takes an HTML page of status ${status} as refused, with nothing of its text`, async () => {
      const { url } = await httpServer((_, response) => {
        response
          .writeHead(status, { 'content-type': 'text/html', 'www-authenticate': 'Basic realm="inside"' })
          .end('<h1>stack trace</h1>');
      });
      expect(await upstreamAt(url).send(message())).toEqual({ kind: 'refused', status });
    });
  }

  it('keeps the connection after a small page that nobody reads', async () => {
    let connections = 0;
    const { url, server } = await httpServer((_, response) => {
      response.writeHead(405, { 'content-type': 'text/plain' }).end('no');
    });
    server.on('connection', () => connections++);
    const upstream = upstreamAt(url);
    for (let call = 0; call < 5; call++) {
      await upstream.send(message({ verb: 'GET', body: undefined }));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(connections).toBe(1);
  });

  it('yields events as they come, before the stream ends', async () => {
    let finish = () => {};
    const { url } = await httpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'mcp-session-id': 's' });
      response.write(': hello\n\nid: 1\nretry: 500\ndata:\n\nevent: message\nid: 2\ndata: {"a":1}\n\n');
      finish = () => response.end('event: other\ndata: ignored\n\ndata: {"b":\ndata: 2}\n\ndata: cut');
    });
    const answer = asStream(await upstreamAt(url).send(message()));
    expect(answer.sessionId).toBe('s');
    const events = answer.events[Symbol.asyncIterator]();
    const first = (await events.next()).value;
    expect([first.data.toString(), first.id, first.retry]).toEqual(['', '1', 500]);
    const second = (await events.next()).value;
    expect([second.data.toString(), second.id]).toEqual(['{"a":1}', '2']);
    finish();
    expect((await events.next()).value.data.toString()).toBe('{"b":\n2}');
    // An event without its blank line is not an event.
    expect((await events.next()).done).toBe(true);
  });

  it('keeps the connection when the consumer stops at the answer and the end follows', async () => {
    let connections = 0;
    const { url, server } = await httpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${pong}\n\n`);
      setTimeout(() => response.end(), 10);
    });
    server.on('connection', () => connections++);
    const upstream = upstreamAt(url);
    for (let call = 0; call < 4; call++) {
      for await (const event of asStream(await upstream.send(message())).events) {
        expect(event.data.toString()).toBe(pong);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(connections).toBe(1);
  });

  it('gives many small events in order', async () => {
    const expected = Array.from({ length: 5000 }, (_, index) => `{"n":${index}}`);
    const { url } = await httpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(expected.map((text) => `data: ${text}\n\n`).join(''));
    });
    const { events } = asStream(await upstreamAt(url).send(message()));
    expect(await collect(events)).toEqual(expected);
  });
});
