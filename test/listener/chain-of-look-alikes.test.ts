import 'reflect-metadata';
import { type webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findChain, isStillTrusted } from '../../src/listener/client-chain.ts';
import { certificateNumber, isRevoked, readRevocations, subjectOf } from '../../src/listener/crl.ts';
import { makeTestCa } from '../support/certificates.ts';
import { post } from '../support/raw-client.ts';
import { answerOk, ping, startListener, testFolder } from './support.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

interface Party {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

const makeKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
const day = 86_400_000;

async function make(request: {
  readonly name: string;
  readonly issuer?: Party;
  readonly keys?: webcrypto.CryptoKeyPair;
  /** Signs in place of the issuer. */
  readonly signer?: webcrypto.CryptoKeyPair;
  readonly ca?: boolean;
  readonly notAfter?: Date;
}): Promise<Party> {
  const keys = request.keys ?? (await makeKeys());
  const issuer = request.issuer ?? { certificate: undefined, keys };
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${request.name}`,
    issuer: issuer.certificate?.subjectName ?? `CN=${request.name}`,
    notBefore: new Date(Date.now() - day),
    notAfter: request.notAfter ?? new Date(Date.now() + day),
    publicKey: keys.publicKey,
    signingKey: (request.signer ?? issuer.keys).privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(request.ca === true, undefined, true),
      ...(request.ca === true
        ? [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)]
        : [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
    ],
  });
  return { certificate, keys };
}

const pem = (party: Party) => `${party.certificate.toString('pem')}\n`;
const parsed = (party: Party) => new X509Certificate(pem(party));
const fingerprint = (party: Party) => parsed(party).fingerprint256.replaceAll(':', '').toLowerCase();

async function keyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/(.{64})/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
}

async function startTrusting(authorities: readonly Party[]) {
  const ca = await makeTestCa();
  const server = await ca.issue({ san: ['127.0.0.1'], eku: ['serverAuth'] });
  const folder = await testFolder({
    'tls.crt': server.certPem,
    'tls.key': server.keyPem,
    'ca.crt': authorities.map(pem).join(''),
  });
  const listener = await startListener(
    {
      tls: {
        certificate: `${folder}/tls.crt`,
        key: `${folder}/tls.key`,
        clients: { ca: `${folder}/ca.crt` },
      },
    },
    answerOk,
  );
  const ask = async (leaf: Party, sent: readonly Party[]) => {
    const tls = { ca: ca.caPem, cert: [leaf, ...sent].map(pem).join(''), key: await keyPem(leaf.keys) };
    return (await post(listener.mcp, ping, { tls })).status;
  };
  return { listener, ask, server };
}

describe('the root of a client certificate', () => {
  it('is found through intermediates, sent or configured', async () => {
    const root = await make({ name: 'root', ca: true });
    const other = await make({ name: 'other root', ca: true });
    const upper = await make({ name: 'upper', issuer: root, ca: true });
    const lower = await make({ name: 'lower', issuer: upper, ca: true });
    const leaf = await make({ name: 'leaf', issuer: lower });

    const onlyRoot = await startTrusting([root]);
    expect(await onlyRoot.ask(leaf, [lower, upper])).toBe(200);
    const configured = await startTrusting([upper, lower, root, other]);
    expect(await configured.ask(leaf, [])).toBe(200);
    // Depends on the release of Node, but is never the wrong root.
    const sent = await startTrusting([other, root]);
    expect([200, 401]).toContain(await sent.ask(leaf, [lower, upper]));
    for (const { arrivals } of [onlyRoot.listener, configured.listener, sent.listener]) {
      for (const { peer } of arrivals) {
        expect(peer.tls?.certificate?.anchorFingerprint256).toBe(fingerprint(root));
      }
    }
    for (const { refusals } of [sent.listener]) {
      for (const { cause } of refusals)
        expect(cause).toMatchObject({
          code: 'root-not-certain',
          message: expect.stringContaining('add the intermediates to the CA files'),
        });
    }
  });

  it('is not the one that a look-alike of the intermediate claims', async () => {
    // Whoever runs root A wants to pass for a client of root B, whose certificate is public.
    const rootA = await make({ name: 'root A', ca: true });
    const rootB = await make({ name: 'root B', ca: true });
    const middle = await make({ name: 'middle', issuer: rootA, ca: true });
    const leaf = await make({ name: 'leaf', issuer: middle });
    const lookAlikes = await Promise.all(
      [undefined, middle.keys].map((keys) =>
        // Expired, so that OpenSSL prefers the real one; named first, so that others find it first.
        make({
          name: 'middle',
          issuer: rootB,
          ca: true,
          signer: middle.keys,
          ...(keys && { keys }),
          notAfter: new Date(Date.now() - 1000),
        }),
      ),
    );
    const sendings = lookAlikes.flatMap((fake) => [
      [fake, middle],
      [middle, fake],
      [fake, middle, rootB],
      [fake, rootB, middle, rootA],
      [rootB, fake, middle],
      [fake],
    ]);
    const { listener, ask } = await startTrusting([rootB, rootA, middle]);
    const trust = { roots: [rootB, rootA].map(parsed), intermediates: [], revocations: new Map() };
    let found = 0;
    for (const sent of sendings) {
      expect([200, 401, 'closed']).toContain(await ask(leaf, sent).catch(() => 'closed'));
      const chain = findChain(parsed(leaf), sent.map(parsed), trust);
      if (chain === undefined) continue;
      found += 1;
      expect(chain.anchor.raw).toEqual(parsed(rootA).raw);
    }
    expect(found).toBeGreaterThan(0);
    expect(listener.arrivals.length).toBeGreaterThan(0);
    for (const { peer } of listener.arrivals) {
      expect(peer.tls?.certificate?.anchorFingerprint256).toBe(fingerprint(rootA));
    }
  });

  it('must have signed, not only be named', async () => {
    const root = await make({ name: 'root', ca: true });
    const forged = await make({ name: 'leaf', issuer: root, signer: await makeKeys() });
    const honest = await make({ name: 'leaf', issuer: root });
    const notCa = await make({ name: 'not a CA', issuer: root });
    const below = await make({ name: 'below', issuer: notCa });
    const other = await make({ name: 'other root', ca: true });
    const trust = {
      roots: [root, other].map(parsed),
      intermediates: [parsed(notCa)],
      revocations: new Map(),
    };
    expect(findChain(parsed(honest), [], trust)?.anchor.raw).toEqual(parsed(root).raw);
    expect(findChain(parsed(forged), [], trust)).toBeUndefined();
    expect(findChain(parsed(below), [], trust)).toBeUndefined();
  });
});

describe('revocation lists', () => {
  it('say which certificates are revoked, by issuer and serial', async () => {
    const ca = await makeTestCa({ name: 'one' });
    const other = await makeTestCa({ name: 'two' });
    const [revoked, kept] = [await ca.issue(), await ca.issue()];
    const toDer = (text: string) => Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64');
    const revocations = readRevocations([
      toDer(await ca.crl([revoked.serial])),
      toDer(await other.crl([kept.serial])),
      toDer(await other.crl()),
    ]);
    expect(isRevoked(certificateNumber(revoked.raw), revocations)).toBe(true);
    // Another issuer's list does not speak about it, whatever its serial.
    expect(isRevoked(certificateNumber(kept.raw), revocations)).toBe(false);
    expect([...revocations.keys()].sort()).toEqual(
      [ca, other].map(({ caPem }) => subjectOf(new X509Certificate(caPem).raw)).sort(),
    );
  });

  it('take every certificate of the chain into account', async () => {
    const root = await make({ name: 'root', ca: true });
    const middle = await make({ name: 'middle', issuer: root, ca: true });
    const leaf = await make({ name: 'leaf', issuer: middle });
    const trust = { roots: [parsed(root)], intermediates: [parsed(middle)], revocations: new Map() };
    const chain = findChain(parsed(leaf), [], trust)!;
    expect(isStillTrusted(chain, trust)).toBe(true);
    for (const party of [leaf, middle]) {
      const { issuer, serial } = certificateNumber(parsed(party).raw);
      expect(isStillTrusted(chain, { ...trust, revocations: new Map([[issuer, new Set([serial])]]) })).toBe(
        false,
      );
    }
    expect(isStillTrusted(chain, { ...trust, roots: [] })).toBe(false);
    // An intermediate that nobody saw may be the one that is revoked.
    const unseen = findChain(parsed(leaf), [], { ...trust, intermediates: [] })!;
    expect(unseen).toMatchObject({ complete: false, anchor: { raw: parsed(root).raw } });
    expect(isStillTrusted(unseen, trust)).toBe(true);
    expect(isStillTrusted(unseen, { ...trust, revocations: new Map([['00', new Set()]]) })).toBe(false);
  });

  it('that are not DER fail, and never crash', async () => {
    const list = Buffer.from(
      (await (await makeTestCa()).crl(['01'])).replace(/-----[^-]+-----/g, ''),
      'base64',
    );
    fc.assert(
      fc.property(fc.nat(list.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const bytes = Buffer.from(cut ? list.subarray(0, at) : list);
        if (!cut) bytes[at] = value;
        try {
          readRevocations([bytes]);
        } catch (error) {
          expect((error as Error).name).toBe('DerError');
        }
      }),
      { numRuns: 500 },
    );
  });
});
