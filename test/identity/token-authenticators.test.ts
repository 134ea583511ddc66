import { beforeAll, describe, expect, test } from 'vitest';
import type { Dial } from '../../src/dialer/contract.ts';
import { authenticatorsOptions } from '../../src/identity/options.ts';
import { createTokenAuthenticators } from '../../src/identity/token-authenticators.ts';
import { audience, good, issuer, makeIssuer, now, type TestIssuer } from './issuer.ts';
import { evidenceOf } from './support.ts';

const time = now * 1000;
const other = 'https://other.example';
const opaque = 'mF_9.B5f-4.1JqM';
const introspection = { endpoint: `${other}/ask`, clientId: 'gateway', secret: 'secret' };

let idp: TestIssuer;
beforeAll(async () => {
  idp = await makeIssuer();
});

/** Makes every entry, and says what each answers to a token that is no JWT. */
function world(entries: readonly object[], claims: object = {}) {
  const options = { authenticators: authenticatorsOptions.parse(entries) };
  const asked: string[] = [];
  const dial: Dial = async (url) => {
    asked.push(String(url));
    return Response.json({ active: true, ...good, iss: other, ...claims });
  };
  const make = createTokenAuthenticators(options, {
    dial,
    readFile: (path) => (path === 'secret' ? 's3cret' : idp.jwks),
  });
  const authenticators = options.authenticators.flatMap(({ token }) => (token ? [make(token)] : []));
  const show = (token: string) =>
    Promise.all(
      authenticators.map(async (authenticator) => {
        const evidence = evidenceOf({ authorization: `Bearer ${token}`, time });
        const answer = await authenticator.authenticate(evidence);
        return answer.kind === 'bad' ? answer.reason : answer.kind;
      }),
    );
  return { show, asked, authenticators };
}

const byKeys = { token: { issuer, audience, keys: 'jwks' } };
const byAsking = { token: { issuer: other, audience, introspection } };

describe('a token that is no JWT', () => {
  test('is bad where no entry takes such tokens', async () => {
    expect(await world([byKeys]).show(opaque)).toEqual(['token-malformed']);
    const second = { token: { ...byKeys.token, issuer: other } };
    expect(await world([{ certificate: {} }, byKeys, second]).show(opaque)).toEqual([
      'token-malformed',
      'token-malformed',
    ]);
  });

  test('is left to the entry that takes it', async () => {
    for (const [entries, expected] of [
      [
        [byKeys, byAsking],
        ['not-mine', 'proven'],
      ],
      [
        [byAsking, byKeys],
        ['proven', 'not-mine'],
      ],
    ] as const) {
      const { show, asked } = world(entries);
      expect(await show(opaque)).toEqual(expected);
      expect(asked).toEqual([`${other}/ask`]);
    }
  });

  test('is bad where its issuer says that it is another one’s', async () => {
    expect(await world([byAsking], { iss: issuer }).show(opaque)).toEqual(['token-inactive']);
  });

  test('may come from an issuer whose clock is ahead by the skew', async () => {
    expect(await world([byAsking], { nbf: now + 30 }).show(opaque)).toEqual(['proven']);
    expect(await world([byAsking], { nbf: now + 31 }).show(opaque)).toEqual(['token-inactive']);
  });
});

test('a JWT belongs to its issuer, whoever takes tokens that are none', async () => {
  expect(await world([byKeys, byAsking]).show(await idp.sign())).toEqual(['proven', 'not-mine']);
});

test('a reload and a close reach the keys and the issuer that is asked, where there are any', async () => {
  for (const entry of [byKeys, byAsking, { token: { ...byAsking.token, keys: 'jwks' } }]) {
    const { authenticators, show } = world([entry]);
    await authenticators[0]!.reload?.();
    authenticators[0]!.close?.();
    const answers = await show(opaque);
    expect(answers).toEqual([entry === byKeys ? 'token-malformed' : 'token-introspection-unavailable']);
  }
});

test('what an issuer is asked about needs a dialer', () => {
  const options = { authenticators: authenticatorsOptions.parse([byAsking]) };
  const make = createTokenAuthenticators(options, { readFile: () => 's3cret' });
  expect(() => make(options.authenticators[0]!.token!)).toThrow('needs a dialer');
});
