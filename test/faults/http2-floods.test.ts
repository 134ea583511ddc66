import { afterAll, beforeAll, expect } from 'vitest';
import { type ClientTls, type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { modern } from '../support/mcp-messages.ts';
import {
  connectHttp2,
  errors,
  flags,
  frame,
  frames,
  honestHeaders,
  integer,
  literals,
  type RawHttp2,
  settings,
  uint32,
} from '../support/raw-http2.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { metric, type ProcessNumbers, processNumbers } from './process-numbers.ts';
import { fault, type Measured, scale } from './table.ts';

let recorder: Recorder;
let folder: GatewayFolder;
let gateway: GatewayProcess;
let url: string;
let mallory: ClientTls;
let alice: ClientTls;

beforeAll(async () => {
  recorder = await startRecorder();
  folder = await prepareGateway({
    upstreams: { w: recorder.url },
    // Whether the machine is fast enough is not what is asked here.
    config: { log: { level: 'info' }, overload: { delay: 'off', wait: 'off' } },
    listener: { limits: { stallTimeout: '2s', bodyTimeout: '3s' } },
  });
  gateway = await startGatewayProcess(folder.file);
  url = `${gateway.url}/w/mcp`;
  [mallory, alice] = await Promise.all([folder.as('mallory'), folder.as('alice')]);
});

afterAll(async () => {
  await gateway?.kill();
  await recorder?.close();
  folder?.remove();
});

/**
 * 64 MiB: what a garbage-collected process may lag behind by, and far below what each flood would fill unbounded. At full
 * size twenty connections bring resets about 20,000 times each, and some of what they ask is answered.
 */
const mostGrowth = scale(64, 256);

const many = (bytes: Buffer, times: number): Buffer =>
  Buffer.concat(Array.from({ length: times }, () => bytes));

/** Ids of streams, in the order in which a client must use them. */
function streamIds(): () => number {
  let id = -1;
  return () => {
    id += 2;
    return id;
  };
}

const headers = (): Buffer => literals(honestHeaders(url));

/** A whole call of a tool, as HPACK block and body. */
function wholeCall(name: string): { readonly block: Buffer; readonly body: Buffer } {
  const call = modern('tools/call', { name, arguments: {} });
  const { host, pathname } = new URL(url);
  return {
    block: literals([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', host],
      [':path', pathname],
      ...Object.entries(call.headers),
    ]),
    body: Buffer.from(JSON.stringify(call.body)),
  };
}

/** Runs floods on some connections at once with honest calls beside them, and tells what they cost. */
async function beside(
  measured: Measured,
  flood: (client: RawHttp2) => Promise<unknown>,
  options: { readonly first?: Buffer; readonly connections?: number } = {},
): Promise<readonly RawHttp2[]> {
  const before = await processNumbers(gateway.adminUrl);
  const traffic = startGoodTraffic(url, { tls: alice, perSecond: 40 });
  await traffic.answered(20);
  const clients = await Promise.all(
    Array.from({ length: options.connections ?? scale(3, 20) }, () =>
      connectHttp2(url, mallory, options.first),
    ),
  );
  let peak: ProcessNumbers = before;
  const watch = setInterval(() => {
    void processNumbers(gateway.adminUrl).then((now) => {
      if (now.resident > peak.resident) peak = now;
    });
  }, 200);
  await Promise.all(clients.map((client) => flood(client)));
  await traffic.answered(20);
  clearInterval(watch);
  for (const client of clients) client.destroy();
  const report = await traffic.stop();
  const after = await processNumbers(gateway.adminUrl);
  const grown = Math.round(Math.max(peak.resident, after.resident) - before.resident);
  measured(`${(after.cpu - before.cpu).toFixed(2)} s of CPU, ${grown} MiB more at most`);
  expect(grown).toBeLessThan(mostGrowth);
  expectUnharmed(report, measured);
  return clients;
}

/** Floods until the gateway closes, which it must do long before the end. */
const untilClosed =
  (bytes: Buffer | (() => Buffer), most: number) =>
  async (client: RawHttp2): Promise<void> => {
    const written = await client.flood(bytes, most);
    await client.ended;
    expect(written).toBeLessThan(most);
  };

const closes = 'the connection is closed, memory stays, honest calls do not feel it';

fault('HTTP/2: PING as fast as they go', closes, async (measured) => {
  const ping = frame(frames.ping, 0, 0, Buffer.alloc(8));
  await beside(measured, untilClosed(many(ping, 100), 100_000));
});

fault(
  'HTTP/2: PING whose answers are read',
  'the connection is closed with ENHANCE_YOUR_CALM, and counted',
  async (measured) => {
    const counter = 'sallyport_flood_refusals_total{kind="control-frames"}';
    const counted = await metric(gateway.adminUrl, counter);
    const ping = frame(frames.ping, 0, 0, Buffer.alloc(8));
    const clients = await beside(measured, async (client) => {
      // Never more than ten without an answer: Node's own count of acknowledgements does not notice.
      for (let sent = 0; !client.closed && sent < 10_000; sent += 10) {
        client.write(many(ping, 10));
        const due = sent + 10;
        while (!client.closed && client.received(frames.ping) < due) {
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      await client.ended;
    });
    for (const client of clients) {
      expect(client.received(frames.ping)).toBeLessThan(300);
      expect(client.goaway).toBe(errors.enhanceYourCalm);
    }
    expect(await metric(gateway.adminUrl, counter)).toBe(counted + clients.length);
  },
);

fault('HTTP/2: SETTINGS as fast as they go', closes, async (measured) => {
  await beside(measured, untilClosed(many(settings([[3, 100]]), 100), 100_000));
});

fault('HTTP/2: SETTINGS without content', closes, async (measured) => {
  await beside(measured, untilClosed(many(settings(), 100), 100_000));
});

fault('HTTP/2: acknowledgements of SETTINGS that were never sent', closes, async (measured) => {
  await beside(measured, untilClosed(many(frame(frames.settings, flags.ack, 0), 100), 100_000));
});

fault('HTTP/2: WINDOW_UPDATE without end', closes, async (measured) => {
  await beside(measured, untilClosed(many(frame(frames.windowUpdate, 0, 0, uint32(1)), 100), 1_000_000));
});

fault('HTTP/2: WINDOW_UPDATE beyond 2^31', closes, async (measured) => {
  await beside(measured, untilClosed(frame(frames.windowUpdate, 0, 0, uint32(2 ** 31 - 1)), 200_000));
});

fault('HTTP/2: PRIORITY of streams that depend on themselves', closes, async (measured) => {
  const self = frame(frames.priority, 0, 1, Buffer.concat([uint32(1), Buffer.from([255])]));
  await beside(measured, untilClosed(many(self, 100), 1_000_000));
});

fault('HTTP/2: PRIORITY trees without end', closes, async (measured) => {
  const next = streamIds();
  const grow = (): Buffer =>
    Buffer.concat(
      Array.from({ length: 100 }, () => {
        const id = next();
        return frame(frames.priority, 0, id, Buffer.concat([uint32(Math.max(0, id - 2)), Buffer.from([1])]));
      }),
    );
  await beside(measured, untilClosed(grow, 1_000_000), { connections: 1 });
});

fault('HTTP/2: frames of unknown types', closes, async (measured) => {
  await beside(measured, untilClosed(many(frame(0x77, 0, 0, Buffer.alloc(8)), 100), 1_000_000));
});

fault('HTTP/2: a frame larger than allowed', closes, async (measured) => {
  await beside(measured, untilClosed(frame(frames.data, 0, 1, Buffer.alloc(100_000)), 10_000));
});

fault(
  'HTTP/2 rapid reset (CVE-2023-44487): streams opened and cancelled at once',
  closes,
  async (measured) => {
    await beside(measured, (client) => {
      const next = streamIds();
      const block = headers();
      return untilClosed(() => {
        const id = next();
        return Buffer.concat([
          frame(frames.headers, flags.endHeaders, id, block),
          frame(frames.reset, 0, id, uint32(errors.cancel)),
        ]);
      }, 200_000)(client);
    });
  },
);

fault(
  'HTTP/2 rapid reset of whole calls',
  'the connection is closed after some hundred; the server behind gets no more than those',
  async (measured) => {
    const { block, body } = wholeCall('cancelled');
    let reached = 0;
    recorder.on('tools/call', (message) => {
      if ((message.params as { name?: string }).name === 'cancelled') reached += 1;
      return { kind: 'json', body: { jsonrpc: '2.0', id: message.id, result: { content: [] } } };
    });
    const clients = await beside(measured, (client) => {
      const next = streamIds();
      return untilClosed(() => {
        const id = next();
        return Buffer.concat([
          frame(frames.headers, flags.endHeaders, id, block),
          frame(frames.data, flags.endStream, id, body),
          frame(frames.reset, 0, id, uint32(errors.cancel)),
        ]);
      }, 200_000)(client);
    });
    recorder.on('tools/call', undefined);
    measured(`${reached} calls of ${clients.length} connections reached the server`);
    expect(reached).toBeLessThanOrEqual(clients.length * 400);
  },
);

/** What has a server reset a stream that it may be working for, without the client ever saying RST_STREAM. */
const provocations: readonly (readonly [
  string,
  (id: number, whole: () => Buffer, block: Buffer) => Buffer,
])[] = [
  ...(
    [
      ['WINDOW_UPDATE by nothing', (id) => frame(frames.windowUpdate, 0, id, uint32(0))],
      ['WINDOW_UPDATE beyond 2^31', (id) => many(frame(frames.windowUpdate, 0, id, uint32(2 ** 31 - 1)), 2)],
      [
        'HEADERS after the end',
        (id) => frame(frames.headers, flags.endHeaders | flags.endStream, id, headers()),
      ],
      ['DATA after the end', (id) => frame(frames.data, 0, id, Buffer.from('more'))],
      [
        'PRIORITY on itself',
        (id) => frame(frames.priority, 0, id, Buffer.concat([uint32(id), Buffer.from([1])])),
      ],
      ['PRIORITY of a wrong length', (id) => frame(frames.priority, 0, id, Buffer.alloc(3))],
    ] as readonly (readonly [string, (id: number) => Buffer])[]
  ).map(
    ([name, after]) =>
      [name, (id: number, whole: () => Buffer) => Buffer.concat([whole(), after(id)])] as const,
  ),
  [
    'more body than its Content-Length',
    (id, _whole, block) =>
      Buffer.concat([
        frame(
          frames.headers,
          flags.endHeaders,
          id,
          Buffer.concat([block, literals([['content-length', '5']])]),
        ),
        frame(frames.data, 0, id, Buffer.from('{"jsonrpc"')),
      ]),
  ],
  [
    'trailers with pseudo-headers',
    (id, _whole, block) =>
      Buffer.concat([
        frame(frames.headers, flags.endHeaders, id, block),
        frame(frames.headers, flags.endHeaders | flags.endStream, id, literals([[':path', '/']])),
      ]),
  ],
  [
    'a header without a name',
    (id, _whole, block) =>
      frame(frames.headers, flags.endHeaders, id, Buffer.concat([block, literals([['', 'value']])])),
  ],
];

for (const [name, provoke] of provocations) {
  fault(
    `HTTP/2: resets that the client provokes (MadeYouReset, CVE-2025-8671): ${name}`,
    'the connection is closed or each call is answered; no more calls are begun for nothing than by resets of its own',
    async (measured) => {
      const { block, body } = wholeCall('provoked');
      let reached = 0;
      recorder.on('tools/call', (message) => {
        if ((message.params as { name?: string }).name === 'provoked') reached += 1;
        return { kind: 'json', body: { jsonrpc: '2.0', id: message.id, result: { content: [] } } };
      });
      const most = scale(1000, 20_000);
      const [client] = await beside(
        measured,
        async (client) => {
          const next = streamIds();
          // Or its own window for answers would shut.
          client.write(frame(frames.windowUpdate, 0, 0, uint32(2 ** 30)));
          for (let sent = 1; !client.closed && sent <= most; sent += 1) {
            const id = next();
            const whole = (): Buffer =>
              Buffer.concat([
                frame(frames.headers, flags.endHeaders, id, block),
                frame(frames.data, flags.endStream, id, body),
              ]);
            client.write(provoke(id, whole, block));
            while (!client.closed && client.answers + resetsOf(client) < sent - 50) {
              await new Promise((resolve) => setImmediate(resolve));
            }
          }
          measured(
            `${client.answers} answered, ${resetsOf(client)} reset, ${client.closed ? 'closed' : 'not closed'}`,
          );
          expect(client.closed || client.answers > most - 100).toBe(true);
        },
        { connections: 1 },
      );
      recorder.on('tools/call', undefined);
      measured(`${reached} calls reached the server`);
      expect(reached - client!.answers).toBeLessThanOrEqual(400);
    },
  );
}

function resetsOf(client: RawHttp2): number {
  return [...client.resets.values()].reduce((sum, count) => sum + count, 0);
}

fault('HTTP/2: headers without a name', closes, async (measured) => {
  await beside(measured, (client) => {
    const next = streamIds();
    const block = Buffer.concat([headers(), literals([['', 'value']])]);
    return untilClosed(() => frame(frames.headers, flags.endHeaders, next(), block), 200_000)(client);
  });
});

for (const [name, type] of [
  ['ALTSVC', 0x0a],
  ['ORIGIN', 0x0c],
  ['PRIORITY_UPDATE', 0x10],
  ['PUSH_PROMISE', frames.pushPromise],
] as const) {
  fault(`HTTP/2: ${name} without end`, closes, async (measured) => {
    const content = Buffer.concat([uint32(1), Buffer.from('u=1')]);
    await beside(measured, untilClosed(many(frame(type, flags.endHeaders, 0, content), 100), 1_000_000));
  });
}

fault('HTTP/2: windows opened and shut again by SETTINGS', closes, async (measured) => {
  const toggle = Buffer.concat([settings([[4, 0]]), settings([[4, 2 ** 31 - 1]])]);
  await beside(measured, untilClosed(many(toggle, 50), 100_000));
});

fault('HTTP/2: GOAWAY without end', closes, async (measured) => {
  await beside(measured, untilClosed(many(frame(frames.goaway, 0, 0, Buffer.alloc(8)), 100), 1_000_000));
});

fault('HTTP/2: resets of streams that were never opened', closes, async (measured) => {
  await beside(measured, (client) => {
    const next = streamIds();
    return untilClosed(() => frame(frames.reset, 0, next(), uint32(errors.cancel)), 100_000)(client);
  });
});

for (const [name, piece] of [
  ['with headers', literals([['x-a', 'b']])],
  ['without content', Buffer.alloc(0)],
] as const) {
  fault(`HTTP/2: CONTINUATION without end, ${name} (CVE-2024-27983)`, closes, async (measured) => {
    const first = Buffer.concat([settings(), frame(frames.headers, 0, 1, headers())]);
    const more = many(frame(frames.continuation, 0, 1, piece), 100);
    await beside(measured, untilClosed(more, 1_000_000), { first });
  });
}

fault('HTTP/2: DATA without data, without end', closes, async (measured) => {
  const first = Buffer.concat([settings(), frame(frames.headers, flags.endHeaders, 1, headers())]);
  await beside(measured, untilClosed(many(frame(frames.data, 0, 1), 100), 1_000_000), { first });
});

fault('HTTP/2: DATA that is all padding', closes, async (measured) => {
  const first = Buffer.concat([settings(), frame(frames.headers, flags.endHeaders, 1, headers())]);
  const padding = Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]);
  await beside(measured, untilClosed(many(frame(frames.data, flags.padded, 1, padding), 50), 1_000_000), {
    first,
  });
});

fault(
  'HTTP/2: an HPACK bomb: one large header named a thousand times',
  'nothing of it is served, memory stays, honest calls do not feel it',
  async (measured) => {
    const large = Buffer.concat([
      // Literal with incremental indexing: it becomes entry 62 of the table.
      Buffer.from([0x40, 3]),
      Buffer.from('x-a'),
      integer(3900, 7),
      Buffer.alloc(3900, 'a'),
    ]);
    const again = many(integer(62, 7, 0x80), 1000);
    const served = recorder.requests.length;
    await beside(measured, async (client) => {
      const next = streamIds();
      const bomb = (): Buffer =>
        frame(
          frames.headers,
          flags.endHeaders | flags.endStream,
          next(),
          Buffer.concat([headers(), large, again]),
        );
      for (let sent = 0; sent < 50 && !client.closed; sent += 1) {
        client.write(bomb());
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.race([client.ended, new Promise((resolve) => setTimeout(resolve, 1000))]);
      measured(
        client.closed
          ? 'closed'
          : `${[...client.resets].map(([code, count]) => `${count} resets (${code})`)}`,
      );
      // Reset, refused with 431, or the whole connection closed: never let in.
      expect(client.closed || client.resets.size > 0 || client.answers > 0).toBe(true);
    });
    expect(recorder.requests.slice(served).every(({ headers }) => headers['x-a'] === undefined)).toBe(true);
  },
);

fault('HTTP/2: more streams at once than allowed, without end', closes, async (measured) => {
  await beside(measured, (client) => {
    const next = streamIds();
    const block = headers();
    return untilClosed(() => frame(frames.headers, flags.endHeaders, next(), block), 200_000)(client);
  });
});

fault(
  'HTTP/2 slow readers: answers to a client whose window is shut',
  'each connection is closed after the stall timeout, memory stays, honest calls do not feel it',
  async (measured) => {
    const { block, body } = wholeCall('large');
    recorder.on('tools/call', (message) => ({
      kind: 'json',
      body: {
        jsonrpc: '2.0',
        id: message.id,
        result: {
          content:
            (message.params as { name?: string }).name === 'large'
              ? [{ type: 'text', text: 'a'.repeat(30_000) }]
              : [],
        },
      },
    }));
    // SETTINGS_INITIAL_WINDOW_SIZE 0.
    const clients = await beside(
      measured,
      async (client) => {
        const next = streamIds();
        for (let n = 0; n < 20; n += 1) {
          const id = next();
          client.write(
            Buffer.concat([
              frame(frames.headers, flags.endHeaders, id, block),
              frame(frames.data, flags.endStream, id, body),
            ]),
          );
        }
        const cut = (): boolean => client.closed || resetsOf(client) >= 20;
        while (!cut()) await new Promise((resolve) => setTimeout(resolve, 20));
      },
      { first: settings([[4, 0]]) },
    );
    recorder.on('tools/call', undefined);
    for (const client of clients) expect(client.dataBytes).toBe(0);
  },
);
