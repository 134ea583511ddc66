import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordedSubject } from '../../src/cli/recorded-subject.ts';
import { readSubject } from '../../src/cli/subject.ts';
import {
  anonymousId,
  apiKeyId,
  certificateId,
  joinIds,
  spiffeId,
  tokenId,
} from '../../src/identity/principal-id.ts';
import type { SubjectCredential } from '../../src/policy/access-request.ts';

const certificate = {
  kind: 'certificate' as const,
  fingerprint256: '',
  commonName: undefined,
  uris: [] as string[],
  dns: [] as string[],
};

/** Everything that somebody may be called, separators of ids and their escapes among it. */
const name = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(
        ' + ',
        '+',
        '#',
        '%',
        '%41',
        ':',
        'token:',
        'spiffe://',
        'a',
        'B',
        ' ',
        '\u2028',
        '\ufffd',
      ),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 8,
  })
  .filter((text) => text.isWellFormed());

const one: fc.Arbitrary<{ id: string; credential: SubjectCredential }> = fc.oneof(
  fc.constantFrom('spiffe://a', 'spiffe://a/b', 'spiffe://a.b-c/D_e').map((id) => ({
    id: spiffeId(id),
    credential: { ...certificate, uris: [id] },
  })),
  name.map((text) => ({ id: certificateId('uri', text), credential: { ...certificate, uris: [text] } })),
  name.map((text) => ({ id: certificateId('dns', text), credential: { ...certificate, dns: [text] } })),
  name.map((text) => ({ id: certificateId('cn', text), credential: { ...certificate, commonName: text } })),
  name.map((text) => ({ id: apiKeyId(text), credential: { kind: 'apiKey' as const, name: text } })),
  name.map((text) => ({ id: anonymousId(text), credential: { kind: 'anonymous' as const } })),
  fc.tuple(name, name).map(([issuer, subject]) => ({
    id: tokenId(issuer, subject),
    credential: {
      kind: 'token' as const,
      issuer,
      subject,
      scopes: [],
      claims: { iss: issuer, sub: subject },
    },
  })),
);

describe('the caller of a record', () => {
  it('is the one whose id was written, whatever anybody is called', () => {
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), (parts) => {
        const id = joinIds(parts.map((part) => part.id));
        expect(recordedSubject(id)).toEqual({ id, credentials: parts.map(({ credential }) => credential) });
      }),
    );
  });

  it('is the same as on a command line', () => {
    for (const [as, id] of [
      ['dns:a.b', 'dns:a.b'],
      ['cn:a b', 'cn:a%20b'],
      ['api-key:k', 'apikey:k'],
      ['apikey:k', 'apikey:k'],
      ['token:https://i#s', 'token:https://i#s'],
      ['spiffe://a/b', 'spiffe://a/b'],
      ['anonymous', 'anonymous'],
    ] as const) {
      expect(recordedSubject(id)).toEqual(readSubject(as));
    }
  });

  it('has an id that is spelt in one way only, or is nobody', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          name,
          one.map(({ id }) => id),
          fc.tuple(one, name).map(([{ id }, text]) => id + text),
        ),
        (id) => {
          const subject = recordedSubject(id);
          if (subject === undefined) return;
          expect(subject.id).toBe(id);
          expect(subject.credentials).toHaveLength(id.split(' + ').length);
        },
      ),
    );
  });

  it.each([
    ['of bytes that are no text', 'apikey:%FF'],
    ['of an escape that was not needed', 'apikey:%61dmin'],
    ['of an escape in lower case', 'cn:a%2b'],
    ['of a space', 'cn:a b'],
    ['of a newline', 'apikey:a\nb'],
    ['of a separator too many', 'token:https://i#a#b'],
    ['without a subject', 'token:https://i#'],
    ['without an issuer', 'token:#s'],
    ['without a name', 'apikey:'],
    ['of a SPIFFE ID that is none', 'spiffe://A/b'],
    ['of a SPIFFE ID with a newline', 'spiffe://a/b\nspiffe://a/c'],
    ['of an anonymous one in another spelling', 'anonymous:anonymous'],
    ['of a kind that does not exist', 'constructor:x'],
    ['that was cut', 'token:https://i#somebod[truncated]'],
    ['that was cut in its first part', 'cn:a[truncated] + apikey:k'],
    ['with an empty part', 'apikey:k + '],
    ['of nothing', ''],
  ])('is nobody for an id %s', (_what, id) => {
    expect(recordedSubject(id)).toBeUndefined();
  });
});
