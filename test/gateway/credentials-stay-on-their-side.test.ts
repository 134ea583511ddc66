import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const own = 'upstream-token-of-the-gateway';
const { key, entry } = createApiKey('client');
const foreign = 'credential-of-the-client';
const sneaky = {
  'x-api-key': key,
  cookie: `session=${foreign}`,
  'proxy-authorization': `Basic ${foreign}`,
  dpop: foreign,
  forwarded: `for=${foreign}`,
  'x-forwarded-for': foreign,
  'x-forwarded-client-cert': foreign,
  'x-real-ip': foreign,
  'x-anything': foreign,
};

describe('credentials', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      files: { 'secrets/token': `${own}\n`, 'secrets/keys.yaml': JSON.stringify({ keys: [entry] }) },
      config: { identity: [{ certificate: {} }, { apiKeys: { file: 'secrets/keys.yaml' } }] },
      http: { credential: { scheme: 'Bearer', file: 'secrets/token' } },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  it('of the gateway go up with every message, those of the client never do', async () => {
    const tls = await gate.as('alice');
    const opened = await post(gate.url('recorder'), initialize(), { headers: sneaky, tls });
    expect(opened.status).toBe(200);
    const session = { ...sneaky, 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' };
    await post(gate.url('recorder'), legacy('tools/list'), { headers: session, tls });
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    await post(gate.url('recorder'), body, { headers: { ...sneaky, ...headers }, tls });
    const methods = recorder.messages.map(({ method }) => method);
    for (const method of ['initialize', 'tools/list', 'tools/call']) expect(methods).toContain(method);
    for (const request of recorder.requests) {
      expect(request.headers['authorization']).toBe(`Bearer ${own}`);
      const all = request.rawHeaders.join('\n') + request.body.toString();
      for (const secret of [foreign, key]) expect(all).not.toContain(secret);
    }
  });

  it('of the gateway change with their file, without a restart', async () => {
    gate.write('secrets/token', 'the-next-token\n');
    await gate.gateway.reload('files');
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    await post(gate.url('recorder'), body, { headers, tls: await gate.as('alice') });
    expect(recorder.requests.at(-1)?.headers['authorization']).toBe('Bearer the-next-token');
    gate.write('secrets/token', `${own}\n`);
    await gate.gateway.reload('files');
  });

  it('of the gateway are in no answer, record or metric', async () => {
    const { headers, body } = modern('tools/call', { name: own, arguments: {} });
    await post(gate.url('recorder'), body, { headers, tls: await gate.as('alice') });
    const written = JSON.stringify(gate.audit()) + (await gate.metrics());
    for (const secret of [own, key]) expect(written).not.toContain(secret);
  });
});
