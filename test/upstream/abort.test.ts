import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { answering, asStream, httpServer, message, pong, rawServer, until, upstreamAt } from './harness.ts';

const sse = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';
const reason = new Error('the client left');

describe('aborting', () => {
  it('before sending sends nothing', async () => {
    const { url, sockets } = await rawServer(() => {});
    await expect(upstreamAt(url).send(message({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    expect(sockets.length).toBe(0);
  });

  for (const [name, bytes] of [
    ['while no answer has come', []],
    ['within the headers', ['HTTP/1.1 200 OK\r\ncontent-']],
    ['within a body', ['HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{']],
    [
      'before the body of an answer without a type',
      ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'],
    ],
  ] as const) {
    it(`${name} rejects with the reason and closes the socket`, async () => {
      const abort = new AbortController();
      const { url, sockets } = await rawServer((socket) => {
        answering(...bytes)(socket);
        socket.on('data', () => setTimeout(() => abort.abort(reason), 30));
      });
      await expect(upstreamAt(url).send(message({ signal: abort.signal }))).rejects.toBe(reason);
      await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
      expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    });
  }

  for (const longLived of [false, true]) {
    it(`within a stream ends the iteration and closes the socket (longLived: ${longLived})`, async () => {
      const abort = new AbortController();
      const { url, sockets } = await rawServer(answering(sse, 'data: 1\n\n'));
      const answer = asStream(await upstreamAt(url).send(message({ signal: abort.signal, longLived })));
      const events = answer.events[Symbol.asyncIterator]();
      await events.next();
      const next = events.next();
      abort.abort(reason);
      await expect(next).rejects.toBe(reason);
      expect((await events.next()).done).toBe(true);
      await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
      expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    });

    it(`breaking off a stream closes the socket (longLived: ${longLived})`, async () => {
      const abort = new AbortController();
      const { url, sockets } = await rawServer(answering(sse, 'data: 1\n\ndata: 2\n\n'));
      const answer = asStream(await upstreamAt(url).send(message({ signal: abort.signal, longLived })));
      for await (const event of answer.events) {
        expect(event.data.toString()).toBe('1');
        break;
      }
      await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
      expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
    });
  }

  it('while waiting for a connection is answered at once, and nothing is written later', async () => {
    const abort = new AbortController();
    const bodies: string[] = [];
    let release = () => {};
    const { url } = await httpServer((request, response) => {
      request.on('data', (data) => bodies.push(String(data)));
      release = () => response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
    });
    const upstream = upstreamAt(url, { limits: { connections: 1 } });
    const first = upstream.send(message({ body: Buffer.from('"first"') }));
    await until(() => bodies.length === 1);
    const second = upstream.send(message({ body: Buffer.from('"second"'), signal: abort.signal }));
    const third = upstream.send(message({ body: Buffer.from('"third"') }));
    abort.abort(reason);
    await expect(second).rejects.toBe(reason);
    release();
    await first;
    await until(() => bodies.length === 2);
    release();
    await third;
    expect(bodies).toEqual(['"first"', '"third"']);
  });

  it('after the answer keeps the connection', async () => {
    let connections = 0;
    const { url, server } = await httpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
    });
    server.on('connection', () => connections++);
    const upstream = upstreamAt(url, { limits: { connections: 1 } });
    for (let call = 0; call < 3; call++) {
      const abort = new AbortController();
      await upstream.send(message({ signal: abort.signal }));
      expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
      abort.abort(reason);
    }
    expect(connections).toBe(1);
  });
});
