import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const policy = `
version: 1
roles:
  reporter:
    allow:
      - tools: [report]
bindings:
  - roles: [reporter]
    to: { apiKey: nightly-report }
`;

const nightly = createApiKey('nightly-report');
const other = createApiKey('other');
const expired = createApiKey('nightly-report');
const withdrawn = createApiKey('nightly-report');
const listOf = (...entries: readonly object[]) => JSON.stringify({ keys: entries });

describe('API keys', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      policy,
      clients: { mode: 'none' },
      files: {
        'secrets/keys.yaml': listOf(
          nightly.entry,
          other.entry,
          { ...expired.entry, expiresAt: '2020-01-01T00:00:00Z' },
          withdrawn.entry,
        ),
      },
      config: { identity: [{ apiKeys: { file: 'secrets/keys.yaml' } }] },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const call = async (key: string) => {
    const { headers, body } = modern('tools/call', { name: 'report', arguments: {} });
    return post(gate.url('recorder'), body, {
      headers: { ...headers, 'x-api-key': key },
      tls: await gate.as(),
    });
  };

  it('name the caller, and the name gives it roles', async () => {
    expect((await call(nightly.key)).json()).toHaveProperty('result');
    expect(gate.audit().at(-1)).toMatchObject({
      who: { credentials: [{ kind: 'apiKey', name: 'nightly-report', prefix: nightly.key.slice(4, 12) }] },
    });
    expect((await call(other.key)).json()).toMatchObject({ error: { code: 4030 } });
  });

  it('are asked for with WWW-Authenticate where there is none', async () => {
    const answer = await post(gate.url('recorder'), initialize(), { tls: await gate.as() });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('ApiKey realm="sallyport", header="x-api-key"');
  });

  it('are refused where they are unknown, changed, expired or twice there', async () => {
    const changed = `${nightly.key.slice(0, -1)}${nightly.key.endsWith('A') ? 'B' : 'A'}`;
    for (const key of ['x', changed, createApiKey('nightly-report').key, expired.key]) {
      const answer = await call(key);
      expect(answer.status).toBe(401);
      expect(answer.json()).toMatchObject({ error: { data: { reason: 'credential-invalid' } } });
    }
    const { headers, body } = modern('tools/call', { name: 'report', arguments: {} });
    const twice = await post(gate.url('recorder'), body, {
      headers: [...Object.entries(headers).flat(), 'x-api-key', nightly.key, 'X-Api-Key', nightly.key],
      tls: await gate.as(),
    });
    expect(twice.status).toBe(400);
  });

  it('end when they are taken out of the file, on an open connection too', async () => {
    expect((await call(withdrawn.key)).status).toBe(200);
    gate.write('secrets/keys.yaml', listOf(nightly.entry));
    await gate.gateway.reload('files');
    expect((await call(withdrawn.key)).status).toBe(401);
    expect((await call(nightly.key)).status).toBe(200);
  });

  it('are in no record', () => {
    const written = JSON.stringify(gate.audit());
    for (const { key } of [nightly, other, expired, withdrawn]) expect(written).not.toContain(key);
  });
});
