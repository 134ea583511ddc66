import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EventStream, Reply } from '../../src/pipeline/reply.ts';
import { type IssuedCertificate, makeTestCa, type TestCa } from '../support/certificates.ts';
import { openStream, post } from '../support/raw-client.ts';
import { afterThisTest, answerBody, ping, rawPost, startListener, testFolder, until } from './support.ts';

const event = (text: string) => Buffer.from(`data: ${text}\n\n`);

/** A listener whose handler hands its reply out and then waits for the client to go. */
async function startHeld(limits: Record<string, string> = {}, tls?: { certificate: string; key: string }) {
  const replies: Reply[] = [];
  let gone = 0;
  const listener = await startListener({ limits, ...(tls && { tls }) }, (_arrival, reply) => {
    replies.push(reply);
    return new Promise((resolve) => {
      reply.onClientGone(() => {
        gone += 1;
        resolve();
      });
    });
  });
  return { listener, replies, gone: () => gone };
}

let ca: TestCa;
let server: IssuedCertificate;

beforeAll(async () => {
  ca = await makeTestCa();
  server = await ca.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth'] });
});

async function tlsFiles() {
  const folder = await testFolder({ 'tls.crt': server.certPem, 'tls.key': server.keyPem });
  return { certificate: `${folder}/tls.crt`, key: `${folder}/tls.key` };
}

describe('an event stream', () => {
  it('begins at once, carries events, and ends cleanly', async () => {
    const { listener, replies } = await startHeld();
    const opening = openStream('POST', listener.mcp, { body: ping });
    await until(() => replies.length === 1, 'the request');
    const stream = replies[0]!.stream({ 'mcp-session-id': 's', 'content-type': 'text/html' }, true);
    const reading = await opening;
    expect(reading.status).toBe(200);
    expect(reading.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'mcp-session-id': 's',
    });
    expect(stream.write(event('one'))).toBeUndefined();
    expect(await reading.next()).toMatchObject({ data: 'one' });
    stream.write(event('two'));
    stream.end();
    stream.end();
    expect((await reading.rest()).map(({ data }) => data)).toEqual(['two']);
    expect(stream.write(event('three'))).toBeUndefined();
  });

  it('is kept alive by comments while it is silent, and only then', async () => {
    const { listener, replies } = await startHeld({ streamKeepAlive: '100ms' });
    const socket = connect(listener.address.port, '127.0.0.1');
    afterThisTest(async () => socket.destroy());
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.write(`${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`);
    await until(() => replies.length === 1, 'the request');
    const stream = replies[0]!.stream({}, true);
    const talking = setInterval(() => void stream.write(event('x')), 10);
    await new Promise((resolve) => setTimeout(resolve, 400));
    clearInterval(talking);
    const whileTalking = text.match(/\r\n:\n\n\r\n/g)?.length ?? 0;
    await until(() => (text.match(/\r\n:\n\n\r\n/g)?.length ?? 0) >= whileTalking + 3, 'three comments');
    // A loaded machine may stall the talker, but it cannot have been silent most of the time.
    expect(whileTalking).toBeLessThan(3);
  });

  it('holds its writer back while the client does not read, and lets go when it does', async () => {
    const { listener, replies, gone } = await startHeld();
    const socket = connect(listener.address.port, '127.0.0.1');
    afterThisTest(async () => socket.destroy());
    socket.pause();
    socket.write(`${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`);
    await until(() => replies.length === 1, 'the request');
    const stream = replies[0]!.stream({}, true);
    let written = 0;
    const { waiting } = await fill(stream, () => {
      written += 1;
    });
    let released = false;
    void waiting.then(() => {
      released = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(released).toBe(false);
    let received = 0;
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await waiting;
    stream.end();
    await until(() => received > written * 100_000, 'everything that was written');
    expect(gone()).toBe(0);
  });

  it('is given up where the client stops reading, and its writer is not left waiting', async () => {
    const { listener, replies, gone } = await startHeld({ stallTimeout: '1s', streamKeepAlive: '50ms' });
    const socket = connect(listener.address.port, '127.0.0.1');
    socket.on('error', () => {});
    afterThisTest(async () => socket.destroy());
    socket.pause();
    socket.write(`${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`);
    await until(() => replies.length === 1, 'the request');
    await writeUntil(replies[0]!.stream({}, true), () => gone() === 1);
  });

  it('tells when its client leaves', async () => {
    const { listener, replies, gone } = await startHeld();
    const opening = openStream('GET', listener.mcp);
    await until(() => replies.length === 1, 'the request');
    const stream = replies[0]!.stream({}, true);
    (await opening).abort();
    await until(() => gone() === 1, 'the handler to know');
    expect(stream.write(event('late'))).toBeUndefined();
    stream.end();
    // Too late to register is told at once.
    let late = false;
    replies[0]!.onClientGone(() => {
      late = true;
    });
    expect(late).toBe(true);
    expect(gone()).toBe(1);
  });
});

describe('an event stream on HTTP/2', () => {
  async function startHttp2(limits: Record<string, string> = {}) {
    const held = await startHeld(limits, await tlsFiles());
    const session = connectHttp2(held.listener.address.url, { ca: ca.caPem });
    session.on('error', () => {});
    afterThisTest(async () => session.destroy());
    const open = () => {
      const stream = session.request({ ':method': 'GET', ':path': '/w/mcp', accept: 'text/event-stream' });
      stream.on('error', () => {});
      return stream;
    };
    return { ...held, session, open };
  }

  it('carries events and comments, and ends cleanly', async () => {
    const { replies, open } = await startHttp2({ streamKeepAlive: '50ms' });
    const reading = open();
    let text = '';
    reading.on('data', (chunk) => {
      text += chunk.toString();
    });
    const responded = once(reading, 'response');
    await until(() => replies.length === 1, 'the request');
    const stream = replies[0]!.stream({}, true);
    const [headers] = await responded;
    expect(headers).toMatchObject({ ':status': 200, 'x-accel-buffering': 'no' });
    expect(headers).not.toHaveProperty('connection');
    stream.write(event('one'));
    await until(() => text.includes('data: one\n\n') && text.includes(':\n\n'), 'an event and a comment');
    stream.end();
    await once(reading, 'end');
  });

  it('tells when its stream is reset, while the others on the connection go on', async () => {
    const { replies, gone, open } = await startHttp2();
    const first = open();
    await until(() => replies.length === 1, 'the first request');
    replies[0]!.stream({}, true);
    const second = open();
    await until(() => replies.length === 2, 'the second request');
    const stream = replies[1]!.stream({}, true);
    first.close(8);
    await until(() => gone() === 1, 'the handler to know');
    stream.write(event('still here'));
    const [chunk] = (await once(second, 'data')) as [Buffer];
    expect(chunk.toString()).toBe('data: still here\n\n');
  });

  it('holds its writer back, and is given up where the client never reads', async () => {
    const { replies, gone, open } = await startHttp2({ stallTimeout: '1s' });
    const reading = open();
    reading.pause();
    await until(() => replies.length === 1, 'the request');
    await writeUntil(replies[0]!.stream({}, true), () => gone() === 1);
  });
});

describe('a whole answer', () => {
  it('that the client does not take ends the connection, and cancels nothing any more', async () => {
    let gone = false;
    const listener = await startListener({ limits: { stallTimeout: '100ms' } }, async (_arrival, reply) => {
      reply.onClientGone(() => {
        gone = true;
      });
      reply.send(200, {}, Buffer.alloc(12_000_000));
    });
    const socket = connect(listener.address.port, '127.0.0.1');
    afterThisTest(async () => socket.destroy());
    socket.pause();
    socket.write(`${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`);
    await until(() => listener.arrivals.length === 1, 'the request');
    await listener.close(20_000);
    expect(gone).toBe(false);
  });

  it('is given once', async () => {
    const thrown: unknown[] = [];
    const listener = await startListener({}, async (_arrival, reply) => {
      reply.send(200, {}, answerBody);
      for (const again of [() => reply.send(200, {}, answerBody), () => reply.stream({}, true)]) {
        try {
          again();
        } catch (error) {
          thrown.push(error);
        }
      }
    });
    expect((await post(listener.mcp, ping)).body).toEqual(answerBody);
    expect(thrown).toHaveLength(2);
  });

  it('with a header that cannot be sent is an internal error, not a broken connection', async () => {
    const listener = await startListener({}, async (_arrival, reply) => {
      reply.send(200, { 'x-a': 'b\r\nset-cookie: evil=1' }, answerBody);
    });
    const answer = await post(listener.mcp, ping);
    expect(answer.status).toBe(500);
    expect(answer.headers).not.toHaveProperty('set-cookie');
  });
});

describe('draining', () => {
  it('ends open streams, and the exchanges behind them learn it', async () => {
    const { listener, replies, gone } = await startHeld();
    const opening = openStream('GET', listener.mcp);
    await until(() => replies.length === 1, 'the request');
    const stream = replies[0]!.stream({}, true);
    const reading = await opening;
    stream.write(event('last'));
    const closing = listener.close(10_000);
    expect((await reading.rest()).map(({ data }) => data)).toEqual(['last']);
    await closing;
    expect(gone()).toBe(1);
  });

  it('lets a running request finish, says close, and takes no new connection', async () => {
    let release = () => {};
    const listener = await startListener({}, async (_arrival, reply) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      reply.send(200, {}, answerBody);
    });
    const asking = post(listener.mcp, ping);
    await until(() => listener.arrivals.length === 1, 'the request');
    listener.stopAccepting();
    await expect(post(listener.mcp, ping)).rejects.toThrow(/ECONNREFUSED/);
    const closing = listener.close(10_000);
    release();
    const answer = await asking;
    expect(answer.status).toBe(200);
    expect(answer.headers['connection']).toBe('close');
    await closing;
  });

  it('cuts what is left at the deadline', async () => {
    const { listener, replies, gone } = await startHeld();
    const asking = post(listener.mcp, ping).catch((error: Error) => error);
    await until(() => replies.length === 1, 'the request');
    await listener.close(50);
    expect(await asking).toBeInstanceOf(Error);
    expect(gone()).toBe(1);
    await listener.close(50);
  });

  it('is not held up by connections that say nothing', async () => {
    const { listener } = await startHeld();
    const socket = connect(listener.address.port, '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.resume();
    await listener.close(10_000);
    await closed;
  });

  it('sends GOAWAY on HTTP/2 and lets its streams finish', async () => {
    const { listener, replies } = await startHeld({}, await tlsFiles());
    const session = connectHttp2(listener.address.url, { ca: ca.caPem });
    session.on('error', () => {});
    afterThisTest(async () => session.destroy());
    const stream = session.request({ ':path': '/w/mcp', accept: 'text/event-stream' });
    await until(() => replies.length === 1, 'the request');
    const goaway = once(session, 'goaway');
    listener.stopAccepting();
    const [code] = await goaway;
    expect(code).toBe(0);
    replies[0]!.send(200, {}, answerBody);
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    stream.resume();
    await listener.close(10_000);
  });
});

/** Writes until the client's side is full. @returns the promise that the last write gave, wrapped so that it is not waited for */
async function fill(stream: EventStream, wrote: () => void): Promise<{ readonly waiting: Promise<void> }> {
  for (let count = 0; count < 2000; count += 1) {
    wrote();
    const waiting = stream.write(Buffer.alloc(100_000, 'a'));
    // What the kernel takes lets go at once; what it does not take stays.
    if (waiting !== undefined && (await Promise.race([waiting, pause(300)])) === 'paused') return { waiting };
  }
  throw new Error('A client that does not read takes everything');
}

/** Writes on, as a relay would, until the client counts as gone. The kernel's buffers grow for a while, but not for ever. */
async function writeUntil(stream: EventStream, gone: () => boolean): Promise<void> {
  for (let count = 0; !gone(); count += 1) {
    if (count > 2000) throw new Error('A client that does not read takes everything');
    await stream.write(Buffer.alloc(100_000, 'a'));
  }
}

function pause(ms: number): Promise<'paused'> {
  return new Promise((resolve) => setTimeout(() => resolve('paused'), ms));
}
