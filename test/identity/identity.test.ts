import { beforeAll, describe, expect, test } from 'vitest';
import type { GatewayError } from '../../src/errors.ts';
import { createApiKey } from '../../src/identity/api-key.ts';
import type { Authenticator, AuthenticatorAnswer, CredentialKind } from '../../src/identity/authenticator.ts';
import { type Authentication, combine, createIdentity, type Identity } from '../../src/identity/identity.ts';
import {
  anonymousOptions,
  authenticatorsOptions,
  type IdentityOptions,
  requireOptions,
  resourceOptions,
} from '../../src/identity/options.ts';
import { type IssuedCertificate, makeTestCa, type TestCa } from '../support/certificates.ts';
import { audience, issuer, makeIssuer, now, type TestIssuer } from './issuer.ts';
import { evidenceOf, type Presented } from './support.ts';

const time = now * 1000;
const key = createApiKey('nightly');
const workload = 'spiffe://acme.example/etl';

let idp: TestIssuer;
let ca: TestCa;
let leaf: IssuedCertificate;
let badLeaf: IssuedCertificate;
let token: string;

beforeAll(async () => {
  const dates = { notBefore: new Date(time - 1e9), notAfter: new Date(time + 1e9) };
  idp = await makeIssuer();
  ca = await makeTestCa(dates);
  leaf = await ca.issue({ uris: [workload] });
  badLeaf = await ca.issue({ cn: 'nobody' });
  token = await idp.sign();
});

const sections = {
  certificate: { certificate: {} },
  token: { token: { issuer, audience, keys: 'jwks.json' } },
  apiKey: { apiKeys: { file: 'keys.yaml' } },
} as const;

function identityOf(kinds: readonly CredentialKind[], options: Omit<IdentityOptions, 'authenticators'> = {}) {
  const authenticators = authenticatorsOptions.parse(kinds.map((kind) => sections[kind]));
  return createIdentity(
    { authenticators, ...options },
    { readFile: (path) => (path === 'jwks.json' ? idp.jwks : JSON.stringify({ keys: [key.entry] })) },
  );
}

/** What is presented, in letters: c, t, k are good; C, T, K are bad; b is Basic. */
function presented(letters: string): Presented {
  const certificate = letters.includes('c') ? leaf : letters.includes('C') ? badLeaf : undefined;
  const authorization = letters.includes('t')
    ? `Bearer ${token}`
    : letters.includes('T')
      ? `Bearer ${token.slice(0, -6)}AAAAAA`
      : letters.includes('b')
        ? 'Basic YTpi'
        : undefined;
  const apiKey = letters.includes('k') ? key.key : letters.includes('K') ? 'wrong' : undefined;
  return {
    time,
    ...(certificate === undefined
      ? {}
      : { certificate: { ...certificate, anchorFingerprint256: ca.fingerprint256 } }),
    ...(authorization === undefined ? {} : { authorization }),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
}

const word = (result: Authentication) =>
  result.ok ? result.principal.id : `${result.error.code}: ${result.reason}`;

const all = ['certificate', 'token', 'apiKey'] as const;
const alice = 'token:https://idp.example#alice';
const missing = (reason: string) => `credential-missing: ${reason}`;
const invalid = (reason: string) => `credential-invalid: ${reason}`;

describe('each kind alone suffices unless told otherwise', () => {
  test.each<[string, string]>([
    ['', missing('nothing-presented')],
    ['c', workload],
    ['t', alice],
    ['k', 'apikey:nightly'],
    ['ct', `${workload} + ${alice}`],
    ['ck', `${workload} + apikey:nightly`],
    ['tk', `${alice} + apikey:nightly`],
    ['ctk', `${workload} + ${alice} + apikey:nightly`],
    ['C', invalid('certificate-name-missing')],
    ['Ct', invalid('certificate-name-missing')],
    ['Ck', invalid('certificate-name-missing')],
    ['T', invalid('token-signature')],
    ['cT', invalid('token-signature')],
    ['cTk', invalid('token-signature')],
    ['K', invalid('api-key-malformed')],
    ['cK', invalid('api-key-malformed')],
    ['ctK', invalid('api-key-malformed')],
    ['b', invalid('authorization-unclaimed')],
    ['cb', invalid('authorization-unclaimed')],
    ['kb', invalid('authorization-unclaimed')],
    ['CTK', invalid('certificate-name-missing')],
  ])('%j gives %s', async (letters, expected) => {
    expect(word(await identityOf(all).authenticate(evidenceOf(presented(letters))))).toBe(expected);
  });
});

describe('certificate and token together, or an API key', () => {
  const require = requireOptions.parse([['certificate', 'token'], ['apiKey']]);
  test.each<[string, string]>([
    ['', missing('nothing-presented')],
    ['c', missing('credentials-insufficient')],
    ['t', missing('credentials-insufficient')],
    ['k', 'apikey:nightly'],
    ['ct', `${workload} + ${alice}`],
    ['ck', `${workload} + apikey:nightly`],
    ['ctk', `${workload} + ${alice} + apikey:nightly`],
    ['cT', invalid('token-signature')],
    ['kT', invalid('token-signature')],
    ['kC', invalid('certificate-name-missing')],
    ['ctK', invalid('api-key-malformed')],
  ])('%j gives %s', async (letters, expected) => {
    expect(word(await identityOf(all, { require }).authenticate(evidenceOf(presented(letters))))).toBe(
      expected,
    );
  });

  test('a requirement that nothing could meet stops the start', () => {
    expect(() => identityOf(['token'], { require })).toThrow(
      'require names certificate, but identity does not configure it',
    );
    expect(() => identityOf(['token'], { require: [[]] })).toThrow('An alternative of require is empty');
  });
});

describe('a credential of a kind that is not configured', () => {
  test.each<[readonly CredentialKind[], string, string]>([
    [['apiKey'], 'kt', invalid('authorization-unclaimed')],
    [['certificate'], 'ct', invalid('authorization-unclaimed')],
    [['token'], 'tk', invalid('api-key-unclaimed')],
    [['certificate'], 'cK', invalid('api-key-unclaimed')],
    [[], 't', invalid('authorization-unclaimed')],
    [[], '', missing('nothing-presented')],
    // The handshake's own business: the listener verified it.
    [['token'], 'ct', alice],
    [['token'], 'Ct', alice],
    [['token'], 'c', missing('nothing-presented')],
  ])('%j, presented %j: %s', async (kinds, letters, expected) => {
    expect(word(await identityOf(kinds).authenticate(evidenceOf(presented(letters))))).toBe(expected);
  });
});

describe('anonymous callers', () => {
  test.each<[string, string]>([
    ['', 'anonymous:visitor'],
    ['c', workload],
    ['T', invalid('token-signature')],
    ['b', invalid('authorization-unclaimed')],
    ['K', invalid('api-key-malformed')],
    ['C', invalid('certificate-name-missing')],
  ])('are let in only if configured, and only with nothing: %j gives %s', async (letters, expected) => {
    const identity = identityOf(all, { anonymous: 'visitor', require: [['certificate']] });
    expect(word(await identity.authenticate(evidenceOf(presented(letters))))).toBe(expected);
  });

  test('do not become somebody by half of what is required', async () => {
    const identity = identityOf(all, { anonymous: 'visitor', require: [['certificate', 'token']] });
    expect(word(await identity.authenticate(evidenceOf(presented('c'))))).toBe(
      missing('credentials-insufficient'),
    );
  });

  test('need no authenticator', async () => {
    const result = await identityOf([], { anonymous: 'anonymous' }).authenticate(evidenceOf({}));
    expect(result).toEqual({
      ok: true,
      principal: { id: 'anonymous', credentials: [{ kind: 'anonymous' }], expiresAt: undefined },
    });
  });
});

describe('the principal', () => {
  test('expires with the first of its credentials', async () => {
    const result = await identityOf(all).authenticate(evidenceOf(presented('ctk')));
    if (!result.ok) throw result.error;
    expect(result.principal.credentials.map(({ kind }) => kind)).toEqual(['certificate', 'token', 'apiKey']);
    expect(result.principal.expiresAt).toBe(time + 330_000);
  });

  test('follows the order of the configuration', async () => {
    const identity = identityOf(['apiKey', 'token', 'certificate']);
    expect(word(await identity.authenticate(evidenceOf(presented('ctk'))))).toBe(
      `apikey:nightly + ${alice} + ${workload}`,
    );
  });

  test.each(['c', 't', 'k', 'ct', 'ctk', ''])(
    'is the same object for the same credentials: %j',
    async (letters) => {
      const identity = identityOf(all, { anonymous: 'anonymous' });
      const evidence = evidenceOf(presented(letters));
      const first = await identity.authenticate(evidence);
      const second = identity.authenticate(evidence);
      // Everything is remembered now: no promise, nothing to wait for.
      expect(second).not.toBeInstanceOf(Promise);
      if (!first.ok || second instanceof Promise || !second.ok) throw new Error('not authenticated');
      expect(second.principal).toBe(first.principal);
    },
  );

  test('is another one for other credentials with the same id', async () => {
    const identity = identityOf(['token']);
    const ask = async (sign: Promise<string>) =>
      identity.authenticate(evidenceOf({ time, authorization: `Bearer ${await sign}` }));
    const [reader, writer] = [
      await ask(idp.sign({ scope: 'read' })),
      await ask(idp.sign({ scope: 'write' })),
    ];
    if (!reader.ok || !writer.ok) throw new Error('not authenticated');
    expect(writer.principal.id).toBe(reader.principal.id);
    expect(writer.principal).not.toBe(reader.principal);
  });

  test('cannot be changed by who gets it', async () => {
    const result = await identityOf(all).authenticate(evidenceOf(presented('t')));
    if (!result.ok) throw result.error;
    expect(() => Object.assign(result.principal, { id: 'root' })).toThrow(TypeError);
    expect(() => (result.principal.credentials as unknown[]).push({})).toThrow(TypeError);
  });
});

describe('the challenge of a 401', () => {
  const bearer = 'Bearer realm="sallyport"';
  const apiKey = 'ApiKey realm="sallyport", header="x-api-key"';
  test.each<[readonly CredentialKind[], string, string]>([
    [['token'], '', bearer],
    [['token'], 'T', `${bearer}, error="invalid_token"`],
    [['token'], 'b', bearer],
    [['token'], 'K', bearer],
    [['certificate', 'token'], '', bearer],
    [['certificate', 'token'], 'C', bearer],
    [['apiKey'], '', apiKey],
    [['apiKey'], 'K', apiKey],
    [['apiKey', 'token'], 'T', `${bearer}, error="invalid_token", ${apiKey}`],
    [['certificate'], '', 'ClientCertificate realm="sallyport"'],
    [['certificate'], 'T', 'ClientCertificate realm="sallyport"'],
    [[], '', 'ClientCertificate realm="sallyport"'],
  ])('%j, presented %j: %s', async (kinds, letters, expected) => {
    const result = await identityOf(kinds).authenticate(evidenceOf(presented(letters)));
    if (result.ok) throw new Error('authenticated');
    expect(result.error.headers).toEqual({ 'WWW-Authenticate': expected });
    expect(result.error.message).toMatch(/^(Authentication is required|The credential is not valid)$/);
    expect(result.error.data).toBeUndefined();
  });

  test('names the configured header', async () => {
    const authenticators = authenticatorsOptions.parse([
      { apiKeys: { file: 'keys.yaml', header: 'X-Team-Key' } },
    ]);
    const identity = createIdentity({ authenticators }, { readFile: () => '{"keys":[]}' });
    const result = await identity.authenticate(evidenceOf({}));
    expect(result).toMatchObject({
      ok: false,
      error: { headers: { 'WWW-Authenticate': 'ApiKey realm="sallyport", header="x-team-key"' } },
    });
  });
});

describe('a route that is an OAuth resource', () => {
  const url = 'https://mcp.example/warehouse';
  const metadata = 'https://mcp.example/.well-known/oauth-protected-resource/warehouse';
  const resources = new Map([
    ['warehouse', resourceOptions.parse({ resource: url, scopes: ['connect', 'read'] })],
  ]);
  const identityAt = (more: object = {}) =>
    createIdentity(
      {
        authenticators: authenticatorsOptions.parse([
          { certificate: {} },
          { apiKeys: { file: 'keys.yaml', header: 'x-team-key' } },
          { token: { ...sections.token.token, ...more } },
        ]),
        resources,
      },
      { readFile: (path) => (path === 'jwks.json' ? idp.jwks : JSON.stringify({ keys: [key.entry] })) },
    );
  const refusal = async (identity: Identity, given: Presented) => {
    const result = await identity.authenticate(evidenceOf(given));
    if (result.ok) throw new Error('authenticated');
    return result;
  };
  const header = (error: GatewayError | undefined) => error?.headers?.['WWW-Authenticate'];
  const others = 'ApiKey realm="sallyport", header="x-team-key"';

  test('says where its metadata is, and what to ask for', async () => {
    const result = await refusal(identityAt(), {});
    expect(header(result.error)).toBe(
      `Bearer resource_metadata="${metadata}", scope="connect read", ${others}`,
    );
    expect(header(result.asking?.(['write']))).toBe(
      `Bearer resource_metadata="${metadata}", scope="write", ${others}`,
    );
    expect(header(result.asking?.([]))).toBe(`Bearer resource_metadata="${metadata}", ${others}`);
  });

  test('says which proofs its issuers take', async () => {
    const result = await refusal(identityAt({ dpop: { algorithms: ['ES256', 'EdDSA'] } }), {});
    expect(header(result.error)).toBe(
      `Bearer resource_metadata="${metadata}", scope="connect read", DPoP algs="ES256 EdDSA", ${others}`,
    );
  });

  test('is told apart from the others', async () => {
    const result = await refusal(identityAt(), { upstream: 'payroll' });
    expect(header(result.error)).toBe(`Bearer realm="sallyport", ${others}`);
    expect(result.asking).toBeUndefined();
  });
});

describe('the token among what was proven', () => {
  test.each<[string, boolean]>([
    ['t', true],
    ['ct', true],
    ['ctk', true],
    ['c', false],
    ['ck', false],
  ])('%j comes with one: %j', async (letters, expected) => {
    const result = await identityOf(all).authenticate(evidenceOf(presented(letters)));
    if (!result.ok) throw result.error;
    expect(result.bearer?.reveal()).toBe(expected ? token : undefined);
  });
});

test('an entry that names no authenticator stops the start', () => {
  expect(() => createIdentity({ authenticators: [{}] })).toThrow(
    new TypeError('An identity entry names no authenticator'),
  );
});

test('closing reaches every authenticator that has something to close', () => {
  let closed = 0;
  const notMine = { authenticate: () => ({ kind: 'not-mine' as const }) };
  const close = () => {
    closed += 1;
  };
  combine(
    [
      { kind: 'token', ...notMine, close },
      { kind: 'apiKey', ...notMine },
      { kind: 'certificate', ...notMine, close },
    ],
    {},
  ).close();
  expect(closed).toBe(2);
});

describe('several issuers', () => {
  test('each verifies its own, and a token of neither is bad', async () => {
    const other = await makeIssuer('k1');
    const authenticators = authenticatorsOptions.parse([
      { token: { issuer, audience, keys: 'first' } },
      { token: { issuer: 'https://other.example', audience, keys: 'second' } },
    ]);
    const identity = createIdentity(
      { authenticators },
      { readFile: (path) => (path === 'first' ? idp.jwks : other.jwks) },
    );
    const ask = async (sign: Promise<string>) =>
      word(await identity.authenticate(evidenceOf({ time, authorization: `Bearer ${await sign}` })));
    expect(await ask(idp.sign())).toBe(alice);
    expect(await ask(other.sign({ iss: 'https://other.example' }))).toBe('token:https://other.example#alice');
    // One issuer cannot speak for the other.
    expect(await ask(other.sign())).toBe(invalid('token-signature'));
    expect(await ask(idp.sign({ iss: 'https://other.example' }))).toBe(invalid('token-signature'));
    expect(await ask(idp.sign({ iss: 'https://third.example' }))).toBe(invalid('authorization-unclaimed'));
  });
});

describe('an authenticator that breaks', () => {
  const broken: [string, () => AuthenticatorAnswer | Promise<AuthenticatorAnswer>][] = [
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ];
  test.each(broken)('%s: the request fails, whatever else was proven', async (_, authenticate) => {
    const fine: Authenticator = {
      kind: 'apiKey',
      authenticate: () => ({
        kind: 'proven',
        credential: { kind: 'apiKey', name: 'a', prefix: 'aaaaaaaa', roles: [], expiresAt: undefined },
        principalId: 'apikey:a',
      }),
    };
    for (const order of [
      [{ kind: 'certificate' as const, authenticate }, fine],
      [fine, { kind: 'certificate' as const, authenticate }],
    ]) {
      const identity = combine(order, { anonymous: 'anonymous' });
      expect(word(await identity.authenticate(evidenceOf({ apiKey: 'x' })))).toBe(
        invalid('authenticator-failed'),
      );
    }
  });

  test('reload reaches all of them, and tells which failed', async () => {
    let reloaded = 0;
    const make = (reload: () => Promise<void>): Authenticator => ({
      kind: 'token',
      authenticate: () => ({ kind: 'not-mine' }),
      reload,
    });
    const identity = combine(
      [
        make(async () => {
          throw new Error('gone');
        }),
        make(async () => {
          reloaded += 1;
        }),
        { kind: 'apiKey', authenticate: () => ({ kind: 'not-mine' }) },
      ],
      {},
    );
    await expect(identity.reload()).rejects.toMatchObject({
      message: 'Some credentials could not be read again',
      errors: [new Error('gone')],
    });
    expect(reloaded).toBe(1);
  });
});

describe('options that stop the start', () => {
  const goodToken = { issuer, audience, keys: 'f' };
  test.each<[string, unknown]>([
    ['an entry of two kinds', [{ certificate: {}, token: goodToken }]],
    ['an entry of no kind', [{}]],
    ['an unknown kind', [{ basic: {} }]],
    ['an unknown member', [{ certificate: { principals: ['spiffe'] } }]],
    ['two certificate entries', [{ certificate: {} }, { certificate: {} }]],
    ['two API key entries', [{ apiKeys: { file: 'a' } }, { apiKeys: { file: 'b' } }]],
    ['two entries for one issuer', [{ token: goodToken }, { token: { ...goodToken, audience: 'x' } }]],
    ['no kind of name', [{ certificate: { principal: [] } }]],
    ['a kind of name twice', [{ certificate: { principal: ['cn', 'cn'] } }]],
    ['an empty trust list', [{ certificate: { trust: [] } }]],
    ['a trust domain with a scheme', [{ certificate: { trust: [{ domain: 'spiffe://a', ca: 'f' }] } }]],
    ['a trust domain in upper case', [{ certificate: { trust: [{ domain: 'ACME', ca: 'f' }] } }]],
    ['keys and jwks', [{ token: { ...goodToken, jwks: 'https://idp.example/jwks' } }]],
    ['neither keys nor jwks', [{ token: { issuer, audience } }]],
    ['jwks over plain http', [{ token: { issuer, audience, jwks: 'http://idp.example/jwks' } }]],
    ['an empty list of audiences', [{ token: { ...goodToken, audience: [] } }]],
    ['an empty audience', [{ token: { ...goodToken, audience: '' } }]],
    ['no typ', [{ token: { ...goodToken, typ: [] } }]],
    ['HS256', [{ token: { ...goodToken, algorithms: ['ES256', 'HS256'] } }]],
    ['stale keys that end before they are looked at again', [{ token: { ...goodToken, maxStale: '1m' } }]],
    ['API keys in Authorization', [{ apiKeys: { file: 'f', header: 'Authorization' } }]],
    ['API keys in a cookie', [{ apiKeys: { file: 'f', header: 'cookie' } }]],
    ['API keys where proxies write', [{ apiKeys: { file: 'f', header: 'X-Forwarded-For' } }]],
    ['a header that is none', [{ apiKeys: { file: 'f', header: 'x-a: b' } }]],
  ])('%s', (_, value) => {
    expect(authenticatorsOptions.safeParse(value).success).toBe(false);
  });

  test('requirements and anonymous names', () => {
    for (const value of [[], [[]], [['password']], ['certificate']])
      expect(requireOptions.safeParse(value).success).toBe(false);
    for (const value of ['', ' ', 'a b', 'a#b', '-', 'a'.repeat(65)])
      expect(anonymousOptions.safeParse(value).success).toBe(false);
  });
});
