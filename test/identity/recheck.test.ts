import { describe, expect, test } from 'vitest';
import { createApiKey, createApiKeyAuthenticator } from '../../src/identity/api-key.ts';
import type { Authenticator, AuthenticatorAnswer } from '../../src/identity/authenticator.ts';
import { type Authentication, combine } from '../../src/identity/identity.ts';
import { apiKeysOptions } from '../../src/identity/options.ts';
import type { Credential } from '../../src/identity/principal.ts';
import { evidenceOf } from './support.ts';

const key = createApiKey('report');
const tokenExpiry = 5_000_000;

/** A token that is remembered: each request gets the same answer, however old. */
const answer: AuthenticatorAnswer = {
  kind: 'proven',
  principalId: 'token:i#alice',
  credential: {
    kind: 'token',
    issuer: 'i',
    subject: 'alice',
    scopes: [],
    claims: {},
    tokenId: 'one',
    clientId: undefined,
    bound: undefined,
    expiresAt: tokenExpiry,
  },
};
const remembered: Authenticator = {
  kind: 'token',
  authenticate: ({ authorization }) => (authorization === undefined ? { kind: 'not-mine' } : answer),
};

/** An identity with one key file and one deny list, both of which a test can change. */
function world() {
  let entries: readonly object[] = [key.entry];
  const denied = new Set<Credential['kind']>();
  const identity = combine(
    [
      remembered,
      createApiKeyAuthenticator(apiKeysOptions.parse({ file: 'keys.yaml' }), {
        readFile: () => JSON.stringify({ keys: entries }),
      }),
    ],
    {
      anonymous: 'tester',
      revocations: { isRevoked: ({ kind }) => (denied.has(kind) ? 'tokens' : undefined) },
    },
  );
  const come = async (both = true) => {
    const answer: Authentication = await identity.authenticate(
      evidenceOf({ apiKey: key.key, ...(both ? { authorization: 'Bearer x' } : {}), time: 0 }),
    );
    if (!answer.ok) throw new Error(answer.reason);
    return answer.principal;
  };
  const write = async (...changed: readonly object[]) => {
    entries = changed;
    await identity.reload();
  };
  return { identity, denied, come, write };
}

describe('a credential on the deny list', () => {
  test.each(['token', 'apiKey'] as const)(
    '%s: is refused though it is remembered, whatever else is proven',
    async (kind) => {
      const { identity, denied, come } = world();
      const principal = await come();
      denied.add(kind);
      await expect(come()).rejects.toThrow('revoked');
      expect(identity.recheck(principal, 'w')).toMatchObject({
        ok: false,
        error: {
          code: 'credential-invalid',
          cause: { name: 'CredentialRefused', code: 'revoked' },
          headers: {
            'WWW-Authenticate': expect.stringContaining('Bearer realm="sallyport", error="invalid_token"'),
          },
        },
      });
      denied.clear();
      expect(await come()).toBe(principal);
    },
  );

  test('leaves callers alone that come without it, and the anonymous', async () => {
    const { identity, denied, come } = world();
    denied.add('token');
    denied.add('anonymous');
    const principal = await come(false);
    expect(identity.recheck(principal, 'w')).toEqual({ ok: true, expiresAt: undefined });
    const nobody = await identity.authenticate(evidenceOf({}));
    expect(nobody.ok && identity.recheck(nobody.principal, 'w')).toEqual({ ok: true, expiresAt: undefined });
  });
});

test('without a deny list, and whoever else looks again, each credential is asked about where it came from', async () => {
  const keys = createApiKeyAuthenticator(apiKeysOptions.parse({ file: 'keys.yaml' }), {
    readFile: () => JSON.stringify({ keys: [key.entry] }),
  });
  const identity = combine([keys, remembered], {});
  const answer = await identity.authenticate(evidenceOf({ authorization: 'Bearer x', time: 0 }));
  if (!answer.ok) throw new Error(answer.reason);
  expect(identity.recheck(answer.principal, 'w')).toEqual({ ok: true, expiresAt: tokenExpiry });
});

test('a caller that came without a token is not told that its token is bad', async () => {
  const { identity, denied, come } = world();
  const principal = await come(false);
  denied.add('apiKey');
  expect(identity.recheck(principal, 'w')).toMatchObject({
    ok: false,
    error: {
      headers: {
        'WWW-Authenticate': 'Bearer realm="sallyport", ApiKey realm="sallyport", header="x-api-key"',
      },
    },
  });
});

describe('a principal that was let in', () => {
  test.each<[string, readonly object[]]>([
    ['its key is gone', []],
    ['another key has its prefix', [{ ...createApiKey('report').entry, prefix: key.entry.prefix }]],
    ['its key has another name', [{ ...key.entry, name: 'other' }]],
  ])('is nobody any more where %s', async (_, entries) => {
    const { identity, come, write } = world();
    const principal = await come();
    await write(...entries);
    expect(identity.recheck(principal, 'w')).toMatchObject({
      ok: false,
      error: { cause: { code: 'api-key-unknown' } },
    });
  });

  test('stays where its key has other roles, and expires with the first of its credentials as things stand now', async () => {
    const { identity, come, write } = world();
    const principal = await come();
    for (const [change, expiresAt] of [
      [{ roles: ['a'] }, tokenExpiry],
      [{ expiresAt: '1970-01-01T00:00:10Z' }, 10_000],
      [{ expiresAt: '2999-01-01T00:00:00Z' }, tokenExpiry],
      [{}, tokenExpiry],
    ] as const) {
      await write({ ...key.entry, ...change });
      expect(identity.recheck(principal, 'w')).toEqual({ ok: true, expiresAt });
    }
  });
});
