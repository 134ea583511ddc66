import { beforeEach, describe, expect, test } from 'vitest';
import type { Authenticator, AuthenticatorAnswer } from '../../src/identity/authenticator.ts';
import type { Introspection, Introspector } from '../../src/identity/introspection.ts';
import { authenticatorsOptions, type TokenOptions } from '../../src/identity/options.ts';
import { createTokenAuthenticator } from '../../src/identity/token.ts';
import { makeHolder, target } from './holder.ts';
import { audience, encode, good, issuer, makeIssuer, now, type TestIssuer } from './issuer.ts';
import { evidenceOf, type Presented } from './support.ts';

const time = now * 1000;
const opaque = 'mF_9.B5f-4.1JqM';

/** An issuer's answers, and what it was asked about. */
class Answers implements Introspector {
  readonly asked: string[] = [];
  said: Introspection = { active: false };
  async introspect(token: string): Promise<Introspection> {
    this.asked.push(token);
    return this.said;
  }
  async reload() {}
  close() {}
  says(claims: Record<string, unknown>) {
    this.said = { active: true, claims: JSON.parse(JSON.stringify({ active: true, ...good, ...claims })) };
  }
}

let answers: Answers;
let idp: TestIssuer;

beforeEach(async () => {
  answers = new Answers();
  idp ??= await makeIssuer();
});

const introspection = { endpoint: 'https://idp.example/introspect', clientId: 'gate', secret: 'f' };

function entryOf(extra: Record<string, unknown> = {}): TokenOptions {
  const entry = { issuer, audience, keys: 'jwks', introspection, ...extra };
  return authenticatorsOptions.parse([{ token: JSON.parse(JSON.stringify(entry)) }])[0]!.token!;
}

function authenticatorOf(extra: Record<string, unknown> = {}): Authenticator {
  return createTokenAuthenticator(entryOf(extra), { readFile: () => idp.jwks, introspector: answers });
}

async function ask(authenticator: Authenticator, token: string, presented: Presented = {}) {
  return authenticator.authenticate(evidenceOf({ authorization: `Bearer ${token}`, time, ...presented }));
}

const word = (answer: AuthenticatorAnswer) => (answer.kind === 'bad' ? answer.reason : answer.kind);

describe('a token that is no JWT', () => {
  test('is what its issuer says of it', async () => {
    answers.says({ scope: 'read', client_id: 'c1', jti: 'j1', username: 'al' });
    const answer = await ask(authenticatorOf(), opaque);
    expect(answer).toMatchObject({
      kind: 'proven',
      principalId: 'token:https://idp.example#alice',
      credential: { scopes: ['read'], clientId: 'c1', tokenId: 'j1', bound: undefined },
    });
    expect(answers.asked).toEqual([opaque]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['for another audience', { aud: 'https://mcp.example/other' }, 'token-audience'],
    ['for no audience', { aud: undefined }, 'token-audience'],
    ['for a list within a list', { aud: [[audience]] }, 'token-audience'],
    ['of another issuer', { iss: 'https://other.example' }, 'token-issuer'],
    ['of no subject and no client', { sub: undefined }, 'token-subject'],
    ['of an empty subject', { sub: '', client_id: 'c1' }, 'token-subject'],
    ['expired', { exp: now - 31 }, 'token-expired'],
    ['without an end', { exp: undefined }, 'token-expiry-missing'],
    ['not yet valid', { nbf: now + 31 }, 'token-not-yet-valid'],
    ['issued tomorrow', { iat: now + 86_400 }, 'token-issued-in-future'],
    ['bound to a certificate that is not there', { cnf: { 'x5t#S256': 'x' } }, 'token-binding'],
    ['bound to a key', { cnf: { jkt: 'x' } }, 'token-binding-unsupported'],
  ])('is refused: %s', async (_, claims, reason) => {
    answers.says(claims);
    expect(word(await ask(authenticatorOf(), opaque))).toBe(reason);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['with an issuer left out', { iss: undefined }, 'alice'],
    ['of a workload that is its own subject', { sub: 'etl', client_id: 'etl' }, 'etl'],
    ['of a workload without a subject', { sub: undefined, client_id: 'etl' }, 'etl'],
  ])('is accepted: %s', async (_, claims, subject) => {
    answers.says(claims);
    expect(await ask(authenticatorOf(), opaque)).toMatchObject({ credential: { subject } });
  });

  test.each<[string, Record<string, unknown>]>([
    ['as its id', { jti: opaque }],
    ['as another member', { jti: undefined, access_token: opaque }],
    ['within one', { jti: undefined, ext: { asked: [`Bearer ${opaque}`] } }],
  ])('never stands in its own claims: %s', async (_, claims) => {
    answers.says(claims);
    const answer = await ask(authenticatorOf(), opaque);
    expect(answer).toMatchObject({ kind: 'proven', credential: { subject: 'alice', tokenId: undefined } });
    expect(JSON.stringify(answer)).not.toContain(opaque);
  });

  test('is refused once it is revoked, and while nobody can be asked', async () => {
    const authenticator = authenticatorOf();
    answers.says({});
    expect(word(await ask(authenticator, opaque))).toBe('proven');
    answers.said = { active: false };
    expect(word(await ask(authenticator, opaque))).toBe('token-inactive');
    answers.said = { unavailable: true };
    expect(word(await ask(authenticator, opaque))).toBe('token-introspection-unavailable');
  });

  test('keeps its caller the same object while nothing about it changes', async () => {
    const authenticator = authenticatorOf();
    answers.says({ scope: 'read' });
    const first = await ask(authenticator, opaque);
    answers.says({ scope: 'read' });
    expect(await ask(authenticator, opaque)).toBe(first);
    answers.says({ scope: 'read write' });
    expect(await ask(authenticator, opaque)).toMatchObject({ credential: { scopes: ['read', 'write'] } });
  });

  test('that is meant for somebody else drives out none that is remembered', async () => {
    const authenticator = authenticatorOf();
    answers.says({});
    const first = await ask(authenticator, opaque);
    answers.says({ aud: 'other' });
    for (let index = 0; index < 5000; index++) await ask(authenticator, `opaque-${index}`);
    answers.says({});
    expect(await ask(authenticator, opaque)).toBe(first);
  });

  test('is nobody’s where its issuer does not count', async () => {
    answers.says({});
    const resource = {
      resource: 'https://mcp.example/w',
      audiences: [audience],
      servers: ['https://other.example'],
    };
    const authenticator = createTokenAuthenticator(entryOf(), {
      readFile: () => idp.jwks,
      introspector: answers,
      resources: new Map([['warehouse', resource]]),
    });
    expect(word(await ask(authenticator, opaque))).toBe('not-mine');
    expect(answers.asked).toEqual([]);
  });
});

test('may be bound to a key, and then comes with a proof each time', async () => {
  const holder = await makeHolder();
  answers.says({ aud: target, cnf: { jkt: holder.thumbprint } });
  const authenticator = createTokenAuthenticator(entryOf({ dpop: {} }), {
    readFile: () => idp.jwks,
    introspector: answers,
    resources: new Map([['warehouse', { resource: target, audiences: [] }]]),
  });
  const show = (dpop: string) => ask(authenticator, opaque, { authorization: `DPoP ${opaque}`, dpop });
  const proof = await holder.prove(opaque);
  expect(await show(proof)).toMatchObject({ kind: 'proven', credential: { bound: 'dpop' } });
  expect(word(await show(proof))).toBe('dpop-replayed');
  expect(word(await ask(authenticator, opaque))).toBe('dpop-scheme');
  expect(word(await show(await holder.prove(opaque)))).toBe('proven');
  answers.said = { active: false };
  expect(word(await show(await holder.prove(opaque)))).toBe('token-inactive');
});

describe('nobody is asked', () => {
  const header = encode({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' });
  test.each<[string, string]>([
    ['about an unsigned JWT', `${encode({ alg: 'none' })}.${encode(good)}.`],
    ['about a header alone', `${header}.`],
    ['about a JWT with two', `${header}.${encode(good)}`],
    ['about a JWT with repeated claims', `${header}.${encode('{"iss":"a","iss":"b"}')}.AAAA`],
    ['about a JWT with padding', `${header}.${encode(good)}.AAA=`],
    ['about an encrypted JWT', `${header}.a.b.c.d`],
    ['about a token that is too long', 'x'.repeat(9000)],
  ])('%s', async (_, token) => {
    answers.says({});
    expect(word(await ask(authenticatorOf(), token))).toMatch(/^token-(malformed|too-large)$/);
    expect(answers.asked).toEqual([]);
  });

  test('about a JWT of another issuer, and about one that does not verify', async () => {
    answers.says({});
    const stranger = await makeIssuer();
    expect(word(await ask(authenticatorOf(), await idp.sign({ iss: 'https://other.example' })))).toBe(
      'not-mine',
    );
    const always = authenticatorOf({ introspection: { ...introspection, always: true } });
    expect(word(await ask(always, await stranger.sign()))).toBe('token-signature');
    expect(word(await ask(always, await idp.sign({ exp: now - 31 })))).toBe('token-expired');
    expect(word(await ask(always, await idp.sign({ aud: 'other' })))).toBe('token-audience');
    expect(answers.asked).toEqual([]);
  });
});

describe('a JWT', () => {
  test('is not asked about unless its entry says so, and then at each use', async () => {
    const token = await idp.sign();
    expect(word(await ask(authenticatorOf(), token))).toBe('proven');
    expect(answers.asked).toEqual([]);
    const always = authenticatorOf({ introspection: { ...introspection, always: true } });
    answers.says({});
    expect(word(await ask(always, token))).toBe('proven');
    answers.said = { active: false };
    expect(word(await ask(always, token))).toBe('token-inactive');
    answers.said = { unavailable: true };
    expect(word(await ask(always, token))).toBe('token-introspection-unavailable');
    expect(answers.asked).toEqual([token, token, token]);
  });

  test('is asked about like any other token where no keys are configured', async () => {
    const keyless = authenticatorOf({ keys: undefined });
    const token = await idp.sign();
    answers.says({ sub: 'bob' });
    expect(await ask(keyless, token)).toMatchObject({ credential: { subject: 'bob' } });
    answers.said = { active: false };
    expect(word(await ask(keyless, token))).toBe('token-inactive');
  });
});

test('an entry without introspection leaves opaque tokens to one that has it', async () => {
  const { introspection: _, ...bare } = entryOf();
  const readFile = () => idp.jwks;
  const alone = createTokenAuthenticator(bare as TokenOptions, { readFile });
  expect(word(await ask(alone, opaque))).toBe('token-malformed');
  const beside = createTokenAuthenticator(bare as TokenOptions, { readFile, opaqueElsewhere: true });
  expect(word(await ask(beside, opaque))).toBe('not-mine');
});
