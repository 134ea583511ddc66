import { createLocalJWKSet } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { KeySet, KeySource } from '../../src/identity/jwks.ts';
import { verifySignature } from '../../src/identity/token-signature.ts';
import { makeIssuer, type TestIssuer } from './issuer.ts';

let idp: TestIssuer;
let next: TestIssuer;
beforeAll(async () => {
  [idp, next] = await Promise.all([makeIssuer('k1'), makeIssuer('k2')]);
});

const setOf = (...issuers: readonly TestIssuer[]): KeySet => ({
  getKey: createLocalJWKSet({ keys: issuers.flatMap(({ jwks }) => JSON.parse(jwks).keys) }),
});

/** Keys that change with each look. */
function sourceOf(...sets: readonly (KeySet | undefined)[]) {
  let looks = 0;
  const source: KeySource = {
    current: () => sets[Math.min(looks, sets.length - 1)],
    async refresh() {
      looks += 1;
    },
    async reload() {},
    close() {},
  };
  return { source, looks: () => looks };
}

async function verify(token: string, sets: readonly (KeySet | undefined)[], algorithms = ['ES256']) {
  const { source, looks } = sourceOf(...sets);
  return { said: await verifySignature(token, source, algorithms, 0), looks: looks() };
}

describe('a signature', () => {
  test('that a known key made costs no look', async () => {
    const known = setOf(idp);
    expect(await verify(await idp.sign(), [known])).toEqual({ said: known, looks: 0 });
  });

  test('is checked with the first keys that there are', async () => {
    const first = setOf(idp);
    expect(await verify(await idp.sign(), [undefined, first])).toEqual({ said: first, looks: 1 });
    expect(await verify(await idp.sign(), [undefined])).toEqual({ said: 'token-keys-unavailable', looks: 1 });
  });

  test('by a key that is not known is checked with newer keys, once', async () => {
    const newer = setOf(idp, next);
    expect(await verify(await next.sign(), [setOf(idp), newer])).toEqual({ said: newer, looks: 1 });
    const same = setOf(idp);
    expect(await verify(await next.sign(), [same, same])).toEqual({ said: 'token-key-unknown', looks: 1 });
    expect(await verify(await next.sign(), [setOf(idp), undefined])).toEqual({
      said: 'token-keys-unavailable',
      looks: 1,
    });
    const third = await makeIssuer('k3');
    expect(await verify(await third.sign(), [setOf(idp), newer])).toEqual({
      said: 'token-key-unknown',
      looks: 1,
    });
    const forged = await next.sign({}, {}, idp.privateKey);
    expect(await verify(forged, [setOf(idp), newer])).toEqual({ said: 'token-signature', looks: 1 });
  });

  test('that is wrong for another reason makes nobody look', async () => {
    const other = { ...next, jwks: next.jwks };
    const forged = await idp.sign({}, {}, other.privateKey);
    expect(await verify(forged, [setOf(idp)])).toEqual({ said: 'token-signature', looks: 0 });
    const nameless = await idp.sign({}, { kid: undefined });
    expect(await verify(nameless, [setOf(idp, next)])).toEqual({ said: 'token-key-ambiguous', looks: 0 });
    expect(await verify(await idp.sign(), [setOf(idp)], ['RS256'])).toEqual({
      said: 'token-algorithm',
      looks: 0,
    });
    expect(await verify('a.b.c', [setOf(idp)])).toEqual({ said: 'token-invalid', looks: 0 });
  });
});
