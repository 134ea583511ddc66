import { type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientTls, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type ModernRequest, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, type Script, startRecorder } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';
import { legacyCall } from './arena.ts';

const policy = `
version: 1
roles: { all: { allow: [{ tools: ["*"], methods: ["**"] }] } }
bindings: [{ roles: [all], to: { any: true } }]
limits:
  - { name: one-at-once, match: { tools: ["*"] }, per: principal, concurrency: 1 }
`;

/** How a server may treat a call. The last three give no answer: the gateway's own times end it. */
const large = 'x'.repeat(200_000);
const done = { resultType: 'complete', content: [{ type: 'text', text: large }] };
const progress = event({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', data: large },
});
const servers: Readonly<Record<string, Script>> = {
  'answers by JSON': ({ id }) => ({ kind: 'json', body: result(id, done) }),
  'answers by a stream': ({ id }) => ({ kind: 'sse', chunks: [progress, progress, event(result(id, done))] }),
  'answers and leaves the stream open': ({ id }) => ({
    kind: 'sse',
    chunks: [progress, event(result(id, done))],
    open: true,
  }),
  'sends more than anybody takes': () => ({ kind: 'sse', chunks: Array(40).fill(progress), open: true }),
  'drops the call': { kind: 'drop' },
  'says nothing': { kind: 'hang' },
  'opens a stream and says nothing': { kind: 'sse', chunks: [], open: true },
};

/** When a client leaves: after so many bytes of its body, or of the answer; or once the server has the call. */
type Moment = { readonly sent: number } | { readonly got: number } | 'seen' | 'unread';
const moments: Readonly<Record<string, Moment>> = {
  'before its body': { sent: 0 },
  'in its body': { sent: 0.5 },
  'right after its body': { sent: 1 },
  'once the server has the call': 'seen',
  'at the first byte of the answer': { got: 1 },
  'in the answer': { got: 150_000 },
  'at the end of the answer': { got: 200_050 },
  'without reading any of the answer': 'unread',
};

let recorder: Recorder;
let gate: TestGateway;
let tls: ClientTls;
beforeAll(async () => {
  recorder = await startRecorder();
  gate = await startTestGateway({
    upstreams: { w: recorder.url },
    policy,
    http: { timeouts: { headers: '150ms', idle: '150ms', total: '250ms' } },
  });
  tls = await gate.as('leaver');
});
afterAll(async () => {
  await gate.close();
  await recorder.close();
});

const calls: Readonly<Record<string, ModernRequest>> = {
  'of 2026-07-28': modern('tools/call', { name: 'leave', arguments: {} }),
  'of a session era': {
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: legacyCall('leave').body,
  },
};

/** What both protocols have in common: something to write to, to read from and to cut. */
interface Line {
  write(bytes: Buffer): void;
  /** Writes the last of the body. */
  end(bytes: Buffer): void;
  onData(take: (bytes: number) => void): void;
  onOver(take: () => void): void;
  stopReading(): void;
  cut(): void;
}

function overHttp1(call: ModernRequest, length: number): Line {
  const url = new URL(gate.url('w'));
  const socket = connectTls({ ...tls, port: Number(url.port), host: '127.0.0.1', servername: 'localhost' });
  socket.on('error', () => undefined);
  const headers = Object.entries({ host: url.host, ...call.headers, 'content-length': length });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(`POST ${url.pathname} HTTP/1.1\r\n${lines}\r\n`);
  return {
    write: (bytes) => socket.write(bytes),
    end: (bytes) => socket.write(bytes),
    onData: (take) => socket.on('data', (bytes) => take(bytes.length)),
    onOver: (take) => socket.on('close', take),
    stopReading: () => socket.pause(),
    cut: () => socket.destroy(),
  };
}

function overHttp2(call: ModernRequest, _: number, whole = true): Line {
  const url = new URL(gate.url('w'));
  const session = connectHttp2(url.origin, { ...tls, servername: 'localhost' });
  session.on('error', () => undefined);
  const stream: ClientHttp2Stream = session.request({
    ':method': 'POST',
    ':path': url.pathname,
    ...call.headers,
  });
  stream.on('error', () => undefined);
  return {
    write: (bytes) => stream.write(bytes),
    end: (bytes) => stream.end(bytes),
    onData: (take) => stream.on('data', (bytes: Buffer) => take(bytes.length)),
    onOver: (take) => stream.on('close', take),
    stopReading: () => stream.pause(),
    cut: () => (whole ? session.destroy() : stream.close(8)),
  };
}

const lines = {
  'HTTP/1.1': overHttp1,
  'HTTP/2': overHttp2,
  'HTTP/2, its stream alone': (call: ModernRequest, length: number) => overHttp2(call, length, false),
};

async function leave(open: (typeof lines)['HTTP/1.1'], call: ModernRequest, moment: Moment): Promise<void> {
  const body = Buffer.from(JSON.stringify(call.body));
  const before = recorder.requests.length;
  const line = open(call, body.length);
  let got = 0;
  let over = false;
  line.onOver(() => {
    over = true;
  });
  const isPart = typeof moment === 'object' && 'sent' in moment;
  if (isPart && moment.sent < 1) line.write(body.subarray(0, Math.floor(body.length * moment.sent)));
  else line.end(body);
  if (moment === 'unread') line.stopReading();
  else
    line.onData((bytes) => {
      got += bytes;
    });
  // A moment that this server never lets come is left out.
  const patience = isPart ? 5 : 120;
  const cameAt = performance.now();
  const isNow = (): boolean => {
    if (isPart || over) return over;
    if (moment === 'seen' || moment === 'unread') return recorder.requests.length > before;
    return got >= moment.got;
  };
  while (!isNow() && performance.now() - cameAt < patience)
    await new Promise((resolve) => setTimeout(resolve, 2));
  line.cut();
}

/** Calls for which there was no place yet. */
let refused = 0;

async function passes(call: ModernRequest): Promise<boolean> {
  const answer = await post(gate.url('w'), call.body, { headers: call.headers, tls });
  const { error } = answer.json<{ error?: { data: { reason: string } } }>();
  if (error === undefined) return true;
  expect(error.data.reason).toBe('concurrency-limited');
  refused += 1;
  return false;
}

describe('a place of a caller', () => {
  afterAll(() => {
    // Of a session era, a call goes on when its client has left: so long its place is taken.
    expect(refused).toBeGreaterThan(0);
  });

  for (const [protocol, open] of Object.entries(lines)) {
    for (const [server, script] of Object.entries(servers)) {
      it(`is given back over ${protocol}, whenever it leaves, where the server ${server}`, async () => {
        for (const [era, call] of Object.entries(calls)) {
          for (const [moment, when] of Object.entries(moments)) {
            recorder.on('tools/call', script);
            await leave(open, call, when);
            recorder.on('tools/call', undefined);
            let isFree = false;
            const deadline = Date.now() + 5000;
            while (!isFree && Date.now() < deadline) isFree = await passes(call);
            expect(isFree, `${era}, left ${moment}`).toBe(true);
          }
        }
      });
    }
  }
});
