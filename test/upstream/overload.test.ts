import { describe, expect, it } from 'vitest';
import { asStream, failureOf, httpServer, message, pong, until, upstreamAt } from './harness.ts';

describe('more calls than the upstream may have', () => {
  it('wait up to a number, and are refused beyond it', async () => {
    const waiting: (() => void)[] = [];
    const { url } = await httpServer((_, response) => {
      waiting.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end(pong));
    });
    const upstream = upstreamAt(url, { limits: { connections: 2, queued: 3 } });
    const calls = Array.from({ length: 5 }, () => upstream.send(message()));
    const failure = await failureOf(upstream.send(message()));
    expect([failure.code, failure.message, failure.headers]).toEqual([
      'overloaded',
      'The gateway is too busy: try again later',
      { 'retry-after': '1' },
    ]);
    for (let answered = 0; answered < 5; answered++) {
      await until(() => waiting.length > 0);
      expect(waiting.length).toBeLessThanOrEqual(2);
      waiting.shift()?.();
    }
    expect((await Promise.all(calls)).map((answer) => answer.kind)).toEqual(Array(5).fill('json'));
    const next = upstream.send(message());
    await until(() => waiting.length > 0);
    waiting.shift()?.();
    expect((await next).kind).toBe('json');
  });

  it('streams that only listen do not keep calls from being made', async () => {
    const { url } = await httpServer((request, response) => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': open\n\n');
      } else {
        response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
      }
    });
    const upstream = upstreamAt(url, { limits: { connections: 1, queued: 0, streams: 3 } });
    const listen = () => upstream.send(message({ verb: 'GET', body: undefined, longLived: true }));
    const streams = [asStream(await listen()), asStream(await listen()), asStream(await listen())];
    expect((await failureOf(listen())).code).toBe('overloaded');
    expect((await upstream.send(message())).kind).toBe('json');
    await streams[0]!.events[Symbol.asyncIterator]().return?.();
    asStream(await listen());
  });
});
