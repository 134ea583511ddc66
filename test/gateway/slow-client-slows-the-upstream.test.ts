import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ByteServer, startByteServer } from '../support/byte-server.ts';
import { type ClientTls, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, type ModernRequest, modern } from '../support/mcp-messages.ts';

const mebibyte = 1024 ** 2;
/** What the upstream would like to write: far more than any buffer on the way. */
const wanted = 200 * mebibyte;
const notice = `data: ${JSON.stringify({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: 'x'.repeat(32_000) },
})}\n\n`;

describe('a client that reads slowly', () => {
  let server: ByteServer;
  let gate: TestGateway;
  /** Bytes that the upstream could get rid of. */
  let written = 0;
  let speaking: Socket | undefined;

  beforeAll(async () => {
    server = await startByteServer({
      flood: (socket) => {
        written = 0;
        speaking = socket;
        const pump = (): void => {
          while (written < wanted && !socket.destroyed) {
            written += notice.length;
            if (!socket.write(notice)) return;
          }
          socket.end();
        };
        socket.on('drain', pump);
        socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n');
        pump();
      },
    });
    gate = await startTestGateway({
      upstreams: { flood: server.url('flood') },
      config: { limits: { frames: { bytesPerExchange: '1GiB', framesPerExchange: 1_000_000 } } },
    });
  });

  afterAll(async () => {
    await gate.close();
    await server.close();
  });

  const calls: Readonly<Record<string, ModernRequest>> = {
    '2026-07-28': modern('tools/call', {
      name: 'flood',
      arguments: {},
      _meta: { 'io.modelcontextprotocol/logLevel': 'debug' },
    }),
    sessions: {
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: legacy('tools/call', { name: 'flood', arguments: {} }),
    },
  };

  for (const [era, { headers, body }] of Object.entries(calls)) {
    it(`holds the upstream back, and memory stays bounded (${era})`, async () => {
      const response = await openPaused(gate.url('flood'), await gate.as('alice'), headers, body);
      const memory = process.memoryUsage().rss;
      await untilStill(() => written);
      expect(written).toBeGreaterThan(0);
      // Socket buffers of kernel and processes, in both directions, and nothing that grows with what was sent.
      expect(written).toBeLessThan(40 * mebibyte);
      expect(process.memoryUsage().rss - memory).toBeLessThan(100 * mebibyte);
      // Reading on lets the upstream go on: it was held back, not forgotten.
      const before = written;
      response.resume();
      await expect.poll(() => written).toBeGreaterThan(before);
      response.destroy();
      speaking?.destroy();
    });
  }
});

function openPaused(
  url: string,
  tls: ClientTls,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sending = request(url, { method: 'POST', headers, agent: false, ...tls });
    sending.once('response', resolve);
    sending.once('error', reject);
    sending.end(JSON.stringify(body));
  });
}

/** Resolves once a count has not moved for a while. */
async function untilStill(count: () => number): Promise<void> {
  for (let last = -1; last !== count(); ) {
    last = count();
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
}
