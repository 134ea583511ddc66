import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Authenticator } from '../../src/identity/authenticator.ts';
import { isEndpointOf, isIssuerEndpoint, isIssuerUrl } from '../../src/identity/issuer-url.ts';
import { createRemoteKeys, type KeySource } from '../../src/identity/jwks.ts';
import { parseJwks } from '../../src/identity/jwks-fetch.ts';
import { tokenOptions } from '../../src/identity/options.ts';
import { createTokenAuthenticator } from '../../src/identity/token.ts';
import { dialerOf } from '../dialer/support.ts';
import { audience, issuer, makeIssuer, now, type TestIssuer } from './issuer.ts';
import { evidenceOf } from './support.ts';

const { dial } = dialerOf();
let idp: TestIssuer;
let next: TestIssuer;
const open: (Server | Authenticator | KeySource)[] = [];

beforeAll(async () => {
  idp = await makeIssuer('k1');
  next = await makeIssuer('k2');
});

afterEach(async () => {
  for (const item of open.splice(0)) {
    if ('listen' in item) {
      item.closeAllConnections();
      await new Promise((resolve) => item.close(resolve));
    } else {
      item.close?.();
    }
  }
});

/** A server on loopback that counts what is asked of it. */
async function serve(listener: RequestListener): Promise<{ url: string; count: () => number }> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(server);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`, count: () => count };
}

function authenticatorOf(jwks: string): Authenticator {
  const authenticator = createTokenAuthenticator(tokenOptions.parse({ issuer, audience, jwks }), { dial });
  open.push(authenticator);
  return authenticator;
}

async function ask(authenticator: Authenticator, token: string, seconds = 0): Promise<string> {
  const evidence = evidenceOf({ authorization: `Bearer ${token}`, time: (now + seconds) * 1000 });
  const answer = await authenticator.authenticate(evidence);
  return answer.kind === 'bad' ? answer.reason : answer.kind;
}

const lasting = { exp: now + 10_000_000 };

describe('how often an issuer is asked', () => {
  test('once for many tokens at the same time, and not before the first', async () => {
    const server = await serve((_, response) => response.end(idp.jwks));
    const authenticator = authenticatorOf(server.url);
    expect(server.count()).toBe(0);
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, index) => idp.sign({ sub: `user${index}` })),
    );
    expect(await Promise.all(tokens.map((token) => ask(authenticator, token)))).toEqual(
      tokens.map(() => 'proven'),
    );
    expect(server.count()).toBe(1);
  });

  test('at most once per cool-down for a flood of made-up key ids', async () => {
    const server = await serve((_, response) => response.end(idp.jwks));
    const authenticator = authenticatorOf(server.url);
    const made = async (index: number) => idp.sign({}, { kid: `made-up-${index}` });
    const flood = async (seconds: number) => {
      const tokens = await Promise.all(Array.from({ length: 50 }, (_, index) => made(index)));
      // At the same time, and one after the other.
      const answers = await Promise.all(tokens.map((token) => ask(authenticator, token, seconds)));
      for (const token of tokens.slice(0, 10)) answers.push(await ask(authenticator, token, seconds + 1));
      expect(new Set(answers)).toEqual(new Set(['token-key-unknown']));
    };
    await flood(0);
    expect(server.count()).toBe(1);
    await flood(28);
    expect(server.count()).toBe(1);
    await flood(30);
    expect(server.count()).toBe(2);
    await flood(58);
    expect(server.count()).toBe(2);
  });

  test('a failing issuer is not asked more often', async () => {
    const server = await serve((_, response) => response.writeHead(500).end());
    const authenticator = authenticatorOf(server.url);
    const token = await idp.sign(lasting);
    for (let seconds = 0; seconds < 30; seconds += 3) {
      expect(await ask(authenticator, token, seconds)).toBe('token-keys-unavailable');
    }
    expect(server.count()).toBe(1);
    await ask(authenticator, token, 30);
    expect(server.count()).toBe(2);
  });

  test('a clock that was set back does not stop it', async () => {
    let body = idp.jwks;
    const server = await serve((_, response) => response.end(body));
    const authenticator = authenticatorOf(server.url);
    expect(await ask(authenticator, await idp.sign(lasting), 5000)).toBe('proven');
    body = next.jwks;
    const rotated = await next.sign(lasting);
    expect(await ask(authenticator, rotated, 0)).toBe('proven');
  });
});

describe('when an issuer changes its keys', () => {
  test('a new key is found at once after the cool-down, and tokens of a withdrawn one end', async () => {
    let body = idp.jwks;
    const server = await serve((_, response) => response.end(body));
    const authenticator = authenticatorOf(server.url);
    const old = await idp.sign(lasting);
    const fresh = await next.sign(lasting);
    expect(await ask(authenticator, old)).toBe('proven');
    body = next.jwks;
    expect(await ask(authenticator, fresh, 10)).toBe('token-key-unknown');
    expect(await ask(authenticator, old, 11)).toBe('proven');
    expect(await ask(authenticator, fresh, 31)).toBe('proven');
    expect(await ask(authenticator, old, 32)).toBe('token-key-unknown');
  });

  test('a remembered token makes it look again after the interval', async () => {
    let body = idp.jwks;
    const server = await serve((_, response) => response.end(body));
    const authenticator = authenticatorOf(server.url);
    const token = await idp.sign(lasting);
    expect(await ask(authenticator, token)).toBe('proven');
    expect(await ask(authenticator, token, 599)).toBe('proven');
    expect(server.count()).toBe(1);
    body = next.jwks;
    await ask(authenticator, token, 600);
    await expect.poll(() => ask(authenticator, token, 601)).toBe('token-key-unknown');
    expect(server.count()).toBe(2);
  });

  test('an issuer that withdraws everything is believed', async () => {
    let body = idp.jwks;
    const server = await serve((_, response) => response.end(body));
    const authenticator = authenticatorOf(server.url);
    const token = await idp.sign(lasting);
    expect(await ask(authenticator, token)).toBe('proven');
    body = '{"keys":[]}';
    await authenticator.reload?.();
    expect(await ask(authenticator, token)).toBe('token-key-unknown');
  });
});

describe('when an issuer is down', () => {
  test('its last keys serve until they are stale, and then nothing of it is believed', async () => {
    let up = true;
    const server = await serve((_, response) =>
      up ? response.end(idp.jwks) : response.writeHead(503).end(),
    );
    const authenticator = authenticatorOf(server.url);
    const remembered = await idp.sign(lasting);
    const day = 12 * 3600;
    expect(await ask(authenticator, remembered)).toBe('proven');
    up = false;
    await expect(authenticator.reload?.()).rejects.toThrow(`${server.url}: status 503`);
    expect(await ask(authenticator, remembered, day - 1)).toBe('proven');
    expect(await ask(authenticator, await idp.sign({ ...lasting, sub: 'bob' }), day - 1)).toBe('proven');
    expect(await ask(authenticator, remembered, day + 60)).toBe('token-keys-unavailable');
    up = true;
    expect(await ask(authenticator, remembered, day + 120)).toBe('proven');
  });
});

describe('answers that are not a key set change nothing', () => {
  const cases: [string, RequestListener, RegExp][] = [
    [
      'too large',
      (_, response) => void response.end(`{"keys":[],"x":"${'x'.repeat(300_000)}"}`),
      /more than 262144 bytes/,
    ],
    [
      'endless',
      (_, response) => {
        const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
        response.on('close', () => clearInterval(timer));
      },
      /more than 262144 bytes/,
    ],
    [
      'a redirect',
      (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
      /a redirect \(302\)/,
    ],
    [
      'a permanent redirect',
      (_, response) => void response.writeHead(308, { location: '/' }).end(),
      /a redirect \(308\)/,
    ],
    ['not JSON', (_, response) => void response.end('<html>'), /not JSON/],
    ['cut short', (_, response) => void response.end(idp.jwks.slice(0, -1)), /not JSON/],
    ['a list', (_, response) => void response.end('[]'), /not a JSON Web Key Set/],
    ['null', (_, response) => void response.end('null'), /not a JSON Web Key Set/],
    ['keys that are no list', (_, response) => void response.end('{"keys":{}}'), /not a JSON Web Key Set/],
    [
      'too many keys',
      (_, response) => void response.end(`{"keys":[${'{},'.repeat(100)}{}]}`),
      /more than 100 keys/,
    ],
    ['empty', (_, response) => void response.end(), /not JSON/],
    ['204', (_, response) => void response.writeHead(204).end(), /status 204/],
    ['404 with a key set', (_, response) => void response.writeHead(404).end(idp.jwks), /status 404/],
    ['a broken connection', (request) => void request.socket.destroy(), /no whole answer/],
  ];
  test.each(cases)('%s', async (_, listener, message) => {
    let broken: RequestListener | undefined;
    const server = await serve((request, response) =>
      broken === undefined ? response.end(idp.jwks) : broken(request, response),
    );
    const authenticator = authenticatorOf(server.url);
    const token = await idp.sign();
    expect(await ask(authenticator, token)).toBe('proven');
    broken = listener;
    await expect(authenticator.reload?.()).rejects.toThrow(message);
    expect(await ask(authenticator, token)).toBe('proven');
    expect(await ask(authenticator, await idp.sign({ sub: 'bob' }))).toBe('proven');
    // The redirect was not followed.
    expect(server.count()).toBe(2);
  });

  test('an issuer that never answers is given up when the gateway closes', async () => {
    const server = await serve(() => {});
    const keys = createRemoteKeys({ url: server.url, refreshInterval: 1, cooldown: 1, maxStale: 1 }, dial);
    const waiting = keys.reload();
    keys.close();
    await expect(waiting).rejects.toThrow('given up by whoever asked');
    expect(keys.current(0)).toBeUndefined();
  });
});

describe('which keys of a set are used', () => {
  test('public signature keys, and neither secrets nor private keys', () => {
    const keys = [
      { kty: 'EC', kid: 'a' },
      { kty: 'RSA', kid: 'b', use: 'sig' },
      { kty: 'OKP', kid: 'c' },
      { kty: 'EC', use: 'enc' },
      { kty: 'RSA', d: 'x' },
      { kty: 'oct', k: 'x' },
      { kty: 'EC', k: 'x' },
      { kty: 'ec' },
      {},
      null,
      [],
      'RSA',
    ];
    expect(parseJwks(JSON.stringify({ keys }), 'x').keys.map(({ kid }) => kid)).toEqual(['a', 'b', 'c']);
  });
});

describe('where keys may come from', () => {
  test.each([
    'https://idp.example/jwks',
    'https://idp.example:8443/a?b=c',
    'http://localhost/jwks',
    'http://localhost:9000/jwks',
    'http://127.0.0.1:9000/jwks',
    'http://127.1.2.3/jwks',
    'http://[::1]:9000/jwks',
  ])('%s may', (url) => expect(isIssuerEndpoint(url)).toBe(true));

  test.each([
    'http://idp.example/jwks',
    'http://localhost.evil.example/jwks',
    'http://127.0.0.1.evil.example/jwks',
    'http://evil.example/127.0.0.1',
    'http://10.0.0.1/jwks',
    'http://169.254.169.254/latest',
    'http://0.0.0.0/jwks',
    'http://[::]/jwks',
    'http://[::ffff:10.0.0.1]/jwks',
    'http://user@localhost/jwks',
    'https://user:password@idp.example/jwks',
    'https://localhost@evil.example/jwks',
    'http://localhost@evil.example/jwks',
    'https://idp.example/jwks#x',
    'file:///etc/jwks.json',
    'ftp://localhost/jwks',
    'data:application/json,{}',
    'idp.example/jwks',
    '',
  ])('%j may not', (url) => expect(isIssuerEndpoint(url)).toBe(false));
});

test('an issuer name that metadata cannot be derived from is none', () => {
  for (const url of [
    'https://idp.example',
    'https://idp.example/',
    'https://idp.example/t/1',
    'http://127.0.0.1:1',
  ]) {
    expect(isIssuerUrl(url), url).toBe(true);
  }
  for (const url of [
    'idp',
    'https://idp.example?t=1',
    'https://idp.example/#',
    'http://idp.example',
    'urn:idp',
    '',
  ]) {
    expect(isIssuerUrl(url), url).toBe(false);
  }
});

test('an issuer with https names no endpoint with http, not even on this machine', () => {
  expect(isEndpointOf('https://idp.example', 'https://keys.example/jwks')).toBe(true);
  expect(isEndpointOf('http://127.0.0.1:1', 'http://127.0.0.1:1/jwks')).toBe(true);
  expect(isEndpointOf('https://idp.example', 'http://127.0.0.1:1/jwks')).toBe(false);
});

describe('a flood of made-up key ids costs one fetch in each cool-down', () => {
  const made = 1000;
  const tokens: string[] = [];
  beforeAll(async () => {
    for (let index = 0; index < made; index++) tokens.push(await idp.sign({}, { kid: `made-up-${index}` }));
  });

  const states: [
    string,
    (request: Parameters<RequestListener>[0], response: Parameters<RequestListener>[1]) => void,
    string,
  ][] = [
    ['answers', (_, response) => void response.end(idp.jwks), 'token-key-unknown'],
    ['fails', (_, response) => void response.writeHead(503).end(), 'token-keys-unavailable'],
    ['breaks off', (request) => void request.socket.destroy(), 'token-keys-unavailable'],
    [
      'redirects',
      (_, response) => void response.writeHead(302, { location: '/' }).end(),
      'token-keys-unavailable',
    ],
    ['sends no keys', (_, response) => void response.end('{"keys":[]}'), 'token-key-unknown'],
  ];
  test.each(states)('while the issuer %s', async (_, listener, reason) => {
    const server = await serve(listener);
    const authenticator = authenticatorOf(server.url);
    const together = await Promise.all(tokens.map((token) => ask(authenticator, token)));
    expect(new Set(together)).toEqual(new Set([reason]));
    expect(server.count()).toBe(1);
    for (const [index, token] of tokens.entries()) await ask(authenticator, token, (index * 29) / made);
    expect(server.count()).toBe(1);
    await Promise.all(tokens.map((token) => ask(authenticator, token, 31)));
    expect(server.count()).toBe(2);
  });

  test('of each issuer, in whatever order they are named', async () => {
    const others = ['https://a.example', 'https://b.example', 'https://c.example'];
    const madeFor = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        idp.sign({ iss: others[index % 4] }, { kid: `made-up-${index}` }),
      ),
    );
    const servers = await Promise.all(others.map(() => serve((_, response) => response.end(idp.jwks))));
    const authenticators = others.map((name, index) => {
      const options = tokenOptions.parse({ issuer: name, audience, jwks: servers[index]!.url });
      const authenticator = createTokenAuthenticator(options, { dial });
      open.push(authenticator);
      return authenticator;
    });
    await Promise.all(
      madeFor.flatMap((token) => authenticators.map((authenticator) => ask(authenticator, token))),
    );
    expect(servers.map(({ count }) => count())).toEqual([1, 1, 1]);
  });
});

test('a reload does not take the answer to an older question: what was withdrawn meanwhile is not believed', async () => {
  const older = Promise.withResolvers<void>();
  let keys = idp.jwks;
  const server = await serve(async (_request, response) => {
    const text = keys;
    if (text === idp.jwks) await older.promise;
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
  const authenticator = authenticatorOf(server.url);
  const first = ask(authenticator, await idp.sign(lasting));
  await expect.poll(server.count).toBe(1);
  keys = next.jwks;
  const reloaded = authenticator.reload?.();
  older.resolve();
  await first;
  await reloaded;
  expect(await ask(authenticator, await idp.sign(lasting))).toBe('token-key-unknown');
  expect(await ask(authenticator, await next.sign(lasting))).toBe('proven');
});
