import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { asStream, httpServer, message, rawServer, until, upstreamAt } from './harness.ts';

const event = Buffer.from(`data: ${JSON.stringify({ text: 'x'.repeat(8 * 1024 - 30) })}\n\n`);
const total = 50 * 1024 * 1024;

/** What the kernel's own buffers and the gateway's queue may hold together: far less than what is offered. */
const allowance = 24 * 1024 * 1024;

it('a slow consumer stops the upstream from sending, and gets every event in the end', async () => {
  let socket: Socket | undefined;
  let refusals = 0;
  const { url } = await httpServer(async (request, response) => {
    socket = request.socket;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let sent = 0; sent < total && !response.destroyed; sent += event.length) {
      if (!response.write(event)) {
        refusals++;
        await once(response, 'drain').catch(() => {});
      }
    }
    response.end();
  });

  const events = asStream(await upstreamAt(url).send(message())).events[Symbol.asyncIterator]();
  const first = await events.next();
  expect(first.value.data.length).toBe(event.length - 'data: \n\n'.length);

  // Wait until nothing moves any more.
  let before = -1;
  while (before !== socket!.bytesWritten) {
    before = socket!.bytesWritten;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(refusals).toBeGreaterThan(0);
  expect(socket!.writableLength + socket!.bytesWritten).toBeLessThan(allowance);

  let count = 1;
  while (!(await events.next()).done) {
    count++;
  }
  expect(count).toBe(Math.ceil(total / event.length));
});

it('a paused stream does not count as silent', async () => {
  const { url } = await httpServer(async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let sent = 0; sent < 200; sent++) {
      response.write(event);
    }
    response.end();
  });
  const upstream = upstreamAt(url, { timeouts: { idle: '60ms' } });
  const events = asStream(await upstream.send(message())).events[Symbol.asyncIterator]();
  await events.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  let count = 1;
  while (!(await events.next()).done) {
    count++;
  }
  expect(count).toBe(200);
});

it('a consumer that never comes does not hold the upstream beyond the total time', async () => {
  const { url, sockets } = await rawServer((socket) => {
    socket.on('data', () => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n');
      const more = () => {
        while (!socket.destroyed && socket.write(event)) {}
      };
      socket.on('drain', more);
      more();
    });
  });
  const upstream = upstreamAt(url, { timeouts: { total: '150ms' } });
  asStream(await upstream.send(message()));
  await until(() => sockets.every((socket) => socket.destroyed));
});
