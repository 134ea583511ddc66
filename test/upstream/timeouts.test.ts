import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { answering, asStream, failureOf, message, pong, rawServer, until, upstreamAt } from './harness.ts';

const json = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const sse = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';

/** Writes `text` on and on, every few milliseconds. */
function dripping(head: string, text: string) {
  return (socket: Socket) => {
    socket.on('data', () => {
      socket.write(head);
      const timer = setInterval(() => socket.write(text), 5);
      socket.on('close', () => clearInterval(timer));
    });
  };
}

function why(error: Error): string {
  return (error.cause as Error).message;
}

describe('times that an upstream may take', () => {
  const long = { headers: '20s', idle: '20s', total: '20s', stream: '20s' };

  it('no answer at all', async () => {
    const { url, sockets } = await rawServer((socket) => socket.resume());
    const failure = await failureOf(
      upstreamAt(url, { timeouts: { ...long, headers: '60ms' } }).send(message()),
    );
    expect([failure.code, why(failure)]).toEqual([
      'upstream-timeout',
      'no answer (waiting): more than 60 ms',
    ]);
    await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
  });

  for (const [name, head, piece] of [
    ['headers that never end', 'HTTP/1.1 200 OK\r\n', 'a: b\r\n'],
    ['a status that never ends', 'HTTP/1.1 200 ', 'a'],
    ['interim answers one after the other', '', 'HTTP/1.1 102 Processing\r\n\r\n'],
  ] as const) {
    it(name, async () => {
      const { url } = await rawServer(dripping(head, piece));
      const timeouts = { ...long, headers: piece.startsWith('HTTP') ? '30ms' : '80ms' };
      const failure = await failureOf(upstreamAt(url, { timeouts }).send(message()));
      expect([failure.code, why(failure)]).toEqual([
        'upstream-timeout',
        expect.stringContaining('no answer'),
      ]);
    });
  }

  it('a body that falls silent', async () => {
    const { url, sockets } = await rawServer(answering(`${json}content-length: 50\r\n\r\n{`));
    const failure = await failureOf(upstreamAt(url, { timeouts: { ...long, idle: '60ms' } }).send(message()));
    expect([failure.code, why(failure)]).toEqual(['upstream-timeout', 'silence: more than 60 ms']);
    await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
  });

  for (const longLived of [false, true]) {
    it(`a stream that falls silent (longLived: ${longLived})`, async () => {
      const { url, sockets } = await rawServer(answering(sse, 'data: 1\n\n'));
      const upstream = upstreamAt(url, { timeouts: { ...long, idle: '60ms' } });
      const events = asStream(await upstream.send(message({ longLived }))).events[Symbol.asyncIterator]();
      expect((await events.next()).value.data.toString()).toBe('1');
      const failure = await failureOf(events.next());
      expect([failure.code, why(failure)]).toEqual(['upstream-timeout', 'silence: more than 60 ms']);
      await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded));
    });
  }

  it('chunk extensions without end do not count as a body', async () => {
    const { url } = await rawServer(dripping(`${json}transfer-encoding: chunked\r\n\r\n1;`, 'a=b;'));
    const failure = await failureOf(upstreamAt(url, { timeouts: { ...long, idle: '80ms' } }).send(message()));
    expect(['upstream-timeout', 'upstream-invalid']).toContain(failure.code);
  });

  it('comments keep a stream from being silent', async () => {
    const { url } = await rawServer((socket) => {
      dripping(sse, ': still here\n\n')(socket);
      socket.on('data', () => setTimeout(() => socket.write('data: late\n\n'), 250));
    });
    const upstream = upstreamAt(url, { timeouts: { ...long, idle: '100ms' } });
    const events = asStream(await upstream.send(message())).events[Symbol.asyncIterator]();
    expect((await events.next()).value.data.toString()).toBe('late');
  });

  it('a call that drips on beyond the total time', async () => {
    const { url } = await rawServer(dripping(`${json}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'));
    const failure = await failureOf(
      upstreamAt(url, { timeouts: { ...long, total: '100ms' } }).send(message()),
    );
    expect([failure.code, why(failure)]).toEqual(['upstream-timeout', 'the whole call: more than 100 ms']);
  });

  it('a stream of a call that goes on beyond the total time', async () => {
    const { url } = await rawServer(dripping(sse, ': still here\n\n'));
    const upstream = upstreamAt(url, { timeouts: { ...long, total: '100ms' } });
    const events = asStream(await upstream.send(message())).events[Symbol.asyncIterator]();
    const failure = await failureOf(events.next());
    expect([failure.code, why(failure)]).toEqual(['upstream-timeout', 'the whole call: more than 100 ms']);
  });

  it('a long-lived stream outlives the total time, but not its own', async () => {
    const { url } = await rawServer(dripping(sse, 'data: 1\n\n'));
    const upstream = upstreamAt(url, { timeouts: { ...long, total: '50ms', stream: '200ms' } });
    const answer = asStream(await upstream.send(message({ verb: 'GET', body: undefined, longLived: true })));
    const events = answer.events[Symbol.asyncIterator]();
    const failure = await failureOf(
      (async () => {
        while (!(await events.next()).done) {}
      })(),
    );
    expect([failure.code, why(failure)]).toEqual(['upstream-timeout', 'the whole call: more than 200 ms']);
  });

  it('a long-lived stream may begin with its first event, however late, but not later than silence may last', async () => {
    const late = await rawServer((socket) => {
      socket.on('data', () => setTimeout(() => socket.write(`${sse}data: 1\n\n`), 150));
    });
    const never = await rawServer((socket) => socket.resume());
    const open = message({ verb: 'GET', body: undefined, longLived: true });
    const timeouts = { ...long, headers: '40ms', total: '60ms' };
    const answer = asStream(await upstreamAt(late.url, { timeouts }).send(open));
    const first = await answer.events[Symbol.asyncIterator]().next();
    expect(first.value.data.toString()).toBe('1');
    const failure = await failureOf(
      upstreamAt(never.url, { timeouts: { ...timeouts, idle: '80ms' } }).send(open),
    );
    expect([failure.code, why(failure)]).toEqual([
      'upstream-timeout',
      'no answer (waiting): more than 80 ms',
    ]);
  });

  it('a long-lived call that is answered with JSON has the total time', async () => {
    const { url } = await rawServer(dripping(`${json}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'));
    const upstream = upstreamAt(url, { timeouts: { ...long, total: '100ms' } });
    const failure = await failureOf(upstream.send(message({ longLived: true })));
    expect([failure.code, why(failure)]).toEqual(['upstream-timeout', 'the whole call: more than 100 ms']);
  });

  it('a call that waits for a free connection', async () => {
    const bodies: string[] = [];
    const { url } = await rawServer((socket) => {
      socket.on('data', (data) => bodies.push(data.toString()));
    });
    const upstream = upstreamAt(url, { timeouts: { ...long, headers: '80ms' }, limits: { connections: 1 } });
    const failures = await Promise.all([
      failureOf(upstream.send(message())),
      failureOf(upstream.send(message())),
    ]);
    expect(failures.map((failure) => failure.code)).toEqual(['upstream-timeout', 'upstream-timeout']);
    // The second one was given up before it was written, and is never written afterwards.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(bodies.length).toBe(1);
  });

  it('an upstream that answers in time is left alone', async () => {
    const { url } = await rawServer(answering(`${json}content-length: ${pong.length}\r\n\r\n${pong}`));
    const upstream = upstreamAt(url, { timeouts: { headers: '2s', idle: '2s', total: '2s' } });
    for (let call = 0; call < 20; call++) {
      expect((await upstream.send(message())).kind).toBe('json');
    }
  });
});
