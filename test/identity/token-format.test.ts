import { describe, expect, test } from 'vitest';
import {
  looksLikeJose,
  normaliseType,
  readUnverified,
  refuseHeader,
} from '../../src/identity/token-format.ts';
import { encode } from './issuer.ts';

const header = encode({ alg: 'ES256' });
const payload = encode({ sub: 'alice' });

describe('the parts of a token', () => {
  test('are read before anything is believed', () => {
    expect(readUnverified(`${header}.${payload}.AAAA`)).toEqual({
      header: { alg: 'ES256' },
      payload: { sub: 'alice' },
    });
  });

  /** The last character holds bits that decoding drops: another one there is another spelling of the same bytes. */
  const respelt = (part: string) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    return part.slice(0, -1) + alphabet[alphabet.indexOf(part.at(-1)!) + 1];
  };

  test('have one spelling each', () => {
    const [looseHeader, loosePayload] = [encode('{"alg":"E"}'), encode('{"sub":"ali"}')];
    // Neither fills its last group of three bytes.
    expect([looseHeader.length % 4, loosePayload.length % 4]).not.toContain(0);
    expect(readUnverified(`${looseHeader}.${loosePayload}.AA`)).toBeDefined();
    expect(readUnverified(`${respelt(looseHeader)}.${loosePayload}.AA`)).toBeUndefined();
    expect(readUnverified(`${looseHeader}.${respelt(loosePayload)}.AA`)).toBeUndefined();
    expect(readUnverified(`${looseHeader}.${loosePayload}.AB`)).toBeUndefined();
  });

  test('tell a broken JWT from a token of another kind', () => {
    for (const text of [`${header}.`, `${header}.x`, `${header}.${payload}.A.A.A`]) {
      expect(looksLikeJose(text), text).toBe(true);
    }
    for (const text of [header, `.${header}`, `x.${header}`, `${encode('[]')}.x`, 'a.b.c', '', '.']) {
      expect(looksLikeJose(text), text).toBe(false);
    }
  });
});

describe('a header', () => {
  const rules = { algorithms: new Set(['ES256']), types: new Set(['at+jwt', 'jwt']), typeRequired: true };
  test.each<[object, string | undefined]>([
    [{}, undefined],
    [{ kid: 'k'.repeat(256) }, undefined],
    [{ kid: 'k'.repeat(257) }, 'token-key-id'],
    [{ cty: 'JWT' }, 'token-type'],
    [{ cty: undefined }, 'token-type'],
    [{ typ: 'application/JWT' }, undefined],
    [{ typ: 'x-application/jwt' }, 'token-type'],
    [{ alg: undefined }, 'token-algorithm'],
    [{ alg: 'HS256' }, 'token-algorithm'],
  ])('%j', (members, reason) => {
    expect(refuseHeader({ alg: 'ES256', typ: 'at+jwt', ...members }, rules)).toBe(reason);
  });

  test('has a type whose case and tree do not matter', () => {
    expect(normaliseType('Application/AT+JWT')).toBe('at+jwt');
    expect(normaliseType('x/application/jwt')).toBe('x/application/jwt');
  });
});
