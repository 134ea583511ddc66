import { describe, expect, test } from 'vitest';
import { type ClaimRules, readClaims } from '../../src/identity/token-claims.ts';
import { good, issuer, now } from './issuer.ts';

const time = now * 1000;
const rules: ClaimRules = { issuer, clockSkew: 30_000, dpop: true };
const tenYears = 10 * 365 * 86_400;

/** The facts, or the reason why there are none. Claims given as undefined vanish, as they would in JSON. */
function read(claims: object, more: Partial<ClaimRules> = {}, source: 'jwt' | 'opaque' = 'jwt') {
  const written = JSON.parse(JSON.stringify({ ...good, ...claims }));
  return readClaims(written, source, { ...rules, ...more }, time);
}
function facts(claims: object, more: Partial<ClaimRules> = {}, source: 'jwt' | 'opaque' = 'jwt') {
  const result = read(claims, more, source);
  if (typeof result === 'string') throw new Error(result);
  return result;
}

describe('who a token speaks for', () => {
  test('is said by a JWT itself, and by the issuer that was asked about another', () => {
    expect(read({ iss: undefined })).toBe('token-issuer');
    expect(read({ sub: undefined, client_id: 'c' })).toBe('token-subject');
    expect(facts({ iss: undefined, sub: undefined, client_id: 'c' }, {}, 'opaque').credential).toMatchObject({
      issuer,
      subject: 'c',
    });
  });

  test('is a text of 512 characters at most', () => {
    expect(facts({ sub: 'a'.repeat(512) }).credential.subject).toHaveLength(512);
    expect(read({ sub: 'a'.repeat(513) })).toBe('token-subject');
  });

  test.each<[object, string | undefined]>([
    [{ client_id: 'c' }, 'c'],
    [{ azp: 'a' }, 'a'],
    [{ client_id: 'c', azp: 'a' }, 'c'],
    [{ client_id: 7 }, undefined],
    [{ client_id: ['c'] }, undefined],
    [{ azp: { c: 1 } }, undefined],
    [{}, undefined],
  ])('was given to a client: %j', (claims, expected) => {
    expect(facts(claims).credential.clientId).toBe(expected);
  });

  test.each<[unknown, string | undefined]>([
    ['j', 'j'],
    [7, undefined],
    [['j'], undefined],
    [undefined, undefined],
  ])('has an id only where that is text: %j', (jti, expected) => {
    expect(facts({ jti }).credential.tokenId).toBe(expected);
  });

  test.each<[object, readonly string[]]>([
    [{ scope: 'a  b ' }, ['a', 'b']],
    [{ scp: ['a', '', 7, null, 'b'] }, ['a', 'b']],
    [{ scope: 'a', scp: 'b' }, ['a']],
    [{ scope: 7 }, []],
    [{ scope: { a: 1 } }, []],
    [{}, []],
  ])('has scopes: %j', (claims, expected) => {
    expect(facts(claims).credential.scopes).toEqual(expected);
  });
});

describe('when a token holds', () => {
  test('ten years ahead at most', () => {
    expect(facts({ exp: now + tenYears }).validUntil).toBe((now + tenYears) * 1000 + 30_000);
    expect(read({ exp: now + tenYears + 1 })).toBe('token-lifetime');
    // Milliseconds where seconds belong.
    expect(read({ exp: (now + 300) * 1000 })).toBe('token-lifetime');
  });

  test('from its beginning to its end, with the skew of clocks at both', () => {
    expect(facts({ nbf: now - 5 })).toMatchObject({
      validFrom: (now - 5) * 1000 - 30_000,
      validUntil: (now + 300) * 1000 + 30_000,
      endsByExpiry: true,
    });
    expect(facts({}).validFrom).toBe(Number.NEGATIVE_INFINITY);
    expect(facts({ iat: undefined }).validUntil).toBe((now + 300) * 1000 + 30_000);
  });

  test('until it is too old, where that comes first', () => {
    const old = facts({ iat: now - 10 }, { maxAge: 60_000 });
    expect(old).toMatchObject({ validUntil: (now + 50) * 1000 + 30_000, endsByExpiry: false });
    expect(facts({ iat: now - 10, exp: now + 50 }, { maxAge: 60_000 }).endsByExpiry).toBe(true);
    expect(facts({ iat: now - 10, exp: now + 49 }, { maxAge: 60_000 }).endsByExpiry).toBe(true);
    expect(facts({ iat: now - 10, exp: now + 51 }, { maxAge: 60_000 }).endsByExpiry).toBe(false);
    expect(read({ iat: undefined }, { maxAge: 60_000 })).toBe('token-claims');
  });

  test.each<[object, string]>([
    [{ iat: now + 31 }, 'token-issued-in-future'],
    [{ iat: `${now}` }, 'token-claims'],
    [{ iat: null }, 'token-claims'],
    [{ iat: [now] }, 'token-claims'],
    [{ exp: `${now + 300}` }, 'token-expiry-missing'],
    [{ nbf: `${now}` }, 'token-not-yet-valid'],
    [{ aud: [] }, 'token-audience'],
    [{ aud: ['a', 7] }, 'token-audience'],
    [{ aud: undefined }, 'token-audience'],
  ])('never, with %j', (claims, reason) => {
    expect(read(claims)).toBe(reason);
  });
});

describe('what a token is bound to', () => {
  test.each<[unknown, unknown]>([
    [undefined, undefined],
    [{ 'x5t#S256': 'x' }, { kind: 'certificate', thumbprint: 'x' }],
    [{ jkt: 'x' }, { kind: 'dpop', thumbprint: 'x' }],
  ])('%j', (cnf, binding) => {
    expect(facts({ cnf }).binding).toEqual(binding);
    expect(facts({ cnf }).credential.bound).toBe((binding as { kind: string } | undefined)?.kind);
  });

  test.each([
    [{}],
    [[]],
    [['x']],
    ['x'],
    [7],
    [true],
    [null],
    [{ jkt: 7 }],
    [{ jkt: ['x'] }],
    [{ 'x5t#S256': null }],
    [{ jkt: 'x', 'x5t#S256': 'x' }],
    [{ jwk: 'x' }],
    [{ kid: 'x' }],
    [{ JKT: 'x' }],
    [{ 'x5t#s256': 'x' }],
  ])('to something that nobody here checks, it is worth nothing: %j', (cnf) => {
    expect(read({ cnf })).toBe('token-binding-unsupported');
  });

  test('to a key, it is worth nothing where no proof is checked', () => {
    expect(read({ cnf: { jkt: 'x' } }, { dpop: false })).toBe('token-binding-unsupported');
  });
});
