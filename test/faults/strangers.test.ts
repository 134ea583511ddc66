import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect } from 'vitest';
import { type ClientTls, type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { connectHttp2, flags, frame, frames, literals, uint32 } from '../support/raw-http2.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { sumOf } from '../support/workers.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { metric, processNumbers } from './process-numbers.ts';
import { fault, type Measured, scale } from './table.ts';

let recorder: Recorder;
let folder: GatewayFolder;
let gateway: GatewayProcess;
let url: string;
let port: number;
let alice: ClientTls;
let mallory: ClientTls;

beforeAll(async () => {
  recorder = await startRecorder();
  folder = await prepareGateway({
    upstreams: { w: recorder.url },
    // At full size the shedder as it comes; else whether the machine is fast enough is not what is asked. Loopback, where all of this happens, is trusted as it comes; and few machines that run tests
    // can bring more handshakes and requests than a gateway takes by default.
    config: { log: { level: 'info' }, overload: scale({ delay: 'off', wait: 'off' }, {}) },
    listener: {
      limits: {
        trusted: [],
        rates: {
          handshakes: { rate: '300/s', burst: 300 },
          requestsPerAddress: { rate: '200/s', burst: 400 },
        },
      },
    },
  });
  gateway = await startGatewayProcess(folder.file);
  url = `${gateway.url}/w/mcp`;
  port = Number(new URL(url).port);
  [alice, mallory] = await Promise.all([folder.as('alice'), folder.as('mallory')]);
});

afterAll(async () => {
  await gateway?.kill();
  await recorder?.close();
  folder?.remove();
});

/** One of many addresses of this machine, none of them the honest one. */
const addressOf = (n: number): string => `127.${7 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
const refused = (kind: string): Promise<number> =>
  metric(gateway.adminUrl, `sallyport_flood_refusals_total{kind="${kind}"}`);

/** 4 s of each flood: the burst is used up in the first. */
const lastsMs = scale(4000, 20_000);

/** The first bytes of an honest handshake. Sent again and again they cost a flood nothing, and the server its signature. */
async function clientHello(): Promise<Buffer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectTls({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

/** Connects from ever new addresses, fifty at a time. @returns how often */
async function knock(say?: Buffer): Promise<number> {
  const end = performance.now() + lastsMs;
  let count = 0;
  const one = async (): Promise<void> => {
    while (performance.now() < end) {
      count += 1;
      const socket = connectTcp({ host: '127.0.0.1', port, localAddress: addressOf(count) });
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      if (say === undefined) socket.once('connect', () => socket.destroy());
      else socket.write(say);
      socket.once('data', () => socket.destroy());
      await closed;
    }
  };
  await Promise.all(Array.from({ length: 50 }, one));
  return count;
}

/** Honest calls and lists beside what is done: over kept connections, and each on a new one. */
async function beside(measured: Measured, attack: () => Promise<void>): Promise<void> {
  const kept = startGoodTraffic(url, { tls: alice, perSecond: 80 });
  await kept.answered(80);
  const before = await processNumbers(gateway.adminUrl);
  const shedBefore = await shed();
  let over = false;
  const fresh: (number | string)[] = [];
  const renew = async (): Promise<void> => {
    const { headers, body } = modern('tools/list', {});
    while (!over) {
      fresh.push(
        await post(url, body, { headers, tls: alice }).then(
          ({ status }) => status,
          (error: NodeJS.ErrnoException) => error.code ?? error.name,
        ),
      );
    }
  };
  const renewing = renew();
  await attack();
  over = true;
  await renewing;
  await kept.answered(20);
  const after = await processNumbers(gateway.adminUrl);
  const right = fresh.filter((status) => status === 200).length;
  measured(
    `${right} of ${fresh.length} lists over new connections, ${(after.cpu - before.cpu).toFixed(2)} s of CPU, ${(await shed()) - shedBefore} shed`,
  );
  expectUnharmed(await kept.stop(), measured);
  expect(fresh.filter((status) => status !== 200)).toEqual([]);
}

async function shed(): Promise<number> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return sumOf(text, 'sallyport_shed_total');
}

fault(
  'a flood of handshakes that are never finished, from ever new addresses',
  'what is beyond the rate is closed before TLS; who called before is served, over kept connections and new ones',
  async (measured) => {
    const before = await refused('handshakes');
    const hello = await clientHello();
    await beside(measured, async () => {
      measured(`${await knock(hello)} tried`);
    });
    measured(`${(await refused('handshakes')) - before} closed before TLS`);
  },
);

fault(
  'a flood of bare TCP connections from ever new addresses',
  'they use up the rate of strangers; who called before comes in over new connections as ever',
  async (measured) => {
    const before = await refused('handshakes');
    await beside(measured, async () => {
      measured(`${await knock()} tried`);
    });
    const more = (await refused('handshakes')) - before;
    measured(`${more} closed at once`);
    expect(more).toBeGreaterThan(0);
  },
);

fault(
  'HTTP/2: requests that are refused with 429, without end',
  'after a thousand the address is blocked and its connection closed, honest calls of others do not feel it',
  async (measured) => {
    const get = literals([
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', new URL(url).host],
      [':path', '/nowhere'],
    ]);
    const most = 20_000;
    await beside(measured, async () => {
      const client = await connectHttp2(url, { ...mallory, localAddress: '127.0.0.66' } as ConnectionOptions);
      // Or its own window for answers would shut.
      client.write(frame(frames.windowUpdate, 0, 0, uint32(2 ** 30)));
      let sent = 0;
      while (sent < most && !client.closed) {
        const some = Array.from({ length: 50 }, (_, n) =>
          frame(frames.headers, flags.endHeaders | flags.endStream, (sent + n) * 2 + 1, get),
        );
        sent += some.length;
        client.write(Buffer.concat(some));
        while (!client.closed && client.answers < sent - 40) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      measured(`${sent} sent, ${client.answers} answered, ${client.closed ? 'closed' : 'not closed'}`);
      await client.ended;
      expect(sent).toBeLessThan(most);
    });
    expect(await refused('blocked')).toBeGreaterThan(0);
  },
);
