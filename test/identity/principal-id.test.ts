import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  anonymousId,
  apiKeyId,
  certificateId,
  escapeIdPart,
  joinIds,
  spiffeId,
  tokenId,
  unescapeIdPart,
} from '../../src/identity/principal-id.ts';
import { parseSpiffeId } from '../../src/identity/spiffe.ts';

/** Text that leans towards what separates, escapes and looks alike. */
const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom('#', '%', '+', ' ', ':', '/', 'a', '2', '3', '0', 'B', '\0', '\n', 'é', 'é'),
    fc.constantFrom('token:', ' + ', '%23', 'apikey:', '#'),
  ),
  maxLength: 8,
});

const spiffe = fc
  .tuple(fc.stringMatching(/^[a-c.]{1,3}$/), fc.array(fc.stringMatching(/^[a-c_-]{1,3}$/), { maxLength: 3 }))
  .map(([domain, path]) => ['spiffe:/', domain, ...path].join('/'));

type Source = readonly [kind: string, ...parts: string[]];

const source: fc.Arbitrary<Source> = fc.oneof(
  fc.tuple(fc.constant('token'), nasty, nasty),
  fc.tuple(fc.constantFrom('dns', 'uri', 'cn', 'apikey', 'anonymous'), nasty),
  fc.tuple(fc.constant('spiffe'), spiffe),
);

function toId([kind, first = '', second = '']: Source): string {
  if (kind === 'token') return tokenId(first, second);
  if (kind === 'apikey') return apiKeyId(first);
  if (kind === 'anonymous') return anonymousId(first);
  if (kind === 'spiffe') return spiffeId(first);
  return certificateId(kind as 'dns' | 'uri' | 'cn', first);
}

describe('principal ids', () => {
  test('read as they should', () => {
    expect(tokenId('https://idp.example', 'alice')).toBe('token:https://idp.example#alice');
    expect(apiKeyId('nightly-report')).toBe('apikey:nightly-report');
    expect(certificateId('cn', 'Ann Example')).toBe('cn:Ann%20Example');
    expect(certificateId('cn', 'Zoë\n')).toBe('cn:Zo%C3%AB%0A');
    expect(anonymousId('anonymous')).toBe('anonymous');
    expect(anonymousId('visitor')).toBe('anonymous:visitor');
    expect(joinIds(['spiffe://a/b', 'apikey:c'])).toBe('spiffe://a/b + apikey:c');
  });

  test('a subject cannot reach into the issuer', () => {
    expect(tokenId('https://a#b', 'c')).not.toBe(tokenId('https://a', 'b#c'));
    expect(tokenId('https://a', '%23')).not.toBe(tokenId('https://a', '#'));
  });

  test('escaping can be undone', () => {
    fc.assert(
      fc.property(fc.oneof(nasty, fc.string({ unit: 'binary' })), (text) => {
        const escaped = escapeIdPart(text);
        expect(escaped).toMatch(/^[!-~]*$/);
        expect(escaped).not.toMatch(/[#+]/);
        expect(decodeURIComponent(escaped)).toBe(text);
        expect(unescapeIdPart(escaped)).toBe(text);
      }),
    );
  });

  test('what looks like an escape and is none stays as it is', () => {
    for (const text of ['%', '%4', '%zz', '%c3', 'a%GG']) expect(unescapeIdPart(text)).toBe(text);
    expect(unescapeIdPart('a%25%2B%C3%ABb%23c')).toBe('a%+ëb#c');
  });

  test('two different callers never share one, whatever kinds, issuers and numbers of credentials', () => {
    fc.assert(
      fc.property(
        fc.array(source, { minLength: 1, maxLength: 3 }),
        fc.array(source, { minLength: 1, maxLength: 3 }),
        (a, b) => {
          const same = JSON.stringify(a) === JSON.stringify(b);
          expect(joinIds(a.map(toId)) === joinIds(b.map(toId))).toBe(same);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a SPIFFE ID never looks like another kind or like several ids', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = parseSpiffeId(`spiffe://${text}`);
        if (parsed !== undefined) expect(parsed.id).toMatch(/^spiffe:\/\/[A-Za-z0-9._/-]+$/);
      }),
    );
  });

  test('half a surrogate pair is refused: it would come out as another half does', () => {
    for (const text of ['\ud800', 'a\udc00', '\udfff\ud800']) {
      expect(() => escapeIdPart(text)).toThrow(new TypeError('A name holds half a surrogate pair'));
    }
  });
});
