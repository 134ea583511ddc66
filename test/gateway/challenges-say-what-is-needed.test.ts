import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer, send, sendHttp2 } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const issuer = 'https://idp.example';
const resource = 'https://mcp.example/warehouse/mcp';
const metadata = 'https://mcp.example/.well-known/oauth-protected-resource/warehouse/mcp';

const policy = `
version: 1
roles:
  analyst:
    allow:
      - tools: [query, insert, export]
      - resources: ["file:///reports/**"]
      - methods: ["**"]
  keeper:
    allow:
      - tools: [drop]
bindings:
  - roles: [analyst]
    to: { token: { issuer: "${issuer}" } }
  - roles: [keeper]
    to: { token: { issuer: "${issuer}", claims: { groups: keepers } } }
scopes:
  - match: { tools: [query, insert, export], upstreams: [warehouse] }
    scopes: ["data:read"]
  - match: { tools: [insert] }
    scopes: ["data:write"]
  - match: { tools: [export] }
    scopes: ["data:export", "data:write"]
  - match: { resources: ["**"] }
    scopes: ["files:read"]
  - match: { methods: [stream-open] }
    scopes: ["stream:open"]
  - match: { methods: [session-end] }
    scopes: ["session:end"]
`;

const now = Math.floor(Date.now() / 1000);
const bearer = (scope: string) => `Bearer resource_metadata="${metadata}"${scope}`;

describe('at an OAuth resource', () => {
  let keys: TestIssuer;
  let recorder: Recorder;
  let gate: TestGateway;
  const proofKey = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const proofJwk = proofKey.publicKey.export({ format: 'jwk' });
  const { crv, kty, x, y } = proofJwk;
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');

  beforeAll(async () => {
    keys = await makeIssuer();
    recorder = await startRecorder();
    const http = { url: recorder.url };
    gate = await startTestGateway({
      upstreams: {},
      policy,
      clients: { mode: 'none' },
      listener: { hosts: ['localhost', '127.0.0.1', 'mcp.example', 'other.example'] },
      files: { 'jwks.json': keys.jwks },
      config: {
        identity: [{ token: { issuer, audience: 'plain', keys: 'jwks.json', dpop: {} } }],
        upstreams: [
          {
            name: 'warehouse',
            path: '/warehouse/mcp',
            authorization: { resource, scopes: ['connect'] },
            http,
          },
          { name: 'plain', path: '/plain/mcp', http },
        ],
      },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const token = (scope: string, claims: Readonly<Record<string, unknown>> = {}) =>
    keys.sign({ aud: resource, iat: now - 5, exp: now + 600, scope, ...claims });
  const withToken = async (scope: string, claims?: Readonly<Record<string, unknown>>) => ({
    authorization: `Bearer ${await token(scope, claims)}`,
  });
  const ask = async (
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
    path = '/warehouse/mcp',
  ) =>
    post(gate.gateway.listeners[0]!.url + path, body, {
      headers,
      tls: { ...(await gate.as()), servername: 'localhost' },
    });
  const call = (name: string, headers: Readonly<Record<string, string>> = {}, path?: string) => {
    const message = modern('tools/call', { name, arguments: {} });
    return ask(message.body, { ...message.headers, ...headers }, path);
  };
  const callLegacy = (name: string, headers: Readonly<Record<string, string>> = {}) =>
    ask(legacy('tools/call', { name, arguments: {} }), { 'mcp-protocol-version': '2025-06-18', ...headers });
  const challengeOf = (answer: RawAnswer) => answer.headers['www-authenticate'];
  const proofFor = (accessToken: string, claims: Readonly<Record<string, unknown>> = {}) =>
    new SignJWT({
      htm: 'POST',
      htu: resource,
      jti: randomUUID(),
      iat: now,
      ath: createHash('sha256').update(accessToken).digest('base64url'),
      ...claims,
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: { crv, kty, x, y } as never })
      .sign(proofKey.privateKey);
  const algorithms = 'algs="ES256 EdDSA Ed25519 PS256 RS256"';

  describe('a caller that nobody knows', () => {
    it('is told what its very request needs, in both eras', async () => {
      const read = `${bearer(', scope="data:read"')}, DPoP ${algorithms}`;
      const write = `${bearer(', scope="data:read data:write"')}, DPoP ${algorithms}`;
      for (const [answer, expected] of [
        [await call('query'), read],
        [await callLegacy('query'), read],
        [await call('insert'), write],
        [await callLegacy('insert'), write],
      ] as const) {
        expect(answer.status).toBe(401);
        expect(challengeOf(answer)).toBe(expected);
        expect(answer.json()).toMatchObject({ error: { data: { reason: 'credential-missing' } } });
      }
      const uri = 'file:///reports/q3.csv';
      const reading = modern('resources/read', { uri });
      expect(challengeOf(await ask(reading.body, reading.headers))).toContain('scope="files:read"');
    });

    it('is told what the route asks for, where policy says nothing of the request', async () => {
      const expected = `${bearer(', scope="connect"')}, DPoP ${algorithms}`;
      const list = modern('tools/list');
      for (const answer of [
        await ask(initialize()),
        await ask(list.body, list.headers),
        await call('unheard_of'),
      ]) {
        expect(answer.status).toBe(401);
        expect(challengeOf(answer)).toBe(expected);
      }
    });

    it('is told of GET and DELETE like of calls', async () => {
      const url = `${gate.gateway.listeners[0]!.url}/warehouse/mcp`;
      const tls = await gate.as();
      for (const [verb, headers, scope] of [
        ['GET', { accept: 'text/event-stream' }, 'stream:open'],
        ['DELETE', { 'mcp-session-id': 'x' }, 'session:end'],
        ['DELETE', {}, 'session:end'],
      ] as const) {
        for (const answer of [
          await send(verb, url, { headers, tls }),
          await sendHttp2(verb, url, { headers, tls }),
        ]) {
          expect(answer.status, verb).toBe(401);
          expect(challengeOf(answer), verb).toBe(`${bearer(`, scope="${scope}"`)}, DPoP ${algorithms}`);
        }
      }
    });

    it('is told of every target of a batch together', async () => {
      const batch = [
        legacy('tools/call', { name: 'insert', arguments: {} }, 1),
        legacy('resources/read', { uri: 'file:///reports/a' }, 2),
      ];
      const answer = await ask(batch, { 'mcp-protocol-version': '2025-03-26' });
      expect(answer.status).toBe(401);
      expect(challengeOf(answer)).toContain('scope="data:read data:write files:read"');
    });

    it('is told of one subscription with so many resources, and of no more', async () => {
      const subscribe = (count: number) => {
        const resourceSubscriptions = Array.from({ length: count }, (_, n) => `file:///reports/${n}`);
        return modern('subscriptions/listen', { notifications: { resourceSubscriptions } });
      };
      for (const [count, scope] of [
        [31, 'files:read'],
        [33, 'connect'],
        [1000, 'connect'],
      ] as const) {
        const message = subscribe(count);
        const answer = await ask(message.body, message.headers);
        expect(answer.status).toBe(401);
        expect(challengeOf(answer), String(count)).toContain(`scope="${scope}"`);
      }
    });

    it('is told no more where the body cannot be read', async () => {
      const expected = `${bearer(', scope="connect"')}, DPoP ${algorithms}`;
      const inside = '"method":"tools/call","params":{"name":"insert","arguments":{}}';
      for (const body of [
        '{',
        '[]',
        '[1]',
        'null',
        '"tools/call"',
        Buffer.from([0xff, 0xfe, 0x7b]),
        `{"jsonrpc":"1.0","id":1,${inside}}`,
        `{"jsonrpc":"2.0","id":null,${inside}}`,
        `{"jsonrpc":"2.0","id":1,"id":2,${inside}}`,
        `{"jsonrpc":"2.0","id":1,"Method":"x",${inside}}`,
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}',
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["insert"]}}',
        '{"jsonrpc":"2.0","id":1,"method":"no/such","params":{"name":"insert"}}',
        `{"jsonrpc":"2.0","id":1,${inside.replace('{}', `{"x":"${'a'.repeat(70_000)}"}`)}}`,
        `[{"jsonrpc":"2.0","id":1,${inside}},{"jsonrpc":"2.0"}]`,
        // More targets than a stranger may have looked up.
        `[${Array.from({ length: 33 }, (_, id) => `{"jsonrpc":"2.0","id":${id},${inside}}`).join()}]`,
      ]) {
        const answer = await ask(body);
        expect(answer.status, String(body).slice(0, 80)).toBe(401);
        expect(challengeOf(answer), String(body).slice(0, 80)).toBe(expected);
      }
    });

    it('hears of an invalid token only if it came with one', async () => {
      for (const authorization of ['Bearer nonsense', 'bearer x', 'Bearer ', 'Bearer a.b.c']) {
        const answer = await call('query', { authorization });
        expect(answer.status, authorization).toBe(401);
        expect(challengeOf(answer), authorization).toBe(
          `${bearer(', scope="data:read", error="invalid_token"')}, DPoP ${algorithms}`,
        );
      }
      for (const authorization of ['Basic YTpi', 'Negotiate x', 'Bearerx y']) {
        expect(challengeOf(await call('query', { authorization })), authorization).not.toContain('error=');
      }
    });

    it('gets the same over HTTP/2', async () => {
      const message = modern('tools/call', { name: 'insert', arguments: {} });
      const answer = await sendHttp2('POST', `${gate.gateway.listeners[0]!.url}/warehouse/mcp`, {
        headers: message.headers,
        body: message.body,
        tls: await gate.as(),
      });
      expect(answer.status).toBe(401);
      expect(challengeOf(answer)).toBe(`${bearer(', scope="data:read data:write"')}, DPoP ${algorithms}`);
    });

    it('cannot move the metadata by any header', async () => {
      const message = modern('tools/call', { name: 'query', arguments: {} });
      for (const headers of [
        { host: 'other.example' },
        { host: 'other.example:8443' },
        { 'x-forwarded-host': 'evil.example' },
        { 'x-forwarded-proto': 'http' },
        { forwarded: 'host=evil.example;proto=http' },
        { 'x-original-url': '/plain/mcp' },
        { 'x-forwarded-prefix': '/evil' },
        { referer: 'https://evil.example/' },
      ]) {
        const answer = await ask(message.body, { ...message.headers, ...headers });
        expect(answer.status, JSON.stringify(headers)).toBe(401);
        expect(challengeOf(answer), JSON.stringify(headers)).toContain(`resource_metadata="${metadata}"`);
        expect(challengeOf(answer)).not.toContain('evil');
      }
    });

    it('finds the old challenge at a route that is no resource', async () => {
      const answer = await call('query', {}, '/plain/mcp');
      expect(answer.status).toBe(401);
      expect(challengeOf(answer)).toBe('Bearer realm="sallyport"');
    });
  });

  describe('a token that lacks a scope', () => {
    it('gets a 403 with all scopes of the operation, in both eras', async () => {
      const headers = await withToken('connect');
      for (const answer of [await call('insert', headers), await callLegacy('insert', headers)]) {
        expect(answer.status).toBe(403);
        expect(challengeOf(answer)).toBe(
          `Bearer error="insufficient_scope", scope="connect data:read data:write", resource_metadata="${metadata}"`,
        );
        expect(answer.json()).toEqual({
          jsonrpc: '2.0',
          id: 1,
          error: {
            code: 4030,
            message: 'The token lacks a scope that this needs',
            data: { reason: 'scope-insufficient', scopes: ['connect', 'data:read', 'data:write'] },
          },
        });
      }
    });

    it('gets it for GET and DELETE, and over HTTP/2', async () => {
      const url = `${gate.gateway.listeners[0]!.url}/warehouse/mcp`;
      const tls = await gate.as();
      const headers = await withToken('connect');
      const opened = await ask(initialize(), headers);
      const session = { ...headers, 'mcp-session-id': opened.headers['mcp-session-id']! };
      const message = modern('tools/call', { name: 'query', arguments: {} });
      const accept = 'text/event-stream';
      for (const [answer, scope] of [
        [await send('GET', url, { headers: { ...session, accept }, tls }), 'stream:open'],
        [await send('DELETE', url, { headers: session, tls }), 'session:end'],
        [await sendHttp2('GET', url, { headers: { ...session, accept }, tls }), 'stream:open'],
        [
          await sendHttp2('POST', url, {
            headers: { ...message.headers, ...headers },
            body: message.body,
            tls,
          }),
          'data:read',
        ],
      ] as const) {
        expect(answer.status, scope).toBe(403);
        expect(challengeOf(answer), scope).toBe(
          `Bearer error="insufficient_scope", scope="connect ${scope}", resource_metadata="${metadata}"`,
        );
      }
    });

    it('is let in once it has them, and no sooner', async () => {
      for (const scope of ['', 'data:read', 'data:write', 'data:read data:export', 'DATA:READ data:write']) {
        expect((await call('insert', await withToken(scope))).status, scope).toBe(403);
      }
      const answer = await call('insert', await withToken('data:write data:read'));
      expect(answer.status).toBe(200);
      expect(answer.json()).toHaveProperty('result');
    });

    it('is told nothing where a scope would not help: invented and hidden tools answer alike', async () => {
      const headers = await withToken('connect');
      const [hidden, invented] = [await call('drop', headers), await call('no_such_tool', headers)];
      expect(hidden.status).toBe(200);
      expect(challengeOf(hidden)).toBeUndefined();
      expect(hidden.body).toEqual(invented.body);
      const [hidden401, invented401] = [await call('drop'), await call('no_such_tool')];
      expect(challengeOf(hidden401)).toBe(challengeOf(invented401));
      expect(hidden401.body).toEqual(invented401.body);
    });

    it('is told in the error of a batch, where no header belongs to one message', async () => {
      const batch = [
        legacy('tools/call', { name: 'insert', arguments: {} }, 1),
        legacy('tools/call', { name: 'drop', arguments: {} }, 2),
      ];
      const answer = await ask(batch, {
        'mcp-protocol-version': '2025-03-26',
        ...(await withToken('connect')),
      });
      expect(answer.status).toBe(200);
      expect(challengeOf(answer)).toBeUndefined();
      const text = answer.body.toString();
      expect(text).toContain('"reason":"scope-insufficient","scopes":["connect","data:read","data:write"]');
      expect(text).toContain('"reason":"denied"');
    });

    it('gets a plain refusal at a route that is no resource: no client could act on more', async () => {
      const headers = await withToken('connect', { aud: 'plain' });
      const answer = await call('insert', headers, '/plain/mcp');
      expect(answer.status).toBe(200);
      expect(challengeOf(answer)).toBeUndefined();
      expect(answer.json()).toMatchObject({ error: { code: 4030, data: { reason: 'denied' } } });
    });

    it('cannot write into the challenge by its own scopes', async () => {
      const scp = ['ok', 'a"b', 'c\\d', 'e\r\nX-Evil: 1', 'ü', '', 'f, DPoP error=x'];
      const answer = await call('insert', await withToken('', { scope: undefined, scp }));
      expect(answer.status).toBe(403);
      expect(challengeOf(answer)).toBe(
        `Bearer error="insufficient_scope", scope="ok data:read data:write", resource_metadata="${metadata}"`,
      );
      expect(answer.headers).not.toHaveProperty('x-evil');
    });

    it('gets a challenge of bounded length, however many scopes it has', async () => {
      const many = Array.from({ length: 900 }, (_, index) => `s${index}`).join(' ');
      const answer = await call('insert', await withToken(many));
      expect(answer.status).toBe(403);
      expect(challengeOf(answer)).toContain('scope="data:read data:write"');
    });
  });

  describe('a token that is bound to a DPoP key', () => {
    const bound = { cnf: { jkt: thumbprint } };

    it('is asked in its own scheme for what it lacks', async () => {
      const access = await token('connect', bound);
      const headers = { authorization: `DPoP ${access}`, dpop: await proofFor(access) };
      const answer = await call('insert', headers);
      expect(answer.status).toBe(403);
      expect(challengeOf(answer)).toBe(
        `DPoP error="insufficient_scope", scope="connect data:read data:write", resource_metadata="${metadata}", ${algorithms}`,
      );
    });

    it('is let in with a proof', async () => {
      const access = await token('data:read', bound);
      const headers = { authorization: `DPoP ${access}`, dpop: await proofFor(access) };
      expect((await call('query', headers)).json()).toHaveProperty('result');
    });

    it('hears first what is wrong with its proof, then where the metadata is', async () => {
      const access = await token('data:read', bound);
      const dpop = await proofFor(access, { htu: 'https://mcp.example/other' });
      const answer = await call('query', { authorization: `DPoP ${access}`, dpop });
      expect(answer.status).toBe(401);
      expect(challengeOf(answer)).toBe(
        `DPoP error="invalid_dpop_proof", ${algorithms}, ${bearer(', scope="data:read"')}`,
      );
    });
  });

  it('leaves a record of each refusal, with the word for it', async () => {
    await call('insert', await withToken('connect'));
    expect(gate.audit().at(-1)).toMatchObject({ decision: { effect: 'deny' } });
    await call('insert');
    expect(JSON.stringify(gate.audit().at(-1))).toContain('credential-missing');
  });

  it('asks no upstream for any of it', () => {
    const called = recorder.messages.filter(({ method }) => method === 'tools/call');
    expect(new Set(called.map(({ params }) => (params as { name: string }).name))).toEqual(
      new Set(['insert', 'query']),
    );
    for (const { rawHeaders } of recorder.requests) {
      expect(rawHeaders.map((text) => text.toLowerCase())).not.toContain('authorization');
    }
  });
});
