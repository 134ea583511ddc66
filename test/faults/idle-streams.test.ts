import { connect as connectHttp2 } from 'node:http2';
import { afterAll, beforeAll, expect } from 'vitest';
import { type ClientTls, type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { initialize } from '../support/mcp-messages.ts';
import { openStream, post, type RawStream } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { metric, processNumbers } from './process-numbers.ts';
import { fault, scale } from './table.ts';

const streams = scale(400, 5000);
const patience = scale(90_000, 600_000);

let recorder: Recorder;
let folder: GatewayFolder;
let gateway: GatewayProcess;
let url: string;
let tls: ClientTls;
let alice: ClientTls;

beforeAll(async () => {
  recorder = await startRecorder();
  folder = await prepareGateway({
    upstreams: { w: recorder.url },
    http: { limits: { streams: 6000 } },
    listener: { limits: { connectionsPerAddress: 8000 } },
    config: {
      log: { level: 'info' },
      // Whether the machine is fast enough is not what is asked here.
      overload: { delay: 'off', wait: 'off' },
      limits: { sessions: { streamsPerSession: 6000, streamsPerPrincipal: 6000 } },
    },
  });
  gateway = await startGatewayProcess(folder.file);
  url = `${gateway.url}/w/mcp`;
  [tls, alice] = await Promise.all([folder.as('listener'), folder.as('alice')]);
});

afterAll(async () => {
  await gateway?.kill();
  await recorder?.close();
  folder?.remove();
});

/** Id of a new session. */
async function session(): Promise<string> {
  const answer = await post(url, initialize(), { tls });
  return answer.headers['mcp-session-id']!;
}

const open = (): Promise<number> => metric(gateway.adminUrl, 'sallyport_streams_active{upstream="w"}');

fault(
  'idle SSE streams, each on a TLS connection of its own',
  'they stay open, cost bounded memory, end with their clients, and honest calls do not feel them',
  async (measured) => {
    const id = await session();
    const traffic = startGoodTraffic(url, { tls: alice, perSecond: 20 });
    await traffic.answered(100);
    const before = await processNumbers(gateway.adminUrl);
    const headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' };
    const all: RawStream[] = [];
    while (all.length < streams) {
      const some = Array.from({ length: Math.min(25, streams - all.length) }, () =>
        openStream('GET', url, { headers, tls }),
      );
      const opened = await Promise.all(some);
      expect(opened.map(({ status }) => status)).toEqual(opened.map(() => 200));
      all.push(...opened);
    }
    await expect.poll(open, { timeout: 30_000 }).toBe(streams);
    await traffic.answered(100);
    const during = await processNumbers(gateway.adminUrl);
    const each = ((during.resident - before.resident) * 1024) / streams;
    const heapEach = ((during.heap - before.heap) * 1024) / streams;
    measured(
      `${streams} streams: ${each.toFixed(0)} KiB of memory each (${heapEach.toFixed(0)} KiB of JavaScript), with TLS and the stream to the server`,
    );
    // Four times what is measured: buffers that grow with idle streams would be far beyond.
    expect(each).toBeLessThan(400);
    for (const stream of all) stream.abort();
    await expect.poll(open, { timeout: 30_000 }).toBe(0);
    await expect.poll(() => recorder.connections(), { timeout: 30_000 }).toBeLessThan(50);
    expectUnharmed(await traffic.stop(), measured);
  },
  patience,
);

fault(
  'idle SSE streams over few HTTP/2 connections',
  'they stay open, cost bounded memory, and end with their clients',
  async (measured) => {
    const id = await session();
    const before = await processNumbers(gateway.adminUrl);
    const sessions = Array.from({ length: streams / 50 }, () => connectHttp2(gateway.url, tls));
    for (const one of sessions) one.on('error', () => {});
    await Promise.all(
      sessions.map(async (one) => {
        for (let n = 0; n < 50; n += 1) {
          const stream = one.request({
            ':path': '/w/mcp',
            accept: 'text/event-stream',
            'mcp-session-id': id,
            'mcp-protocol-version': '2025-11-25',
          });
          stream.on('error', () => {});
          const status = await new Promise((resolve) =>
            stream.once('response', (head) => resolve(head[':status'])),
          );
          expect(status).toBe(200);
        }
      }),
    );
    await expect.poll(open, { timeout: 30_000 }).toBe(streams);
    const during = await processNumbers(gateway.adminUrl);
    const each = ((during.resident - before.resident) * 1024) / streams;
    measured(`${streams} streams on ${sessions.length} connections: ${each.toFixed(0)} KiB of memory each`);
    expect(each).toBeLessThan(400);
    for (const one of sessions) one.destroy();
    await expect.poll(open, { timeout: 30_000 }).toBe(0);
  },
  patience,
);
