import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDiscovery, discover } from '../../src/identity/discovery.ts';
import { createIntrospector } from '../../src/identity/introspection.ts';
import { introspectionOptions } from '../../src/identity/introspection-options.ts';
import { tokenOptions } from '../../src/identity/options.ts';
import { createTokenAuthenticator } from '../../src/identity/token.ts';
import { dialerOf } from '../dialer/support.ts';
import {
  type AuthorizationServer,
  accessTokenFor,
  Browser,
  startAuthorizationServer,
} from '../support/authorization-server.ts';
import { evidenceOf } from './support.ts';

/** `oidc-provider`, which is certified, in place of servers that tests write for themselves. */
const opaque = 'https://mcp.example/opaque';
const signed = 'https://mcp.example/signed';
const redirectUrl = 'http://127.0.0.1:9/back';
const secret = 'p%:+ /-_.~ secret';
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const machine = { grant_types: [], redirect_uris: [], response_types: [] };
const dialer = dialerOf();
let server: AuthorizationServer;
const tokens = { opaque: '', signed: '' };

beforeAll(async () => {
  server = await startAuthorizationServer({
    resources: { [opaque]: 'opaque', [signed]: 'jwt' },
    scopes: ['read', 'write'],
    clients: [
      {
        client_id: 'app',
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code'],
        redirect_uris: [redirectUrl],
        application_type: 'native',
        scope: 'openid read write',
      },
      {
        client_id: 'basic',
        client_secret: secret,
        token_endpoint_auth_method: 'client_secret_basic',
        ...machine,
      },
      {
        client_id: 'post',
        client_secret: secret,
        token_endpoint_auth_method: 'client_secret_post',
        ...machine,
      },
      {
        client_id: 'key',
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' }] },
        ...machine,
      },
    ],
  });
  const browser = new Browser('alice');
  const wanted = { clientId: 'app', redirectUrl, scope: 'read' };
  tokens.opaque = await accessTokenFor(server, browser, { ...wanted, resource: opaque });
  tokens.signed = await accessTokenFor(server, browser, { ...wanted, resource: signed });
});
afterAll(async () => {
  await dialer.close();
  await server.close();
});

const times = { refreshInterval: 600_000, cooldown: 30_000, maxStale: 3_600_000 };

test('its metadata are found at the second place', async () => {
  expect(await discover(server.issuer, dialer.dial, new AbortController().signal)).toEqual({
    issuer: server.issuer,
    jwksUri: `${server.issuer}/jwks`,
    introspectionEndpoint: `${server.issuer}/token/introspection`,
  });
});

describe('it answers', () => {
  const introspectorOf = (client: Record<string, unknown>, file: string) => {
    const discovery = createDiscovery({ issuer: server.issuer, ...times }, dialer.dial);
    const options = { ...introspectionOptions.parse(client), issuer: server.issuer };
    return createIntrospector(options, dialer.dial, { discovery, readFile: () => file });
  };

  test.each([
    ['a secret in the header', { clientId: 'basic', secret: 'f' }, secret],
    ['a secret in the form', { clientId: 'post', secret: 'f', secretMethod: 'post' }, secret],
    ['a key', { clientId: 'key', privateKey: 'f', keyId: 'k1' }, pem],
  ])('a client with %s', async (_, client, file) => {
    const introspector = introspectorOf(client, file);
    expect(await introspector.introspect(tokens.opaque, Date.now())).toMatchObject({
      active: true,
      claims: { sub: 'alice', client_id: 'app', aud: opaque, scope: 'read', iss: server.issuer },
    });
    expect(await introspector.introspect(`${tokens.opaque}x`, Date.now())).toEqual({ active: false });
  });

  test.each([
    ['a wrong secret', { clientId: 'basic', secret: 'f' }, 'wrong'],
    ['a secret of somebody unknown', { clientId: 'nobody', secret: 'f' }, secret],
    [
      'another key',
      { clientId: 'key', privateKey: 'f', keyId: 'k1' },
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
        type: 'pkcs8',
        format: 'pem',
      }) as string,
    ],
  ])('nobody with %s', async (_, client, file) => {
    expect(await introspectorOf(client, file).introspect(tokens.opaque, Date.now())).toEqual({
      unavailable: true,
    });
  });
});

test('its signed tokens are verified with the keys that its metadata name', async () => {
  const entry = tokenOptions.parse({ issuer: server.issuer, audience: signed, discovery: true });
  const authenticator = createTokenAuthenticator(entry, { dial: dialer.dial });
  const ask = (token: string) => authenticator.authenticate(evidenceOf({ authorization: `Bearer ${token}` }));
  expect(await ask(tokens.signed)).toMatchObject({
    kind: 'proven',
    credential: { subject: 'alice', scopes: ['read'] },
  });
  expect((await ask(tokens.opaque)).kind).not.toBe('proven');
  authenticator.close?.();
});
