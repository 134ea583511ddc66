import { describe, expect, test } from 'vitest';
import { readCertificateNames } from '../../src/identity/certificate-names.ts';
import { der } from '../support/certificates.ts';

/** Certificates that no tool would write, put together byte by byte. What is signed is not looked at here. */

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const text = (value: string) => Uint8Array.from(Buffer.from(value, 'latin1'));
const ids = { commonName: '550403', organisation: '55040a' };
const extensionIds = { keyUsage: '551d0f', names: '551d11', constraints: '551d13', purposes: '551d25' };
const purposes = { server: '2b06010505070301', client: '2b06010505070302', any: '551d2500' };

/** One attribute of a subject. */
const attribute = (id: string, ...value: readonly Uint8Array[]) =>
  der(0x31, der(0x30, der(0x06, bytes(id)), ...value));
const named = (name: string, tag = 0x0c) => attribute(ids.commonName, der(tag, Buffer.from(name, 'utf8')));

const extension = (id: string, value: Uint8Array) => der(0x30, der(0x06, bytes(id)), der(0x04, value));
const keyUsage = (bits: string) => extension(extensionIds.keyUsage, der(0x03, bytes(bits)));
const extendedKeyUsage = (...ids: readonly string[]) =>
  extension(extensionIds.purposes, der(0x30, ...ids.map((id) => der(0x06, bytes(id)))));
const constraints = (...parts: readonly Uint8Array[]) =>
  extension(extensionIds.constraints, der(0x30, ...parts));
const alternativeNames = (tag: number, names: readonly string[]) =>
  extension(extensionIds.names, der(0x30, ...names.map((name) => der(tag, text(name)))));

interface Written {
  readonly subject?: readonly Uint8Array[];
  readonly extensions?: readonly Uint8Array[];
  readonly version?: readonly Uint8Array[];
  readonly issuer?: Uint8Array;
  /** Between the key and the extensions. */
  readonly unique?: readonly Uint8Array[];
}

const extensionsOf = (list: readonly Uint8Array[]) => der(0xa3, der(0x30, ...list));

function certificateOf({
  subject = [],
  extensions,
  version = [der(0xa0, der(0x02, bytes('02')))],
  issuer = der(0x30),
  unique = [],
}: Written): Buffer {
  const fields = [
    ...version,
    der(0x02, bytes('01')),
    der(0x30),
    issuer,
    der(0x30),
    der(0x30, ...subject),
    der(0x30),
    ...unique,
    ...(extensions === undefined ? [] : [extensionsOf(extensions)]),
  ];
  return Buffer.from(der(0x30, der(0x30, ...fields), der(0x30), der(0x03, bytes('00'))));
}

const read = (written: Written) => readCertificateNames(certificateOf(written));
const repeat = (count: number, name: string) => Array.from({ length: count }, (_, at) => `${name}${at}`);

const nothing = {
  commonName: undefined,
  uris: [],
  dns: [],
  signsCertificates: false,
  authenticatesClients: true,
};

describe('where names stand', () => {
  test('a certificate that says nothing has none, and is restricted by nothing', () => {
    expect(read({})).toEqual(nothing);
    expect(read({ extensions: [] })).toEqual(nothing);
  });

  test('one of version 1 has its subject one place earlier', () => {
    expect(read({ version: [], subject: [named('etl')] })).toEqual({ ...nothing, commonName: 'etl' });
    expect(read({ subject: [named('etl')] })).toEqual({ ...nothing, commonName: 'etl' });
  });

  test('extensions stand after the key and what may be between, and nowhere else', () => {
    const names = [alternativeNames(0x86, ['spiffe://acme.example/admin'])];
    const unique = [der(0x81, bytes('00ff')), der(0x82, bytes('00ff'))];
    expect(read({ unique, extensions: names })).toEqual({
      ...nothing,
      uris: ['spiffe://acme.example/admin'],
    });
    expect(read({ issuer: extensionsOf(names) })).toEqual(nothing);
    expect(read({ issuer: extensionsOf(names), extensions: [] })).toEqual(nothing);
  });

  test('a mistake of the caller is not taken for one of the certificate', () => {
    expect(() => readCertificateNames(undefined as unknown as Buffer)).toThrow(TypeError);
  });
});

describe('the common name', () => {
  test.each([
    ['UTF-8', 0x0c, 'Ann Bäcker'],
    ['a printable string', 0x13, 'Ann'],
    ['an IA5 string', 0x16, 'ann@acme.example'],
    ['one character', 0x0c, 'a'],
    ['256 characters', 0x0c, 'a'.repeat(256)],
  ])('is read: %s', (_, tag, name) => {
    expect(read({ subject: [named(name, tag)] })?.commonName).toBe(name);
  });

  test('is no other attribute, whatever that holds', () => {
    const organisation = attribute(ids.organisation, der(0x14, text('Acme')));
    expect(read({ subject: [organisation] })).toEqual(nothing);
    expect(read({ subject: [organisation, named('etl')] })?.commonName).toBe('etl');
  });

  test('is none where there are several: nobody can say which one speaks', () => {
    expect(read({ subject: [named('etl'), named('admin')] })).toEqual(nothing);
    expect(read({ subject: [named('etl'), named('etl')] })).toEqual(nothing);
  });

  test.each<[string, readonly Uint8Array[]]>([
    ['a Teletex string', [der(0x14, text('etl'))]],
    ['a BMP string', [der(0x1e, bytes('0065'))]],
    ['a universal string', [der(0x1c, bytes('00000065'))]],
    ['no string', [der(0x02, bytes('01'))]],
    ['no value', []],
    ['bytes that are not UTF-8', [der(0x0c, bytes('65ff'))]],
    ['half a surrogate pair', [der(0x0c, bytes('eda080'))]],
    ['nothing in it', [der(0x0c)]],
    ['a replacement character', [der(0x0c, Buffer.from('a\ufffd'))]],
    ['257 characters', [der(0x0c, text('a'.repeat(257)))]],
  ])('fails the certificate where it has %s', (_, value) => {
    expect(read({ subject: [attribute(ids.commonName, ...value)] })).toBeUndefined();
  });
});

describe('names of hosts and URIs', () => {
  const kinds = [
    ['dns', 0x82],
    ['uris', 0x86],
  ] as const;

  test.each(kinds)('%s: 64 at most', (kind, tag) => {
    const names = repeat(64, 'a');
    expect(read({ extensions: [alternativeNames(tag, names)] })?.[kind]).toEqual(names);
    expect(read({ extensions: [alternativeNames(tag, repeat(65, 'a'))] })).toBeUndefined();
  });

  test.each(kinds)('%s: 2048 characters at most, and one at least', (kind, tag) => {
    for (const name of ['a', 'a'.repeat(2048)]) {
      expect(read({ extensions: [alternativeNames(tag, [name])] })?.[kind]).toEqual([name]);
    }
    for (const name of ['', 'a'.repeat(2049)]) {
      expect(read({ extensions: [alternativeNames(tag, [name])] })).toBeUndefined();
    }
  });

  test.each(kinds)('%s: visible ASCII, from the first to the last', (kind, tag) => {
    expect(read({ extensions: [alternativeNames(tag, ['!~'])] })?.[kind]).toEqual(['!~']);
    for (const name of ['a ', ' a', 'a\x7f', 'a\x80', 'a\0']) {
      expect(read({ extensions: [alternativeNames(tag, [name])] })).toBeUndefined();
    }
  });
});

describe('what the certificate may be used for', () => {
  test.each<[string, readonly Uint8Array[], boolean]>([
    ['a CA', [constraints(der(0x01, bytes('ff')))], true],
    ['a CA with a path length', [constraints(der(0x01, bytes('ff')), der(0x02, bytes('00')))], true],
    ['a CA by a truth that DER does not have', [constraints(der(0x01, bytes('00ff')))], true],
    ['no CA, and says so', [constraints(der(0x01, bytes('00')))], false],
    ['no CA by default', [constraints()], false],
    ['a path length alone', [constraints(der(0x02, bytes('05')))], false],
    ['keyCertSign', [keyUsage('0284')], true],
    ['cRLSign', [keyUsage('0182')], true],
    ['keyAgreement', [keyUsage('0388')], false],
    ['no bits', [keyUsage('00')], false],
  ])('%s signs certificates: %j', (_, extensions, expected) => {
    expect(read({ extensions })?.signsCertificates).toBe(expected);
  });

  test.each<[string, readonly Uint8Array[], boolean]>([
    ['digitalSignature', [keyUsage('0780')], true],
    ['digitalSignature among others', [keyUsage('05a0')], true],
    // Such a key proves nothing in TLS 1.3, and its CA vouched for nothing but that it can decrypt.
    ['keyAgreement alone', [keyUsage('0308')], false],
    ['keyEncipherment alone', [keyUsage('0520')], false],
    ['nonRepudiation alone', [keyUsage('0640')], false],
    ['no bits', [keyUsage('00')], false],
    ['clientAuth', [extendedKeyUsage(purposes.client)], true],
    ['any purpose', [extendedKeyUsage(purposes.any)], true],
    ['clientAuth after serverAuth', [extendedKeyUsage(purposes.server, purposes.client)], true],
    ['serverAuth alone', [extendedKeyUsage(purposes.server)], false],
    ['no purpose at all', [extendedKeyUsage()], false],
    ['clientAuth with a key for agreement', [extendedKeyUsage(purposes.client), keyUsage('0308')], false],
    ['serverAuth with a key that signs', [extendedKeyUsage(purposes.server), keyUsage('0780')], false],
  ])('%s authenticates clients: %j', (_, extensions, expected) => {
    expect(read({ extensions })?.authenticatesClients).toBe(expected);
  });
});
