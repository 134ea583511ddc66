import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Act, answerBytes, type ByteServer, startByteServer } from '../support/byte-server.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { expectNoConnections } from '../support/leaks.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { startRecorder } from '../support/recorder.ts';
import { SseEvents } from '../support/sse-events.ts';

const json = 'application/json';
const sseHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n';

/** What an upstream does to a call, and what the caller is told. */
const failures: Readonly<Record<string, readonly [act: Act, rpc: number, reason: string]>> = {
  'reset-before-headers': [(socket) => socket.resetAndDestroy(), 5020, 'upstream-closed'],
  'closed-before-headers': [(socket) => socket.end(), 5020, 'upstream-closed'],
  'reset-in-headers': [
    (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-ty', () => socket.resetAndDestroy()),
    5020,
    'upstream-closed',
  ],
  'closed-in-the-body': [
    (socket) =>
      socket.end(`HTTP/1.1 200 OK\r\ncontent-type: ${json}\r\ncontent-length: 500\r\n\r\n{"jsonrpc"`),
    5020,
    'upstream-closed',
  ],
  'reset-in-a-stream': [
    (socket) =>
      socket.write(`${sseHead}data: {"jsonrpc"`, () => setTimeout(() => socket.resetAndDestroy(), 20)),
    5020,
    'upstream-closed',
  ],
  'stream-without-an-answer': [(socket) => socket.end(`${sseHead}: nothing\n\n`), 5020, 'upstream-closed'],
  'no-answer': [() => undefined, 5040, 'upstream-timeout'],
  'silence-in-the-body': [
    (socket) => socket.write(`HTTP/1.1 200 OK\r\ncontent-type: ${json}\r\ncontent-length: 500\r\n\r\n{`),
    5040,
    'upstream-timeout',
  ],
  'endless-stream': [
    (socket) => {
      socket.write(sseHead);
      const timer = setInterval(() => socket.write(': still here\n\n'), 20);
      socket.on('close', () => clearInterval(timer));
    },
    5040,
    'upstream-timeout',
  ],
  'invalid-json': [
    (socket, id) => socket.write(answerBytes('200 OK', json, `{"jsonrpc":"2.0","id":${id},"result":{}`)),
    5020,
    'upstream-invalid',
  ],
  'repeated-key': [
    (socket, id) => {
      const twice = `{"jsonrpc":"2.0","id":${id},"result":{"content":[],"content":[{}]}}`;
      socket.write(answerBytes('200 OK', json, twice));
    },
    5020,
    'upstream-invalid',
  ],
  'wrong-id': [
    (socket) => socket.write(answerBytes('200 OK', json, '{"jsonrpc":"2.0","id":424242,"result":{}}')),
    5020,
    'upstream-invalid',
  ],
  'no-answer-but-accepted': [
    (socket) => socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n'),
    5020,
    'upstream-invalid',
  ],
  'html-500': [
    (socket) =>
      socket.write(answerBytes('500 Oops', 'text/html', '<pre>Error: secret at /srv/app.js:1</pre>')),
    5020,
    'upstream-refused',
  ],
  'challenge-401': [
    (socket) => socket.write(answerBytes('401 No', json, '{}', 'www-authenticate: Bearer secret="x"\r\n')),
    5020,
    'upstream-refused',
  ],
  redirect: [
    (socket) =>
      socket.write(answerBytes('302 Found', 'text/plain', 'secret', 'location: http://secret.example/\r\n')),
    5020,
    'upstream-refused',
  ],
  'html-200': [
    (socket) => socket.write(answerBytes('200 OK', 'text/html', '<p>secret</p>')),
    5020,
    'upstream-invalid',
  ],
  'gigantic-result': [
    (socket, id) => {
      const text = 'secret'.repeat(50_000);
      socket.write(
        answerBytes('200 OK', json, `{"jsonrpc":"2.0","id":${id},"result":{"content":["${text}"]}}`),
      );
    },
    4130,
    'result-too-large',
  ],
  'gigantic-event': [
    (socket) => socket.write(`${sseHead}data: "${'secret'.repeat(50_000)}"\n\n`),
    4130,
    'result-too-large',
  ],
  'not-http': [(socket) => socket.write('SSH-2.0-secret\r\n'), 5020, 'upstream-invalid'],
};

describe('an upstream that fails', () => {
  let server: ByteServer;
  let gate: TestGateway;

  beforeAll(async () => {
    server = await startByteServer(
      Object.fromEntries(Object.entries(failures).map(([name, [act]]) => [name, act])),
    );
    const upstreams = Object.fromEntries(Object.keys(failures).map((name) => [name, server.url(name)]));
    gate = await startTestGateway({
      upstreams: { ...upstreams, refused: `http://127.0.0.1:${await closedPort()}/mcp` },
      http: {
        timeouts: { headers: '400ms', idle: '400ms', total: '1s' },
        limits: { resultBytes: '64KiB', eventBytes: '64KiB' },
      },
    });
  });

  afterAll(async () => {
    await gate.close();
    await expectNoConnections([server.server]);
    await server.close();
  });

  const rows = Object.entries(failures).map(([name, [, rpc, reason]]) => ({ name, rpc, reason }));
  const all = [...rows, { name: 'refused', rpc: 5020, reason: 'upstream-unreachable' }];

  for (const { name, rpc, reason } of all) {
    it(`gives one error with the id of the call: ${name}`, async () => {
      const tls = await gate.as('alice');
      const params = { name: 'echo', arguments: {} };
      const { headers, body } = modern('tools/call', params, { id: 'mine' });
      const answers = await Promise.all([
        post(gate.url(name), body, { headers, tls }),
        post(gate.url(name), legacy('tools/call', params, 'mine'), { tls }),
      ]);
      for (const answer of answers) {
        expect(answer.status).toBe(200);
        const messages =
          answer.headers['content-type'] === 'text/event-stream'
            ? new SseEvents().push(answer.body).map(({ data }) => JSON.parse(data) as unknown)
            : [answer.json()];
        expect(messages).toEqual([
          {
            jsonrpc: '2.0',
            id: 'mine',
            error: { code: rpc, message: expect.any(String), data: { reason } },
          },
        ]);
        // Nothing of what the upstream said goes through.
        expect(answer.body.toString() + JSON.stringify(answer.headers)).not.toMatch(/secret/);
      }
      const records = gate.audit().slice(-2);
      for (const record of records) expect(record).toMatchObject({ upstream: name, code: reason, rpc });
    });
  }

  for (const { name, connect } of generations) {
    it(`is an error with a code that an official client can read (${name})`, async () => {
      const recorder = await startRecorder();
      recorder.on('tools/call', { kind: 'drop' });
      const other = await startTestGateway({ upstreams: { recorder: recorder.url } });
      const caller = await connect(other.url('recorder'), await other.as('alice'));
      await expect(caller.call('echo')).rejects.toMatchObject({
        code: 5020,
        message: expect.stringContaining('The server behind the gateway ended before it answered'),
      });
      await caller.close();
      await recorder.close();
      await other.close();
    });
  }

  for (const { name, era, connect } of generations) {
    it(`is told at once to an official client that connects (${name})`, async () => {
      await expect(connect(gate.url('refused'), await gate.as('alice'))).rejects.toThrow(
        // The probe of the pinned client reads any error as "does not speak it".
        era === 'modern' ? /did not offer/ : /server behind the gateway cannot be reached/,
      );
    });
  }
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
