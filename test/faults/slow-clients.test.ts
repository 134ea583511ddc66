import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect } from 'vitest';
import { type ClientTls, type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { modern } from '../support/mcp-messages.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { metric, processNumbers } from './process-numbers.ts';
import { fault, type Measured, scale } from './table.ts';

let recorder: Recorder;
let folder: GatewayFolder;
let gateway: GatewayProcess;
let url: string;
let port: number;
let mallory: ClientTls;
let alice: ClientTls;

/** A thousand of each, as `npm run soak` has them. */
const clients = scale(150, 1000);
const patience = scale(60_000, 300_000);

beforeAll(async () => {
  recorder = await startRecorder();
  recorder.on('tools/call', (message) => {
    const size = Number((message.params?.['arguments'] as { size?: number } | undefined)?.size ?? 1);
    const content = [{ type: 'text', text: 'a'.repeat(size) }];
    return {
      kind: 'json',
      body: { jsonrpc: '2.0', id: message.id, result: { resultType: 'complete', content } },
    };
  });
  folder = await prepareGateway({
    upstreams: { w: recorder.url },
    // Whether the machine is fast enough is not what is asked here.
    config: { log: { level: 'info' }, overload: { delay: 'off', wait: 'off' } },
    listener: {
      limits: {
        headersTimeout: '2s',
        bodyTimeout: '2s',
        stallTimeout: '2s',
        idleTimeout: '3s',
        unsentBytes: '32MiB',
      },
    },
  });
  gateway = await startGatewayProcess(folder.file);
  url = `${gateway.url}/w/mcp`;
  port = Number(new URL(url).port);
  [mallory, alice] = await Promise.all([folder.as('mallory'), folder.as('alice')]);
});

afterAll(async () => {
  await gateway?.kill();
  await recorder?.close();
  folder?.remove();
});

/** A connection after its handshake, of which `closed` resolves once the gateway has ended it. */
interface Slow {
  readonly socket: Socket;
  readonly closed: Promise<void>;
}

function slow(socket: Socket): Slow {
  socket.on('error', () => {});
  return {
    socket,
    closed: new Promise((resolve) => {
      socket.once('close', () => resolve());
      socket.once('end', () => {
        socket.destroy();
        resolve();
      });
    }),
  };
}

async function dialTls(): Promise<Slow> {
  const one = slow(connectTls({ host: '127.0.0.1', port, ...mallory }));
  await once(one.socket, 'secureConnect');
  one.socket.resume();
  return one;
}

async function dialTcp(): Promise<Slow> {
  const one = slow(connectTcp({ host: '127.0.0.1', port }));
  await once(one.socket, 'connect');
  one.socket.resume();
  return one;
}

/** Opens all of them, at most fifty handshakes at a time. */
async function open(dial: () => Promise<Slow>, count: number): Promise<readonly Slow[]> {
  const all: Slow[] = [];
  while (all.length < count) {
    const some = Math.min(50, count - all.length);
    all.push(...(await Promise.all(Array.from({ length: some }, dial))));
  }
  return all;
}

/** Writes a byte of a text to each of them again and again, and waits until the gateway has closed all. */
async function trickle(all: readonly Slow[], bytes: Buffer, everyMs = 200): Promise<void> {
  let at = 0;
  const timer = setInterval(() => {
    const byte = bytes.subarray(at % bytes.length, (at % bytes.length) + 1);
    at += 1;
    for (const { socket } of all) if (socket.writable) socket.write(byte);
  }, everyMs);
  await Promise.all(all.map(({ closed }) => closed));
  clearInterval(timer);
}

/** Honest calls beside what is done, memory and descriptors before and after. */
async function beside(measured: Measured, count: number, attack: () => Promise<void>): Promise<void> {
  const before = await processNumbers(gateway.adminUrl);
  const traffic = startGoodTraffic(url, { tls: alice, perSecond: 20 });
  await traffic.answered(10);
  let peak = before.resident;
  const watch = setInterval(() => {
    void processNumbers(gateway.adminUrl).then(({ resident }) => {
      peak = Math.max(peak, resident);
    });
  }, 250);
  await attack();
  await traffic.answered(10);
  clearInterval(watch);
  const report = await traffic.stop();
  // Kept connections of the honest client may still be open; of the others none is.
  await expect
    .poll(async () => (await processNumbers(gateway.adminUrl)).descriptors, { timeout: 20_000 })
    .toBeLessThan(before.descriptors + 20);
  const more = Math.max(0, peak - before.resident);
  measured(
    `${count} at once, ${more.toFixed(0)} MiB more at most, ${((more * 1024) / count).toFixed(0)} KiB each`,
  );
  expectUnharmed(report, measured);
}

const head = (): string =>
  [
    'POST /w/mcp HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    '',
  ].join('\r\n');

fault(
  'slow headers: a byte now and then, on a thousand connections',
  'each is closed when the time for headers is over, honest calls do not feel it',
  async (measured) => {
    await beside(measured, clients, async () => {
      const all = await open(dialTls, clients);
      for (const { socket } of all) socket.write('POST /w/mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ');
      await trickle(all, Buffer.from('a'));
    });
  },
  patience,
);

fault(
  'slow bodies: a byte now and then, on a thousand connections',
  'each is closed when the time for the body is over, nothing of them reaches a server, honest calls do not feel it',
  async (measured) => {
    await beside(measured, clients, async () => {
      const all = await open(dialTls, clients);
      for (const { socket } of all) socket.write(`${head()}Content-Length: 4000\r\n\r\n{"jsonrpc":"2.0"`);
      await trickle(all, Buffer.from(' '));
    });
    expect(recorder.messages.every(({ method }) => method !== undefined)).toBe(true);
  },
  patience,
);

fault(
  'half-open handshakes: a thousand TCP connections that say nothing',
  'each is closed when the time for the handshake is over, honest calls do not feel it',
  async (measured) => {
    await beside(measured, clients, async () => {
      const all = await open(dialTcp, clients);
      await Promise.all(all.map(({ closed }) => closed));
    });
  },
  patience,
);

fault(
  'half-open handshakes: a ClientHello a byte at a time, on a thousand connections',
  'each is closed when the time for the handshake is over, honest calls do not feel it',
  async (measured) => {
    // The head of a record of 512 bytes, and of a ClientHello in it.
    const hello = Buffer.concat([Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), Buffer.alloc(501, 7)]);
    await beside(measured, clients, async () => {
      const all = await open(dialTcp, clients);
      for (const { socket } of all) socket.write(hello.subarray(0, 11));
      await trickle(all, hello.subarray(11));
    });
  },
  patience,
);

fault(
  'slow readers: a thousand clients that ask and never read',
  'what the kernel does not take is held for the stall timeout at most, honest calls do not feel it',
  async (measured) => {
    const call = modern('tools/call', { name: 'echo', arguments: { size: 50_000 } });
    const body = JSON.stringify(call.body);
    const lines = Object.entries(call.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const request = `POST /w/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join('')}Content-Length: ${body.length}\r\n\r\n${body}`;
    await beside(measured, clients, async () => {
      const all = await open(dialTls, clients);
      for (const { socket } of all) {
        socket.pause();
        socket.write(request);
      }
      // The end of a connection stands behind data that nobody reads; a reset does not.
      const gone = async (): Promise<number> => (await processNumbers(gateway.adminUrl)).descriptors;
      await expect.poll(gone, { timeout: 60_000, interval: 500 }).toBeLessThan(clients / 2);
      for (const { socket } of all) socket.destroy();
    });
  },
  patience,
);

fault(
  'slow readers of huge answers',
  'all that is unsent stays below `unsentBytes`: those that hold most for longest are cut off and counted, honest calls go on',
  async (measured) => {
    const counter = 'sallyport_flood_refusals_total{kind="unsent"}';
    const size = 6 * 1024 ** 2;
    const count = 12;
    const call = modern('tools/call', { name: 'echo', arguments: { size } });
    const body = JSON.stringify(call.body);
    const lines = Object.entries(call.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const request = `POST /w/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join('')}Content-Length: ${body.length}\r\n\r\n${body}`;
    await beside(measured, count, async () => {
      const all = await open(dialTls, count);
      for (const { socket } of all) {
        socket.pause();
        socket.write(request);
      }
      await expect.poll(() => metric(gateway.adminUrl, counter), { timeout: 30_000 }).toBeGreaterThan(4);
      measured(`${count} answers of 6 MiB: ${await metric(gateway.adminUrl, counter)} cut off`);
      for (const { socket } of all) socket.destroy();
    });
  },
  patience,
);
