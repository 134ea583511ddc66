import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import Provider, { errors } from 'oidc-provider';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createDialer } from '../../../src/dialer/create-dialer.ts';
import { outboundOptions } from '../../../src/dialer/options.ts';
import { folder } from '../certificates.ts';
import { failureOf, httpServer, message, pong, upstreamAt } from '../harness.ts';
import { caller } from './support.ts';

const resource = 'https://up.example/mcp';
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** What the tests use of the provider's inside, to teach it RFC 8693, which it does not bring. */
interface Inside {
  registerGrantType(
    name: string,
    handler: (context: GrantContext) => Promise<void>,
    parameters: readonly string[],
  ): void;
  readonly ResourceServer: new (identifier: string, info: object) => object;
  readonly AccessToken: {
    new (properties: object): { resourceServer?: unknown; extra?: unknown; save(): Promise<string> };
    find(token: string): Promise<{ accountId: string; jti: string } | undefined>;
  };
}

interface GrantContext {
  body: unknown;
  readonly oidc: { readonly client: object; readonly params: Readonly<Record<string, string>> };
}

async function realServer(client: object) {
  let handle: ReturnType<Provider['callback']> | undefined;
  const server = createServer((request, response) => void handle!(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const resourceServer = {
    scope: 'read write',
    audience: resource,
    accessTokenFormat: 'jwt',
    accessTokenTTL: 600,
    jwt: { sign: { alg: 'ES256' } },
  };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'gateway',
        grant_types: ['client_credentials', exchangeGrant],
        redirect_uris: [],
        response_types: [],
        scope: 'read write',
        ...client,
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'as-1', alg: 'ES256', use: 'sig' }] },
    cookies: { keys: ['a key for cookies'] },
    scopes: ['read', 'write'],
    ttl: {
      ClientCredentials: 600,
      AccessToken: 600,
      Grant: 600,
      IdToken: 600,
      Interaction: 600,
      Session: 600,
    },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_: unknown, asked: string) => {
          if (asked !== resource) throw new errors.InvalidTarget();
          return resourceServer;
        },
      },
    },
  });
  const inside = provider as unknown as Inside;
  inside.registerGrantType(
    exchangeGrant,
    async (context) => {
      const { params } = context.oidc;
      const subject = await inside.AccessToken.find(params['subject_token'] ?? '');
      if (subject === undefined)
        throw new (errors as unknown as Record<string, new (why: string) => Error>)['InvalidGrant']!('no');
      const token = new inside.AccessToken({
        accountId: subject.accountId,
        client: context.oidc.client,
        scope: params['scope'],
        grantId: 'exchange',
        gty: 'exchange',
      });
      token.resourceServer = new inside.ResourceServer(resource, resourceServer);
      context.body = {
        access_token: await token.save(),
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 600,
        scope: params['scope'],
      };
    },
    [
      'scope',
      'resource',
      'audience',
      'subject_token',
      'subject_token_type',
      'actor_token',
      'actor_token_type',
      'requested_token_type',
    ],
  );
  handle = provider.callback();
  const subjectOf = (account: string): Promise<string> =>
    new inside.AccessToken({
      accountId: account,
      client: { clientId: 'desktop' },
      scope: 'read write',
    }).save();
  return { issuer, subjectOf };
}

describe('a real authorization server', () => {
  let seen: (string | undefined)[];
  let url: string;

  beforeEach(async () => {
    seen = [];
    ({ url } = await httpServer((request, response) => {
      seen.push(request.headers.authorization?.replace('Bearer ', ''));
      response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
    }));
  });

  function port(credential: object) {
    const dialer = createDialer(outboundOptions.parse({ private: ['127.0.0.0/8'] }));
    onTestFinished(() => dialer.close());
    return upstreamAt(url, { credential }, { dial: dialer.dial });
  }

  const verify = (issuer: string, token: string) =>
    jwtVerify(token, createRemoteJWKSet(new URL(`${issuer}/jwks`)), {
      issuer,
      audience: resource,
      typ: 'at+jwt',
    });

  for (const secretMethod of ['basic', 'post'] as const) {
    it(`gives a token for client credentials (secret: ${secretMethod})`, async () => {
      const { issuer } = await realServer({
        client_secret: 'a secret+of/the=gateway',
        token_endpoint_auth_method: `client_secret_${secretMethod}`,
      });
      const secret = folder().write('secret', 'a secret+of/the=gateway');
      const client = { issuer, clientId: 'gateway', secret, secretMethod, scope: ['read'], resource };
      await port({ clientCredentials: client }).send(message());
      const { payload } = await verify(issuer, seen[0]!);
      expect(payload).toMatchObject({ sub: 'gateway', client_id: 'gateway', scope: 'read' });
    });
  }

  it('gives a token for client credentials to a client that signs', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { issuer } = await realServer({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [publicKey.export({ format: 'jwk' })] },
    });
    const key = folder().write('key', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    const client = { issuer, clientId: 'gateway', privateKey: key, scope: ['read', 'write'], resource };
    await port({ clientCredentials: client }).send(message());
    expect((await verify(issuer, seen[0]!)).payload['scope']).toBe('read write');
  });

  it('refuses a resource that it does not know: then no call is made', async () => {
    const { issuer } = await realServer({ client_secret: 'word' });
    const secret = folder().write('secret', 'word');
    const client = { issuer, clientId: 'gateway', secret, resource: 'https://other.example/' };
    const failure = await failureOf(port({ clientCredentials: client }).send(message()));
    expect(failure.code).toBe('credential-unavailable');
    expect((failure.cause as Error).message).toContain('invalid_target');
    expect(seen).toEqual([]);
  });

  it("exchanges a caller's token for one that is for the upstream, with fewer scopes", async () => {
    const { issuer, subjectOf } = await realServer({ client_secret: 'word' });
    const secret = folder().write('secret', 'word');
    const tokenExchange = { issuer, clientId: 'gateway', secret, scope: ['read'], resource, actor: true };
    const upstream = port({ tokenExchange });
    for (const account of ['alice', 'bob']) {
      await upstream.send(message({ caller: caller({ token: await subjectOf(account) }) }));
      const { payload } = await verify(issuer, seen.at(-1)!);
      expect(payload).toMatchObject({ sub: account, client_id: 'gateway', scope: 'read' });
    }
    expect(decodeJwt(seen[0]!).sub).toBe('alice');
    const failure = await failureOf(
      upstream.send(message({ caller: caller({ token: 'invented-by-mallory' }) })),
    );
    expect((failure.cause as Error).message).toContain('invalid_grant');
    expect(seen).toHaveLength(2);
  });
});
