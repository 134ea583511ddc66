import { generateKeyPairSync } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { createServerMetadata } from '../../../src/upstream/credentials/server-metadata.ts';
import { granted } from '../../support/token-server.ts';
import { failureOf, message } from '../harness.ts';
import { caller, setup } from './support.ts';

describe('client credentials', () => {
  it('fetch one token for all callers and send it with every call', async () => {
    const { upstream, tokens, seen } = await setup();
    const port = upstream('clientCredentials', {
      scope: ['read', 'write'],
      resource: 'https://up.example/mcp',
    });
    await port.send(message());
    await port.send(message({ caller: caller() }));
    await port.send(
      message({ verb: 'GET', body: undefined, longLived: true, caller: caller({ token: 'other' }) }),
    );
    await port.send(message({ verb: 'DELETE', body: undefined }));
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(Array(4).fill('Bearer minted-1'));
    expect(tokens.requests).toHaveLength(1);
    const [request] = tokens.requests;
    expect(request?.form).toEqual([
      ['scope', 'read write'],
      ['resource', 'https://up.example/mcp'],
      ['grant_type', 'client_credentials'],
    ]);
    expect([request?.verb, request?.headers['content-type']]).toEqual([
      'POST',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ]);
    // RFC 6749 2.3.1: both halves are form-encoded before base64.
    const basic = Buffer.from(request!.headers['authorization']!.replace('Basic ', ''), 'base64').toString();
    expect(basic).toBe('gateway:s3cret%3A%2F%2B');
  });

  it('show the secret in the body where that is asked for, and nowhere else', async () => {
    const { upstream, tokens } = await setup();
    await upstream('clientCredentials', { secretMethod: 'post' }).send(message());
    expect(tokens.requests[0]?.form).toEqual([
      ['grant_type', 'client_credentials'],
      ['client_id', 'gateway'],
      ['client_secret', 's3cret:/+'],
    ]);
    expect(tokens.requests[0]?.headers['authorization']).toBeUndefined();
  });

  const keys = {
    'P-256': ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
    'P-384': ['ES384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    Ed25519: ['Ed25519', () => generateKeyPairSync('ed25519')],
    RSA: ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  } as const;
  for (const [kind, [algorithm, generate]] of Object.entries(keys)) {
    for (const format of ['pem', 'jwk'] as const) {
      it(`sign for the client with a ${kind} key as ${format}, and send no secret`, async () => {
        const { upstream, tokens, files } = await setup();
        const { privateKey, publicKey } = generate();
        const text =
          format === 'pem'
            ? (privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
            : JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'gw-1' });
        const port = upstream('clientCredentials', {
          secret: undefined,
          privateKey: files.write('key', text),
        });
        await port.send(message());
        const request = tokens.requests[0]!;
        expect(request.headers['authorization']).toBeUndefined();
        expect(request.value('client_secret')).toBeUndefined();
        expect(request.value('client_assertion_type')).toBe(
          'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        );
        const assertion = request.value('client_assertion')!;
        const { payload } = await jwtVerify(assertion, publicKey, { algorithms: [algorithm] });
        expect(payload).toMatchObject({ iss: 'gateway', sub: 'gateway', aud: tokens.url });
        expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(60);
        expect(decodeProtectedHeader(assertion).kid).toBe(format === 'jwk' ? 'gw-1' : undefined);
      });
    }
  }

  it('find the token endpoint in the metadata of the issuer, and keep it', async () => {
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
      const { upstream, tokens, seen, deps: _ } = await setup();
      tokens.answer((request, number) => {
        if (request.path === '/token') return granted(`minted-${number}`, { expires_in: 0.001 });
        if (request.path !== path) return { status: 404, body: {} };
        return { body: { issuer: tokens.origin, token_endpoint: tokens.url } };
      });
      const port = upstream('clientCredentials', { tokenEndpoint: undefined, issuer: tokens.origin });
      await port.send(message());
      await new Promise((resolve) => setTimeout(resolve, 5));
      await port.send(message());
      expect(seen.map(({ headers }) => headers.authorization)).toEqual([
        'Bearer minted-1',
        'Bearer minted-2',
      ]);
      expect(tokens.requests.filter((request) => request.path === path)).toHaveLength(1);
    }
  });

  const metadata: Readonly<Record<string, (origin: string) => unknown>> = {
    'of another issuer': (origin) => ({ issuer: 'https://other.example', token_endpoint: `${origin}/token` }),
    'of the issuer with a slash more': (origin) => ({
      issuer: `${origin}/`,
      token_endpoint: `${origin}/token`,
    }),
    'without an issuer': (origin) => ({ token_endpoint: `${origin}/token` }),
    'without a token endpoint': (origin) => ({ issuer: origin }),
    'with a token endpoint that is no text': (origin) => ({ issuer: origin, token_endpoint: 7 }),
    'with a token endpoint that is a file': (origin) => ({
      issuer: origin,
      token_endpoint: 'file:///etc/passwd',
    }),
    'with a token endpoint in a private network': (origin) => ({
      issuer: origin,
      token_endpoint: 'https://10.0.0.1/token',
    }),
    'that are no object': () => [],
    'that are no JSON': () => '<html>',
  };
  for (const [what, document] of Object.entries(metadata)) {
    it(`should NOT believe metadata ${what}`, async () => {
      const { upstream, tokens, seen } = await setup();
      tokens.answer(() => ({ body: document(tokens.origin) }));
      const port = upstream('clientCredentials', { tokenEndpoint: undefined, issuer: tokens.origin });
      expect((await failureOf(port.send(message()))).code).toBe('credential-unavailable');
      expect(tokens.asked()).toBe(0);
      expect(seen).toEqual([]);
    });
  }

  it.each(['http://10.0.0.1/token', 'http://127.0.0.1:9/token', 'HTTP://[::1]/token'])(
    'should NOT send a secret to %s because metadata of an https issuer say so',
    async (endpoint) => {
      const issuer = 'https://idp.example';
      const told = async () => Response.json({ issuer, token_endpoint: endpoint });
      const metadata = createServerMetadata({ issuer, tokenEndpoint: undefined }, told);
      await expect(metadata(new AbortController().signal)).rejects.toThrow(
        /token endpoint that is not https/,
      );
    },
  );

  it('use another header and scheme where they are given', async () => {
    const { tokens, seen, url, deps, secret } = await setup();
    const { upstreamAt } = await import('../harness.ts');
    const clientCredentials = { tokenEndpoint: tokens.url, clientId: 'gateway', secret };
    const credential = { header: 'X-Token', scheme: 'Token', clientCredentials };
    await upstreamAt(url, { credential }, deps).send(message());
    expect(seen[0]?.headers['x-token']).toBe('Token minted-1');
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });

  it('take the secret from its file again at a reload', async () => {
    const { upstream, tokens, files, status } = await setup();
    const port = upstream('clientCredentials', { secretMethod: 'post' });
    tokens.answer(() => ({ status: 401, body: { error: 'invalid_client' } }));
    await failureOf(port.send(message()));
    expect(port.secrets()).toEqual(['s3cret:/+']);
    files.write('secret', 'the-next-one');
    await port.reload();
    expect(port.secrets()).toEqual(['the-next-one']);
    files.write('secret', 'two\nlines');
    await expect(port.reload()).rejects.toThrow('a client secret is one line of visible ASCII');
    expect(port.secrets()).toEqual(['the-next-one']);
    status(200);
    tokens.answer(() => granted('good'));
    // What failed with the old secret says nothing about the new one.
    await port.send(message());
    expect(tokens.requests.at(-1)?.value('client_secret')).toBe('the-next-one');
    expect(port.secrets()).toEqual(['the-next-one', 'good']);
  });
});
