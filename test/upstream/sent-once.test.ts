import { describe, expect, it } from 'vitest';
import { failureOf, message, pong, rawServer, upstreamAt } from './harness.ts';

const answer = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${pong.length}\r\n\r\n${pong}`;

describe('a message is sent at most once', () => {
  for (const verb of ['POST', 'GET', 'DELETE'] as const) {
    for (const way of ['end', 'destroy', 'resetAndDestroy'] as const) {
      it(`${verb}, when a kept connection is closed by ${way} upon the second request`, async () => {
        let requests = 0;
        const { url, sockets } = await rawServer((socket) => {
          let onThisSocket = 0;
          socket.on('data', () => {
            requests++;
            if (++onThisSocket === 1) {
              socket.write(answer);
            } else {
              socket[way]();
            }
          });
        });
        const upstream = upstreamAt(url, { limits: { connections: 1 } });
        const body = verb === 'POST' ? Buffer.from('{}') : undefined;
        expect((await upstream.send(message({ verb, body }))).kind).toBe('json');
        const failure = await failureOf(upstream.send(message({ verb, body })));
        expect(failure.code).toBe('upstream-closed');
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect([requests, sockets.length]).toEqual([2, 1]);
        // The upstream is used again by the next message.
        expect((await upstream.send(message({ verb, body }))).kind).toBe('json');
        expect([requests, sockets.length]).toEqual([3, 2]);
      });
    }
  }

  it('a connection that was closed while idle costs nothing', async () => {
    let requests = 0;
    const { url, sockets } = await rawServer((socket) => {
      socket.on('data', () => {
        requests++;
        socket.end(answer);
      });
    });
    const upstream = upstreamAt(url, { limits: { connections: 1 } });
    for (let call = 0; call < 10; call++) {
      expect((await upstream.send(message())).kind).toBe('json');
      await new Promise((resolve) => setTimeout(resolve, call % 3));
    }
    expect([requests, sockets.length]).toEqual([10, 10]);
  });
});
