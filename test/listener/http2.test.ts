import { once } from 'node:events';
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2';
import { beforeAll, describe, expect, it } from 'vitest';
import { type IssuedCertificate, makeTestCa, type TestCa } from '../support/certificates.ts';
import { afterThisTest, answerBody, answerOk, ping, startListener, testFolder, until } from './support.ts';

let ca: TestCa;
let server: IssuedCertificate;

beforeAll(async () => {
  ca = await makeTestCa();
  server = await ca.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth'] });
});

const honest = {
  ':method': 'POST',
  ':path': '/w/mcp',
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

async function start(options: Parameters<typeof startListener>[0] = {}, handle = answerOk) {
  const folder = await testFolder({ 'tls.crt': server.certPem, 'tls.key': server.keyPem });
  const listener = await startListener(
    { ...options, tls: { certificate: `${folder}/tls.crt`, key: `${folder}/tls.key` } },
    handle,
  );
  const dial = () => {
    const session = connect(listener.address.url, { ca: ca.caPem });
    session.on('error', () => {});
    afterThisTest(async () => session.destroy());
    return session;
  };
  return { listener, dial, session: dial() };
}

interface Answer {
  readonly status: number | string;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

/** Status of the answer, or the code with which the stream was reset. */
function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: string | Buffer,
  trailers?: OutgoingHttpHeaders,
) {
  return new Promise<Answer>((resolve) => {
    const stream = session.request(headers, { waitForTrailers: trailers !== undefined, endStream: false });
    let head: Record<string, unknown> | undefined;
    let text = '';
    stream.on('response', (received) => {
      head = received as unknown as Record<string, unknown>;
    });
    stream.on('data', (chunk) => {
      text += chunk.toString();
    });
    stream.on('error', () => {});
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}));
    stream.on('close', () =>
      resolve({
        status: (head?.[':status'] as number | undefined) ?? `reset ${stream.rstCode}`,
        headers: head ?? {},
        text,
      }),
    );
    stream.end(body);
  });
}

describe('on HTTP/2', () => {
  it('a request arrives without its pseudo-headers, and the answer has no connection header', async () => {
    const { listener, session } = await start();
    const answer = await ask(session, { ...honest, 'mcp-session-id': 's' }, ping);
    expect(answer).toMatchObject({ status: 200, text: answerBody.toString() });
    expect(Object.keys(answer.headers).sort()).toEqual([
      ':status',
      'cache-control',
      'content-length',
      'content-type',
      'date',
      'x-content-type-options',
    ]);
    const [arrival] = listener.arrivals;
    expect(arrival).toMatchObject({ verb: 'POST', upstream: 'w', body: Buffer.from(ping) });
    expect(arrival!.rawHeaders.some((text) => text.startsWith(':'))).toBe(false);
    expect(arrival!.rawHeaders).toContain('mcp-session-id');
  });

  it('an authority is checked, and must agree with Host', async () => {
    const { listener, session } = await start();
    const own = `127.0.0.1:${listener.address.port}`;
    for (const extra of [
      { ':authority': 'evil.example' },
      { ':authority': own, host: 'evil.example' },
      { ':authority': 'evil.example', host: own },
      { ':authority': own, host: '127.0.0.1' },
      { ':authority': own, origin: 'null' },
      { ':authority': own, origin: 'https://evil.example' },
    ]) {
      const { status } = await ask(session, { ...honest, ...extra }, ping);
      expect([extra, status]).toEqual([extra, expect.toSatisfy((code) => code === 403 || code === 400)]);
    }
    expect(listener.arrivals).toHaveLength(0);
    expect(listener.refusals).toHaveLength(6);
    expect((await ask(session, { ...honest, ':authority': own, host: own }, ping)).status).toBe(200);
  });

  it('the same disguises as on HTTP/1.1 are refused, one stream each, and the connection lives on', async () => {
    const { listener, session } = await start({ limits: { bodyBytes: 1000 } });
    const cases: readonly (readonly [OutgoingHttpHeaders, number, string?])[] = [
      [{ ':path': '/W/mcp' }, 404],
      [{ ':path': '/%77/mcp' }, 404],
      [{ ':path': '/w/mcp/' }, 404],
      [{ ':method': 'PUT' }, 405],
      [{ ':method': 'OPTIONS' }, 405],
      [{ ':method': 'MADE-UP' }, 405],
      [{ ':method': 'post' }, 405],
      [{ 'content-type': 'text/plain' }, 415],
      [{ 'content-encoding': 'gzip' }, 415],
      [{ accept: '*/*' }, 406],
      [{ expect: 'magic' }, 400],
      [{ 'content-length': 5000 }, 413, 'a'.repeat(5000)],
      [{}, 413, 'a'.repeat(5000)],
    ];
    for (const [extra, status, body] of cases) {
      expect([extra, (await ask(session, { ...honest, ...extra }, body ?? ping)).status]).toEqual([
        extra,
        status,
      ]);
    }
    expect(listener.arrivals).toHaveLength(0);
    expect(listener.refusals.map((refusal) => refusal.status)).toEqual(cases.map(([, status]) => status));
    expect((await ask(session, honest, ping)).status).toBe(200);
  });

  it('requests that the protocol itself forbids are reset, and reach nobody', async () => {
    const { listener, session } = await start();
    for (const extra of [
      { ':path': '*' },
      { ':path': '' },
      { ':path': 'https://127.0.0.1/w/mcp' },
      { ':authority': 'user@127.0.0.1' },
      { ':scheme': '' },
      { 'content-length': 5 },
      { 'content-length': 500 },
    ]) {
      expect([extra, (await ask(session, { ...honest, ...extra }, ping)).status]).toEqual([
        extra,
        expect.stringMatching(/^reset [12]$/),
      ]);
    }
    expect(listener.arrivals).toHaveLength(0);
  });

  it('CONNECT is refused', async () => {
    const { listener, session } = await start();
    const own = `127.0.0.1:${listener.address.port}`;
    const stream = session.request({ ':method': 'CONNECT', ':authority': own }, { endStream: true });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(404);
    expect(listener.refusals).toMatchObject([{ verb: 'CONNECT' }]);
  });

  it('trailers and bodies where none belong are refused', async () => {
    const { listener, session } = await start();
    expect((await ask(session, honest, ping, { 'mcp-name': 'x' })).status).toBe(400);
    expect((await ask(session, { ...honest, ':method': 'DELETE', 'content-length': 2 }, '{}')).status).toBe(
      400,
    );
    expect(listener.arrivals).toHaveLength(0);
    // Without a length a body cannot be seen coming; it is never read, and never reaches anybody.
    expect((await ask(session, { ...honest, ':method': 'DELETE' }, '{}')).status).toBe(200);
    expect(listener.arrivals.map(({ body }) => body.length)).toEqual([0]);
  });

  it('many and long headers are refused', async () => {
    const { listener, session } = await start({ limits: { headerBytes: 4096 } });
    const many = Object.fromEntries(Array.from({ length: 140 }, (_value, index) => [`x-${index}`, 'a']));
    expect((await ask(session, { ...honest, ...many }, ping)).status).not.toBe(200);
    expect((await ask(session, { ...honest, 'x-a': 'a'.repeat(8000) }, ping)).status).not.toBe(200);
    expect(listener.arrivals).toHaveLength(0);
  });

  it('a body that stops is answered with 408', async () => {
    const { listener, session } = await start({ limits: { bodyTimeout: '150ms' } });
    const stream = session.request(honest);
    stream.on('error', () => {});
    stream.write('{');
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(408);
    await once(stream.resume(), 'close');
    expect(listener.refusals).toMatchObject([{ code: 'request-timeout', status: 408, upstream: 'w' }]);
  });

  it('streams at once are bounded', async () => {
    const { listener, session } = await start({ limits: { http2Streams: 3 } }, () => new Promise(() => {}));
    const [settings] = await once(session, 'remoteSettings');
    expect(settings).toMatchObject({ maxConcurrentStreams: 3, enablePush: false });
    for (let count = 0; count < 6; count += 1) {
      session
        .request({ ...honest })
        .on('error', () => {})
        .end(ping);
    }
    await until(() => listener.arrivals.length === 3, 'three requests');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(listener.arrivals).toHaveLength(3);
  });

  it('a flood of resets ends the connection, and every exchange learns it', async () => {
    let begun = 0;
    let gone = 0;
    const { session } = await start({}, (_arrival, reply) => {
      begun += 1;
      return new Promise((resolve) => {
        reply.onClientGone(() => {
          gone += 1;
          resolve();
        });
      });
    });
    await once(session, 'connect');
    for (let count = 0; count < 2000 && !session.closed && !session.destroyed; count += 1) {
      const stream = session.request({ ...honest, ':method': 'GET' });
      stream.on('error', () => {});
      // Otherwise the client keeps request and reset to itself.
      await new Promise((resolve) => setImmediate(resolve));
      stream.close(8);
    }
    await until(() => session.destroyed || session.closed, 'the connection to end');
    await until(() => gone === begun, 'every exchange to know');
  });

  it('a connection grows old: GOAWAY, also where a request before was refused unread', async () => {
    const { session } = await start({ limits: { connectionAge: '500ms' } });
    const goaway = once(session, 'goaway');
    // Refused by its headers, while its body is still to come.
    const stream = session.request({ ...honest, ':path': '/nowhere' });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(404);
    stream.resume();
    const [code] = await goaway;
    expect(code).toBe(0);
    await until(() => session.destroyed, 'the connection to end');
  });

  it('a connection grows old: GOAWAY, and what runs may finish', async () => {
    let release = () => {};
    const { session } = await start({ limits: { connectionAge: '500ms' } }, async (_arrival, reply) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      reply.send(200, {}, answerBody);
    });
    const goaway = once(session, 'goaway');
    const asking = ask(session, honest, ping);
    const [code] = await goaway;
    expect(code).toBe(0);
    release();
    expect((await asking).status).toBe(200);
    await until(() => session.destroyed, 'the connection to end');
  });

  it('a connection without streams ends', async () => {
    const { session } = await start({ limits: { idleTimeout: '100ms' } });
    expect((await ask(session, honest, ping)).status).toBe(200);
    await until(() => session.destroyed, 'the connection to end');
  });

  it('a fault in the gateway is answered or resets the stream, and the connection lives on', async () => {
    let faults = 0;
    const { session } = await start({}, async (_arrival, reply) => {
      faults += 1;
      if (faults === 2) void reply.stream({}, true).write(Buffer.from('data: x\n\n'));
      throw new Error('broken');
    });
    expect((await ask(session, honest, ping)).status).toBe(500);
    const second = session.request(honest);
    second.on('error', () => {});
    second.end(ping);
    second.resume();
    await until(() => second.closed, 'the stream to end');
    expect(second.rstCode).toBe(2);
    expect(session.destroyed).toBe(false);
  });
});
