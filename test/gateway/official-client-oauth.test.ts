import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthorizationServer,
  accessTokenFor,
  Browser,
  startAuthorizationServer,
} from '../support/authorization-server.ts';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { fetchAt, OAuthMemory, redirectUrl } from '../support/oauth-client.ts';

const host = 'mcp.example';
const resource = `https://${host}/fixture/mcp`;
const opaque = `https://${host}/opaque/mcp`;
const elsewhere = 'https://files.example/mcp';
const gatewaySecret = 'what the gateway and the issuer know';

const policy = (issuer: string) => `
version: 1
roles:
  member:
    allow:
      - tools: ["*"]
      - methods: ["**"]
bindings:
  - roles: [member]
    to: { token: { issuer: "${issuer}" } }
scopes:
  - match: { tools: ["*"] }
    scopes: ["mcp:tools"]
  - match: { tools: [test_image_content] }
    scopes: ["mcp:images"]
`;

/** One official client, whichever generation. */
interface Caller {
  connect(): Promise<void>;
  call(name: string): Promise<unknown>;
  finish(answer: URLSearchParams): Promise<void>;
  close(): Promise<void>;
}

type Generation = (fetch: typeof globalThis.fetch, memory: OAuthMemory, url?: string) => Caller;

const second =
  (mode: { pin: '2026-07-28' } | 'legacy'): Generation =>
  (fetch, memory, url = resource) => {
    const begin = () => ({
      client: new Client({ name: 'oauth', version: '1' }, { versionNegotiation: { mode } }),
      transport: new StreamableHTTPClientTransport(new URL(url), { fetch, authProvider: memory }),
    });
    let { client, transport } = begin();
    return {
      async connect() {
        ({ client, transport } = begin());
        await client.connect(transport);
      },
      call: (name) => client.callTool({ name, arguments: {} }),
      finish: (answer) => transport.finishAuth(answer),
      close: () => client.close(),
    };
  };

const first: Generation = (fetch, memory, url = resource) => {
  const begin = () => ({
    client: new Client1({ name: 'oauth', version: '1' }),
    transport: new Transport1(new URL(url), { fetch, authProvider: memory as never }),
  });
  let { client, transport } = begin();
  return {
    async connect() {
      ({ client, transport } = begin());
      await client.connect(transport as never);
    },
    call: (name) => client.callTool({ name, arguments: {} }),
    finish: (answer) => transport.finishAuth(answer.get('code')!),
    close: () => client.close(),
  };
};

const generations: readonly [string, Generation][] = [
  ['second generation, 2026-07-28', second({ pin: '2026-07-28' })],
  ['second generation, sessions', second('legacy')],
  ['first generation', first],
];

describe('the OAuth flow of official clients', () => {
  let server: AuthorizationServer;
  let fixture: EverythingFixture;
  let gate: TestGateway;
  let network: ReturnType<typeof fetchAt>;

  beforeAll(async () => {
    [server, fixture] = await Promise.all([
      startAuthorizationServer({
        resources: { [resource]: 'jwt', [opaque]: 'opaque', [elsewhere]: 'jwt' },
        scopes: ['mcp:connect', 'mcp:tools', 'mcp:images'],
        clients: [
          {
            client_id: 'known',
            redirect_uris: [redirectUrl],
            grant_types: ['authorization_code'],
            response_types: ['code'],
            token_endpoint_auth_method: 'none',
          },
          {
            client_id: 'gateway',
            client_secret: gatewaySecret,
            redirect_uris: [],
            grant_types: [],
            response_types: [],
          },
        ],
      }),
      startEverythingFixture(),
    ]);
    gate = await startTestGateway({
      upstreams: { fixture: fixture.url },
      policy: policy(server.issuer),
      listener: { hosts: [host] },
      clients: { mode: 'none' },
      files: { 'introspection.secret': gatewaySecret },
      config: {
        outbound: { private: ['127.0.0.0/8'] },
        identity: [
          {
            token: {
              issuer: server.issuer,
              discovery: true,
              algorithms: ['ES256'],
              introspection: { clientId: 'gateway', secret: 'introspection.secret' },
            },
          },
        ],
        upstreams: [
          {
            name: 'fixture',
            path: '/fixture/mcp',
            authorization: { resource, scopes: ['mcp:connect'], name: 'The fixture' },
            http: { url: fixture.url },
          },
          {
            name: 'opaque',
            path: '/opaque/mcp',
            authorization: { resource: opaque, scopes: ['mcp:tools'] },
            http: { url: fixture.url },
          },
        ],
      },
    });
    network = fetchAt(host, gate.gateway.listeners[0]!.url, gate.ca.caPem);
  });

  afterAll(async () => {
    await network.close();
    await gate.close();
    await Promise.all([fixture.close(), server.close()]);
  });

  for (const [name, begin] of generations) {
    for (const clientId of [undefined, 'known']) {
      it(`goes from a 401 to a call, and on to a wider token (${name}, ${clientId ?? 'registers itself'})`, async () => {
        const memory = new OAuthMemory(clientId);
        const browser = new Browser('alice');
        const caller = begin(network.fetch, memory);
        const registrations = () => server.requests.filter((line) => line === 'POST /reg').length;
        const before = registrations();

        await expect(caller.connect()).rejects.toThrow(/nauthorized|authoriz/i);
        expect(memory.asked).toHaveLength(1);
        const asked = memory.asked[0]!.searchParams;
        expect(asked.get('resource')).toBe(resource);
        expect(asked.get('scope')).toBe('mcp:connect');
        expect(asked.get('code_challenge_method')).toBe('S256');
        expect(registrations() - before).toBe(clientId === undefined ? 1 : 0);
        await caller.finish(await browser.authorize(memory.asked[0]!, redirectUrl));
        await caller.connect();

        await expect(caller.call('test_simple_text')).rejects.toThrow();
        expect(memory.asked).toHaveLength(2);
        expect(memory.asked[0]!.searchParams.get('scope')!.split(' ').sort()).toEqual([
          'mcp:connect',
          'mcp:tools',
        ]);
        await caller.finish(await browser.authorize(memory.asked[0]!, redirectUrl));
        expect(await caller.call('test_simple_text')).toMatchObject({ content: [{ type: 'text' }] });

        await expect(caller.call('test_image_content')).rejects.toThrow();
        expect(memory.asked).toHaveLength(3);
        await caller.finish(await browser.authorize(memory.asked[0]!, redirectUrl));
        expect(await caller.call('test_image_content')).toMatchObject({ content: [{ type: 'image' }] });
        await caller.close();
      });
    }
  }

  for (const [name, begin] of generations) {
    it(`works with opaque tokens, about which the issuer is asked (${name})`, async () => {
      const memory = new OAuthMemory('known');
      const caller = begin(network.fetch, memory, opaque);
      await expect(caller.connect()).rejects.toThrow(/nauthorized|authoriz/i);
      await caller.finish(await new Browser('bob').authorize(memory.asked[0]!, redirectUrl));
      await caller.connect();
      expect(memory.accessToken).not.toContain('.');
      expect(await caller.call('test_simple_text')).toMatchObject({ content: [{ type: 'text' }] });
      expect(memory.asked).toHaveLength(1);
      await caller.close();
    });
  }

  it('brings nothing where the token is for another resource', async () => {
    const browser = new Browser('alice');
    const about = { clientId: 'known', redirectUrl, scope: 'mcp:connect mcp:tools' };
    const { headers, body } = modern('tools/call', { name: 'test_simple_text', arguments: {} });
    const call = async (url: string, token: string) =>
      network.fetch(url, {
        method: 'POST',
        headers: {
          ...headers,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
          authorization: `Bearer ${token}`,
        },
        body: JSON.stringify(body),
      });
    const [right, wrong, otherRoute] = [
      await accessTokenFor(server, browser, { ...about, resource }),
      await accessTokenFor(server, browser, { ...about, resource: elsewhere }),
      await accessTokenFor(server, browser, { ...about, resource: opaque }),
    ];
    expect((await call(resource, right)).status).toBe(200);
    expect((await call(opaque, otherRoute)).status).toBe(200);
    for (const [url, token] of [
      [resource, wrong],
      [resource, otherRoute],
      [opaque, right],
      [opaque, wrong],
    ] as const) {
      const answer = await call(url, token);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    }
  });
});
