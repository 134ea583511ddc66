import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { makeTestCa } from '../support/certificates.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const audience = 'https://mcp.example/warehouse';
const secret = 'an-introspection-s3cret';
const opaque = 'opaque-token-of-alice';
const now = Math.floor(Date.now() / 1000);

let keys: TestIssuer;
let recorder: Recorder;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  keys = await makeIssuer();
  recorder = await startRecorder();
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(() => recorder.close());

interface Idp {
  readonly origin: string;
  readonly asked: string[];
  connections: number;
}

/** An authorization server: metadata, keys, introspection. */
async function startIdp(tls?: { readonly cert: string; readonly key: string }): Promise<Idp> {
  const idp = { origin: '', asked: [] as string[], connections: 0 };
  const answer: RequestListener = (request, response) => {
    idp.asked.push(request.url!);
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': {
        issuer: idp.origin,
        jwks_uri: `${idp.origin}/jwks`,
        introspection_endpoint: `${idp.origin}/introspect`,
      },
      '/jwks': JSON.parse(keys.jwks),
    };
    if (request.url === '/introspect') {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        // Both parts are form-encoded (RFC 6749, section 2.3.1).
        const shown = Buffer.from(
          request.headers.authorization?.slice('Basic '.length) ?? '',
          'base64',
        ).toString();
        if (decodeURIComponent(shown) !== `gateway:${secret}`) return response.writeHead(401).end();
        const active = new URLSearchParams(body).get('token') === opaque;
        response.writeHead(200, { 'content-type': 'application/json' });
        return response.end(
          JSON.stringify(
            active ? { active, iss: idp.origin, aud: audience, sub: 'alice', exp: now + 300 } : { active },
          ),
        );
      });
      return;
    }
    const document = documents[request.url!];
    if (document === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  };
  const server: Server = tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
  server.on('connection', () => {
    idp.connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  idp.origin = tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
  return idp;
}

async function startGate(
  idp: Idp,
  outbound: Record<string, unknown> | undefined,
  files: Record<string, string> = {},
): Promise<TestGateway> {
  const gate = await startTestGateway({
    upstreams: { recorder: recorder.url },
    clients: { mode: 'none' },
    files: { 'secrets/introspection': `${secret}\n`, ...files },
    config: {
      ...(outbound === undefined ? {} : { outbound }),
      identity: [
        {
          token: {
            issuer: idp.origin,
            audience,
            discovery: true,
            introspection: { clientId: 'gateway', secret: 'secrets/introspection' },
          },
        },
      ],
    },
  });
  closers.push(() => gate.close());
  return gate;
}

async function call(gate: TestGateway, token: string): Promise<number> {
  const { headers, body } = modern('tools/call', { name: 'query', arguments: {} });
  const reply = await post(gate.url('recorder'), body, {
    headers: { ...headers, authorization: `Bearer ${token}` },
    tls: await gate.as(),
  });
  return reply.status;
}

const tokenOf = (idp: Idp, claims: Record<string, unknown> = {}) =>
  keys.sign({ iss: idp.origin, aud: audience, iat: now - 5, exp: now + 300, ...claims });

describe('an issuer in a configured private block', () => {
  it('is discovered, its keys are fetched and its opaque tokens asked about', async () => {
    const idp = await startIdp();
    const gate = await startGate(idp, { private: ['127.0.0.0/8'] });
    expect(idp.connections).toBe(0);
    expect(await call(gate, await tokenOf(idp))).toBe(200);
    expect(await call(gate, await tokenOf(idp, { sub: 'bob' }))).toBe(200);
    expect(await call(gate, opaque)).toBe(200);
    expect(await call(gate, opaque)).toBe(200);
    expect(await call(gate, 'another-opaque-token')).toBe(401);
    expect(idp.asked).toEqual([
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
      '/jwks',
      '/introspect',
      '/introspect',
    ]);
    const metrics = await gate.metrics();
    for (const [purpose, outcome, count] of [
      ['discovery', 'status', 1],
      ['discovery', 'ok', 1],
      ['jwks', 'ok', 1],
      ['introspection', 'ok', 2],
    ] as const) {
      expect(metrics).toContain(
        `sallyport_outbound_requests_total{purpose="${purpose}",outcome="${outcome}"} ${count}\n`,
      );
    }
    // What was asked and shown stands nowhere.
    const written = JSON.stringify(gate.audit()) + metrics;
    for (const text of [secret, opaque]) expect(written).not.toContain(text);
  });
});

describe('an issuer at an address that nobody allowed', () => {
  it.each([
    ['nothing is configured', undefined],
    ['other blocks are', { private: ['10.0.0.0/8', '127.0.0.2/32'] }],
  ])('is never dialled, and its tokens are refused: %s', async (_, outbound) => {
    const ca = await makeTestCa();
    const { certPem: cert, keyPem: key } = await ca.issue({ san: ['localhost'], eku: ['serverAuth'] });
    const idp = await startIdp({ cert, key });
    const gate = await startGate(idp, outbound);
    expect(await call(gate, await tokenOf(idp))).toBe(401);
    expect(await call(gate, opaque)).toBe(401);
    expect(idp.connections).toBe(0);
    expect(await gate.metrics()).toContain(
      'sallyport_outbound_requests_total{purpose="discovery",outcome="dial-address"} 1\n',
    );
  });
});

describe('a gateway whose issuer could never be dialled does not start', () => {
  const idp = (origin: string): Idp => ({ origin, asked: [], connections: 0 });
  it.each([
    ['http://127.0.0.1:9', undefined, /will not be dialled \(loopback\): see outbound.private/],
    ['http://127.0.0.1:9', { private: ['10.0.0.0/8'] }, /will not be dialled \(loopback\)/],
    ['http://localhost:9', undefined, /http is dialled only in outbound.private/],
    ['https://10.0.0.1', undefined, /will not be dialled \(private\)/],
    ['https://[::ffff:10.0.0.1]', { private: ['10.0.0.0/8'] }, /will not be dialled \(ipv4-mapped\)/],
    ['https://169.254.169.254', { private: ['169.254.0.0/16'] }, /will not be dialled \(metadata-service\)/],
    ['https://idp.example.', undefined, /ends with a dot/],
  ])('%s with %j', async (origin, outbound, problem) => {
    await expect(startGate(idp(origin), outbound)).rejects.toThrow(problem);
  });
});

describe('an issuer with a certificate of a private CA', () => {
  it('is believed with outbound.ca, which is read again at a reload', async () => {
    const ca = await makeTestCa({ name: 'issuers' });
    const other = await makeTestCa({ name: 'others' });
    const { certPem: cert, keyPem: key } = await ca.issue({ san: ['localhost'], eku: ['serverAuth'] });
    const idp = await startIdp({ cert, key });
    const outbound = { private: ['127.0.0.0/8', '::1/128'], ca: ['certs/issuers.crt'] };
    const gate = await startGate(idp, outbound, { 'certs/issuers.crt': other.caPem });
    const token = await tokenOf(idp);
    expect(await call(gate, token)).toBe(401);
    expect(idp.asked).toEqual([]);
    expect(await gate.metrics()).toContain('{purpose="discovery",outcome="dial-tls"} 1\n');
    gate.write('certs/issuers.crt', `${other.caPem}\n${ca.caPem}`);
    // The roots come before the keys: one reload does it.
    await gate.gateway.reload('files');
    expect(await call(gate, token)).toBe(200);
  });
});
