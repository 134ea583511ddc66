import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/identity/authenticator.ts';
import { createDiscovery, discover, metadataUrls } from '../../src/identity/discovery.ts';
import { tokenOptions } from '../../src/identity/options.ts';
import { createTokenAuthenticator } from '../../src/identity/token.ts';
import { dialerOf } from '../dialer/support.ts';
import { audience, makeIssuer, now, type TestIssuer } from './issuer.ts';
import { evidenceOf } from './support.ts';

const dialer = dialerOf({ timeout: '500ms' });
const { dial } = dialer;
const never = new AbortController().signal;
let keys: TestIssuer;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  keys = await makeIssuer('k1');
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => dialer.close());

interface Issuer {
  readonly origin: string;
  readonly asked: string[];
}

/** Answers with JSON at each path; other paths are not found. A function is asked for its answer. */
async function serve(answers: (origin: string) => Record<string, unknown>): Promise<Issuer> {
  const asked: string[] = [];
  const listener: RequestListener = (request, response) => {
    asked.push(request.url!);
    const answer = answers(origin)[request.url!];
    if (typeof answer === 'function') answer(response);
    else if (answer === undefined) response.writeHead(404).end('{}');
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { origin, asked };
}

describe('where metadata is looked for', () => {
  test.each([
    [
      'https://idp.example',
      [
        'https://idp.example/.well-known/oauth-authorization-server',
        'https://idp.example/.well-known/openid-configuration',
      ],
    ],
    [
      'https://idp.example/',
      [
        'https://idp.example/.well-known/oauth-authorization-server',
        'https://idp.example/.well-known/openid-configuration',
      ],
    ],
    [
      'https://idp.example:8443/tenant/1',
      [
        'https://idp.example:8443/.well-known/oauth-authorization-server/tenant/1',
        'https://idp.example:8443/.well-known/openid-configuration/tenant/1',
        'https://idp.example:8443/tenant/1/.well-known/openid-configuration',
      ],
    ],
    [
      'https://idp.example/tenant/',
      [
        'https://idp.example/.well-known/oauth-authorization-server/tenant',
        'https://idp.example/.well-known/openid-configuration/tenant',
        'https://idp.example/tenant/.well-known/openid-configuration',
      ],
    ],
  ])('for %s', (issuer, urls) => {
    expect(metadataUrls(issuer)).toEqual(urls);
  });

  const places = [
    '/.well-known/oauth-authorization-server/t',
    '/.well-known/openid-configuration/t',
    '/t/.well-known/openid-configuration',
  ];
  test.each(places.map((place, index) => [place, index] as const))(
    'the first good one counts: %s',
    async (place, index) => {
      const { origin, asked } = await serve((own) => ({
        ...Object.fromEntries(
          places.slice(index).map((later) => [later, { issuer: `${own}/t`, jwks_uri: `${own}/later` }]),
        ),
        [place]: { issuer: `${own}/t`, jwks_uri: `${own}/jwks`, introspection_endpoint: `${own}/ask` },
      }));
      expect(await discover(`${origin}/t`, dial, never)).toEqual({
        issuer: `${origin}/t`,
        jwksUri: `${origin}/jwks`,
        introspectionEndpoint: `${origin}/ask`,
      });
      expect(asked).toEqual(places.slice(0, index + 1));
    },
  );
});

describe('a document that is not this issuer’s own is discarded', () => {
  const disguises: readonly (readonly [string, (origin: string) => unknown])[] = [
    ['another issuer', () => 'https://evil.example'],
    ['a slash more', (origin) => `${origin}/t/`],
    ['a slash less', (origin) => origin],
    ['upper case', (origin) => `${origin}/T`],
    ['upper-case scheme', (origin) => `${origin.replace('http', 'HTTP')}/t`],
    ['a default port', (origin) => `${origin}:80/t`],
    ['an escape', (origin) => `${origin}/%74`],
    ['a dot segment', (origin) => `${origin}/x/../t`],
    ['a query', (origin) => `${origin}/t?`],
    ['a fragment', (origin) => `${origin}/t#`],
    ['white space', (origin) => `${origin}/t `],
    ['another host of the same address', (origin) => `${origin.replace('127.0.0.1', 'localhost')}/t`],
    ['a list', (origin) => [`${origin}/t`]],
    ['none', () => undefined],
    ['null', () => null],
  ];
  test.each(disguises)('%s', async (_, name) => {
    const { origin, asked } = await serve((own) => {
      const document = { issuer: name(own), jwks_uri: `${own}/jwks` };
      return Object.fromEntries(metadataUrls(`${own}/t`).map((url) => [new URL(url).pathname, document]));
    });
    await expect(discover(`${origin}/t`, dial, never)).rejects.toThrow('names another issuer');
    expect(asked).toHaveLength(3);
  });

  test('and the next place may still have its own', async () => {
    const { origin } = await serve((own) => ({
      '/.well-known/oauth-authorization-server/t': { issuer: own, jwks_uri: `${own}/root-keys` },
      '/t/.well-known/openid-configuration': { issuer: `${own}/t`, jwks_uri: `${own}/t/keys` },
    }));
    expect((await discover(`${origin}/t`, dial, never)).jwksUri).toBe(`${origin}/t/keys`);
  });
});

describe('a document that cannot be used', () => {
  const answer =
    (text: string, status = 200, headers = {}) =>
    (response: Parameters<RequestListener>[1]) =>
      response.writeHead(status, headers).end(text);
  const documents: readonly (readonly [string, (origin: string) => unknown, RegExp])[] = [
    ['not JSON', () => answer('<html>'), /not a JSON object/],
    ['a list', () => [], /not a JSON object/],
    [
      'two issuers in one',
      (own) => answer(`{"issuer":"https://evil.example","issuer":"${own}"}`),
      /not a JSON object/,
    ],
    ['a redirect', () => answer('', 302, { location: '/.well-known/openid-configuration' }), /redirect/],
    ['an error with a document', (own) => answer(JSON.stringify({ issuer: own }), 500), /status 500/],
    ['compressed', () => answer('', 200, { 'content-encoding': 'gzip' }), /encoded/],
    ['keys that are no URL', (own) => ({ issuer: own, jwks_uri: 'jwks' }), /jwks_uri is not an https URL/],
    [
      'keys of a file',
      (own) => ({ issuer: own, jwks_uri: 'file:///etc/keys' }),
      /jwks_uri is not an https URL/,
    ],
    [
      'keys over http elsewhere',
      (own) => ({ issuer: own, jwks_uri: 'http://idp.example/' }),
      /jwks_uri is not/,
    ],
    [
      'keys with user info',
      (own) => ({ issuer: own, jwks_uri: 'https://a:b@idp.example/' }),
      /jwks_uri is not/,
    ],
    ['keys in a list', (own) => ({ issuer: own, jwks_uri: [`${own}/jwks`] }), /jwks_uri is not/],
    [
      'questions at a number',
      (own) => ({ issuer: own, introspection_endpoint: 1 }),
      /introspection_endpoint is not/,
    ],
  ];
  test.each(documents)('%s', async (_, document, message) => {
    const { origin } = await serve((own) => ({ '/.well-known/oauth-authorization-server': document(own) }));
    await expect(discover(origin, dial, never)).rejects.toThrow(message);
  });

  test('what stops one dial to a host stops the others', async () => {
    let dials = 0;
    const counted: typeof dial = (url, request) => {
      dials += 1;
      return dial(url, request);
    };
    await expect(discover('https://10.0.0.1/t', counted, never)).rejects.toThrow('not dialled (private)');
    expect(dials).toBe(1);
  });
});

describe('how long metadata are believed', () => {
  const times = { refreshInterval: 600, cooldown: 30, maxStale: 3600 };

  test('until they are stale, asked again after the interval, and not more often than the cool-down', async () => {
    let up = true;
    let jwks = 'a';
    const { origin, asked } = await serve((own) =>
      up ? { '/.well-known/oauth-authorization-server': { issuer: own, jwks_uri: `${own}/${jwks}` } } : {},
    );
    const discovery = createDiscovery({ issuer: origin, ...times }, dial);
    const at = async (time: number) => (await discovery.fresh(time))?.jwksUri?.slice(-1);
    expect(discovery.current(0)).toBeUndefined();
    expect(asked).toHaveLength(0);
    expect(await Promise.all([at(0), at(0), at(1)])).toEqual(['a', 'a', 'a']);
    jwks = 'b';
    expect(await at(599)).toBe('a');
    expect(asked).toHaveLength(1);
    expect(await at(600)).toBe('b');
    expect(asked).toHaveLength(2);
    up = false;
    expect(await at(4199)).toBe('b');
    expect(asked).toHaveLength(4);
    expect(await at(4200)).toBeUndefined();
    expect(asked).toHaveLength(4);
    up = true;
    expect(await at(4229)).toBe('b');
    expect(asked).toHaveLength(5);
    discovery.close();
  });
});

describe('tokens of an issuer that is found by its metadata', () => {
  function authenticatorOf(issuer: string): Authenticator {
    const authenticator = createTokenAuthenticator(
      tokenOptions.parse({ issuer, audience, discovery: true }),
      { dial },
    );
    closers.push(() => authenticator.close?.());
    return authenticator;
  }
  const ask = async (authenticator: Authenticator, token: string, seconds = 0) => {
    const time = (now + seconds) * 1000;
    const answer = await authenticator.authenticate(evidenceOf({ authorization: `Bearer ${token}`, time }));
    return answer.kind === 'bad' ? answer.reason : answer.kind;
  };

  test('are good once it answers, and nothing of it is believed before', async () => {
    let up = false;
    const { origin, asked } = await serve((own) =>
      up
        ? {
            '/.well-known/openid-configuration': { issuer: own, jwks_uri: `${own}/jwks` },
            '/jwks': JSON.parse(keys.jwks),
          }
        : {},
    );
    const authenticator = authenticatorOf(origin);
    const token = await keys.sign({ iss: origin });
    expect(asked).toHaveLength(0);
    expect(await ask(authenticator, token)).toBe('token-keys-unavailable');
    up = true;
    expect(await ask(authenticator, token, 29)).toBe('token-keys-unavailable');
    expect(asked).toHaveLength(2);
    expect(await ask(authenticator, token, 30)).toBe('proven');
    expect(asked.slice(2)).toEqual([
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
      '/jwks',
    ]);
    // A flood of unknown keys asks for keys only, once.
    const made = await Promise.all(
      Array.from({ length: 50 }, (_, i) => keys.sign({ iss: origin }, { kid: `x${i}` })),
    );
    await Promise.all(made.map((one) => ask(authenticator, one, 61)));
    expect(asked.slice(5)).toEqual(['/jwks']);
  });

  test('follow keys that moved to another place', async () => {
    const next = await makeIssuer('k2');
    let moved = false;
    const { origin } = await serve((own) => ({
      '/.well-known/oauth-authorization-server': { issuer: own, jwks_uri: `${own}/${moved ? 'new' : 'old'}` },
      ...(moved ? { '/new': JSON.parse(next.jwks) } : { '/old': JSON.parse(keys.jwks) }),
    }));
    const authenticator = authenticatorOf(origin);
    const long = { iss: origin, exp: now + 10_000 };
    expect(await ask(authenticator, await keys.sign(long))).toBe('proven');
    moved = true;
    expect(await ask(authenticator, await next.sign(long), 601)).toBe('proven');
    expect(await ask(authenticator, await keys.sign({ ...long, sub: 'bob' }), 641)).toBe('token-key-unknown');
  });

  test('are all unknown where it publishes no keys', async () => {
    const { origin } = await serve((own) => ({ '/.well-known/oauth-authorization-server': { issuer: own } }));
    const authenticator = authenticatorOf(origin);
    expect(await ask(authenticator, await keys.sign({ iss: origin }))).toBe('token-key-unknown');
    await authenticator.reload?.();
  });

  test('a reload asks now, and tells when that fails', async () => {
    let up = true;
    const { origin, asked } = await serve((own) =>
      up
        ? {
            '/.well-known/oauth-authorization-server': { issuer: own, jwks_uri: `${own}/jwks` },
            '/jwks': JSON.parse(keys.jwks),
          }
        : {},
    );
    const authenticator = authenticatorOf(origin);
    const token = await keys.sign({ iss: origin });
    expect(await ask(authenticator, token)).toBe('proven');
    await authenticator.reload?.();
    expect(asked).toHaveLength(4);
    up = false;
    await expect(authenticator.reload?.()).rejects.toThrow(`no metadata of ${origin}`);
    expect(await ask(authenticator, token, 1)).toBe('proven');
  });
});

test.each([
  [{ issuer: 'https://idp.example', discovery: true }, true],
  [{ issuer: 'http://127.0.0.1:9', discovery: true }, true],
  [{ issuer: 'idp', discovery: true }, false],
  [{ issuer: 'http://idp.example', discovery: true }, false],
  [{ issuer: 'https://idp.example?x', discovery: true }, false],
  [{ issuer: 'https://idp.example', discovery: false }, false],
  [{ issuer: 'https://idp.example', discovery: true, keys: 'f' }, false],
  [{ issuer: 'https://idp.example', discovery: true, jwks: 'https://idp.example/jwks' }, false],
  [{ issuer: 'https://idp.example' }, false],
])('options %j', (options, good) => {
  expect(tokenOptions.safeParse({ audience, ...options }).success).toBe(good);
});
