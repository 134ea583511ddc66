/** The certificates of the matrix: CAs, what they sign, and what must become of it. */

import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { encodeNameConstraints, type PermittedNames } from '../../src/cli/certs/name-constraints.ts';
import { hour, makeMd5Party, makeParty, type OddRequest, oids, type Party } from './odd-certificates.ts';

export const good = 'spiffe://acme.example/a';
const { digitalSignature, keyAgreement, keyCertSign, keyEncipherment } = x509.KeyUsageFlags;
export const past = new Date(Date.now() - hour);
const constrained = (permitted: PermittedNames) =>
  new x509.Extension('2.5.29.30', true, encodeNameConstraints(permitted));

/** The CAs of this world: what is trusted, by whom it was signed, and what it may do. */
export async function makeWorld() {
  const root = await makeParty({ cn: 'acme root', ca: true });
  const other = await makeParty({ cn: 'other root', ca: true });
  const rsa = await makeParty({ cn: 'RSA root', ca: true, key: 'rsa-2048' });
  const sha1 = await makeParty({ cn: 'SHA-1 root', ca: true, key: 'rsa-2048-sha1' });
  const only = { dns: ['acme.example'], uris: ['acme.example'], addresses: [] };
  const limited = await makeParty({ cn: 'limited', ca: true, issuer: root, extensions: [constrained(only)] });
  const limitedRoot = await makeParty({ cn: 'limited root', ca: true, extensions: [constrained(only)] });
  const flat = await makeParty({ cn: 'pathlen 0', ca: true, issuer: root, pathLength: 0 });
  const below = await makeParty({ cn: 'below pathlen 0', ca: true, issuer: flat });
  const middle = await makeParty({ cn: 'middle', ca: true, issuer: root });
  const mayNotSign = await makeParty({
    cn: 'no certSign',
    ca: true,
    issuer: root,
    keyUsage: digitalSignature,
  });
  const notCa = await makeParty({ cn: 'not a CA', issuer: root });
  const crossed = await makeParty({ cn: 'crossed', ca: true, issuer: other });
  const crossedByRoot = await makeParty({ cn: 'crossed', ca: true, issuer: root, keys: crossed });
  const left = await makeParty({ cn: 'left', ca: true, issuer: other });
  const leftByRoot = await makeParty({
    ...{ cn: 'left', ca: true, issuer: root, keys: left },
    ...{ notBefore: new Date(Date.now() - 3 * hour), notAfter: past },
  });
  const ladder: Party[] = [];
  for (let step = 0; step < 9; step += 1)
    ladder.push(await makeParty({ cn: `step ${step}`, ca: true, issuer: ladder.at(-1) ?? root }));
  return {
    ...{ root, other, rsa, sha1, limited, limitedRoot, flat, below, middle, mayNotSign, notCa, crossed },
    ...{ crossedByRoot, left, leftByRoot, ladder },
  };
}

export type World = Awaited<ReturnType<typeof makeWorld>>;
export type Chain = readonly Pick<Party, 'pem' | 'keyPem' | 'serial'>[];
type Row = readonly [name: string, outcome: string, make: (world: World) => Promise<Chain>];

export const leaf = (request: OddRequest) => async (world: World) => [
  await makeParty({ uris: [good], issuer: world.root, ...request }),
];
const below =
  (pick: (world: World) => Party, request: OddRequest = {}) =>
  async (world: World) => [await makeParty({ uris: [good], issuer: pick(world), ...request })];
export const climbing =
  (steps: number) =>
  async ({ ladder }: World) => [
    await makeParty({ uris: [good], issuer: ladder[steps - 1]! }),
    ...ladder.slice(0, steps).reverse(),
  ];

/**
 * An outcome in capitals is Node's word for why the handshake failed, `UNSPECIFIED` where it has none of its own; in kebab
 * case, the reason of a 401; else, the principal.
 */
export const rows: Readonly<Record<string, readonly Row[]>> = {
  'dates and purposes': [
    ['valid', good, leaf({})],
    ['expired', 'CERT_HAS_EXPIRED', leaf({ notBefore: new Date(Date.now() - 2 * hour), notAfter: past })],
    ['not yet valid', 'CERT_NOT_YET_VALID', leaf({ notBefore: new Date(Date.now() + hour) })],
    ['for servers only', 'INVALID_PURPOSE', leaf({ eku: [oids.serverAuth] })],
    ['for code signing', 'INVALID_PURPOSE', leaf({ eku: [oids.codeSigning] })],
    ['for any purpose', 'INVALID_PURPOSE', leaf({ eku: [oids.any] })],
    ['for servers and clients', good, leaf({ eku: [oids.serverAuth, oids.clientAuth] })],
    ['without extended key usage', good, leaf({ eku: null })],
    ['without key usage', good, leaf({ keyUsage: null })],
    ['key usage for encryption only', 'INVALID_PURPOSE', leaf({ keyUsage: keyEncipherment })],
    ['key usage for key agreement only', 'certificate-usage', leaf({ keyUsage: keyAgreement })],
    [
      'that may sign certificates',
      'certificate-is-authority',
      leaf({ keyUsage: digitalSignature | keyCertSign }),
    ],
    [
      'of a CA',
      'certificate-is-authority',
      leaf({ ca: true, cn: 'ca', keyUsage: digitalSignature | keyCertSign, eku: [oids.clientAuth] }),
    ],
    [
      'with a critical extension that nobody knows',
      'UNSPECIFIED',
      leaf({ extensions: [new x509.Extension('1.2.3.4', true, Uint8Array.from([5, 0]))] }),
    ],
  ],
  'CAs and trust domains': [
    ['of the CA of another domain', 'spiffe-domain-of-another-ca', below(({ other }) => other)],
    [
      'of a domain that is bound to none',
      'spiffe-domain-unknown',
      leaf({ uris: ['spiffe://unlisted.example/a'] }),
    ],
    [
      'of an unknown CA',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      async () => {
        const stranger = await makeParty({ cn: 'stranger', ca: true });
        return [await makeParty({ uris: [good], issuer: stranger })];
      },
    ],
    [
      'of an unknown CA that is sent along',
      'SELF_SIGNED_CERT_IN_CHAIN',
      async () => {
        const stranger = await makeParty({ cn: 'stranger', ca: true });
        return [await makeParty({ uris: [good], issuer: stranger }), stranger];
      },
    ],
    [
      'self-signed',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      async () => [await makeParty({ cn: 'self', uris: [good] })],
    ],
    [
      'of a look-alike CA: same name, another key',
      'CERT_SIGNATURE_FAILURE',
      async (world) => {
        const fake = await makeParty({ cn: 'acme root', ca: true });
        return [await makeParty({ uris: [good], issuer: world.root, signer: fake })];
      },
    ],
    [
      'of a look-alike CA that is sent along',
      'SELF_SIGNED_CERT_IN_CHAIN',
      async () => {
        const fake = await makeParty({ cn: 'acme root', ca: true });
        return [await makeParty({ uris: [good], issuer: fake }), fake];
      },
    ],
    ['the root itself', 'INVALID_PURPOSE', async ({ root }) => [root]],
  ],
  chains: [
    ['below an intermediate in the CA files', good, below(({ middle }) => middle)],
    ['below an intermediate that is only sent, with several roots', 'root-not-certain', climbing(1)],
    [
      'below an intermediate that is missing',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      async ({ ladder }) => [await makeParty({ uris: [good], issuer: ladder[0]! })],
    ],
    [
      'below a CA that may have no CA below it',
      'PATH_LENGTH_EXCEEDED',
      async (world) => [await makeParty({ uris: [good], issuer: world.below }), world.below],
    ],
    [
      'below a certificate that is no CA',
      'UNSPECIFIED',
      async ({ notCa }) => [await makeParty({ uris: [good], issuer: notCa }), notCa],
    ],
    [
      'below a CA that may not sign',
      'UNSPECIFIED',
      async ({ mayNotSign }) => [await makeParty({ uris: [good], issuer: mayNotSign }), mayNotSign],
    ],
    ['below a CA that two roots have signed', 'root-not-certain', below(({ crossed }) => crossed)],
    [
      'below a CA whose certificate of the domain’s root has expired, while another root still signs it',
      'spiffe-domain-of-another-ca',
      below(({ left }) => left),
    ],
    [
      'the same, sent along',
      'spiffe-domain-of-another-ca',
      async ({ left, leftByRoot }) => [await makeParty({ uris: [good], issuer: left }), leftByRoot],
    ],
  ],
  'name constraints': [
    ['kept', good, below(({ limited }) => limited, { dns: ['x.acme.example'] })],
    ['kept, of the root', 'spiffe-domain-of-another-ca', below(({ limitedRoot }) => limitedRoot)],
    ['another URI', 'UNSPECIFIED', below(({ limited }) => limited, { uris: ['spiffe://other.example/a'] })],
    [
      'another URI, of the root',
      'UNSPECIFIED',
      below(({ limitedRoot }) => limitedRoot, { uris: ['spiffe://other.example/a'] }),
    ],
    [
      'a domain below',
      'UNSPECIFIED',
      below(({ limited }) => limited, { uris: ['spiffe://sub.acme.example/a'] }),
    ],
    ['another DNS name', 'UNSPECIFIED', below(({ limited }) => limited, { uris: [], dns: ['evil.example'] })],
    ['one good, one not', 'UNSPECIFIED', below(({ limited }) => limited, { dns: ['evil.example'] })],
    [
      'a host after the permitted one as user',
      'UNSPECIFIED',
      below(({ limited }) => limited, { uris: ['spiffe://acme.example@evil.example/a'] }),
    ],
    [
      'a user before the permitted host',
      'spiffe-invalid',
      below(({ limited }) => limited, { uris: ['spiffe://evil.example@acme.example/a'] }),
    ],
    ['a URI without a host', 'UNSPECIFIED', below(({ limited }) => limited, { uris: ['urn:acme:admin'] })],
    [
      'a common name that is a host',
      'UNSPECIFIED',
      below(({ limited }) => limited, { uris: [], cn: 'evil.example' }),
    ],
    // Constraints do not reach common names that are none: one more reason not to map them.
    ['a common name that is none', 'cn:admin', below(({ limited }) => limited, { uris: [], cn: 'admin' })],
  ],
  names: [
    ['SPIFFE ID before all others', good, leaf({ cn: 'x', dns: ['x.acme.example'] })],
    ['DNS name', 'dns:x.acme.example', leaf({ uris: [], dns: ['X.acme.example'] })],
    ['URI', 'uri:https://acme.example/a', leaf({ uris: ['https://acme.example/a'] })],
    ['common name', 'cn:Bob', leaf({ uris: [], cn: 'Bob' })],
    ['none', 'certificate-name-missing', leaf({ uris: [], extensions: [] })],
    ...[
      `${good}, URI:spiffe://acme.example/admin`,
      `${good}\0`,
      `\0${good}`,
      `${good}\n`,
      `${good}\x7f`,
      `${good}\xe9`,
      `${good} `,
      '',
    ].map(
      (uri): Row => [
        `URI ${JSON.stringify(uri)}`,
        'certificate-name-invalid',
        leaf({ cn: 'x', uris: [uri] }),
      ],
    ),
    ...[
      `${good},URI:spiffe://acme.example/admin`,
      'spiffe://acme.example/%61',
      'spiffe://acme.example/a%2f..%2fadmin',
      'SPIFFE://acme.example/a',
      'Spiffe://acme.example/a',
      'spiffe://ACME.example/a',
      'spiffe://user@acme.example/a',
      'spiffe://acme.example:443/a',
      'spiffe://acme.example/./a',
      'spiffe://acme.example/b/../a',
      'spiffe://acme.example//a',
      'spiffe://acme.example/a/',
      'spiffe://acme.example',
      'spiffe://acme.example/',
      'spiffe:///a',
      'spiffe:acme.example/a',
      'spiffe://acme.example/a?b',
      'spiffe://acme.example/a#b',
      `spiffe://${'a'.repeat(256)}/a`,
    ].map(
      (uri): Row => [
        `URI ${JSON.stringify(uri).slice(0, 60)}`,
        'spiffe-invalid',
        leaf({ cn: 'x', uris: [uri] }),
      ],
    ),
    [
      'SPIFFE ID of 2049 bytes',
      'certificate-name-invalid',
      leaf({ uris: [`spiffe://acme.example/${'a'.repeat(2027)}`] }),
    ],
    ['two SPIFFE IDs', 'spiffe-several', leaf({ uris: [good, 'spiffe://acme.example/admin'] })],
    ['a SPIFFE ID and another URI', 'spiffe-several', leaf({ uris: ['https://acme.example/a', good] })],
    [
      'two DNS names',
      'certificate-name-ambiguous',
      leaf({ uris: [], dns: ['a.acme.example', 'b.acme.example'] }),
    ],
    ['a wildcard', 'certificate-name-invalid', leaf({ uris: [], dns: ['*.acme.example'] })],
    ['64 DNS names beside a SPIFFE ID', good, leaf({ dns: many(64) })],
    ['65 DNS names beside a SPIFFE ID', 'certificate-name-invalid', leaf({ dns: many(65) })],
    ['a common name with a NUL', 'certificate-name-invalid', leaf({ cn: 'Bob\0.evil' })],
    ['a common name that turns the line round', 'certificate-name-invalid', leaf({ cn: 'Bob\u202e' })],
  ],
  'keys and digests': [
    ['RSA of 2048 bits', good, leaf({ key: 'rsa-2048' })],
    ['RSA of 1024 bits', 'UNSPECIFIED', leaf({ key: 'rsa-1024' })],
    ['signed with SHA-1', 'UNSPECIFIED', below(({ sha1 }) => sha1)],
    [
      'signed with MD5',
      'UNSPECIFIED',
      async ({ rsa }) => [await makeMd5Party({ cn: 'x', uri: good, issuer: rsa })],
    ],
  ],
};

function many(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `a${index}.acme.example`);
}
