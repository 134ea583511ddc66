import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createCertificateAuthenticator } from '../../src/identity/certificate.ts';
import { readCertificateNames } from '../../src/identity/certificate-names.ts';
import { type CertificateOptions, certificateOptions } from '../../src/identity/options.ts';
import {
  der,
  type IssuedCertificate,
  makeTestCa,
  type TestCa,
  type TestCertificate,
} from '../support/certificates.ts';
import { evidenceOf, proven } from './support.ts';

let ca: TestCa;
let otherCa: TestCa;

beforeAll(async () => {
  ca = await makeTestCa();
  otherCa = await makeTestCa({ name: 'other CA' });
});

const text = (value: string) => Buffer.from(value, 'latin1');
const hex = (value: string) => Uint8Array.from(Buffer.from(value, 'hex'));
const oids = { san: '2.5.29.17', keyUsage: '2.5.29.15', basicConstraints: '2.5.29.19' };

function ask(
  certificate: Pick<IssuedCertificate, 'raw' | 'fingerprint256'>,
  options: Partial<CertificateOptions> = {},
  anchor = ca,
  time = Date.now(),
) {
  const authenticator = createCertificateAuthenticator(certificateOptions.parse(options), {
    readFile: (path) =>
      ({ 'ca.crt': ca.caPem, 'other.crt': otherCa.caPem, 'both.crt': ca.caPem + otherCa.caPem })[path] ?? '',
  });
  return authenticator.authenticate(
    evidenceOf({ certificate: { ...certificate, anchorFingerprint256: anchor.fingerprint256 }, time }),
  );
}

async function issueAndAsk(request: TestCertificate, options: Partial<CertificateOptions> = {}) {
  const answer = await ask(await ca.issue(request), options);
  return answer.kind === 'proven' ? answer.principalId : answer.kind === 'bad' ? answer.reason : answer.kind;
}

describe('names that become the principal', () => {
  const id = 'spiffe://acme.example/ns/data/sa/etl';
  test.each<[TestCertificate, CertificateOptions['principal'], string]>([
    [{ uris: [id] }, ['spiffe'], id],
    [{ uris: [id], cn: 'etl', san: ['etl.acme.example'] }, ['spiffe'], id],
    [{ uris: [id], cn: 'etl' }, ['cn', 'spiffe'], 'cn:etl'],
    [{ uris: [id] }, ['uri'], id],
    [{ uris: ['https://acme.example/etl'] }, ['spiffe', 'uri'], 'uri:https://acme.example/etl'],
    [{ uris: ['https://acme.example/a#b'] }, ['uri'], 'uri:https://acme.example/a%23b'],
    [{ san: ['ETL.acme.example'] }, ['dns'], 'dns:etl.acme.example'],
    [{ cn: 'Ann Example' }, ['cn'], 'cn:Ann%20Example'],
    [{ cn: 'spiffe://acme.example/admin' }, ['spiffe', 'cn'], 'cn:spiffe://acme.example/admin'],
    [{ cn: 'a + apikey:b' }, ['cn'], 'cn:a%20%2B%20apikey:b'],
    [{ cn: 'x', san: ['a.example', 'b.example'] }, ['dns', 'cn'], 'cn:x'],
    [{ uris: ['https://acme.example/spiffe://b'] }, ['uri'], 'uri:https://acme.example/spiffe://b'],
    [{ uris: [id], eku: [] }, ['spiffe'], id],
    [{ uris: [id], eku: ['serverAuth', 'clientAuth'] }, ['spiffe'], id],
  ])('%j by %j is %s', async (request, principal, expected) => {
    expect(await issueAndAsk(request, { principal })).toBe(expected);
  });
});

describe('certificates that a trusted CA signed and that are bad all the same', () => {
  const good = 'spiffe://acme.example/a';
  test.each<[TestCertificate, CertificateOptions['principal'], string]>([
    [{}, ['spiffe', 'dns', 'uri', 'cn'], 'certificate-name-missing'],
    [
      { cn: 'etl', san: ['etl.example'], uris: ['https://acme.example/'] },
      ['spiffe'],
      'certificate-name-missing',
    ],
    [{ cn: 'x', uris: [good, 'spiffe://acme.example/b'] }, ['spiffe'], 'spiffe-several'],
    [{ cn: 'x', uris: [good, good] }, ['cn'], 'spiffe-several'],
    [{ cn: 'x', uris: ['https://acme.example/', good] }, ['cn', 'uri'], 'spiffe-several'],
    [{ cn: 'x', uris: ['SPIFFE://acme.example/a'] }, ['cn'], 'spiffe-invalid'],
    [{ cn: 'x', uris: ['spiffe://acme.example'] }, ['cn'], 'spiffe-invalid'],
    [{ cn: 'x', uris: ['spiffe://acme.example/a/../b'] }, ['cn'], 'spiffe-invalid'],
    [{ cn: 'x', uris: [`${good}?x`] }, ['cn'], 'spiffe-invalid'],
    [{ uris: [`${good}, URI:spiffe://acme.example/admin`] }, ['spiffe'], 'certificate-name-invalid'],
    [{ uris: [`${good},URI:spiffe://acme.example/admin`] }, ['spiffe'], 'spiffe-invalid'],
    [{ cn: 'x', uris: [`${good}\0.evil.example`] }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'x', uris: [`${good}\n`] }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'x', uris: [`${good}\x7f`] }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'x', uris: [`${good}\xe9`] }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'x', uris: [''] }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'x', san: ['good.example\0.evil.example'] }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'x', san: ['a.example, DNS:b.example'] }, ['cn'], 'certificate-name-invalid'],
    [{ san: ['*.acme.example'] }, ['dns'], 'certificate-name-invalid'],
    [{ san: ['a.example,b.example'] }, ['dns'], 'certificate-name-invalid'],
    [{ san: ['a.example', 'b.example'] }, ['dns'], 'certificate-name-ambiguous'],
    [{ uris: ['https://a.example/', 'https://b.example/'] }, ['spiffe', 'uri'], 'certificate-name-ambiguous'],
    [{ uris: ['no-scheme'] }, ['uri'], 'certificate-name-invalid'],
    [{ uris: ['/no:scheme'] }, ['uri'], 'certificate-name-invalid'],
    [{ cn: 'a\0b' }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'a\nb' }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'a\u202eb' }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'a\u200bb' }, ['cn'], 'certificate-name-invalid'],
    [{ cn: 'a\u2028b' }, ['cn'], 'certificate-name-invalid'],
    [{ uris: [good], eku: ['serverAuth'] }, ['spiffe'], 'certificate-usage'],
  ])('%j by %j: %s', async (request, principal, reason) => {
    expect(await issueAndAsk(request, { principal })).toBe(reason);
  });

  test('too many names', async () => {
    const san = Array.from({ length: 65 }, (_, index) => `a${index}.example`);
    expect(await issueAndAsk({ cn: 'x', san }, { principal: ['cn'] })).toBe('certificate-name-invalid');
  });

  test('a CA, or a leaf that may sign', async () => {
    const rawExtensions = [
      { oid: oids.basicConstraints, critical: true, value: hex('30030101ff') },
      { oid: oids.keyUsage, critical: true, value: hex('03020204') },
      { oid: oids.keyUsage, critical: true, value: hex('03020102') },
    ];
    for (const extension of rawExtensions) {
      const reason = await issueAndAsk({ uris: [good], rawExtensions: [extension] });
      expect(reason).toBe('certificate-is-authority');
    }
  });

  test('two extensions of the same kind: two readers could each believe another one', async () => {
    const san = (uri: string) => ({ oid: oids.san, critical: false, value: der(0x30, der(0x86, text(uri))) });
    const rawExtensions = [san(good), san('spiffe://acme.example/admin')];
    expect(await issueAndAsk({ rawExtensions })).toBe('certificate-name-invalid');
  });

  test.each([
    ['bytes after the names', Uint8Array.from([...der(0x30, der(0x86, text(good))), 0x05, 0x00])],
    [
      'a length in a longer form',
      Uint8Array.from([0x30, 0x81, good.length + 2, 0x86, good.length, ...text(good)]),
    ],
    ['a set instead of a sequence', der(0x31, der(0x86, text(good)))],
    ['nothing', new Uint8Array()],
  ])('a subjectAltName that is not exact DER: %s', async (_, value) => {
    const rawExtensions = [{ oid: oids.san, critical: false, value }];
    expect(await issueAndAsk({ cn: 'x', rawExtensions }, { principal: ['cn'] })).toBe(
      'certificate-name-invalid',
    );
  });
});

test('a name with a comma stays one name', async () => {
  const { raw } = await ca.issue({
    uris: ['https://a.example/,URI:spiffe://acme.example/admin'],
    san: ['a.example,DNS:b'],
  });
  expect(readCertificateNames(raw)).toMatchObject({
    uris: ['https://a.example/,URI:spiffe://acme.example/admin'],
    dns: ['a.example,dns:b'],
  });
});

test('names of other kinds are not taken for names of hosts or URIs', async () => {
  const value = der(0x30, der(0x81, text('root@acme.example')), der(0x87, Uint8Array.from([127, 0, 0, 1])));
  const { raw } = await ca.issue({ cn: 'x', rawExtensions: [{ oid: oids.san, critical: false, value }] });
  expect(readCertificateNames(raw)).toMatchObject({ commonName: 'x', uris: [], dns: [] });
});

test('bytes that are no certificate have no names', () => {
  for (const raw of [
    Buffer.alloc(0),
    Buffer.from('3000', 'hex'),
    Buffer.from('30023000', 'hex'),
    Buffer.alloc(100, 0x30),
  ]) {
    expect(readCertificateNames(raw)).toBeUndefined();
  }
});

describe('which CA may vouch for which trust domain', () => {
  const trust = [
    { domain: 'acme.example', ca: 'ca.crt' },
    { domain: 'other.example', ca: 'other.crt' },
    { domain: 'shared.example', ca: 'both.crt' },
  ];
  test.each<[string, 'ca' | 'other', string]>([
    ['spiffe://acme.example/a', 'ca', 'proven'],
    ['spiffe://acme.example/a', 'other', 'spiffe-domain-of-another-ca'],
    ['spiffe://other.example/a', 'other', 'proven'],
    ['spiffe://other.example/a', 'ca', 'spiffe-domain-of-another-ca'],
    ['spiffe://shared.example/a', 'ca', 'proven'],
    ['spiffe://shared.example/a', 'other', 'proven'],
    ['spiffe://unlisted.example/a', 'ca', 'spiffe-domain-unknown'],
    ['spiffe://sub.acme.example/a', 'ca', 'spiffe-domain-unknown'],
  ])('%s from %s: %s', async (uri, anchor, expected) => {
    const issuer = anchor === 'ca' ? ca : otherCa;
    // By common name too: policy matches the URIs of the certificate, whatever names the principal.
    for (const principal of [['spiffe'], ['cn']] as const) {
      const answer = await ask(
        await issuer.issue({ uris: [uri], cn: 'x' }),
        { principal: [...principal], trust },
        issuer,
      );
      expect(answer.kind === 'bad' ? answer.reason : answer.kind).toBe(expected);
    }
  });

  test('the same leaf under another anchor is judged anew', async () => {
    const leaf = await ca.issue({ uris: ['spiffe://acme.example/a'] });
    const authenticator = createCertificateAuthenticator(certificateOptions.parse({ trust: [trust[0]] }), {
      readFile: () => ca.caPem,
    });
    const from = (anchor: TestCa) =>
      authenticator.authenticate(
        evidenceOf({ certificate: { ...leaf, anchorFingerprint256: anchor.fingerprint256 } }),
      );
    expect(from(ca)).toMatchObject({ kind: 'proven' });
    expect(from(otherCa)).toEqual({ kind: 'bad', reason: 'spiffe-domain-of-another-ca' });
  });

  test('reload reads the CA files again and forgets what they said before', async () => {
    let file = ca.caPem;
    const leaf = await ca.issue({ uris: ['spiffe://acme.example/a'] });
    const authenticator = createCertificateAuthenticator(certificateOptions.parse({ trust: [trust[0]] }), {
      readFile: () => file,
    });
    const answer = () =>
      authenticator.authenticate(
        evidenceOf({ certificate: { ...leaf, anchorFingerprint256: ca.fingerprint256 } }),
      );
    expect(answer()).toMatchObject({ kind: 'proven' });
    file = otherCa.caPem;
    await authenticator.reload?.();
    expect(answer()).toEqual({ kind: 'bad', reason: 'spiffe-domain-of-another-ca' });
    file = 'not a certificate';
    await expect(authenticator.reload?.()).rejects.toThrow('ca.crt: holds no certificate');
  });

  test('a CA file without a certificate stops the start', () => {
    const options = certificateOptions.parse({ trust: [trust[0]] });
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(() => createCertificateAuthenticator(options, { readFile: () => '' })).toThrow(
      'ca.crt: holds no certificate',
    );
    const cut = ca.caPem + ca.caPem.slice(0, -30);
    expect(() => createCertificateAuthenticator(options, { readFile: () => cut })).toThrow(
      'ca.crt: a PEM block in it is not whole',
    );
    expect(() => createCertificateAuthenticator(options, { readFile: () => broken })).toThrow(
      expect.objectContaining({
        message: 'ca.crt: holds a certificate that cannot be read',
        cause: expect.objectContaining({ code: expect.stringContaining('ASN1') }),
      }),
    );
  });

  test('the CA files are read from the disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'anchors-'));
    try {
      const file = join(folder, 'ca.crt');
      writeFileSync(file, ca.caPem);
      const authenticator = createCertificateAuthenticator(
        certificateOptions.parse({ trust: [{ domain: 'acme.example', ca: file }] }),
      );
      const leaf = await ca.issue({ uris: ['spiffe://acme.example/a'] });
      const certificate = { ...leaf, anchorFingerprint256: ca.fingerprint256 };
      expect(authenticator.authenticate(evidenceOf({ certificate }))).toMatchObject({ kind: 'proven' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the dates of a certificate are looked at each time', () => {
  test('a connection does not outlive its certificate', async () => {
    const notBefore = new Date('2030-01-01T00:00:00Z');
    const notAfter = new Date('2030-01-02T00:00:00Z');
    const longCa = await makeTestCa({ notBefore: new Date('2029-01-01'), notAfter: new Date('2031-01-01') });
    const leaf = await longCa.issue({ uris: ['spiffe://acme.example/a'], notBefore, notAfter });
    const authenticator = createCertificateAuthenticator(certificateOptions.parse({}));
    const at = (time: number) =>
      authenticator.authenticate(
        evidenceOf({ certificate: { ...leaf, anchorFingerprint256: longCa.fingerprint256 }, time }),
      );
    expect(at(notBefore.getTime())).toMatchObject({
      kind: 'proven',
      credential: { expiresAt: notAfter.getTime() + 1000 },
    });
    expect(at(notBefore.getTime() - 1)).toEqual({ kind: 'bad', reason: 'certificate-not-yet-valid' });
    expect(at(notAfter.getTime() + 999)).toMatchObject({ kind: 'proven' });
    expect(at(notAfter.getTime() + 1000)).toEqual({ kind: 'bad', reason: 'certificate-expired' });
  });
});

test('the credential says what policy may match', async () => {
  const leaf = await ca.issue({ uris: ['spiffe://acme.example/a'], cn: 'x', san: ['a.example'] });
  expect(proven(ask(leaf)).credential).toEqual({
    kind: 'certificate',
    fingerprint256: createHash('sha256').update(leaf.raw).digest('hex'),
    serial: leaf.serial.toLowerCase(),
    commonName: 'x',
    uris: ['spiffe://acme.example/a'],
    dns: ['a.example'],
    anchorFingerprint256: ca.fingerprint256,
    expiresAt: expect.any(Number),
  });
});

test('the same certificate gives the same answer object', async () => {
  const leaf = await ca.issue({ uris: ['spiffe://acme.example/a'] });
  const authenticator = createCertificateAuthenticator(certificateOptions.parse({}));
  const evidence = evidenceOf({ certificate: { ...leaf, anchorFingerprint256: ca.fingerprint256 } });
  expect(authenticator.authenticate(evidence)).toBe(authenticator.authenticate(evidence));
});

test('without a client certificate it is not responsible', () => {
  const authenticator = createCertificateAuthenticator(certificateOptions.parse({}));
  expect(authenticator.authenticate(evidenceOf({}))).toEqual({ kind: 'not-mine' });
  expect(authenticator.authenticate(evidenceOf({ plain: true }))).toEqual({ kind: 'not-mine' });
});
