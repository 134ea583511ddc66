import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IssuedCertificate, makeTestCa, type TestCa } from '../support/certificates.ts';
import { type ClientTls, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

/**
 * A handshake is held against the files that were in force when its connection was accepted. Whoever expects to be revoked
 * opens connections, says nothing on them, and finishes the handshakes after the reload.
 */
describe('a handshake that begins before a reload and ends after it', () => {
  let recorder: Recorder;
  let gate: TestGateway;
  let kept: TestCa;
  let dropped: TestCa;
  const issued = new Map<string, IssuedCertificate>();

  beforeAll(async () => {
    recorder = await startRecorder();
    kept = await makeTestCa({ name: 'kept' });
    dropped = await makeTestCa({ name: 'dropped' });
    const uris = (name: string) => ({ uris: [`spiffe://test.local/${name}`] });
    issued.set('alice', await kept.issue(uris('alice')));
    issued.set('mallory', await kept.issue(uris('mallory')));
    issued.set('dora', await dropped.issue(uris('dora')));
    gate = await startTestGateway({
      upstreams: { w: recorder.url },
      clients: { ca: 'clients.crt', crl: 'clients.crl' },
      files: await trusting([kept, dropped], []),
      config: {
        identity: [{ certificate: { trust: [{ domain: 'test.local', ca: 'clients.crt' }] } }],
        reload: { watch: false },
      },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const trusting = async (authorities: readonly TestCa[], revoked: readonly string[]) => ({
    'clients.crt': authorities.map(({ caPem }) => caPem).join(''),
    'clients.crl': (await Promise.all(authorities.map((ca) => ca.crl(ca === kept ? revoked : [])))).join(''),
  });
  const trust = async (authorities: readonly TestCa[], revoked: readonly string[]): Promise<void> => {
    for (const [path, text] of Object.entries(await trusting(authorities, revoked))) gate.write(path, text);
    await gate.gateway.reload('files');
  };
  const silent = async (): Promise<Socket> => {
    const { hostname, port } = new URL(gate.url('w'));
    const socket = connectTcp({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    return socket;
  };
  /** The status of a call over a socket that has said nothing yet; 0 where the connection ends instead. */
  const finish = async (socket: Socket, name: string): Promise<number> => {
    const { certPem, keyPem } = issued.get(name)!;
    const tls: ClientTls = { ca: gate.ca.caPem, cert: certPem, key: keyPem };
    const secure = connectTls({ socket, host: '127.0.0.1', ...tls });
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    const text = JSON.stringify(body);
    const lines = Object.entries({
      host: new URL(gate.url('w')).host,
      ...headers,
      'content-length': text.length,
    });
    const answer = new Promise<number>((resolve) => {
      secure.once('data', (data: Buffer) => resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(data.toString())?.[1])));
      secure.once('close', () => resolve(0));
      secure.on('error', () => resolve(0));
    });
    secure.write(
      `POST /w/mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text}`,
    );
    const status = await answer;
    secure.destroy();
    return status;
  };

  it('lets in whom the old files and the new ones let in, and nobody else', async () => {
    const accepted = gate.audit().length;
    const [alice, mallory, dora] = [await silent(), await silent(), await silent()];
    // The gateway has accepted all that came before this.
    expect(await finish(await silent(), 'mallory')).toBe(200);
    expect(gate.audit().length).toBeGreaterThan(accepted);
    // One root is left: a chain that leads to none of those that are known must not be taken for one to it.
    await trust([kept], [issued.get('mallory')!.serial]);
    expect(await finish(alice, 'alice')).toBe(200);
    expect(await finish(mallory, 'mallory')).toBe(401);
    expect(await finish(dora, 'dora')).toBe(401);
    await trust([kept, dropped], []);
    for (const name of ['alice', 'mallory', 'dora']) expect(await finish(await silent(), name)).toBe(200);
  });
});
