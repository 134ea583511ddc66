import { expect, it } from 'vitest';
import { asStream, failureOf, message, rawServer, until, upstreamAt } from './harness.ts';

it('closing ends running calls and streams, closes every socket and refuses what comes later', async () => {
  const { url, sockets } = await rawServer((socket) => {
    socket.on('data', (data) => {
      if (String(data).startsWith('GET')) {
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n');
      }
    });
  });
  const upstream = upstreamAt(url, { limits: { connections: 1 } });
  const calls = [failureOf(upstream.send(message())), failureOf(upstream.send(message()))];
  const stream = asStream(await upstream.send(message({ verb: 'GET', body: undefined, longLived: true })));
  const events = stream.events[Symbol.asyncIterator]();
  await events.next();
  const next = failureOf(events.next());
  await until(() => sockets.length === 2);
  await upstream.close();
  expect((await Promise.all([...calls, next])).map((failure) => failure.code)).toEqual(
    Array(3).fill('draining'),
  );
  await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
  expect((await failureOf(upstream.send(message()))).code).toBe('draining');
  await upstream.close();
});
