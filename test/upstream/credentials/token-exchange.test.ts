import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessTokenType, exchanged, granted } from '../../support/token-server.ts';
import { failureOf, message } from '../harness.ts';
import { caller, principalOf, setup } from './support.ts';

const grant = 'urn:ietf:params:oauth:grant-type:token-exchange';

describe('token exchange', () => {
  it("asks with the caller's token as subject, and nothing that RFC 8693 does not name", async () => {
    const { upstream, tokens, seen } = await setup();
    tokens.answer(() => exchanged('for-alice'));
    const port = upstream('tokenExchange', {
      scope: ['read', 'list'],
      resource: ['https://up.example/mcp', 'https://up.example/other'],
      audience: 'warehouse',
      requestedTokenType: accessTokenType,
    });
    const answer = await port.send(message({ caller: caller({ token: 'subject.token+/=~' }) }));
    expect(answer.kind).toBe('json');
    expect(seen[0]?.headers.authorization).toBe('Bearer for-alice');
    expect(tokens.requests[0]?.body).toBe(
      [
        'scope=read+list',
        'resource=https%3A%2F%2Fup.example%2Fmcp',
        'resource=https%3A%2F%2Fup.example%2Fother',
        'audience=warehouse',
        'subject_token=subject.token%2B%2F%3D%7E',
        'subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token',
        'requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token',
        `grant_type=${encodeURIComponent(grant)}`,
      ].join('&'),
    );
  });

  it('names the gateway as actor, with a token that says no more than that', async () => {
    const { upstream, tokens, seen } = await setup();
    tokens.answer((request) =>
      request.value('grant_type') === grant ? exchanged('delegated') : granted('the-gateway'),
    );
    const port = upstream('tokenExchange', { actor: true, audience: 'warehouse' });
    await port.send(message({ caller: caller() }));
    await port.send(message({ caller: caller({ token: 'another' }) }));
    expect(tokens.requests.map(({ form }) => Object.fromEntries(form))).toEqual([
      { grant_type: 'client_credentials' },
      expect.objectContaining({
        subject_token: 'subject-token-of-alice',
        actor_token: 'the-gateway',
        actor_token_type: accessTokenType,
      }),
      expect.objectContaining({ subject_token: 'another', actor_token: 'the-gateway' }),
    ]);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer delegated',
      'Bearer delegated',
    ]);
  });

  it('asks once for 100 calls that come together', async () => {
    const { upstream, tokens, seen } = await setup();
    tokens.answer((_, number) => exchanged(`t-${number}`));
    const port = upstream('tokenExchange');
    await Promise.all(Array.from({ length: 100 }, () => port.send(message({ caller: caller() }))));
    await port.send(message({ caller: caller() }));
    expect(tokens.asked()).toBe(1);
    expect(new Set(seen.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer t-1']));
  });

  it('never lets two tokens share: not of two callers, and not of one', async () => {
    const { upstream, tokens, seen } = await setup();
    tokens.answer((request) => exchanged(`for.${request.value('subject_token')}`.replace('token-', '')));
    // One connection: nothing of a call may stay on it.
    const port = upstream('tokenExchange', {}, { limits: { connections: 1 } });
    const callers = ['alice', 'bob', 'carol'].flatMap((name) =>
      ['token-1', 'token-2'].map((token) => ({ name, token: `${token}-${name}` })),
    );
    const calls = [...callers, ...callers, ...callers];
    await Promise.all(
      calls.map(({ name, token }) =>
        port.send(
          message({
            body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { token } })),
            caller: caller({ principal: principalOf(name), token }),
          }),
        ),
      ),
    );
    expect(tokens.asked()).toBe(callers.length);
    expect(seen.map(({ headers }) => headers.authorization).sort()).toEqual(
      calls.map(({ token }) => `Bearer for.${token.replace('token-', '')}`).sort(),
    );
  });

  it('does not give the token of a caller to another who shows the same bytes', async () => {
    const { upstream, tokens } = await setup();
    tokens.answer((_, number) => exchanged(`t-${number}`));
    const port = upstream('tokenExchange');
    await port.send(message({ caller: caller() }));
    await port.send(message({ caller: caller({ principal: principalOf('bob') }) }));
    expect(tokens.asked()).toBe(2);
  });

  it('keeps names and tokens apart, however they are put together', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string(), fc.base64String({ minLength: 1 })), { maxLength: 6 }),
        async (pairs) => {
          const asked = new Map<string, string>();
          const { upstreamTokens } = await import('./pure.ts');
          const tokens = upstreamTokens((subject) => {
            const token = `minted.${asked.size}`;
            asked.set(token, subject);
            return token;
          });
          for (const [name, token] of [...pairs, ...pairs]) {
            const minted = await tokens(name, token);
            expect(asked.get(minted)).toBe(token);
          }
          expect(asked.size).toBe(new Set(pairs.map((pair) => JSON.stringify(pair))).size);
        },
      ),
      { numRuns: 50 },
    );
  });

  for (const onMissing of ['deny', 'clientCredentials'] as const) {
    const cases = {
      'a caller without a token': caller({ bearer: undefined }),
      'the gateway itself': undefined,
    };
    for (const [who, without] of Object.entries(cases)) {
      it(`${onMissing === 'deny' ? 'refuses' : "uses the gateway's own token for"} ${who} (onMissing: ${onMissing})`, async () => {
        const { upstream, tokens, seen } = await setup();
        tokens.answer(() => granted('own-token'));
        const port = upstream('tokenExchange', { onMissing, resource: 'https://up.example/mcp' });
        const sending = port.send(message({ caller: without }));
        if (onMissing === 'deny') {
          const failure = await failureOf(sending);
          expect([failure.code, failure.message]).toEqual([
            'credential-unavailable',
            'The gateway has no credential for the server behind it at the moment',
          ]);
          expect(tokens.requests).toEqual([]);
          expect(seen).toEqual([]);
        } else {
          await sending;
          expect(seen[0]?.headers.authorization).toBe('Bearer own-token');
          expect(Object.fromEntries(tokens.requests[0]!.form)).toEqual({
            grant_type: 'client_credentials',
            scope: 'read',
            resource: 'https://up.example/mcp',
          });
        }
      });
    }
  }

  it("does not use what it got beyond the end of the caller's own token", async () => {
    const { upstream, tokens, seen } = await setup();
    tokens.answer((_, number) => exchanged(`t-${number}`, { expires_in: 3600 }));
    const port = upstream('tokenExchange');
    const ending = (expiresAt: number) =>
      message({ caller: caller({ principal: principalOf('a', { expiresAt }) }) });
    const end = Date.now() + 150;
    await port.send(ending(end));
    while (Date.now() <= end) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await failureOf(port.send(ending(end)))).code).toBe('credential-unavailable');
    // Whoever renews the very same opaque token is asked for anew: what was exchanged has ended with the first.
    await port.send(ending(Date.now() + 60_000));
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer t-1', 'Bearer t-2']);
  });

  it('throws a token away that the upstream does not take, and tries again with the next call only', async () => {
    const { upstream, tokens, seen, status } = await setup();
    tokens.answer((_, number) => exchanged(`t-${number}`));
    const port = upstream('tokenExchange');
    await port.send(message({ caller: caller() }));
    status(401);
    // Fresh tokens are not thrown away: an upstream that refuses everything would make each call a token request.
    for (let i = 0; i < 5; i++) await port.send(message({ caller: caller() }));
    expect(tokens.asked()).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1001));
    const answer = await port.send(message({ caller: caller() }));
    expect(answer).toMatchObject({ kind: 'json', status: 401 });
    expect(tokens.asked()).toBe(1);
    status(200);
    await port.send(message({ caller: caller() }));
    expect(seen.at(-1)?.headers.authorization).toBe('Bearer t-2');
    expect(seen).toHaveLength(8);
  });

  it("tells each call what it made for it, and names no caller's token to all", async () => {
    const { upstream, tokens } = await setup();
    tokens.answer(() => exchanged('for-alice'));
    const port = upstream('tokenExchange');
    const told: string[] = [];
    await port.send(message({ caller: caller(), onSecret: (secret) => told.push(secret) }));
    await port.send(message({ caller: caller(), onSecret: (secret) => told.push(secret) }));
    expect(told).toEqual(['for-alice', 'for-alice']);
    expect(port.secrets()).toEqual(['s3cret:/+']);
  });
});
