import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key-format.ts';
import type { ClientTls } from '../support/gateway.ts';
import { initialize } from '../support/mcp-messages.ts';
import { post, type RawAnswer, send } from '../support/raw-client.ts';
import { type Arena, legacyCall, startArena } from './arena.ts';

/** What only bob may, and what anybody may from the inside. */
const policy = `
version: 1
roles:
  alice:
    allow: [{ tools: [allowed] }]
  bob:
    allow: [{ tools: [forbidden, allowed] }]
  inside:
    allow: [{ tools: [inside], when: { network: [10.0.0.0/8] } }]
bindings:
  - { roles: [alice], to: [{ certificate: { uri: "spiffe://test.local/alice" } }, { apiKey: alice-key }] }
  - { roles: [bob], to: [{ certificate: { uri: "spiffe://test.local/bob" } }, { apiKey: bob-key }, { token: { issuer: "https://idp.example", subject: bob } }] }
  - { roles: [inside], to: { any: true } }
`;

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bypass-'));
afterAll(() => rmSync(folder, { recursive: true }));

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const now = Math.floor(Date.now() / 1000);
const sign = (claims: object = {}, header: object = {}, key = privateKey) =>
  new SignJWT({
    iss: 'https://idp.example',
    aud: 'https://mcp.example/w',
    sub: 'bob',
    iat: now,
    exp: now + 300,
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header })
    .sign(key);

let certificates: Arena;
let keys: Arena;
let alice: ClientTls;
let aliceKey: string;
let bobKey: string;

beforeAll(async () => {
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' };
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [jwk] }), { mode: 0o600 });
  const [a, b] = [createApiKey('alice-key'), createApiKey('bob-key')];
  [aliceKey, bobKey] = [a.key, b.key];
  writeFileSync(join(folder, 'keys.yaml'), JSON.stringify({ keys: [a.entry, b.entry] }), { mode: 0o600 });
  const token = {
    issuer: 'https://idp.example',
    audience: 'https://mcp.example/w',
    keys: join(folder, 'jwks.json'),
  };
  [certificates, keys] = await Promise.all([
    startArena({ policy, door: 'mtls' }),
    startArena({
      policy,
      config: { insecure: {}, identity: [{ token }, { apiKeys: { file: join(folder, 'keys.yaml') } }] },
    }),
  ]);
  alice = await certificates.gate.as('alice');
});

const forbidden = legacyCall('forbidden').body;
const denied = { status: 200, rpc: 4030, reason: 'denied', id: 1 } as const;
const bad = { status: 401, rpc: 4010, reason: 'credential-invalid' } as const;
const none = { status: 401, rpc: 4010, reason: 'credential-missing' } as const;
const repeated = { status: 400, rpc: -32600, reason: 'header-invalid' } as const;

describe('a header by which a caller calls itself somebody else', () => {
  const bob = 'spiffe://test.local/bob';
  const claims: readonly (readonly [string, string])[] = [
    ['X-Forwarded-Client-Cert', `By=x;Hash=0;Subject="";URI=${bob}`],
    ['X-Client-Cert', 'MIIB'],
    ['Client-Cert', ':MIIB:'],
    ['Client-Cert-Chain', ':MIIB:'],
    ['X-SSL-Client-Cert', '-----BEGIN CERTIFICATE-----'],
    ['X-SSL-Client-S-DN', 'CN=bob'],
    ['X-SSL-Client-Verify', 'SUCCESS'],
    ['SSL_CLIENT_S_DN', 'CN=bob'],
    ['X-ARR-ClientCert', 'MIIB'],
    ['X-Amzn-Mtls-Clientcert', 'MIIB'],
    ['X-Client-SAN', bob],
    ['X-SPIFFE-ID', bob],
    ['X-Forwarded-User', 'bob'],
    ['X-Forwarded-Email', 'bob@test.local'],
    ['X-Remote-User', 'bob'],
    ['Remote-User', 'bob'],
    ['X-Auth-Request-User', 'bob'],
    ['X-Authenticated-Userid', 'bob'],
    ['X-WEBAUTH-USER', 'bob'],
    ['Cf-Access-Authenticated-User-Email', 'bob@test.local'],
    ['Tailscale-User-Login', 'bob'],
    ['X-User', 'bob'],
    ['X-MCP-Principal', bob],
    ['Cookie', 'session=bob'],
    ['Proxy-Authorization', 'Basic Ym9iOng='],
    ['X-API-Key', 'bob'],
    ['DPoP', 'eyJ'],
    ['Via', '1.1 bob'],
  ];
  for (const [name, value] of claims) {
    it(`should NOT bypass: ${name}`, () =>
      certificates.refused(
        () => post(certificates.url, forbidden, { headers: { [name]: value }, tls: alice }),
        {
          ...(name === 'X-API-Key' ? bad : denied),
        },
      ));
  }
  for (const header of [
    'X-Forwarded-For',
    'X-Real-IP',
    'Forwarded',
    'X-Client-IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Cluster-Client-IP',
    'X-Originating-IP',
    'Fastly-Client-IP',
  ]) {
    it(`should NOT bypass: an address in ${header}`, async () => {
      const value = header === 'Forwarded' ? 'for=10.1.2.3' : '10.1.2.3';
      const { audit, seen } = await certificates.observe(() =>
        post(certificates.url, legacyCall('inside').body, { headers: { [header]: value }, tls: alice }),
      );
      expect(seen).toEqual([]);
      expect(audit).toMatchObject([{ decision: { effect: 'deny' }, from: { address: '127.0.0.1' } }]);
    });
  }
});

describe('a second credential beside a certificate', () => {
  for (const authorization of [
    'Bearer x',
    'Basic Ym9iOng=',
    'Negotiate x',
    'bob',
    'Bearer',
    '',
    'DPoP x',
    'Bearer x, Bearer y',
  ]) {
    it(`should NOT bypass: Authorization: ${JSON.stringify(authorization)}, which nobody here can check`, () =>
      certificates.refused(
        () => post(certificates.url, legacyCall('allowed').body, { headers: { authorization }, tls: alice }),
        bad,
      ));
  }
  it('should NOT bypass: a good token of bob, where tokens are not asked for', async () => {
    const authorization = `Bearer ${await sign()}`;
    await certificates.refused(
      () => post(certificates.url, forbidden, { headers: { authorization }, tls: alice }),
      bad,
    );
  });
});

describe('a token', () => {
  const withToken = (authorization: string) => post(keys.url, forbidden, { headers: { authorization } });
  const forged: readonly (readonly [string, () => Promise<string> | string])[] = [
    ['by another key', () => sign({}, {}, stranger.privateKey)],
    ['that is expired', () => sign({ exp: now - 120 })],
    ['of the future', () => sign({ nbf: now + 600 })],
    ['issued in the future', () => sign({ iat: now + 600 })],
    ['without expiry', () => sign({ exp: undefined })],
    ['for another audience', () => sign({ aud: 'https://mcp.example/x' })],
    ['for a longer audience', () => sign({ aud: 'https://mcp.example/w/x' })],
    ['for no audience', () => sign({ aud: undefined })],
    ['of another issuer', () => sign({ iss: 'https://idp.example/' })],
    ['of another type', () => sign({}, { typ: 'id+jwt' })],
    ['without type', () => sign({}, { typ: undefined })],
    [
      'that brings its key',
      () => sign({}, { jwk: stranger.publicKey.export({ format: 'jwk' }) }, stranger.privateKey),
    ],
    [
      'that names where its key is',
      () => sign({}, { jku: 'https://evil.example/jwks' }, stranger.privateKey),
    ],
    ['with a critical header', () => sign({}, { crit: ['b64'], b64: true })],
    ['with an unknown key id', () => sign({}, { kid: '../k1' }, stranger.privateKey)],
    ['bound to a certificate', () => sign({ cnf: { 'x5t#S256': 'x' } })],
    ['bound by DPoP', () => sign({ cnf: { jkt: 'x' } })],
    ['unsigned', () => unsigned('none')],
    ['unsigned in another case', () => unsigned('nOnE')],
    ['signed with the public key as a secret', () => unsigned('HS256')],
    ['without signature', async () => (await sign()).replace(/[^.]*$/, '')],
    [
      'with the signature of another',
      async () => `${(await sign()).replace(/[^.]*$/, '')}${(await sign({ sub: 'eve' })).split('.')[2]}`,
    ],
    [
      'with a changed subject',
      async () => (await sign({ sub: 'eve' })).replace(/\.[^.]*\./, `.${(await sign()).split('.')[1]}.`),
    ],
    ['of four parts', async () => `${await sign()}.x`],
    ['of two parts', async () => (await sign()).split('.').slice(0, 2).join('.')],
  ];
  function unsigned(alg: string): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg, typ: 'at+jwt', kid: 'k1' })}.${part({ iss: 'https://idp.example', aud: 'https://mcp.example/w', sub: 'bob', exp: now + 300 })}.AAAA`;
  }
  for (const [name, make] of forged) {
    it(`should NOT bypass: ${name}`, async () => {
      const token = await make();
      const answer = await keys.refused(() => withToken(`Bearer ${token}`), bad);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      expect(answer.body.toString() + answer.headers['www-authenticate']).not.toContain(token.slice(-20));
    });
  }
  for (const wrap of [
    (token: string) => token,
    (token: string) => `Token ${token}`,
    (token: string) => `Basic ${token}`,
    (token: string) => `Bearer  ${token}`,
    (token: string) => `Bearer\t${token}`,
    (token: string) => `Bearer ${token} x`,
    (token: string) => `Bearer ${token},${token}`,
    (token: string) => `Bearer "${token}"`,
    (token: string) => `Bearer:${token}`,
    (token: string) => `Bearer token=${token}`,
    (token: string) => `DPoP ${token}`,
    (token: string) => `Bearer Bearer ${token}`,
  ]) {
    it(`should NOT bypass: a good one, written ${JSON.stringify(wrap('…'))}`, async () => {
      const authorization = wrap(await sign());
      await keys.refused(() => withToken(authorization), bad);
    });
  }
  it('should NOT bypass: a good one in any other place', async () => {
    const token = await sign();
    for (const headers of [
      { cookie: `access_token=${token}` },
      { 'x-access-token': token },
      { 'proxy-authorization': `Bearer ${token}` },
      { 'x-forwarded-authorization': `Bearer ${token}` },
    ] as Readonly<Record<string, string>>[]) {
      await keys.refused(() => post(keys.url, forbidden, { headers }), none);
    }
    await keys.refused(() => post(`${keys.url}?access_token=${token}`, forbidden), none);
    await keys.refused(
      () =>
        post(keys.url, {
          ...forbidden,
          params: { ...forbidden.params, _meta: { authorization: `Bearer ${token}` } },
        }),
      none,
    );
  });
  it('a good one passes, and is not sent on', async () => {
    const token = await sign();
    const { seen } = await keys.observe(() => withToken(`Bearer ${token}`));
    expect(seen).toHaveLength(1);
    expect(seen[0]!.rawHeaders.join('\n') + seen[0]!.body.toString()).not.toContain(token);
  });
});

describe('credentials of two persons', () => {
  const say = (
    headers: Readonly<Record<string, string>> | readonly string[],
    body: unknown = forbidden,
  ): Promise<RawAnswer> => post(keys.url, body, { headers });

  it('should NOT bypass: a good one beside a bad one, in either role', async () => {
    const good = `Bearer ${await sign()}`;
    for (const headers of [
      { authorization: good, 'x-api-key': 'spk_aaaaaaaa_x' },
      { authorization: good, 'x-api-key': '' },
      { authorization: good, 'x-api-key': `${aliceKey.slice(0, -1)}_` },
      { authorization: 'Bearer x.y.z', 'x-api-key': bobKey },
      { authorization: `Basic ${bobKey}`, 'x-api-key': bobKey },
      { authorization: '', 'x-api-key': bobKey },
    ]) {
      await keys.refused(() => say(headers), bad);
    }
  });
  it('should NOT bypass: one header twice, in either order', async () => {
    const good = `Bearer ${await sign()}`;
    for (const headers of [
      ['authorization', good, 'authorization', 'Bearer x'],
      ['authorization', 'Bearer x', 'Authorization', good],
      ['authorization', good, 'AUTHORIZATION', good],
      ['x-api-key', aliceKey, 'x-api-key', bobKey],
      ['x-api-key', bobKey, 'X-API-KEY', aliceKey],
    ]) {
      await keys.refused(() => say(headers), repeated);
    }
  });
  it('should NOT bypass: a key that is nearly one', async () => {
    for (const key of [
      `${bobKey} x`,
      bobKey.toUpperCase(),
      bobKey.slice(0, -1),
      `${bobKey}x`,
      bobKey.slice(4),
      `${aliceKey.slice(0, 12)}${bobKey.slice(12)}`,
      `${bobKey},${aliceKey}`,
      'x',
      '*',
    ]) {
      await keys.refused(() => say({ 'x-api-key': key }), bad);
    }
    await keys.refused(() => say({}), none);
    await keys.refused(() => say({ 'x-api-key': aliceKey }), denied);
  });
  it('together are a third person, who has no session of either', async () => {
    const both = { authorization: `Bearer ${await sign()}`, 'x-api-key': aliceKey };
    const { audit } = await keys.observe(() => say(both));
    expect(audit).toMatchObject([{ who: { id: 'token:https://idp.example#bob + apikey:alice-key' } }]);
    const opened = await say({ 'x-api-key': aliceKey }, initialize());
    const session = { 'mcp-session-id': opened.headers['mcp-session-id']! };
    const unknown = { status: 404, rpc: -32001, reason: 'session-unknown' } as const;
    await keys.refused(() => say({ ...both, ...session }, legacyCall('allowed').body), unknown);
    await keys.refused(() => say({ 'x-api-key': bobKey, ...session }, legacyCall('allowed').body), unknown);
    await keys.refused(
      () => send('DELETE', keys.url, { headers: { 'x-api-key': bobKey, ...session } }),
      unknown,
    );
    const { seen } = await keys.observe(() =>
      say({ 'x-api-key': aliceKey, ...session }, legacyCall('allowed').body),
    );
    expect(seen).toHaveLength(1);
  });
});

describe('a certificate that nobody here vouches for', () => {
  it('should NOT bypass: no certificate, of another CA, expired, for servers, with names in a wrong form', async () => {
    const other = await startArena({ policy, door: 'mtls' });
    const { ca } = certificates.gate;
    const past = new Date(Date.now() - 3_600_000);
    const shown = await Promise.all([
      other.gate.ca.issue({ uris: ['spiffe://test.local/bob'] }),
      ca.issue({
        uris: ['spiffe://test.local/bob'],
        notBefore: new Date(past.getTime() - 3_600_000),
        notAfter: past,
      }),
      ca.issue({ uris: ['spiffe://test.local/bob'], eku: ['serverAuth'] }),
      ca.issue({ uris: ['spiffe://test.local/bob', 'spiffe://test.local/alice'] }),
      ca.issue({ uris: ['SPIFFE://test.local/bob'] }),
      ca.issue({ uris: ['spiffe://test.local/./bob'] }),
      ca.issue({ uris: ['spiffe://test.local/%62ob'] }),
      ca.issue({ uris: ['spiffe://test.local/bob\0.evil'] }),
      ca.issue({ uris: ['spiffe://test.local/bob/'] }),
      ca.issue({ uris: ['spiffe://test.local:443/bob'] }),
      ca.issue({ uris: ['spiffe://x@test.local/bob'] }),
      ca.issue({ san: ['spiffe://test.local/bob'] }),
      ca.issue({ cn: 'spiffe://test.local/bob' }),
      ca.issue({ cn: 'bob', san: ['bob'] }),
    ]);
    const seen = certificates.seen().length;
    for (const [index, certificate] of [undefined, ...shown].entries()) {
      const before = certificates.gate.audit().length;
      const tls = {
        ca: ca.caPem,
        ...(certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem }),
      };
      const told = await post(certificates.url, forbidden, { tls }).then(
        (answer) => answer.status,
        (error: NodeJS.ErrnoException) => error.code,
      );
      expect([index, told === 401 || typeof told === 'string']).toEqual([index, true]);
      await expect.poll(() => certificates.gate.audit().length).toBeGreaterThan(before);
    }
    expect(certificates.seen()).toHaveLength(seen);
  });
});

it('honest calls pass beside all this', async () => {
  for (const [arena, options] of [
    [certificates, { tls: alice }],
    [keys, { headers: { 'x-api-key': aliceKey } }],
  ] as const) {
    const { value, seen } = await arena.observe(() => post(arena.url, legacyCall('allowed').body, options));
    expect(value.status).toBe(200);
    expect(seen).toHaveLength(1);
  }
});
