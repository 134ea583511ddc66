import { describe, expect, it } from 'vitest';
import type { GatewayError } from '../../../src/errors.ts';
import { createMintedTokens, type Mint } from '../../../src/upstream/credentials/minted-tokens.ts';
import { exchanged, granted, type TokenAnswer } from '../../support/token-server.ts';
import { failureOf, message } from '../harness.ts';
import { caller, principalOf, setup } from './support.ts';

const subject = 'subject-token-of-alice';
const secretWord = 'word-of-the-server';

/** Everything that is said to anybody about a failure. */
function told(failure: GatewayError): string {
  const { cause } = failure;
  return [
    failure.message,
    JSON.stringify(failure.data),
    String(cause),
    (cause as Error).stack,
    causesOf(cause),
  ].join();
}

function causesOf(cause: unknown): string {
  return cause instanceof Error && cause.cause !== undefined ? `cause: ${JSON.stringify(cause.cause)}` : '';
}

const good = { access_token: 'gr4nted', token_type: 'Bearer', expires_in: 300 };
const goodExchange = { ...good, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' };

const bad: Readonly<Record<string, TokenAnswer>> = {
  'a token of type N_A': { body: { ...goodExchange, token_type: 'N_A' } },
  'a token of type DPoP': { body: { ...goodExchange, token_type: 'DPoP' } },
  'a token of type mac': { body: { ...goodExchange, token_type: 'mac' } },
  'no token type': { body: { ...goodExchange, token_type: undefined } },
  'a token type that is a list': { body: { ...goodExchange, token_type: ['Bearer'] } },
  'no token': { body: { ...goodExchange, access_token: undefined } },
  'an empty token': { body: { ...goodExchange, access_token: '' } },
  'a token that is a number': { body: { ...goodExchange, access_token: 7 } },
  'a token with a line break': { body: { ...goodExchange, access_token: 'a\r\nx-admin: 1' } },
  'a token with a space': { body: { ...goodExchange, access_token: 'a b' } },
  'a token with a comma': { body: { ...goodExchange, access_token: 'a,Basic b' } },
  'a token with letters beyond ASCII': { body: { ...goodExchange, access_token: 'café' } },
  'a token that is too long for a header': { body: { ...goodExchange, access_token: 'x'.repeat(8193) } },
  'a token that has expired at once': { body: { ...goodExchange, expires_in: 0 } },
  'a token that expired before': { body: { ...goodExchange, expires_in: -1 } },
  'a life that is no number': { body: { ...goodExchange, expires_in: 'soon' } },
  'more scopes than were asked for': { body: { ...goodExchange, scope: 'read write' } },
  'another scope': { body: { ...goodExchange, scope: 'admin' } },
  'a scope that is a list': { body: { ...goodExchange, scope: ['read'] } },
  "the caller's own token": { body: { ...goodExchange, access_token: subject } },
  "the caller's own token in another": { body: { ...goodExchange, access_token: `x.${subject}.y` } },
  'no issued_token_type': { body: good },
  'an issued_token_type that is a refresh token': {
    body: { ...goodExchange, issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
  },
  'an issued_token_type that is a list': {
    body: { ...goodExchange, issued_token_type: ['urn:ietf:params:oauth:token-type:access_token'] },
  },
  'status 201': { status: 201, body: goodExchange },
  'status 204': { status: 204, body: '' },
  'status 404': { status: 404, body: secretWord },
  'status 500 with a token': { status: 500, body: goodExchange },
  'a redirect': { status: 302, headers: { location: 'https://10.0.0.1/' }, body: '' },
  'a redirect that keeps the body': { status: 307, headers: { location: '/token' }, body: '' },
  'a compressed answer': { headers: { 'content-encoding': 'gzip' }, body: goodExchange },
  'no JSON': { body: `{"access_token": ${secretWord}` },
  'a list': { body: [goodExchange] },
  null: { body: 'null' },
  'an empty body': { body: '' },
  'a huge answer': { body: { ...goodExchange, filler: 'x'.repeat(70_000) } },
  'an error': { status: 400, body: { error: 'invalid_grant', error_description: secretWord } },
  'an error with words of its own': { status: 400, body: { error: secretWord } },
  'an error with status 200': { status: 200, body: { error: 'invalid_request' } },
  'a challenge': {
    status: 401,
    headers: { 'www-authenticate': `Basic realm="${secretWord}"` },
    body: { error: 'invalid_client' },
  },
};

describe('an authorization server that gives', () => {
  for (const [what, answer] of Object.entries(bad)) {
    it(`${what}: should NOT get a call through, nor its words told`, async () => {
      const { upstream, tokens, seen } = await setup();
      tokens.answer(() => answer);
      const failure = await failureOf(upstream('tokenExchange').send(message({ caller: caller() })));
      expect([failure.code, failure.message]).toEqual([
        'credential-unavailable',
        'The gateway has no credential for the server behind it at the moment',
      ]);
      expect(failure.data).toBeUndefined();
      expect((failure.cause as Error).message).toMatch(/^token exchange: /);
      for (const secret of [secretWord, subject, 's3cret', 'gr4nted'])
        expect(told(failure)).not.toContain(secret);
      expect(seen).toEqual([]);
    });
  }

  const fine: Readonly<Record<string, TokenAnswer>> = {
    'a token type in capitals': { body: { ...goodExchange, token_type: 'BEARER' } },
    'fewer scopes': { body: { ...goodExchange, scope: '' } },
    'the scope that was asked for': { body: { ...goodExchange, scope: 'read' } },
    'a life as text': { body: { ...goodExchange, expires_in: '300' } },
    'a JWT': { body: { ...goodExchange, issued_token_type: 'urn:ietf:params:oauth:token-type:jwt' } },
    'another content type': { headers: { 'content-type': 'text/plain' }, body: goodExchange },
    'a refresh token beside it': { body: { ...goodExchange, refresh_token: 'r' } },
  };
  for (const [what, answer] of Object.entries(fine)) {
    it(`${what}: is believed`, async () => {
      const { upstream, tokens, seen } = await setup();
      tokens.answer(() => answer);
      await upstream('tokenExchange').send(message({ caller: caller() }));
      expect(seen[0]?.headers.authorization).toBe('Bearer gr4nted');
    });
  }

  it('no life: is asked again after a minute at most, and not at once', async () => {
    const { upstream, tokens } = await setup();
    tokens.answer(() => granted('gr4nted', { expires_in: undefined }));
    const port = upstream('clientCredentials');
    for (let i = 0; i < 5; i++) await port.send(message());
    expect(tokens.asked()).toBe(1);
  });
});

describe('while no token can be had', () => {
  for (const answer of ['hang', 'drop'] as const) {
    it(`waits for a server that ${answer}s no longer than it may, and then asks nobody for a second`, async () => {
      const { upstream, tokens } = await setup();
      tokens.answer(() => answer);
      const port = upstream('tokenExchange', { timeout: '100ms' });
      const failures = await Promise.all(
        Array.from({ length: 50 }, () => failureOf(port.send(message({ caller: caller() })))),
      );
      expect(new Set(failures.map(({ code }) => code))).toEqual(new Set(['credential-unavailable']));
      expect(tokens.asked()).toBe(1);
      // A server that is not there is not there for anybody.
      const other = caller({ principal: principalOf('bob'), token: 'other' });
      expect((await failureOf(port.send(message({ caller: other })))).code).toBe('credential-unavailable');
      expect(tokens.asked()).toBe(1);
    });
  }

  it('asks once a second for a caller whose token is not taken, and goes on for others', async () => {
    const { upstream, tokens, seen } = await setup();
    tokens.answer((request) =>
      request.value('subject_token') === subject
        ? { status: 500, body: { error: 'server_error' } }
        : exchanged('for-bob'),
    );
    const port = upstream('tokenExchange');
    for (let i = 0; i < 20; i++) await failureOf(port.send(message({ caller: caller() })));
    expect(tokens.asked()).toBe(1);
    await port.send(message({ caller: caller({ principal: principalOf('bob'), token: 'bobs-token' }) }));
    expect(seen).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 1001));
    for (let i = 0; i < 20; i++) await failureOf(port.send(message({ caller: caller() })));
    expect(tokens.asked()).toBe(3);
  });

  it("should NOT show an upstream the gateway's own token, if that comes back", async () => {
    const { upstream, tokens, seen } = await setup();
    tokens.answer((request) =>
      request.value('grant_type') === 'client_credentials'
        ? granted('the-gateway')
        : exchanged('the-gateway'),
    );
    const failure = await failureOf(
      upstream('tokenExchange', { actor: true }).send(message({ caller: caller() })),
    );
    expect(failure.code).toBe('credential-unavailable');
    expect((failure.cause as Error).message).toBe("token exchange: the gateway's own token came back");
    expect(seen).toEqual([]);
  });

  it('takes a caller whose tokens fill every turn for no fault of the server', async () => {
    const tokens = createMintedTokens({
      most: 100,
      mostWaiting: 100,
      timeoutMs: 20,
      skewMs: 0,
      monotonic: () => performance.now(),
    });
    const { signal } = new AbortController();
    const letGo: (() => void)[] = [];
    const slow: Mint = () =>
      new Promise((resolve) => letGo.push(() => resolve({ text: 't', lifetimeMs: 1000 })));
    const flood = Array.from({ length: 9 }, (_, n) =>
      Promise.resolve(tokens.get(`mallory ${n}`, slow, signal)).then(
        () => 'token',
        (error) => error.cause.message,
      ),
    );
    await new Promise((resolve) => AbortSignal.timeout(25).addEventListener('abort', resolve));
    for (const done of letGo) done();
    expect(await Promise.all(flood)).toEqual([...Array(8).fill('token'), 'no turn within 20 ms']);
    expect(await tokens.get('bob', async () => ({ text: 'bobs', lifetimeMs: 1000 }), signal)).toBe('bobs');
    tokens.close();
  });

  it('lets a call go that is given up, and the others have the token', async () => {
    const { upstream, tokens, seen } = await setup();
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    tokens.answer(async () => {
      await held;
      return exchanged('for-alice');
    });
    const port = upstream('tokenExchange');
    const leaving = new AbortController();
    const reason = new Error('gone');
    const left = port.send(message({ caller: caller(), signal: leaving.signal }));
    const stayed = port.send(message({ caller: caller() }));
    leaving.abort(reason);
    await expect(left).rejects.toBe(reason);
    release();
    await stayed;
    expect(tokens.asked()).toBe(1);
    expect(seen).toHaveLength(1);
  });

  it('ends what waits when the gateway closes', async () => {
    const { upstream, tokens, seen } = await setup();
    tokens.answer(() => 'hang');
    const port = upstream('tokenExchange');
    const waiting = failureOf(port.send(message({ caller: caller() })));
    while (tokens.asked() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await port.close();
    expect((await waiting).code).toBe('draining');
    expect((await failureOf(port.send(message({ caller: caller() })))).code).toBe('draining');
    expect(seen).toEqual([]);
  });

  it('lets only so many wait', async () => {
    const { upstream, tokens } = await setup();
    tokens.answer(() => 'hang');
    const limits = { connections: 1, queued: 1, streams: 1 };
    const port = upstream('tokenExchange', { timeout: '200ms' }, { limits });
    const failures = await Promise.all(
      Array.from({ length: 10 }, () => failureOf(port.send(message({ caller: caller() })))),
    );
    const codes = failures.map(({ code }) => code);
    expect(codes.filter((code) => code === 'credential-unavailable')).toHaveLength(3);
    expect(codes.filter((code) => code === 'overloaded')).toHaveLength(7);
  });

  it('asks for few callers at a time, however many come at once', async () => {
    const { upstream, tokens } = await setup();
    let atOnce = 0;
    let most = 0;
    tokens.answer(async (_, number) => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 10));
      atOnce -= 1;
      return exchanged(`t-${number}`);
    });
    const port = upstream('tokenExchange');
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => port.send(message({ caller: caller({ token: `token-${i}` }) }))),
    );
    expect(tokens.asked()).toBe(40);
    expect(most).toBeLessThanOrEqual(8);
    expect(most).toBeGreaterThan(1);
  });

  it('forgets the token that was used longest ago when there are too many', async () => {
    const { upstream, tokens } = await setup();
    tokens.answer((_, number) => exchanged(`t-${number}`));
    const port = upstream('tokenExchange', { cached: 2 });
    const call = (token: string) => port.send(message({ caller: caller({ token }) }));
    for (const token of ['a', 'b', 'a', 'c']) await call(`tok-${token}`);
    expect(tokens.asked()).toBe(3);
    await call('tok-a');
    await call('tok-c');
    expect(tokens.asked()).toBe(3);
    await call('tok-b');
    expect(tokens.asked()).toBe(4);
  });
});
