import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { fetchWith } from '../support/clients.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const issuer = 'https://idp.example';
const audience = 'https://mcp.example/warehouse';

const policy = `
version: 1
roles:
  analyst:
    allow:
      - tools: [query]
  writer:
    allow:
      - tools: [insert]
bindings:
  - roles: [analyst]
    to: { token: { issuer: "${issuer}", claims: { groups: data } } }
  - roles: [writer]
    to: { token: { issuer: "${issuer}", scopes: [write] } }
`;

describe('bearer tokens of an issuer', () => {
  let keys: TestIssuer;
  let jwks: Server;
  let recorder: Recorder;
  let gate: TestGateway;
  const now = Math.floor(Date.now() / 1000);
  const fresh = { iat: now - 5, exp: now + 300 };

  beforeAll(async () => {
    keys = await makeIssuer();
    jwks = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(keys.jwks);
    });
    await new Promise<void>((resolve) => jwks.listen(0, '127.0.0.1', resolve));
    recorder = await startRecorder();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      policy,
      clients: { mode: 'none' },
      config: {
        outbound: { private: ['127.0.0.0/8'] },
        identity: [
          {
            token: {
              issuer,
              audience,
              jwks: `http://127.0.0.1:${(jwks.address() as AddressInfo).port}/jwks`,
            },
          },
        ],
      },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
    jwks.closeAllConnections();
    await new Promise((resolve) => jwks.close(resolve));
  });

  const call = async (name: string, authorization?: string) => {
    const { headers, body } = modern('tools/call', { name, arguments: {} });
    return post(gate.url('recorder'), body, {
      headers: authorization === undefined ? headers : { ...headers, authorization },
      tls: await gate.as(),
    });
  };
  const token = (claims: Record<string, unknown>, header?: Record<string, unknown>) =>
    keys.sign({ ...fresh, ...claims }, header);

  it('name the caller, and its claims and scopes give it roles', async () => {
    const data = `Bearer ${await token({ groups: ['data'] })}`;
    expect((await call('query', data)).json()).toHaveProperty('result');
    expect((await call('insert', data)).json()).toMatchObject({ error: { code: 4030 } });
    const named = { sub: 'bob', scope: 'read write', jti: 'token-1', client_id: 'assistant' };
    const scoped = `Bearer ${await token(named)}`;
    expect((await call('insert', scoped)).json()).toHaveProperty('result');
    expect(gate.audit().at(-1)).toMatchObject({
      who: { credentials: [{ kind: 'token', issuer, id: 'token-1', client: 'assistant' }] },
    });
    const ids = gate.audit().map(({ who }) => (who as { id: string }).id);
    expect(new Set(ids).size).toBe(2);
  });

  it('do not travel to the upstream', () => {
    for (const { rawHeaders } of recorder.requests) {
      expect(rawHeaders.map((text) => text.toLowerCase())).not.toContain('authorization');
    }
  });

  it('work for an official client that brings one', async () => {
    const { fetch, close } = fetchWith(await gate.as());
    const client = new Client(
      { name: 'token-client', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const authProvider = { token: () => token({ groups: 'data' }) };
    await client.connect(
      new StreamableHTTPClientTransport(new URL(gate.url('recorder')), { fetch, authProvider }),
    );
    expect((await client.callTool({ name: 'query', arguments: {} })).isError).toBeFalsy();
    await client.close();
    await close();
  });

  it('are asked for with WWW-Authenticate where there is none', async () => {
    const answer = await post(gate.url('recorder'), initialize(), { tls: await gate.as() });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="sallyport"');
    expect(answer.json()).toMatchObject({
      error: { code: 4010, message: 'Authentication is required', data: { reason: 'credential-missing' } },
    });
  });

  it('are refused, all alike, where anything about them does not hold', async () => {
    const stranger = await makeIssuer();
    const good = await token({});
    const bad = [
      await token({ exp: now - 3600, iat: now - 7200 }),
      await token({ aud: 'https://mcp.example/other' }),
      await token({ iss: 'https://other.example' }),
      await stranger.sign(fresh),
      await token({}, { typ: 'JWE' }),
      await token({}, { kid: 'unknown' }),
      `${good.slice(0, -4)}AAAA`,
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good.split('.')[1]}.`,
      'nonsense',
      '',
    ];
    const seen = recorder.requests.length;
    const answers = await Promise.all(bad.map((text) => call('query', `Bearer ${text}`)));
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="sallyport", error="invalid_token"');
    }
    expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(1);
    expect(recorder.requests).toHaveLength(seen);
  });
});
