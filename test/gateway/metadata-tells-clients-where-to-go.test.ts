import { afterEach, describe, expect, it } from 'vitest';
import { makeIssuer } from '../identity/issuer.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { send, sendHttp2 } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const issuer = 'https://idp.example';
const root = '/.well-known/oauth-protected-resource';

let gate: TestGateway;
let recorder: Recorder;

afterEach(async () => {
  await gate.close();
  await recorder.close();
});

interface Setup {
  /** Upstreams that are resources; `plain` beside them is none. */
  readonly resources: readonly string[];
  readonly clients?: 'none' | 'request' | 'require';
  readonly token?: Readonly<Record<string, unknown>>;
}

async function start({ resources, clients = 'none', token = {} }: Setup): Promise<void> {
  recorder = await startRecorder();
  const http = { url: recorder.url };
  gate = await startTestGateway({
    upstreams: {},
    clients: { mode: clients },
    files: { 'jwks.json': (await makeIssuer()).jwks },
    config: {
      identity: [{ token: { issuer, audience: 'plain', keys: 'jwks.json', ...token } }],
      upstreams: [
        ...resources.map((name) => ({
          name,
          path: `/${name}/mcp`,
          authorization: { resource: `https://mcp.example/${name}/mcp`, scopes: ['connect'] },
          http,
        })),
        { name: 'plain', path: '/plain/mcp', http },
      ],
    },
  });
}

const get = async (path: string, as?: string) =>
  send('GET', gate.gateway.listeners[0]!.url + path, { tls: await gate.as(as) });

const described = (name: string) => ({
  resource: `https://mcp.example/${name}/mcp`,
  authorization_servers: [issuer],
  scopes_supported: ['connect'],
  bearer_methods_supported: ['header'],
});

describe('metadata of protected resources', () => {
  it('stand at the path of each, and at the root where there is one only', async () => {
    await start({ resources: ['warehouse'] });
    for (const path of [`${root}/warehouse/mcp`, root]) {
      const answer = await get(path);
      expect(answer.status, path).toBe(200);
      expect(answer.json(), path).toEqual(described('warehouse'));
    }
    expect((await get(`${root}/plain/mcp`)).status).toBe(404);
    expect(recorder.requests).toEqual([]);
  });

  it('do not stand at the root where there are several: it would be a guess', async () => {
    await start({ resources: ['warehouse', 'archive'] });
    expect((await get(`${root}/warehouse/mcp`)).json()).toEqual(described('warehouse'));
    expect((await get(`${root}/archive/mcp`)).json()).toEqual(described('archive'));
    expect((await get(root)).status).toBe(404);
  });

  it('are nowhere where no route is a resource, and the gateway is never an authorization server', async () => {
    await start({ resources: [] });
    for (const path of [
      root,
      `${root}/plain/mcp`,
      '/.well-known/oauth-authorization-server',
      '/.well-known/oauth-authorization-server/plain/mcp',
      '/.well-known/openid-configuration',
      '/plain/mcp/.well-known/openid-configuration',
      '/authorize',
      '/token',
      '/register',
    ]) {
      expect((await get(path)).status, path).toBe(404);
    }
  });

  it('say that tokens may be bound, where configuration makes it true', async () => {
    await start({
      resources: ['warehouse'],
      clients: 'request',
      token: { dpop: { algorithms: ['ES256'] }, requireBinding: ['dpop'] },
    });
    expect((await get(root)).json()).toEqual({
      ...described('warehouse'),
      tls_client_certificate_bound_access_tokens: true,
      dpop_signing_alg_values_supported: ['ES256'],
      dpop_bound_access_tokens_required: true,
    });
  });

  it('are behind the client certificate where the listener requires one', async () => {
    await start({ resources: ['warehouse'], clients: 'require' });
    await expect(get(root)).rejects.toThrow();
    expect((await get(root, 'alice')).status).toBe(200);
  });

  it('are read by pages of any origin and over HTTP/2, and leave no record; refusals do', async () => {
    await start({ resources: ['warehouse'] });
    const url = gate.gateway.listeners[0]!.url + root;
    const tls = await gate.as();
    const page = await sendHttp2('GET', url, { headers: { origin: 'https://app.example' }, tls });
    expect(page.status).toBe(200);
    expect(page.headers['access-control-allow-origin']).toBe('*');
    expect((await send('POST', url, { tls })).status).toBe(405);
    // Nobody waits for the record of a refusal before the answer.
    await expect.poll(() => gate.audit().length).toBe(1);
    expect(JSON.stringify(gate.audit())).toContain('http-method');
  });

  it('let a page read them, and no more', async () => {
    await start({ resources: ['warehouse'] });
    const answer = await send('POST', `${gate.gateway.listeners[0]!.url}/warehouse/mcp`, {
      headers: { origin: 'https://app.example', 'content-type': 'application/json' },
      body: '{}',
      tls: await gate.as(),
    });
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });
});
