import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientTls, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { openStream, post, type RawStream } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

describe('certificates and revocations that change', () => {
  let recorder: Recorder;
  let gate: TestGateway;
  let tell: (data: string) => void;

  beforeAll(async () => {
    recorder = await startRecorder();
    const { makeTestCa } = await import('../support/certificates.ts');
    const ca = await makeTestCa();
    gate = await startTestGateway({
      ca,
      upstreams: { recorder: recorder.url },
      files: { 'certs/ca.crl': await ca.crl() },
      clients: { crl: 'certs/ca.crl' },
      config: { reload: { settle: '50ms', poll: '0s' } },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  /** A call whose stream stays open until `tell` is called. */
  const openCall = async (who: string): Promise<RawStream> => {
    const said = new Promise<string>((resolve) => {
      tell = resolve;
    });
    const notice = (data: string) =>
      event({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } });
    recorder.on('tools/call', { kind: 'sse', chunks: [notice('begun'), said.then(notice)], open: true });
    const _meta = { 'io.modelcontextprotocol/logLevel': 'debug' };
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {}, _meta });
    const stream = await openStream('POST', gate.url('recorder'), { headers, body, tls: await gate.as(who) });
    expect((await stream.next())?.data).toContain('begun');
    recorder.on('tools/call', undefined);
    return stream;
  };
  const call = async (tls: ClientTls) => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    return post(gate.url('recorder'), body, { headers, tls });
  };

  it('serve new connections with the new certificate, and leave an open stream alone', async () => {
    const stream = await openCall('alice');
    const before = await servedBy(gate.url('recorder'), await gate.as('alice'));
    const next = await gate.ca.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth'] });
    gate.write('certs/server.key', next.keyPem);
    gate.write('certs/server.crt', next.certPem);
    await expect
      .poll(async () => servedBy(gate.url('recorder'), await gate.as('alice')))
      .toBe(next.fingerprint256);
    expect(before).not.toBe(next.fingerprint256);
    tell('still here');
    expect((await stream.next())?.data).toContain('still here');
    stream.abort();
  });

  it('stay as they were when certificate and key do not fit together', async () => {
    const good = await servedBy(gate.url('recorder'), await gate.as('alice'));
    const other = await gate.ca.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth'] });
    gate.write('certs/server.crt', other.certPem);
    await gate.gateway.reload('files');
    expect(await servedBy(gate.url('recorder'), await gate.as('alice'))).toBe(good);
    const ready = await fetch(`${gate.gateway.adminUrl}/readyz`);
    expect(await ready.json()).toMatchObject({ ready: true, reload: 'failed', failed: ['listener 0'] });
    gate.write('certs/server.key', other.keyPem);
    await gate.gateway.reload('files');
    expect(await servedBy(gate.url('recorder'), await gate.as('alice'))).toBe(other.fingerprint256);
  });

  it('refuse a revoked client, end its streams, and leave the streams of others alone', async () => {
    const others = await openCall('alice');
    const tellAlice = tell;
    const revoked = await openCall('mallory');
    expect((await call(await gate.as('mallory'))).status).toBe(200);
    const { serial } = await gate.certificateOf('mallory');
    gate.write('certs/ca.crl', await gate.ca.crl([serial]));
    await gate.gateway.reload('files');
    await expect(call(await gate.as('mallory'))).rejects.toThrow(/revoked|ECONNRESET|socket|alert/i);
    // What the revoked client has open ends too, whichever way.
    await revoked.rest().catch(() => undefined);
    tellAlice('still here');
    expect((await others.next())?.data).toContain('still here');
    expect((await call(await gate.as('alice'))).status).toBe(200);
    others.abort();
  });
});

/** SHA-256 of the certificate that a new connection is served with. */
function servedBy(url: string, tls: ClientTls): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), ...tls }, () => {
      resolve(socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase());
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
