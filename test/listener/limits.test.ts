import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Admission } from '../../src/listener/connections.ts';
import { post, sendBytes } from '../support/raw-client.ts';
import { afterThisTest, answerBody, dial, ping, rawPost, readAll, startListener, until } from './support.ts';

describe('size', () => {
  it('of headers is bounded', async () => {
    const listener = await startListener({ limits: { headerBytes: 2048 } });
    const { text } = await sendBytes(listener.mcp, [
      `${rawPost(listener, [`X-A: ${'a'.repeat(4000)}`])}\r\n`,
    ]);
    expect(text).toMatch(/^HTTP\/1\.1 431 .*"reason":"header-too-large"/s);
    expect(listener.refusals).toMatchObject([{ code: 'header-too-large', status: 431 }]);
  });

  it('of the number of headers is bounded, and none is dropped in silence', async () => {
    const listener = await startListener();
    const many = Array.from({ length: 130 }, () => 'A: b');
    const { text } = await sendBytes(listener.mcp, [
      `${rawPost(listener, [...many, 'Content-Length: 0'])}\r\n`,
    ]);
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('of a body is bounded by what it says', async () => {
    const listener = await startListener({ limits: { bodyBytes: 100 } });
    expect((await post(listener.mcp, `"${'a'.repeat(98)}"`)).status).toBe(200);
    const answer = await post(listener.mcp, `"${'a'.repeat(99)}"`);
    expect(answer.status).toBe(413);
    expect(answer.headers['connection']).toBe('close');
    expect(answer.json()).toMatchObject({ error: { code: 4130, data: { reason: 'body-too-large' } } });
    expect(listener.refusals).toMatchObject([{ code: 'body-too-large', status: 413, upstream: 'w' }]);
    expect(listener.arrivals).toHaveLength(1);
  });

  it('of a body is bounded by what comes, and the rest is not read', async () => {
    const listener = await startListener({ limits: { bodyBytes: 1000 } });
    const socket = await dial(listener);
    const read = readAll(socket);
    socket.write(`${rawPost(listener, ['Transfer-Encoding: chunked'])}\r\n`);
    const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
    for (let count = 0; count < 400 && !socket.destroyed; count += 1) socket.write(chunk);
    expect(await read).toMatch(/^HTTP\/1\.1 413 .*connection: close.*"reason":"body-too-large"/is);
    expect(listener.refusals).toHaveLength(1);
  });

  it('of a body that is announced too large is refused before the client sends it', async () => {
    const listener = await startListener({ limits: { bodyBytes: 100 } });
    const head = rawPost(listener, ['Content-Length: 101', 'Expect: 100-continue']);
    const { text } = await sendBytes(listener.mcp, [`${head}\r\n`], { quiet: 2000 });
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });
});

it('says 100 Continue only to a request that may come in', async () => {
  const listener = await startListener();
  const socket = await dial(listener);
  socket.write(`${rawPost(listener, [`Content-Length: ${ping.length}`, 'Expect: 100-continue'])}\r\n`);
  const [first] = (await once(socket, 'data')) as [Buffer];
  expect(first.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  socket.write(ping);
  const [second] = (await once(socket, 'data')) as [Buffer];
  expect(second.toString()).toMatch(/^HTTP\/1\.1 200 /);
  const refused = await sendBytes(listener.mcp, [
    `${rawPost(listener, ['Content-Length: 2', 'Expect: 100-continue', 'Origin: null'])}\r\n`,
  ]);
  expect(refused.text).toMatch(/^HTTP\/1\.1 403 /);
});

describe('time', () => {
  it('for headers is bounded', async () => {
    const listener = await startListener({ limits: { headersTimeout: '100ms' } });
    const socket = await dial(listener);
    const read = readAll(socket);
    socket.write('POST /w/mcp HTTP/1.1\r\nHost: 127');
    expect(await read).toMatch(/^HTTP\/1\.1 408 .*"reason":"request-timeout"/s);
    expect(listener.refusals).toMatchObject([{ code: 'request-timeout', status: 408 }]);
  });

  it('for saying anything at all is bounded, and silence is not worth a record', async () => {
    const listener = await startListener({ limits: { headersTimeout: '100ms' } });
    const socket = await dial(listener);
    expect(await readAll(socket)).toBe('');
    expect(listener.refusals).toHaveLength(0);
  });

  it('for a body is bounded, however it trickles', async () => {
    const listener = await startListener({ limits: { bodyTimeout: '150ms' } });
    const socket = await dial(listener);
    const read = readAll(socket);
    socket.write(`${rawPost(listener, ['Content-Length: 1000'])}\r\n`);
    const trickle = setInterval(() => socket.write('a'), 20);
    const text = await read;
    clearInterval(trickle);
    expect(text).toMatch(/^HTTP\/1\.1 408 .*connection: close/is);
    expect(listener.refusals).toMatchObject([{ code: 'request-timeout', status: 408, upstream: 'w' }]);
    expect(listener.arrivals).toHaveLength(0);
  });

  it('does not bound how long an answer takes', async () => {
    const listener = await startListener(
      {
        limits: {
          bodyTimeout: '300ms',
          headersTimeout: '300ms',
          idleTimeout: '300ms',
          stallTimeout: '300ms',
        },
      },
      async (_arrival, reply) => {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        reply.send(200, {}, answerBody);
      },
    );
    expect((await post(listener.mcp, ping)).status).toBe(200);
  });

  it('without requests ends a kept connection', async () => {
    const listener = await startListener({ limits: { idleTimeout: '100ms' } });
    const socket = await dial(listener);
    socket.write(`${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`);
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('connections', () => {
  it('are bounded in all, and the next comes in when one leaves', async () => {
    const listener = await startListener({ limits: { connections: 2 } });
    const first = await dial(listener);
    await dial(listener);
    const third = await dial(listener);
    expect(await readAll(third)).toBe('');
    expect(listener.refusals).toMatchObject([{ code: 'overloaded', status: 0, verb: '-' }]);
    first.destroy();
    await until(() => first.destroyed, 'the first connection to close');
    const answers = async () => (await post(listener.mcp, ping).catch(() => undefined))?.status;
    let status = await answers();
    for (let tries = 0; status !== 200 && tries < 100; tries += 1) status = await answers();
    expect(status).toBe(200);
  });

  it('are bounded per address', async () => {
    const listener = await startListener({ limits: { connectionsPerAddress: 1, trusted: [] } });
    await dial(listener);
    expect(await readAll(await dial(listener))).toBe('');
    expect(listener.refusals).toMatchObject([{ code: 'flooded', status: 0 }]);
    const other = connect({ port: listener.address.port, host: '127.0.0.1', localAddress: '127.0.0.9' });
    afterThisTest(async () => other.destroy());
    other.write(`${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`);
    const [data] = (await once(other, 'data')) as [Buffer];
    expect(data.toString()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('leave nothing in the books', async () => {
    const listener = await startListener();
    const admission = new Admission({ connections: 2, connectionsPerAddress: 1 });
    const socket = await dial(listener);
    expect(admission.enter(socket, '192.0.2.1')).toBeUndefined();
    expect(admission.enter(socket, '192.0.2.1')).toBe('flooded');
    socket.destroy();
    await once(socket, 'close');
    expect(admission.sockets.size).toBe(0);
    const next = await dial(listener);
    expect(admission.enter(next, '192.0.2.1')).toBeUndefined();
  });

  it('have an eighth of their places kept for those who are known', async () => {
    const listener = await startListener();
    const admission = new Admission({ connections: 8, connectionsPerAddress: 100 });
    const sockets = await Promise.all(Array.from({ length: 8 }, () => dial(listener)));
    const entered = sockets.map((socket) => admission.enter(socket, '192.0.2.1'));
    expect(entered).toEqual([...Array(7).fill(undefined), 'overloaded']);
    expect(admission.enter(sockets[7]!, '192.0.2.2', true)).toBeUndefined();
    expect(admission.enter(await dial(listener), '192.0.2.2', true)).toBe('overloaded');
  });

  it('grow old: the next answer says so and is the last', async () => {
    const listener = await startListener({ limits: { connectionAge: '500ms' } });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    afterThisTest(async () => agent.destroy());
    const ask = () =>
      new Promise<string | undefined>((resolve, reject) => {
        const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
        const sent = request(listener.mcp, { method: 'POST', agent, headers }, (response) => {
          response.resume().once('end', () => resolve(response.headers.connection));
        });
        sent.once('error', reject);
        sent.end(ping);
      });
    expect(await ask()).toBe('keep-alive');
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(await ask()).toBe('close');
    expect(await ask()).toBe('keep-alive');
  });

  it('end after so many requests', async () => {
    const listener = await startListener({ limits: { requestsPerConnection: 2 } });
    const socket = await dial(listener);
    const read = readAll(socket);
    const whole = `${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`;
    socket.write(whole);
    await once(socket, 'data');
    socket.write(whole);
    const text = await read;
    expect(text.match(/connection: \S+/gi)).toEqual(['Connection: keep-alive', 'connection: close']);
  });

  it('that break off in every phase leave nothing open and nothing uncaught', async () => {
    let seen = 0;
    let gone = 0;
    const listener = await startListener({}, async (_arrival, reply) => {
      seen += 1;
      const left = new Promise<void>((resolve) => reply.onClientGone(resolve));
      const stream = reply.stream({}, true);
      void stream.write(Buffer.alloc(100_000, 'a'));
      await left;
      gone += 1;
      // Whoever is slow to notice may go on: nothing happens.
      expect(stream.write(Buffer.from('late'))).toBeUndefined();
      stream.end();
    });
    const head = `${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n`;
    for (const bytes of ['', 'PO', head.slice(0, 40), head, head + ping.slice(0, 5), head + ping]) {
      const socket = await dial(listener);
      socket.write(bytes);
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.resetAndDestroy();
    }
    await until(() => gone === 1, 'the handler to learn that its client left');
    expect(seen).toBe(1);
    expect(listener.refusals).toHaveLength(0);
    await listener.close(1000);
  });
});
