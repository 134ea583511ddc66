import { generateKeyPairSync } from 'node:crypto';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import { audience, issuer, makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';
import { exchanged, startTokenServer, type TokenServer } from '../support/token-server.ts';

const robot = createApiKey('robot');
const newKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;

describe('an upstream with token exchange and assertions', () => {
  let recorder: Recorder;
  let tokens: TokenServer;
  let gate: TestGateway;
  let keys: TestIssuer;

  beforeAll(async () => {
    recorder = await startRecorder();
    tokens = await startTokenServer();
    keys = await makeIssuer();
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      door: 'plain',
      files: {
        'revoked.yaml': 'tokens: []',
        'secrets/client': 'client-secret',
        'secrets/jwks.json': keys.jwks,
        'secrets/keys.yaml': JSON.stringify({ keys: [robot.entry] }),
        'secrets/assertion.pem': newKey(),
      },
      http: {
        credential: {
          tokenExchange: {
            tokenEndpoint: tokens.url,
            clientId: 'gateway',
            secret: 'secrets/client',
            scope: ['read'],
          },
        },
        assertion: { audience: 'recorder', claims: ['groups'] },
      },
      config: {
        insecure: {},
        identity: [
          { token: { issuer, audience, keys: 'secrets/jwks.json' } },
          { apiKeys: { file: 'secrets/keys.yaml' } },
        ],
        outbound: { private: ['127.0.0.0/8'] },
        assertions: { issuer: 'https://gateway.example', keys: ['secrets/assertion.pem'] },
        revocations: { file: 'revoked.yaml' },
      },
    });
    tokens.answer((request) => exchanged(`up-for-${decodeJwt(request.value('subject_token')!).sub}`));
  });

  afterAll(async () => {
    await gate.close();
    await tokens.close();
    await recorder.close();
  });

  const tokenOf = (sub: string, claims: object = {}) => {
    const now = Math.floor(Date.now() / 1000);
    return keys.sign({ sub, iat: now - 5, exp: now + 300, client_id: 'desktop', ...claims });
  };
  const call = async (sub: string, name = 'echo', more: Readonly<Record<string, string>> = {}) => {
    const { headers, body } = modern('tools/call', { name, arguments: {} });
    const authorization = `Bearer ${await tokenOf(sub)}`;
    return post(gate.url('recorder'), body, { headers: { ...headers, ...more, authorization } });
  };
  const keySetUrl = (): URL => new URL('/.well-known/sallyport/jwks.json', gate.gateway.listeners[0]!.url);
  /** As a server would, with nothing but the published keys. */
  const verify = (assertion: string, keySet = createRemoteJWKSet(keySetUrl())) =>
    jwtVerify(assertion, keySet, {
      issuer: 'https://gateway.example',
      audience: 'recorder',
      typ: 'sallyport-identity+jwt',
      algorithms: ['ES256', 'EdDSA'],
      maxTokenAge: 60,
    });

  it('gets a token of its own for each caller, and is told who called', async () => {
    for (const sub of ['alice', 'bob']) {
      expect((await call(sub)).status).toBe(200);
      const { headers } = recorder.requests.at(-1)!;
      expect(headers['authorization']).toBe(`Bearer up-for-${sub}`);
      const { payload } = await verify(headers['sallyport-identity']!);
      expect(payload).toMatchObject({
        sub: `token:${issuer}#${sub}`,
        method: 'tools/call',
        target: 'echo',
        upstream: 'recorder',
        client_id: 'desktop',
      });
    }
  });

  it('never hears what a client says about itself in the same header', async () => {
    await call('alice');
    const stolen = recorder.requests.at(-1)!.headers['sallyport-identity']!;
    for (const name of [
      'sallyport-identity',
      'Sallyport-Identity',
      'SALLYPORT-IDENTITY',
      'sallyport_identity',
    ]) {
      await call('mallory', 'echo', { [name]: stolen });
      const { rawHeaders } = recorder.requests.at(-1)!;
      const own = rawHeaders.filter(
        (_, index) => rawHeaders[index - 1]?.toLowerCase() === 'sallyport-identity',
      );
      expect(own).toHaveLength(1);
      expect((await verify(own[0]!)).payload.sub).toBe(`token:${issuer}#mallory`);
      expect(rawHeaders).not.toContain(stolen);
    }
  });

  it('is told of each message of a batch, and of everything in a session', async () => {
    const authorization = `Bearer ${await tokenOf('alice')}`;
    const before = recorder.requests.length;
    const opened = await post(gate.url('recorder'), initialize('2025-03-26'), { headers: { authorization } });
    const session = { authorization, 'mcp-session-id': opened.headers['mcp-session-id']! };
    const batch = [
      legacy('tools/list', {}, 1),
      legacy('prompts/get', { name: 'greet' }, 2),
      legacy('ping', {}, 3),
    ];
    await post(gate.url('recorder'), batch, { headers: session });
    await send('DELETE', gate.url('recorder'), { headers: session });
    const said = await Promise.all(
      recorder.requests.slice(before).map(async ({ messages, verb, headers }) => {
        const { payload } = await verify(headers['sallyport-identity']!);
        expect(headers['authorization']).toBe('Bearer up-for-alice');
        return [messages[0]?.method ?? verb, payload['method'], payload['target']];
      }),
    );
    expect(said.sort()).toEqual(
      [
        ['initialize', 'initialize', undefined],
        ['tools/list', 'tools/list', undefined],
        ['prompts/get', 'prompts/get', 'greet'],
        ['ping', 'ping', undefined],
        ['DELETE', 'session-end', undefined],
      ].sort(),
    );
  });

  it('hears nothing of a caller who has no token to exchange; the caller learns no reason', async () => {
    const before = recorder.requests.length;
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    const answer = await post(gate.url('recorder'), body, {
      headers: { ...headers, 'x-api-key': robot.key },
    });
    expect([answer.status, answer.json()]).toEqual([
      200,
      {
        jsonrpc: '2.0',
        id: 1,
        error: {
          code: 5020,
          message: 'The gateway has no credential for the server behind it at the moment',
          data: { reason: 'credential-unavailable' },
        },
      },
    ]);
    expect(recorder.requests).toHaveLength(before);
    expect(gate.audit().at(-1)).toMatchObject({ code: 'credential-unavailable' });
  });

  it('has no call of somebody whose token the issuer does not exchange; its words go nowhere', async () => {
    tokens.answer(() => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'plum orchid heron' },
    }));
    const before = recorder.requests.length;
    const answer = await call('carol');
    expect(answer.json()).toMatchObject({ error: { data: { reason: 'credential-unavailable' } } });
    const written = answer.body.toString() + JSON.stringify(gate.audit()) + (await gate.metrics());
    for (const word of ['plum', 'invalid_grant', 'client-secret']) expect(written).not.toContain(word);
    expect(recorder.requests).toHaveLength(before);
    tokens.answer((request) => exchanged(`up-for-${decodeJwt(request.value('subject_token')!).sub}`));
  });

  it('that echoes what it was shown does not give it to the client, nor into a record', async () => {
    const shown = ['authorization', 'sallyport-identity'] as const;
    const echoes: Readonly<Record<string, (text: string) => Readonly<Record<string, unknown>>>> = {
      'in a text': (text) => ({ content: [{ type: 'text', text: `you sent ${text}!` }] }),
      'in base64': (text) => ({ content: [{ type: 'text', text: Buffer.from(text).toString('base64') }] }),
      'in structured content': (text) => ({
        content: [],
        structuredContent: { headers: { [text]: [text] } },
      }),
    };
    for (const [how, echo] of Object.entries(echoes)) {
      for (const header of shown) {
        recorder.on('tools/call', ({ id }, { headers }) => ({
          kind: 'json',
          body: result(id, { resultType: 'complete', ...echo(headers[header]!) }),
        }));
        const answer = await call('alice');
        const secret = recorder.requests.at(-1)!.headers[header]!.replace('Bearer ', '');
        expect([how, answer.status]).toEqual([how, 200]);
        const text = answer.body.toString();
        const runs = (text.match(/[A-Za-z0-9+/_-]{8,}=*/g) ?? []).map((run) =>
          Buffer.from(run, 'base64').toString(),
        );
        const read = [text, ...runs].join('\n');
        expect(read).toContain('redacted');
        expect(read).not.toContain(secret);
      }
    }
    recorder.on('tools/call', ({ id }, { headers }) => ({
      kind: 'json',
      body: {
        jsonrpc: '2.0',
        id,
        error: { code: -32000, message: `${headers['authorization']} is no good` },
      },
    }));
    const answer = await call('alice');
    recorder.on('tools/call', undefined);
    expect(answer.body.toString() + JSON.stringify(gate.audit())).not.toContain('up-for-alice');
    expect(String(gate.audit().at(-1)?.['upstreamError'])).toContain('[redacted]');
  });

  it('hears no more of a caller who was revoked, whatever was exchanged for it before', async () => {
    const authorization = `Bearer ${await tokenOf('dave', { jti: 'token-of-dave' })}`;
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    const ask = () => post(gate.url('recorder'), body, { headers: { ...headers, authorization } });
    expect((await ask()).status).toBe(200);
    const before = [recorder.requests.length, tokens.requests.length];
    gate.write('revoked.yaml', JSON.stringify({ tokens: [{ issuer, id: 'token-of-dave' }] }));
    await gate.gateway.reload('files');
    expect((await ask()).status).toBe(401);
    expect([recorder.requests.length, tokens.requests.length]).toEqual(before);
  });

  it('can check assertions across a change of the key file', async () => {
    const keySet = createRemoteJWKSet(keySetUrl(), { cooldownDuration: 0 });
    await call('alice');
    const before = recorder.requests.at(-1)!.headers['sallyport-identity']!;
    await verify(before, keySet);
    gate.write('secrets/assertion.pem', newKey());
    await gate.gateway.reload('files');
    await call('alice');
    await verify(recorder.requests.at(-1)!.headers['sallyport-identity']!, keySet);
    await verify(before);
    gate.write('secrets/assertion.pem', 'no key at all');
    await gate.gateway.reload('files');
    await call('alice');
    await verify(recorder.requests.at(-1)!.headers['sallyport-identity']!, keySet);
  });

  it('finds public keys and nothing else, without saying who it is', async () => {
    const response = await fetch(keySetUrl());
    expect([
      response.status,
      response.headers.get('content-type'),
      response.headers.get('cache-control'),
    ]).toEqual([200, 'application/jwk-set+json', expect.stringContaining('max-age=300')]);
    const { keys: published } = (await response.json()) as { keys: Record<string, unknown>[] };
    expect(published.length).toBeGreaterThan(0);
    for (const key of published) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    }
  });
});
