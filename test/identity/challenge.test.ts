import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { challengeFor, insufficientScope } from '../../src/identity/challenge.ts';

const metadataUrl = 'https://mcp.example/.well-known/oauth-protected-resource/w/mcp';
const plain = { metadataUrl, dpop: undefined };
const either = { metadataUrl, dpop: { algorithms: ['ES256', 'EdDSA'], required: false } };
const proofsOnly = { metadataUrl, dpop: { algorithms: ['ES256'], required: true } };
const token = new Set(['token'] as const);
const nothing = { authorization: undefined };
const some = { authorization: 'Bearer x' };
const about = `resource_metadata="${metadataUrl}", scope="a b"`;

describe('the challenge of a 401', () => {
  const rows: readonly [string, () => string, string][] = [
    ['no resource', () => challengeFor(token, nothing), 'Bearer realm="sallyport"'],
    [
      'no resource, a token',
      () => challengeFor(token, some),
      'Bearer realm="sallyport", error="invalid_token"',
    ],
    [
      'a resource',
      () => challengeFor(token, nothing, { resource: plain }),
      `Bearer resource_metadata="${metadataUrl}"`,
    ],
    [
      'scopes',
      () => challengeFor(token, nothing, { resource: plain, scopes: ['a', 'b'] }),
      `Bearer ${about}`,
    ],
    [
      'scopes and a token',
      () => challengeFor(token, some, { resource: plain, scopes: ['a', 'b'] }),
      `Bearer ${about}, error="invalid_token"`,
    ],
    [
      'proofs accepted',
      () => challengeFor(token, nothing, { resource: either, scopes: ['a', 'b'] }),
      `Bearer ${about}, DPoP algs="ES256 EdDSA"`,
    ],
    [
      'nothing but proofs accepted',
      () => challengeFor(token, some, { resource: proofsOnly, scopes: ['a', 'b'] }),
      `DPoP algs="ES256", ${about}`,
    ],
    [
      'a bad proof',
      () =>
        challengeFor(
          token,
          { authorization: 'DPoP x' },
          {
            resource: either,
            scopes: ['a', 'b'],
            dpop: { scheme: 'DPoP', error: 'use_dpop_nonce', algorithms: ['ES256'], nonce: 'n' },
          },
        ),
      `DPoP error="use_dpop_nonce", algs="ES256", Bearer ${about}`,
    ],
    [
      'a bad proof where nothing else is accepted',
      () =>
        challengeFor(
          token,
          { authorization: 'DPoP x' },
          {
            resource: proofsOnly,
            scopes: ['a', 'b'],
            dpop: { scheme: 'DPoP', error: 'invalid_dpop_proof', algorithms: ['ES256'], nonce: undefined },
          },
        ),
      `DPoP error="invalid_dpop_proof", algs="ES256", ${about}`,
    ],
    [
      'a token that was shown with a good proof, and is bad all the same',
      () => challengeFor(token, { authorization: 'DPoP x' }, { resource: either, scopes: ['a', 'b'] }),
      `DPoP error="invalid_token", algs="ES256 EdDSA", Bearer ${about}`,
    ],
    [
      'the same where nothing but proofs is accepted',
      () => challengeFor(token, { authorization: 'dpop x' }, { resource: proofsOnly, scopes: ['a', 'b'] }),
      `DPoP error="invalid_token", algs="ES256", ${about}`,
    ],
    [
      'keys beside tokens',
      () =>
        challengeFor(new Set(['token', 'apiKey']), nothing, { resource: plain, apiKeyHeader: 'x-team-key' }),
      `Bearer resource_metadata="${metadataUrl}", ApiKey realm="sallyport", header="x-team-key"`,
    ],
    [
      'certificates alone: no Bearer, also at a resource',
      () => challengeFor(new Set(['certificate']), nothing, { resource: plain }),
      'ClientCertificate realm="sallyport"',
    ],
    [
      'keys alone, in the header of old',
      () => challengeFor(new Set(['apiKey']), some),
      'ApiKey realm="sallyport", header="x-api-key"',
    ],
    [
      'a word that only begins like a scheme',
      () => challengeFor(token, { authorization: 'Bearers x' }),
      'Bearer realm="sallyport"',
    ],
    [
      'a proof where none is accepted',
      () => challengeFor(token, { authorization: 'DPoP x' }, { resource: plain }),
      `Bearer resource_metadata="${metadataUrl}"`,
    ],
    [
      'a scheme that stands later',
      () => challengeFor(token, { authorization: 'Basic bearer x' }),
      'Bearer realm="sallyport"',
    ],
    [
      'a scheme alone, whatever its case',
      () => challengeFor(token, { authorization: 'bEARER' }),
      'Bearer realm="sallyport", error="invalid_token"',
    ],
  ];
  for (const [name, challenge, expected] of rows) {
    it(`says what can be done: ${name}`, () => expect(challenge()).toBe(expected));
  }
});

describe('what a challenge quotes', () => {
  /** Takes challenges apart by the grammar of RFC 9110, sections 5.6.4 and 11.2. */
  function parametersOf(challenge: string): readonly (readonly [string, string])[] {
    const [, rest] = /^[A-Za-z]+ (.*)$/s.exec(challenge) ?? [];
    const found: [string, string][] = [];
    const one = /([a-z_]+)="((?:[^"\\]|\\.)*)"(?:, |$)/gy;
    let at = 0;
    for (let match = one.exec(rest!); match !== null; match = one.exec(rest!)) {
      found.push([match[1]!, match[2]!.replace(/\\(.)/g, '$1')]);
      at = one.lastIndex;
    }
    expect(at).toBe(rest!.length);
    return found;
  }

  it('never ends its quotes, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('"', '\\', ',', '=', ' ', 'a', ';') })),
        (scopes) => {
          const parameters = parametersOf(insufficientScope('Bearer', scopes, plain));
          const text = scopes.join(' ');
          expect(parameters).toEqual([
            ['error', 'insufficient_scope'],
            ...(scopes.length === 0 ? [] : [['scope', text]]),
            ['resource_metadata', metadataUrl],
          ]);
        },
      ),
    );
  });

  it('names the algorithms of proofs to a caller that came with one, and to no other', () => {
    const about = `error="insufficient_scope", scope="a b", resource_metadata="${metadataUrl}"`;
    expect(insufficientScope('DPoP', ['a', 'b'], either)).toBe(`DPoP ${about}, algs="ES256 EdDSA"`);
    expect(insufficientScope('DPoP', ['a', 'b'], plain)).toBe(`DPoP ${about}`);
    expect(insufficientScope('Bearer', ['a', 'b'], either)).toBe(`Bearer ${about}`);
  });

  it('is never a line of its own, nor what headers cannot carry', () => {
    for (const scope of ['a\r\nb', 'a\nb', 'a\0', '\u00fc', '\u2028', '\x7f', '\ud800']) {
      expect(() => insufficientScope('Bearer', [scope], plain), JSON.stringify(scope)).toThrow(
        new TypeError('A challenge holds visible ASCII only'),
      );
    }
  });
});
