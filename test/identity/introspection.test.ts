import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Dial } from '../../src/dialer/contract.ts';
import { readClientAuthentication } from '../../src/identity/client-authentication.ts';
import { createDiscovery } from '../../src/identity/discovery.ts';
import { createIntrospector, type Introspection } from '../../src/identity/introspection.ts';
import { introspectionOptions } from '../../src/identity/introspection-options.ts';
import { tokenOptions } from '../../src/identity/options.ts';
import { dialerOf } from '../dialer/support.ts';

const issuer = 'https://idp.example';
/** Milliseconds since the epoch, and the same in seconds. */
const now = 1_800_000_000_000;
const second = now / 1000;
const dialer = dialerOf({ timeout: '400ms', maxBytes: '16KiB' });
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => dialer.close());

interface Question {
  readonly headers: IncomingHttpHeaders;
  readonly body: URLSearchParams;
}

/** An introspection endpoint that answers with JSON, or as a function says. */
async function serve(answer: (question: Question) => unknown) {
  const questions: Question[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      const question = { headers: request.headers, body: new URLSearchParams(text) };
      questions.push(question);
      const said = answer(question);
      if (typeof said === 'function') said(response);
      else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, questions };
}

function introspectorOf(endpoint: string, options: Record<string, unknown> = {}, file = () => 's3cret\n') {
  const parsed = introspectionOptions.parse({
    endpoint,
    clientId: 'gateway',
    ...(options['privateKey'] === undefined ? { secret: 'secret' } : {}),
    ...options,
  });
  const introspector = createIntrospector({ ...parsed, issuer }, dialer.dial, { readFile: file });
  closers.push(() => introspector.close());
  return introspector;
}

const word = (said: Introspection): string =>
  said.active === true ? 'active' : said.active === false ? 'inactive' : 'unavailable';

describe('what an issuer says of a token', () => {
  test('a token in force comes with its claims', async () => {
    const claims = {
      active: true,
      iss: issuer,
      sub: 'alice',
      aud: ['a'],
      scope: 'read write',
      exp: second + 60,
    };
    const { url, questions } = await serve(() => claims);
    expect(await introspectorOf(url).introspect('tok/+~en', now)).toEqual({ active: true, claims });
    expect(questions).toHaveLength(1);
    expect(Object.fromEntries(questions[0]!.body)).toEqual({
      token: 'tok/+~en',
      token_type_hint: 'access_token',
    });
    expect(questions[0]!.headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    });
  });

  const answers: readonly (readonly [unknown, string])[] = [
    [{ active: true }, 'active'],
    [{ active: true, iss: issuer }, 'active'],
    [{ active: true, exp: second + 1, nbf: second }, 'active'],
    [{ active: false }, 'inactive'],
    [{ active: false, sub: 'alice', exp: second + 60, iss: issuer }, 'inactive'],
    [{ active: true, exp: second }, 'inactive'],
    [{ active: true, exp: second - 1 }, 'inactive'],
    [{ active: true, exp: 0 }, 'inactive'],
    [{ active: true, exp: -1 }, 'inactive'],
    [{ active: true, nbf: second + 1 }, 'inactive'],
    [{ active: true, iss: 'https://evil.example' }, 'inactive'],
    [{ active: true, iss: `${issuer}/` }, 'inactive'],
    [{ active: true, iss: [issuer] }, 'inactive'],
    [{ active: true, iss: null }, 'inactive'],
    [{ active: 'true' }, 'unavailable'],
    [{ active: 1 }, 'unavailable'],
    [{ active: null }, 'unavailable'],
    [{ active: [true] }, 'unavailable'],
    [{ Active: true }, 'unavailable'],
    [{}, 'unavailable'],
    [[], 'unavailable'],
    [[{ active: true }], 'unavailable'],
    [true, 'unavailable'],
    [null, 'unavailable'],
    [{ active: true, exp: '9999999999' }, 'unavailable'],
    [{ active: true, exp: null }, 'unavailable'],
    [{ active: true, nbf: '0' }, 'unavailable'],
  ];
  test.each(answers)('%j is %s', async (answer, expected) => {
    const { url } = await serve(() => answer);
    expect(word(await introspectorOf(url).introspect('token', now))).toBe(expected);
  });

  const good = '{"active":true,"sub":"alice"}';
  const broken: readonly (readonly [string, (response: ServerResponse) => unknown])[] = [
    ['200 of another type', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end(good)],
    ['200 without a type', (response) => response.writeHead(200).end(good)],
    [
      'a signed answer that nobody asked for',
      (response) =>
        response.writeHead(200, { 'content-type': 'application/token-introspection+jwt' }).end('e30.e30.x'),
    ],
    ...[201, 202, 203, 206, 400, 401, 403, 404, 429, 500, 503].map(
      (status) =>
        [
          `status ${status} with a good answer`,
          (response: ServerResponse) =>
            response.writeHead(status, { 'content-type': 'application/json' }).end(good),
        ] as const,
    ),
    ['204', (response) => response.writeHead(204).end()],
    ['a redirect', (response) => response.writeHead(307, { location: '/again' }).end()],
    ['two answers in one', (response) => json(response, '{"active":false,"active":true}')],
    ['a key twice by an escape', (response) => json(response, '{"active":false,"\\u0061ctive":true}')],
    ['a prototype', (response) => json(response, '{"__proto__":{"active":true}}')],
    ['a byte order mark', (response) => json(response, `\ufeff${good}`)],
    ['cut short', (response) => json(response, good.slice(0, -1))],
    ['nothing', (response) => json(response, '')],
    ['too large', (response) => json(response, `{"active":true,"x":"${'x'.repeat(20_000)}"}`)],
    ['compressed', (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(good)],
    ['a broken connection', (response) => response.socket?.destroy()],
    ['silence', () => {}],
  ];
  function json(response: ServerResponse, text: string): void {
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  }
  test.each(broken)('%s is no answer, and not remembered', async (_, answer) => {
    let ok = false;
    const { url, questions } = await serve(() => (ok ? { active: true } : answer));
    const introspector = introspectorOf(url);
    expect(await introspector.introspect('token', now)).toEqual({ unavailable: true });
    expect(questions).toHaveLength(1);
    ok = true;
    expect(word(await introspector.introspect('token', now))).toBe('active');
  });

  test('an issuer whose clock is ahead is believed as far as configured', async () => {
    const { url } = await serve(() => ({ active: true, nbf: second + 10 }));
    for (const [clockSkew, expected] of [
      [10_000, 'active'],
      [9_999, 'inactive'],
    ] as const) {
      const options = introspectionOptions.parse({ endpoint: url, clientId: 'gateway', secret: 'secret' });
      const introspector = createIntrospector({ ...options, issuer, clockSkew }, dialer.dial, {
        readFile: () => 's3cret',
      });
      expect(word(await introspector.introspect('token', now))).toBe(expected);
    }
  });

  test('media types have no case, and may have parameters', async () => {
    const { url } = await serve(() => (response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'Application/JSON; charset=utf-8' }).end(good);
    });
    expect(word(await introspectorOf(url).introspect('token', now))).toBe('active');
  });

  test('an address that may not be dialled is not asked', async () => {
    for (const endpoint of [
      'https://10.0.0.1/ask',
      'https://169.254.169.254/ask',
      'https://[::ffff:127.0.0.1]/ask',
    ]) {
      expect(await introspectorOf(endpoint).introspect('token', now)).toEqual({ unavailable: true });
    }
  });
});

describe('how long an answer is believed', () => {
  test('for its time, and the same object for as long', async () => {
    const { url, questions } = await serve(() => ({ active: true, sub: 'alice' }));
    const introspector = introspectorOf(url);
    const first = await introspector.introspect('token', now);
    expect(await introspector.introspect('token', now + 29_999)).toBe(first);
    expect(questions).toHaveLength(1);
    expect(await introspector.introspect('token', now + 30_000)).toEqual(first);
    expect(questions).toHaveLength(2);
  });

  test('never beyond the end of the token', async () => {
    const { url, questions } = await serve(() => ({ active: true, exp: second + 10 }));
    const introspector = introspectorOf(url);
    await introspector.introspect('token', now);
    expect(word(await introspector.introspect('token', now + 9_999))).toBe('active');
    expect(questions).toHaveLength(1);
    expect(word(await introspector.introspect('token', now + 10_000))).toBe('inactive');
    expect(questions).toHaveLength(2);
  });

  test('shorter where it is no', async () => {
    let active = false;
    const { url, questions } = await serve(() => ({ active }));
    const introspector = introspectorOf(url);
    expect(word(await introspector.introspect('token', now))).toBe('inactive');
    active = true;
    expect(word(await introspector.introspect('token', now + 4_999))).toBe('inactive');
    expect(word(await introspector.introspect('token', now + 5_000))).toBe('active');
    expect(questions).toHaveLength(2);
  });

  test('a revoked token ends with it', async () => {
    let active = true;
    const { url } = await serve(() => ({ active }));
    const introspector = introspectorOf(url);
    expect(word(await introspector.introspect('token', now))).toBe('active');
    active = false;
    expect(word(await introspector.introspect('token', now + 30_000))).toBe('inactive');
  });

  test('a little before it was given, by a clock that was set back a little', async () => {
    const { url, questions } = await serve(() => ({ active: true }));
    const introspector = introspectorOf(url);
    await introspector.introspect('token', now);
    await introspector.introspect('token', now - 4_999);
    expect(questions).toHaveLength(1);
    await introspector.introspect('token', now - 5_000);
    expect(questions).toHaveLength(2);
  });

  test('no longer by a clock that was set back', async () => {
    const { url, questions } = await serve(() => ({ active: true }));
    const introspector = introspectorOf(url);
    await introspector.introspect('token', now);
    await introspector.introspect('token', now - 3_600_000);
    expect(questions).toHaveLength(2);
  });

  test('not at all with no cache, and each token has its own', async () => {
    const { url, questions } = await serve(({ body }) => ({ active: true, sub: body.get('token') }));
    const introspector = introspectorOf(url, { cache: 0 });
    for (let round = 0; round < 2; round++) {
      for (const token of ['a', 'b', 'A', 'a ']) {
        expect(await introspector.introspect(token, now)).toMatchObject({ claims: { sub: token } });
      }
    }
    expect(questions).toHaveLength(8);
  });
});

describe('how much an issuer is asked', () => {
  test('once about one token at a time', async () => {
    const { url, questions } = await serve(() => ({ active: true }));
    const introspector = introspectorOf(url);
    const said = await Promise.all(Array.from({ length: 100 }, () => introspector.introspect('token', now)));
    expect(new Set(said).size).toBe(1);
    expect(questions).toHaveLength(1);
  });

  test('about so many at a time; some wait, and the rest is refused unasked', async () => {
    let running = 0;
    let most = 0;
    const held: (() => void)[] = [];
    const { url, questions } = await serve(() => (response: ServerResponse) => {
      running += 1;
      most = Math.max(most, running);
      held.push(() => {
        running -= 1;
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"active":true}');
      });
    });
    const introspector = introspectorOf(url, { concurrency: 2 });
    const asked = Array.from({ length: 50 }, (_, index) =>
      introspector.introspect(`token${index}`, now).then(word),
    );
    let finished = false;
    const all = Promise.all(asked).finally(() => {
      finished = true;
    });
    await expect.poll(() => running).toBe(2);
    while (!finished) {
      held.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const words = await all;
    expect(words.filter((said) => said === 'active')).toHaveLength(10);
    expect(words.slice(10)).toEqual(Array(40).fill('unavailable'));
    expect(questions).toHaveLength(10);
    expect(most).toBe(2);
    held.length = 0;
    const late = introspector.introspect('late', now);
    await expect.poll(() => held.length).toBe(1);
    held.shift()!();
    expect(word(await late)).toBe('active');
  });

  test('made-up tokens do not keep out those that were good a moment ago, nor JWTs with a good signature', async () => {
    const held: (() => void)[] = [];
    const asked: string[] = [];
    let holds = false;
    // Without sockets: it takes thousands of questions to fill what is remembered.
    const dial: Dial = async (_, request) => {
      const token = new URLSearchParams(String(request?.body)).get('token')!;
      asked.push(token);
      if (holds) await new Promise<void>((resolve) => held.push(resolve));
      return Response.json({ active: token.startsWith('good') });
    };
    const options = { endpoint: 'https://idp.example/ask', clientId: 'gateway', secret: 'secret' };
    const parsed = introspectionOptions.parse({ ...options, concurrency: 2, cache: '1s' });
    const introspector = createIntrospector({ ...parsed, issuer }, dial, { readFile: () => 's3cret' });
    expect(word(await introspector.introspect('good', now))).toBe('active');
    // Answers about made-up tokens drive out none about a good one.
    for (let round = 0; round < 420; round++) {
      const some = Array.from({ length: 10 }, (_, n) =>
        introspector.introspect(`made-up-${round}-${n}`, now),
      );
      expect(new Set((await Promise.all(some)).map(word))).toEqual(new Set(['inactive']));
    }
    const before = asked.length;
    expect(word(await introspector.introspect('good', now + 999))).toBe('active');
    expect(asked).toHaveLength(before);
    // Now it must be asked about again, while strangers fill the line.
    holds = true;
    const flood = Array.from({ length: 30 }, (_, n) => introspector.introspect(`flood-${n}`, now + 2000));
    const good = introspector.introspect('good', now + 2000);
    const verified = introspector.introspect('good.jwt', now + 2000, true);
    const stranger = introspector.introspect('good-but-new', now + 2000);
    expect(word(await stranger)).toBe('unavailable');
    await expect.poll(() => held.length).toBe(2);
    for (const answer of held.splice(0)) answer();
    await expect.poll(() => held.length).toBe(2);
    expect(asked.slice(-2)).toEqual(['good', 'good.jwt']);
    holds = false;
    for (const answer of held.splice(0)) answer();
    expect((await Promise.all([good, verified])).map(word)).toEqual(['active', 'active']);
    await Promise.all(flood);
  });

  test('a flood of made-up tokens against an issuer that is down costs no more', async () => {
    const { url, questions } = await serve(() => (response: ServerResponse) => response.writeHead(503).end());
    const introspector = introspectorOf(url, { concurrency: 4 });
    const said = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => introspector.introspect(`made-up-${i}`, now)),
    );
    expect(new Set(said.map(word))).toEqual(new Set(['unavailable']));
    expect(questions).toHaveLength(20);
  });

  test('closing ends what is under way', async () => {
    const { url, questions } = await serve(() => () => {});
    const introspector = introspectorOf(url);
    const waiting = introspector.introspect('token', now);
    await expect.poll(() => questions.length).toBe(1);
    introspector.close();
    expect(await waiting).toEqual({ unavailable: true });
    expect(await introspector.introspect('other', now)).toEqual({ unavailable: true });
    expect(questions).toHaveLength(1);
  });
});

describe('who is asking', () => {
  test('a client with a secret, written as RFC 6749 has it', async () => {
    const { url, questions } = await serve(() => ({ active: true }));
    const introspector = introspectorOf(url, { clientId: 'gate way:1' }, () => 'p%:+ /\n');
    await introspector.introspect('token', now);
    const [scheme, encoded] = questions[0]!.headers.authorization!.split(' ') as [string, string];
    expect(scheme).toBe('Basic');
    expect(Buffer.from(encoded, 'base64').toString()).toBe('gate+way%3A1:p%25%3A%2B+%2F');
    expect(questions[0]!.body.has('client_id')).toBe(false);
  });

  test('a client with a secret in the form, where configuration says so', async () => {
    const { url, questions } = await serve(() => ({ active: true }));
    await introspectorOf(url, { secretMethod: 'post' }).introspect('token', now);
    expect(questions[0]!.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(questions[0]!.body)).toMatchObject({
      client_id: 'gateway',
      client_secret: 's3cret',
    });
  });

  test.each([
    ['ec', { namedCurve: 'P-256' }, 'ES256'],
    ['ec', { namedCurve: 'P-384' }, 'ES384'],
    ['ec', { namedCurve: 'P-521' }, 'ES512'],
    ['rsa', { modulusLength: 2048 }, 'RS256'],
    ['ed25519', {}, 'Ed25519'],
  ])('a client with a key: %s %j', async (type, details, algorithm) => {
    const { privateKey, publicKey } = generateKeyPairSync(
      type as 'rsa',
      details as { modulusLength: number },
    );
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    const { url, questions } = await serve(() => ({ active: true }));
    await introspectorOf(url, { privateKey: 'key', keyId: 'k1' }, () => pem).introspect('token', now);
    const { headers, body } = questions[0]!;
    expect(headers.authorization).toBeUndefined();
    expect(body.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const assertion = body.get('client_assertion')!;
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: algorithm, kid: 'k1' });
    const { payload } = await jwtVerify(assertion, publicKey, {
      issuer: 'gateway',
      subject: 'gateway',
      audience: issuer,
    });
    expect(payload.jti).toEqual(expect.any(String));
    expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(120);
  });

  const pemOf = (key: KeyObject, type: 'pkcs8' | 'spki' = 'pkcs8') =>
    key.export({ type, format: 'pem' }) as string;
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
  const weak = () => generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  const noPem = 'f: no private key in PEM without a passphrase';
  const noLine = 'f: not one line of visible ASCII';
  const noKey = 'f: the key must be P-256, P-384, P-521, Ed25519, or RSA from 2048 bits';
  test.each<[string, { secret?: string; privateKey?: string }, () => string, string]>([
    ['an empty secret', { secret: 'f' }, () => '', noLine],
    ['a line break alone', { secret: 'f' }, () => '\n', noLine],
    ['a secret of two lines', { secret: 'f' }, () => 'a\nb\n', noLine],
    ['a line break before it', { secret: 'f' }, () => '\na', noLine],
    ['a secret that is no ASCII', { secret: 'f' }, () => 'pässword', noLine],
    ['a key that is none', { privateKey: 'f' }, () => 's3cret', noPem],
    ['a public key', { privateKey: 'f' }, () => pemOf(ec('P-256').publicKey, 'spki'), noPem],
    ['a weak key', { privateKey: 'f' }, () => pemOf(weak()), noKey],
    ['a key of another curve', { privateKey: 'f' }, () => pemOf(ec('secp256k1').privateKey), noKey],
    [
      'a key for nothing but agreement',
      { privateKey: 'f' },
      () => pemOf(generateKeyPairSync('x25519').privateKey),
      noKey,
    ],
  ])('%s stops the start, and is not quoted', (_, options, make, message) => {
    const text = make();
    const start = () =>
      introspectorOf('https://idp.example/ask', { secret: undefined, ...options }, () => text);
    expect(start).toThrow(new Error(message));
    if (text.trim().length > 0) expect(start).not.toThrow(text.trim());
  });

  test('a client with neither is a mistake of the caller', () => {
    expect(() => readClientAuthentication({ secretMethod: 'basic' })).toThrow(
      new TypeError('a client needs a secret or a privateKey'),
    );
  });

  test('a line break after a secret is no part of it, whatever system wrote it', async () => {
    const { url, questions } = await serve(() => ({ active: true }));
    for (const ending of ['', '\n', '\r\n']) {
      const introspector = introspectorOf(url, { secretMethod: 'post', cache: 0 }, () => `p~ !${ending}`);
      await introspector.introspect('token', now);
      expect(questions.at(-1)!.body.get('client_secret')).toBe('p~ !');
    }
  });

  test('a secret or a key is read from the disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'client-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'secret');
    writeFileSync(file, 's3cret\n');
    expect(readClientAuthentication({ secret: file, secretMethod: 'basic' })).toBeTypeOf('function');
    writeFileSync(file, pemOf(ec('P-256').privateKey));
    expect(readClientAuthentication({ privateKey: file, secretMethod: 'basic' })).toBeTypeOf('function');
    expect(() => readClientAuthentication({ secret: file, secretMethod: 'basic' })).toThrow(
      `${file}: not one line of visible ASCII`,
    );
  });

  test('a key without an id is named by none', async () => {
    const { url, questions } = await serve(() => ({ active: true }));
    const pem = pemOf(ec('P-256').privateKey);
    await introspectorOf(url, { privateKey: 'key' }, () => pem).introspect('token', now);
    expect(decodeProtectedHeader(questions[0]!.body.get('client_assertion')!)).toEqual({ alg: 'ES256' });
  });

  test('a secret is read again at a reload, and one that is none changes nothing', async () => {
    let secret = 'first';
    const { url, questions } = await serve(() => ({ active: true }));
    const introspector = introspectorOf(url, {}, () => secret);
    const shown = () => Buffer.from(questions.at(-1)!.headers.authorization!.slice(6), 'base64').toString();
    await introspector.introspect('a', now);
    expect(shown()).toBe('gateway:first');
    secret = 'second';
    await introspector.reload();
    await introspector.introspect('b', now);
    expect(shown()).toBe('gateway:second');
    secret = '';
    await expect(introspector.reload()).rejects.toThrow('secret: not one line');
    await introspector.introspect('c', now);
    expect(shown()).toBe('gateway:second');
  });
});

test('the dialer is told what is asked for, and what is an answer to it', async () => {
  const json = { 'content-type': 'application/json' };
  const answers: readonly (readonly [Response, boolean])[] = [
    [Response.json({ active: true }), true],
    [Response.json({ active: true, exp: second, nbf: second }), true],
    [Response.json({ active: false, exp: 'never' }), true],
    [
      new Response('{"active":true}', { headers: { 'content-type': ' Application/JSON ; charset=utf-8' } }),
      true,
    ],
    [new Response('{"active":true}', { headers: { 'content-type': 'text/json' } }), false],
    [new Response(Buffer.from('{"active":true}')), false],
    [new Response('{"active":true}', { headers: json, status: 201 }), false],
    [new Response('{"active":', { headers: json }), false],
    [Response.json({}), false],
    [Response.json({ active: true, exp: '1' }), false],
    [Response.json({ active: true, nbf: [1] }), false],
    [new Response('{"active":true,"exp":1e999}', { headers: json }), false],
  ];
  const judged: unknown[] = [];
  const purposes: unknown[] = [];
  const dial: Dial = async (_, request) => {
    purposes.push(request?.purpose);
    for (const [answer] of answers) judged.push(await request?.answers?.(answer).catch(() => false));
    return Response.json({ active: true });
  };
  const options = introspectionOptions.parse({ endpoint: `${issuer}/ask`, clientId: 'c', secret: 'f' });
  const introspector = createIntrospector({ ...options, issuer }, dial, { readFile: () => 's' });
  expect(word(await introspector.introspect('token', now))).toBe('active');
  expect(judged).toEqual(answers.map(([, expected]) => expected));
  expect(purposes).toEqual(['introspection']);
});

test('an introspector that has nobody to ask is a mistake of the caller', () => {
  const options = introspectionOptions.parse({ clientId: 'gateway', secret: 'f' });
  expect(() => createIntrospector({ ...options, issuer }, dialer.dial, { readFile: () => 's' })).toThrow(
    new TypeError('An introspector needs an endpoint, or the metadata that names it'),
  );
});

test('the endpoint may come from the metadata of the issuer', async () => {
  let up = false;
  const server = await serve(() => (response: ServerResponse) => {
    response.writeHead(up ? 200 : 503, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ issuer: server.url, introspection_endpoint: `${server.url}/ask`, active: true }),
    );
  });
  const times = { refreshInterval: 600_000, cooldown: 30_000, maxStale: 3_600_000 };
  const discovery = createDiscovery({ issuer: server.url, ...times }, dialer.dial);
  const options = introspectionOptions.parse({ clientId: 'gateway', secret: 'f' });
  const introspector = createIntrospector({ ...options, issuer: server.url }, dialer.dial, {
    discovery,
    readFile: () => 's3cret',
  });
  closers.push(
    () => introspector.close(),
    () => discovery.close(),
  );
  expect(await introspector.introspect('token', now)).toEqual({ unavailable: true });
  up = true;
  expect(await introspector.introspect('token', now + 29_999)).toEqual({ unavailable: true });
  expect(await introspector.introspect('token', now + 30_000)).toMatchObject({
    active: true,
    claims: { issuer: server.url },
  });
});

describe('options', () => {
  const entry = { issuer, audience: 'a' };
  const client = { clientId: 'gateway', secret: 'f' };
  test.each([
    [{ ...entry, introspection: { ...client, endpoint: 'https://idp.example/ask' } }, true],
    [{ ...entry, discovery: true, introspection: client }, true],
    [{ ...entry, keys: 'f', introspection: { ...client, endpoint: 'https://idp.example/ask' } }, true],
    [{ ...entry, introspection: client }, false],
    [{ ...entry, keys: 'f', introspection: client }, false],
    [{ ...entry, introspection: { ...client, endpoint: 'http://idp.example/ask' } }, false],
    [{ ...entry, introspection: { ...client, endpoint: 'https://a:b@idp.example/ask' } }, false],
    [{ ...entry, discovery: true, introspection: { clientId: 'gateway' } }, false],
    [{ ...entry, discovery: true, introspection: { ...client, privateKey: 'f' } }, false],
    [{ ...entry, discovery: true, introspection: { ...client, keyId: 'k' } }, false],
    [{ ...entry, discovery: true, introspection: { ...client, cache: '1h' } }, false],
    [{ ...entry, discovery: true, introspection: { secret: 'f' } }, false],
  ])('%j', (options, good) => {
    expect(tokenOptions.safeParse(options).success).toBe(good);
  });
});
