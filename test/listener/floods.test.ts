import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { Blocks } from '../../src/listener/blocks.ts';
import { KnownAddresses } from '../../src/listener/known-addresses.ts';
import { blocksOptions } from '../../src/listener/options.ts';
import { type IssuedCertificate, makeTestCa, type TestCa } from '../support/certificates.ts';
import { afterThisTest, ping, rawPost, startListener, type TestListener, testFolder } from './support.ts';

let ca: TestCa;
let server: IssuedCertificate;

beforeAll(async () => {
  ca = await makeTestCa();
  server = await ca.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth'] });
});

async function overTls(
  options: Parameters<typeof startListener>[0],
  more: Parameters<typeof startListener>[2] = {},
): Promise<TestListener> {
  const folder = await testFolder({ 'tls.crt': server.certPem, 'tls.key': server.keyPem });
  const tls = { certificate: `${folder}/tls.crt`, key: `${folder}/tls.key` };
  return startListener({ ...options, tls }, undefined, more);
}

async function dial(listener: TestListener, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port: listener.address.port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  afterThisTest(async () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Whether a TLS handshake succeeds from an address. */
function shakesHands(listener: TestListener, localAddress = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({
      port: listener.address.port,
      host: '127.0.0.1',
      localAddress,
      ca: ca.caPem,
    } as ConnectionOptions);
    afterThisTest(async () => socket.destroy());
    socket.once('secureConnect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}

/** All that comes until the other side closes, or a whole answer is there. */
function answerOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!/\r\n\r\n\{.*\}$/s.test(text)) return;
      socket.removeListener('data', read);
      resolve(text);
    };
    socket.on('data', read);
    socket.once('close', () => resolve(text));
  });
}

const whole = (listener: TestListener): string =>
  `${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`;

const slow = { rate: '1/h', burst: 2 } as const;

describe('handshakes', () => {
  it('beyond the rate of an address are closed before TLS begins; other addresses come in', async () => {
    const flooded: string[] = [];
    const listener = await overTls(
      { limits: { trusted: [], rates: { handshakesPerAddress: slow } } },
      { onFlood: (kind) => flooded.push(kind) },
    );
    expect([await shakesHands(listener), await shakesHands(listener)]).toEqual([true, true]);
    // Not one byte of a TLS handshake comes back.
    const third = await dial(listener);
    const bytes: Buffer[] = [];
    third.on('data', (chunk: Buffer) => bytes.push(chunk));
    await once(third, 'close');
    expect(bytes).toEqual([]);
    expect(await shakesHands(listener)).toBe(false);
    expect(await shakesHands(listener, '127.0.0.9')).toBe(true);
    expect(flooded).toEqual(['handshakes-per-address', 'handshakes-per-address']);
    expect(listener.refusals).toMatchObject([
      { code: 'flooded', status: 0, verb: '-', cause: { name: 'Flood', code: 'handshakes-per-address' } },
      { code: 'flooded', status: 0 },
    ]);
  });

  it('beyond the rate in all are closed from whatever address, trusted ones too', async () => {
    const flooded: string[] = [];
    const listener = await overTls(
      { limits: { rates: { handshakes: slow } } },
      { onFlood: (kind) => flooded.push(kind) },
    );
    expect([await shakesHands(listener), await shakesHands(listener, '127.0.0.9')]).toEqual([true, true]);
    expect(await shakesHands(listener, '127.0.0.10')).toBe(false);
    expect(flooded).toEqual(['handshakes']);
  });

  it('of a trusted address are not counted one by one', async () => {
    const listener = await overTls({
      limits: { trusted: ['127.0.0.0/29'], connectionsPerAddress: 1, rates: { handshakesPerAddress: slow } },
    });
    const outside = [];
    for (let n = 0; n < 5; n += 1) expect(await shakesHands(listener)).toBe(true);
    for (let n = 0; n < 3; n += 1) outside.push(await shakesHands(listener, '127.0.0.9'));
    expect(outside).toEqual([true, false, false]);
  });

  it('that come by the thousand leave few records, and each is counted', async () => {
    let counted = 0;
    const listener = await startListener(
      { limits: { trusted: [], rates: { handshakesPerAddress: { rate: '1/h', burst: 1 } } } },
      undefined,
      {
        onFlood: () => {
          counted += 1;
        },
      },
    );
    await dial(listener);
    for (let n = 0; n < 300; n += 1) {
      const socket = await dial(listener);
      if (!socket.destroyed) await once(socket, 'close');
    }
    expect(counted).toBe(300);
    expect(listener.refusals).toHaveLength(10);
    await listener.close(0);
    expect(listener.refusals).toHaveLength(11);
    expect(listener.refusals.at(-1)).toMatchObject({ times: 290, code: 'flooded' });
  });
});

describe('requests', () => {
  it('beyond the rate of an address get 429 with Retry-After; other addresses go on', async () => {
    const listener = await startListener({
      limits: { trusted: [], rates: { requestsPerAddress: { rate: '1/m', burst: 2 } } },
    });
    const socket = await dial(listener);
    for (const expected of [200, 200]) {
      socket.write(whole(listener));
      expect(await answerOf(socket)).toMatch(new RegExp(`^HTTP/1.1 ${expected} `));
    }
    socket.write(whole(listener));
    const refused = await answerOf(socket);
    expect(refused).toMatch(/^HTTP\/1\.1 429 /);
    expect(Number(/retry-after: (\d+)/i.exec(refused)![1])).toBeGreaterThan(50);
    expect(refused).toContain('"code":4290');
    expect(refused).toContain('"reason":"flooded"');
    const other = await dial(listener, '127.0.0.9');
    other.write(whole(listener));
    expect(await answerOf(other)).toMatch(/^HTTP\/1\.1 200 /);
    expect(listener.arrivals).toHaveLength(3);
    expect(listener.refusals).toMatchObject([
      { code: 'flooded', status: 429, verb: 'POST', cause: { code: 'requests-per-address' } },
    ]);
  });

  it('beyond the rate in all get it from whatever address', async () => {
    const listener = await startListener({ limits: { rates: { requests: { rate: '1/h', burst: 2 } } } });
    const statuses: string[] = [];
    for (const address of ['127.0.0.1', '127.0.0.2', '127.0.0.3']) {
      const socket = await dial(listener, address);
      socket.write(whole(listener));
      statuses.push((await answerOf(socket)).slice(9, 12));
    }
    expect(statuses).toEqual(['200', '200', '429']);
  });

  it('are counted whatever they ask for, before anything of them is looked at', async () => {
    const listener = await startListener({
      limits: { trusted: [], rates: { requestsPerAddress: { rate: '1/h', burst: 1 } } },
    });
    const socket = await dial(listener);
    socket.write(`GET /nowhere HTTP/1.1\r\nHost: evil.example\r\n\r\n`);
    expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 403 /);
    const next = await dial(listener);
    next.write(`GET /nowhere HTTP/1.1\r\nHost: evil.example\r\n\r\n`);
    expect(await answerOf(next)).toMatch(/^HTTP\/1\.1 429 /);
  });

  it('on HTTP/2 are counted stream by stream', async () => {
    const listener = await overTls({
      limits: { trusted: [], rates: { requestsPerAddress: { rate: '1/m', burst: 3 } } },
    });
    const session = connectHttp2(listener.address.url, { ca: ca.caPem });
    afterThisTest(async () => session.destroy());
    const ask = async () => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/w/mcp',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      });
      stream.end(ping);
      const [headers] = (await once(stream, 'response')) as [Record<string, string>];
      stream.resume();
      return headers;
    };
    const answers = [await ask(), await ask(), await ask(), await ask()];
    expect(answers.map((headers) => headers[':status'])).toEqual([200, 200, 200, 429]);
    expect(Number(answers[3]!['retry-after'])).toBeGreaterThan(50);
  });
});

describe('those who are known', () => {
  it('come in whatever strangers have used up, also trusted ones', async () => {
    const known = new KnownAddresses();
    const listener = await overTls(
      { limits: { trusted: ['127.0.0.7'], rates: { handshakes: slow } } },
      { known },
    );
    expect(await shakesHands(listener, '127.0.0.2')).toBe(true);
    expect(await shakesHands(listener, '127.0.0.3')).toBe(true);
    expect(await shakesHands(listener, '127.0.0.4')).toBe(false);
    known.note('127.0.0.4', performance.now());
    expect(await shakesHands(listener, '127.0.0.4')).toBe(true);
    expect(await shakesHands(listener, '127.0.0.7')).toBe(true);
    // No more of them than that either.
    expect(await shakesHands(listener, '127.0.0.4')).toBe(false);
  });
});

describe('offences that have no record of their own', () => {
  it('are requests beyond the rate of the address, and not those beyond the rate in all', async () => {
    const offences: unknown[] = [];
    const listener = await startListener(
      {
        limits: {
          trusted: [],
          rates: { requestsPerAddress: { rate: '1/h', burst: 1 }, requests: { rate: '1/h', burst: 2 } },
        },
      },
      undefined,
      { onOffence: ({ address }, conduct) => offences.push([address, conduct]) },
    );
    for (const address of ['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.4']) {
      const socket = await dial(listener, address);
      socket.write(whole(listener));
      await answerOf(socket);
    }
    expect(offences).toEqual([['127.0.0.2', 'too-often']]);
  });
});

describe('a blocked address', () => {
  const blocks = () => new Blocks(blocksOptions.parse({ threshold: 1 }));

  it('is closed at once, before TLS; others come in', async () => {
    const list = blocks();
    const listener = await overTls({ limits: { trusted: [] } }, { blocks: list });
    expect(await shakesHands(listener)).toBe(true);
    list.note('127.0.0.1', 'malformed', performance.now());
    expect(await shakesHands(listener)).toBe(false);
    expect(await shakesHands(listener, '127.0.0.9')).toBe(true);
    list.releaseAll(performance.now());
    expect(await shakesHands(listener)).toBe(true);
    expect(listener.refusals).toMatchObject([{ code: 'flooded', status: 0, cause: { code: 'blocked' } }]);
  });

  it('gets 429 with Retry-After on connections that are open, and they close', async () => {
    const list = blocks();
    const listener = await startListener({ limits: { trusted: [] } }, undefined, { blocks: list });
    const socket = await dial(listener);
    socket.write(whole(listener));
    expect(await answerOf(socket)).toMatch(/^HTTP\/1\.1 200 /);
    list.note('127.0.0.1', 'malformed', performance.now());
    socket.write(whole(listener));
    const refused = await answerOf(socket);
    expect(refused).toMatch(/^HTTP\/1\.1 429 .*connection: close/is);
    expect(Number(/retry-after: (\d+)/i.exec(refused)![1])).toBeGreaterThan(50);
    await once(socket, 'close');
  });

  it('gets it on HTTP/2 too, with GOAWAY', async () => {
    const list = blocks();
    const listener = await overTls({ limits: { trusted: [] } }, { blocks: list });
    const session = connectHttp2(listener.address.url, { ca: ca.caPem });
    afterThisTest(async () => session.destroy());
    await once(session, 'connect');
    list.note('127.0.0.1', 'malformed', performance.now());
    const stream = session.request({ ':method': 'POST', ':path': '/w/mcp' });
    stream.end(ping);
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(429);
    stream.resume();
    await once(session, 'close');
  });

  it('that a listener trusts comes in all the same', async () => {
    const list = blocks();
    const listener = await overTls({}, { blocks: list });
    list.note('127.0.0.1', 'malformed', performance.now());
    expect(await shakesHands(listener)).toBe(true);
  });
});
