import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../cli/run-command.ts';
import { makeTestCa } from '../support/certificates.ts';
import { type ClientTls, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { flags, frame, frames, honestHeaders, literals, settings } from '../support/raw-http2.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

let recorder: Recorder;
let gate: TestGateway;
let port: number;
let alice: ClientTls;
let stranger: { readonly cert: string; readonly key: string };

beforeAll(async () => {
  recorder = await startRecorder();
  gate = await startTestGateway({
    upstreams: { w: recorder.url },
    listener: { limits: { trusted: [], headersTimeout: '1s', bodyTimeout: '1s' } },
    config: { blocks: { threshold: 3 }, control: { socket: 'control.sock' } },
  });
  port = Number(new URL(gate.url('w')).port);
  alice = await gate.as('alice');
  const { certPem, keyPem } = await (await makeTestCa()).issue({ uris: ['spiffe://test.local/alice'] });
  stranger = { cert: certPem, key: keyPem };
});

afterAll(async () => {
  await gate.close();
  await recorder.close();
});

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const post = (rest: string): string =>
  `POST /w/mcp HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n${rest}`;
const whole = (body: string): string => post(`Content-Length: ${body.length}\r\n\r\n${body}`);
const overH2 = (...pieces: Buffer[]): Buffer => Buffer.concat([preface, settings(), ...pieces]);

interface Way {
  readonly tls?: ConnectionOptions | 'plain';
  readonly say?: () => string | Buffer;
}

const known = (): ConnectionOptions => alice;
const h2 = (): ConnectionOptions => ({ ...alice, ALPNProtocols: ['h2'] });

/** What a stranger, or a caller who is known, can get wrong. */
const ways: readonly (readonly [string, () => Way])[] = [
  ['no certificate', () => ({ tls: { ca: alice.ca } })],
  ['a certificate of another CA', () => ({ tls: { ca: alice.ca, ...stranger } })],
  ['a protocol that is not offered', () => ({ tls: { ...alice, ALPNProtocols: ['gopher'] } })],
  ['an older TLS', () => ({ tls: { ...alice, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } })],
  ['plain HTTP on the TLS port', () => ({ tls: 'plain', say: () => whole('{}') })],
  ['HTTP/2 without TLS', () => ({ tls: 'plain', say: () => overH2() })],
  ['noise', () => ({ tls: 'plain', say: () => Buffer.alloc(200, 0xa5) })],
  ['a handshake that goes no further', () => ({ tls: 'plain', say: () => Buffer.from([22, 3, 1, 2, 0, 1]) })],
  ['HTTP/2 where HTTP/1.1 was agreed', () => ({ tls: known(), say: () => overH2() })],
  ['HTTP/1.1 where HTTP/2 was agreed', () => ({ tls: h2(), say: () => whole('{}') })],
  ['a bad chunk', () => ({ tls: known(), say: () => post('Transfer-Encoding: chunked\r\n\r\nzz\r\n') })],
  ['headers too large', () => ({ tls: known(), say: () => post(`X-A: ${'a'.repeat(20_000)}\r\n\r\n`) })],
  ['a space before the colon', () => ({ tls: known(), say: () => post('X-A : b\r\n\r\n') })],
  ['headers that never end', () => ({ tls: known(), say: () => post('X-A: b\r\n') })],
  ['a body that never ends', () => ({ tls: known(), say: () => post('Content-Length: 50\r\n\r\n{') })],
  ['a body that is no JSON', () => ({ tls: known(), say: () => whole('{') })],
  ['a body that is no JSON-RPC', () => ({ tls: known(), say: () => whole('{"a":1}') })],
  ['a body with a key twice', () => ({ tls: known(), say: () => whole('{"jsonrpc":"2.0","id":1,"id":2}') })],
  ['an empty body', () => ({ tls: known(), say: () => whole('') })],
  [
    'two lengths',
    () => ({ tls: known(), say: () => post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}') }),
  ],
  ['HTTP/2 DATA on no stream', () => ({ tls: h2(), say: () => overH2(frame(frames.data, 0, 0)) })],
  [
    'HTTP/2 headers that HPACK cannot read',
    () => ({
      tls: h2(),
      say: () => overH2(frame(frames.headers, flags.endHeaders | flags.endStream, 1, Buffer.alloc(20, 0xff))),
    }),
  ],
  [
    'HTTP/2 CONTINUATION of nothing',
    () => ({ tls: h2(), say: () => overH2(frame(frames.continuation, flags.endHeaders, 1)) }),
  ],
  [
    'HTTP/2 with two authorities',
    () => ({
      tls: h2(),
      say: () =>
        overH2(
          frame(
            frames.headers,
            flags.endHeaders | flags.endStream,
            1,
            literals([...honestHeaders(gate.url('w')), ['host', 'elsewhere']]),
          ),
        ),
    }),
  ],
];

/** Resolves once the other side has closed, or has answered. */
function fail({ tls, say }: Way, localAddress: string): Promise<void> {
  return new Promise((resolve) => {
    const at = { host: '127.0.0.1', port, localAddress };
    const socket: Socket =
      tls === 'plain' ? connectTcp(at) : connectTls({ ...tls, ...at } as ConnectionOptions);
    socket.on('error', () => {});
    socket.once('close', () => resolve());
    socket.on('data', (chunk: Buffer) => {
      // An answer of HTTP/1.1; frames of HTTP/2 go on until the end.
      if (!chunk.toString('latin1').startsWith('HTTP/1.1') && (tls as ConnectionOptions).ALPNProtocols)
        return;
      setTimeout(() => socket.destroy(), 20);
    });
    socket.once(tls === 'plain' ? 'connect' : 'secureConnect', () => {
      if (say !== undefined) socket.write(say());
    });
    setTimeout(() => socket.destroy(), 2000).unref();
  });
}

ways.forEach(([name, way], index) => {
  it.concurrent(`${name}: who keeps failing so is blocked`, async () => {
    const address = `127.0.40.${index + 1}`;
    await Promise.all(Array.from({ length: 6 }, () => fail(way(), address)));
    const { stdout } = await run(['blocks', '--json', '--socket', `${gate.folder}/control.sock`]);
    expect(stdout).toContain(`"${address}"`);
  });
});
