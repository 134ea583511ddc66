import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { type Holder, makeHolder } from '../identity/holder.ts';
import { issuer, makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { createSecretScanner } from '../support/secret-scanner.ts';
import { accessTokenType, startTokenServer, type TokenServer } from '../support/token-server.ts';

/** Every way in which the gateway can show itself to an upstream. */
const modes = [
  'none',
  'static',
  'certificate',
  'clientCredentials',
  'tokenExchange',
  'delegation',
  'assertion',
] as const;
type Mode = (typeof modes)[number];

const word = (): string => randomBytes(18).toString('base64url');

const scanner = createSecretScanner();
/** Remembers what a client holds and shows, by name. */
const secret = scanner.remember;

const robot = createApiKey('robot');

describe('credentials of clients', () => {
  const recorders = new Map<Mode, Recorder>();
  let tokens: TokenServer;
  let gate: TestGateway;
  let keys: TestIssuer;
  let holder: Holder;
  let jwt: string;
  let boundToken: string;

  const resource = (mode: Mode): string => `https://mcp.example/${mode}/mcp`;

  beforeAll(async () => {
    keys = await makeIssuer();
    holder = await makeHolder();
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      aud: modes.map(resource),
      iat: now - 5,
      exp: now + 600,
      jti: secret('jti of a token', word()),
    };
    jwt = secret('bearer token', await keys.sign(claims));
    boundToken = secret('DPoP token', await keys.sign({ ...claims, cnf: { jkt: holder.thumbprint } }));
    secret('API key', robot.key);

    tokens = await startTokenServer();
    tokens.answer((request, number) => ({
      body: {
        access_token: `up-${number}-${request.value('grant_type')?.length}`,
        token_type: 'Bearer',
        expires_in: 300,
        ...(request.value('subject_token') === undefined ? {} : { issued_token_type: accessTokenType }),
      },
    }));
    const { makeTestCa } = await import('../support/certificates.ts');
    const ca = await makeTestCa();
    const [server, own] = await Promise.all([
      ca.issue({ san: ['127.0.0.1'], eku: ['serverAuth'] }),
      ca.issue({ cn: 'gateway', eku: ['clientAuth'] }),
    ]);
    for (const mode of modes) {
      const tls = { cert: server.certPem, key: server.keyPem, ca: ca.caPem, requestCert: true };
      recorders.set(mode, await startRecorder(mode === 'certificate' ? { tls } : {}));
    }
    const client = { tokenEndpoint: tokens.url, clientId: 'gateway', secret: 'secrets/client' };
    const exchange = { ...client, scope: ['read'], onMissing: 'clientCredentials' };
    const http: Readonly<Record<Mode, object>> = {
      none: {},
      static: { credential: { scheme: 'Bearer', value: 'the-gateways-own' } },
      certificate: {
        ca: 'secrets/up-ca.crt',
        clientCertificate: { certificate: 'secrets/up.crt', key: 'secrets/up.key' },
      },
      clientCredentials: { credential: { clientCredentials: client } },
      tokenExchange: { credential: { tokenExchange: exchange } },
      delegation: {
        credential: { tokenExchange: { ...exchange, actor: true } },
        assertion: { audience: 'up' },
      },
      assertion: { assertion: { audience: 'up', claims: ['groups'] } },
    };
    gate = await startTestGateway({
      upstreams: {},
      clients: { mode: 'request' },
      files: {
        'secrets/client': secret('secret of the gateway as a client', word()),
        'secrets/jwks.json': keys.jwks,
        'secrets/keys.yaml': JSON.stringify({ keys: [robot.entry] }),
        'secrets/assertion.pem': generateKeyPairSync('ed25519').privateKey.export({
          type: 'pkcs8',
          format: 'pem',
        }) as string,
        'secrets/up-ca.crt': ca.caPem,
        'secrets/up.crt': own.certPem,
        'secrets/up.key': own.keyPem,
      },
      config: {
        identity: [
          { certificate: {} },
          { token: { issuer, keys: 'secrets/jwks.json', dpop: {} } },
          { apiKeys: { file: 'secrets/keys.yaml' } },
        ],
        require: [['certificate'], ['token'], ['apiKey']],
        outbound: { private: ['127.0.0.0/8'] },
        assertions: { issuer: 'https://mcp.example', keys: ['secrets/assertion.pem'] },
        upstreams: modes.map((mode) => ({
          name: mode.toLowerCase(),
          path: `/${mode}/mcp`,
          authorization: { resource: resource(mode) },
          http: { url: recorders.get(mode)!.url, ...http[mode] },
        })),
      },
    });
  });

  afterAll(async () => {
    await gate.close();
    await tokens.close();
    await Promise.all([...recorders.values()].map((recorder) => recorder.close()));
  });

  /** Ways to be let in. */
  const callers: Readonly<
    Record<string, (mode: Mode, verb: string) => Promise<Readonly<Record<string, string>>>>
  > = {
    'a bearer token': async () => ({ authorization: `Bearer ${jwt}` }),
    'a token bound to a key': async (mode, verb) => {
      const iat = Math.floor(Date.now() / 1000);
      const proof = await holder.prove(boundToken, { htu: resource(mode), htm: verb, iat });
      return {
        authorization: `DPoP ${boundToken}`,
        dpop: secret(`DPoP proof ${scanner.names().length}`, proof),
      };
    },
    'an API key': async () => ({ 'x-api-key': robot.key }),
    'a certificate': async () => ({}),
  };

  /** What a client adds to a request that is taken as it is. */
  const noise = (): Record<string, string> =>
    Object.fromEntries(
      [
        'cookie',
        'proxy-authorization',
        'x-access-token',
        'x-auth-token',
        'x-amz-security-token',
        'x-forwarded-access-token',
        'x-forwarded-authorization',
        'x-ssl-client-cert',
        'x-forwarded-client-cert',
        'x-original-authorization',
        'sallyport-identity',
        'Sallyport-Identity-2',
        'forwarded',
        'via',
        'from',
        'referer',
        'user-agent',
        'baggage',
        'tracestate',
        'authentication',
        'x-csrf-token',
        'private-token',
        'set-cookie',
        'www-authenticate',
        'client-assertion',
        'x_authorization',
        'authorization2',
      ].map((name) => {
        const text = secret(`header ${name}`, word());
        return [
          name,
          name === 'cookie' ? `session=${text}` : name === 'proxy-authorization' ? `Basic ${text}` : text,
        ];
      }),
    );

  interface Shape {
    readonly verb: 'POST' | 'GET' | 'DELETE';
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
  }

  const call = modern('tools/call', { name: 'echo', arguments: { text: 'hello' } });
  const shapes: Readonly<Record<string, (session: Readonly<Record<string, string>>) => Shape>> = {
    'a call of 2026-07-28': () => ({ verb: 'POST', ...call }),
    'the beginning of a session': () => ({ verb: 'POST', headers: {}, body: initialize() }),
    'a call in a session': (session) => ({
      verb: 'POST',
      headers: session,
      body: legacy('tools/call', { name: 'echo', arguments: {} }),
    }),
    'a notification': (session) => ({
      verb: 'POST',
      headers: session,
      body: { jsonrpc: '2.0', method: 'notifications/roots/list_changed' },
    }),
    'a batch': () => ({
      verb: 'POST',
      headers: {},
      body: [legacy('tools/list', {}, 1), legacy('ping', {}, 2)],
    }),
    GET: (session) => ({ verb: 'GET', headers: { ...session, accept: 'text/event-stream' } }),
    DELETE: (session) => ({ verb: 'DELETE', headers: session }),
  };

  async function ask(
    mode: Mode,
    { verb, headers, body }: Shape,
    own: Readonly<Record<string, string>>,
    tls: object,
  ) {
    const url = gate.url(mode);
    const options = { headers: { ...own, ...headers }, tls };
    return verb === 'POST' ? post(url, body, options) : send(verb, url, options);
  }

  for (const mode of modes) {
    it(`stay at the gateway, whatever is sent (upstream credential: ${mode})`, async () => {
      const recorder = recorders.get(mode)!;
      recorder.on('GET', { kind: 'sse', chunks: [': nothing\n\n'] });
      const anonymous = await gate.as();
      const taken: RawAnswer[] = [];
      for (const [who, credentials] of Object.entries(callers)) {
        const tls = who === 'a certificate' ? await gate.as('alice') : anonymous;
        const opened = await ask(
          mode,
          shapes['the beginning of a session']!({}),
          await credentials(mode, 'POST'),
          tls,
        );
        expect([who, opened.status]).toEqual([who, 200]);
        const session = {
          'mcp-session-id': secret(`session of ${who} at ${mode}`, opened.headers['mcp-session-id'] ?? ''),
          'mcp-protocol-version': '2025-11-25',
        };
        for (const [what, shape] of Object.entries(shapes)) {
          const made = shape(session);
          const answer = await ask(mode, made, { ...noise(), ...(await credentials(mode, made.verb)) }, tls);
          expect([who, what, answer.status < 300]).toEqual([who, what, true]);
          taken.push(answer);
        }
      }
      expect(recorder.requests.length).toBeGreaterThan(taken.length);
      expect(scanner.found(recorder.requests)).toEqual([]);
    });
  }

  /** Places in which the gateway itself looks, so that most of these are refused. */
  const places: Readonly<
    Record<string, (text: string) => { headers?: Record<string, string>; query?: string }>
  > = {
    'an opaque token': (text) => ({ headers: { authorization: `Bearer ${text}` } }),
    'a Basic credential': (text) => ({
      headers: { authorization: `Basic ${Buffer.from(`u:${text}`).toString('base64')}` },
    }),
    'another scheme': (text) => ({ headers: { authorization: `Token ${text}` } }),
    'an API key that nobody has': (text) => ({ headers: { 'x-api-key': text } }),
    'a header of the protocol that there is not': (text) => ({ headers: { 'mcp-authorization': text } }),
    'a foreign session': (text) => ({ headers: { 'mcp-session-id': text } }),
    'an event id': (text) => ({ headers: { 'last-event-id': text } }),
    'a trace': (text) => ({ headers: { traceparent: text } }),
    'the query': (text) => ({ query: `?access_token=${text}` }),
    'the query, escaped': (text) => ({
      query: `?api_key=${[...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join('')}`,
    }),
    'the path': (text) => ({ query: `/${text}` }),
    'a path parameter': (text) => ({ query: `;token=${text}` }),
  };
  for (const [place, put] of Object.entries(places)) {
    it(`stay at the gateway in ${place}`, async () => {
      const tls = await gate.as('alice');
      for (const mode of modes) {
        const before = recorders.get(mode)!.requests.length;
        const { headers = {}, query = '' } = put(secret(`${place} at ${mode}`, word()));
        for (const shape of [shapes['a call of 2026-07-28']!({}), shapes['a batch']!({})]) {
          const options = { headers: { ...shape.headers, ...headers }, tls };
          await post(`${gate.url(mode)}${query}`, shape.body, options);
        }
        for (const verb of ['GET', 'DELETE']) {
          await send(verb, `${gate.url(mode)}${query}`, {
            headers: { accept: 'text/event-stream', ...headers },
            tls,
          });
        }
        expect(scanner.found(recorders.get(mode)!.requests.slice(before))).toEqual([]);
      }
    });
  }

  it('stay at the gateway in a parameter header, which would otherwise be forwarded', async () => {
    const encodings: Readonly<Record<string, (text: string) => string>> = {
      plain: (text) => text,
      'behind its scheme': (text) => `Bearer ${text}`,
      'in base64': (text) => `=?base64?${Buffer.from(text).toString('base64')}?=`,
    };
    for (const mode of modes) {
      const before = recorders.get(mode)!.requests.length;
      for (const [who, credentials] of Object.entries(callers)) {
        for (const encode of Object.values(encodings)) {
          for (const name of Object.keys(await credentials(mode, 'POST'))) {
            // A proof passes once.
            const own = await credentials(mode, 'POST');
            const text = own[name]!;
            const param = { 'mcp-param-token': encode(text.slice(text.lastIndexOf(' ') + 1)) };
            const tls = who === 'a certificate' ? await gate.as('alice') : await gate.as();
            const answer = await post(gate.url(mode), call.body, {
              headers: { ...own, ...call.headers, ...param },
              tls,
            });
            expect(answer.status).toBe(400);
          }
        }
      }
      expect(recorders.get(mode)!.requests.length).toBe(before);
    }
  });

  it('are seen by the authorization server alone, and of them only the token that is exchanged', () => {
    const exchanges = tokens.requests.filter((request) => request.value('subject_token') !== undefined);
    expect(new Set(exchanges.map((request) => request.value('subject_token')))).toEqual(
      new Set([jwt, boundToken]),
    );
    for (const request of tokens.requests) {
      const rest = request.form.filter(([name]) => name !== 'subject_token').flat();
      const told = [...rest, ...Object.values(request.headers)].join('\n');
      const known = scanner.names().filter((name) => name !== 'secret of the gateway as a client');
      const read = scanner.readOutOf(told);
      expect(known.filter((name) => read.includes(name))).toEqual([]);
    }
  });

  it('would be found: what a caller puts into an argument goes up, however it is written', async () => {
    const text = robot.key;
    const disguises: Readonly<Record<string, unknown>> = {
      plain: text,
      base64: Buffer.from(text).toString('base64'),
      'base64url inside': `x.${Buffer.from(`key ${text}`).toString('base64url')}.y`,
      escaped: [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join(''),
      'escaped twice': [...text].map((c) => `%25${c.charCodeAt(0).toString(16)}`).join(''),
      deep: { list: [{ [text]: 1 }] },
    };
    for (const [how, value] of Object.entries(disguises)) {
      const recorder = recorders.get('none')!;
      const before = recorder.requests.length;
      const { headers, body } = modern('tools/call', { name: 'echo', arguments: { value } });
      await post(gate.url('none'), body, { headers, tls: await gate.as('alice') });
      expect([how, scanner.found(recorder.requests.slice(before))]).toEqual([how, ['API key']]);
    }
    const before = recorders.get('none')!.requests.length;
    // 2026-07-28: parameter headers that no tool annotates are forwarded. Only a credential of the call itself is not.
    const headers = { ...call.headers, 'mcp-param-note': text };
    await post(gate.url('none'), call.body, { headers, tls: await gate.as('alice') });
    expect(scanner.found(recorders.get('none')!.requests.slice(before))).toEqual(['API key']);
  });
});
