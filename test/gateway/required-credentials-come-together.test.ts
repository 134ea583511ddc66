import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { audience, issuer, makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const robot = createApiKey('robot');

describe('a certificate and a token together, or an API key alone', () => {
  let keys: TestIssuer;
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    keys = await makeIssuer();
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      clients: { mode: 'request' },
      files: {
        'secrets/jwks.json': keys.jwks,
        'secrets/keys.yaml': JSON.stringify({ keys: [robot.entry] }),
      },
      config: {
        identity: [
          { certificate: {} },
          { token: { issuer, audience, keys: 'secrets/jwks.json' } },
          { apiKeys: { file: 'secrets/keys.yaml' } },
        ],
        require: [['certificate', 'token'], ['apiKey']],
      },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const now = Math.floor(Date.now() / 1000);
  const token = () => keys.sign({ iat: now - 5, exp: now + 300 });
  const call = async (who: string | undefined, credentials: Record<string, string>) => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    const tls = await gate.as(who);
    return post(gate.url('recorder'), body, { headers: { ...headers, ...credentials }, tls });
  };

  it('are enough', async () => {
    const both = await call('alice', { authorization: `Bearer ${await token()}` });
    expect(both.json()).toHaveProperty('result');
    const { who } = gate.audit().at(-1) as { who: { credentials: { kind: string }[] } };
    expect(who.credentials.map(({ kind }) => kind).sort()).toEqual(['certificate', 'token']);
    expect((await call(undefined, { 'x-api-key': robot.key })).json()).toHaveProperty('result');
  });

  it('are needed: neither alone, and nothing bad beside them', async () => {
    const good = `Bearer ${await token()}`;
    const cases: readonly [string | undefined, Record<string, string>][] = [
      [undefined, {}],
      ['alice', {}],
      [undefined, { authorization: good }],
      ['alice', { authorization: 'Bearer nonsense' }],
      ['alice', { authorization: good, 'x-api-key': 'nonsense' }],
      [undefined, { authorization: 'Bearer nonsense', 'x-api-key': robot.key }],
    ];
    for (const [who, credentials] of cases) {
      const answer = await call(who, credentials);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="sallyport"/);
      expect(answer.headers['www-authenticate']).toContain('ApiKey');
    }
  });
});
