import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normaliseFingerprint, normaliseSerial } from '../../src/identity/certificate-forms.ts';
import type { Credential } from '../../src/identity/principal.ts';
import { mostRevocations, parseRevocations, revocationFile } from '../../src/identity/revocation-list.ts';
import { createRevocations } from '../../src/identity/revocations.ts';
import { makeTestCa } from '../support/certificates.ts';

const issuer = 'https://idp.example';
const time = '2026-01-31T12:00:00Z';
const hex64 = 'ab0'.repeat(21).padEnd(64, 'c');
const other64 = 'd'.repeat(64);

const listOf = (file: object) => {
  const parsed = parseRevocations({ file: 'revoked.yaml', text: JSON.stringify(file) }, [issuer]);
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '));
  return parsed.list;
};
const problemsOf = (text: string): readonly string[] => {
  const parsed = parseRevocations({ file: 'revoked.yaml', text }, [issuer]);
  return parsed.ok
    ? []
    : parsed.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
};

const token = (more: Partial<Extract<Credential, { kind: 'token' }>> = {}): Credential => ({
  kind: 'token',
  issuer,
  subject: 'alice',
  scopes: [],
  claims: { iat: Date.parse(time) / 1000 },
  tokenId: 'jti-1',
  clientId: undefined,
  bound: undefined,
  expiresAt: 0,
  ...more,
});
const certificate = (more: Partial<Extract<Credential, { kind: 'certificate' }>> = {}): Credential => ({
  kind: 'certificate',
  fingerprint256: hex64,
  serial: '0a1b2c',
  commonName: undefined,
  uris: [],
  dns: [],
  anchorFingerprint256: other64,
  expiresAt: 0,
  ...more,
});
const apiKey = (name: string, prefix: string): Credential => ({
  kind: 'apiKey',
  name,
  prefix,
  roles: [],
  expiresAt: undefined,
});

describe('a list', () => {
  test('revokes a token by its id, and by nothing that is nearly it', () => {
    const list = listOf({ tokens: [{ issuer, id: 'jti-1' }] });
    expect(list.find(token())).toBe('tokens');
    for (const near of [
      token({ tokenId: 'jti-2' }),
      token({ tokenId: 'JTI-1' }),
      token({ tokenId: undefined }),
      token({ issuer: `${issuer}/` }),
    ]) {
      expect(list.find(near)).toBeUndefined();
    }
  });

  test('revokes all tokens of a subject, or those issued before a time', () => {
    const at = Date.parse(time) / 1000;
    expect(listOf({ subjects: [{ issuer, subject: 'alice' }] }).find(token())).toBe('subjects');
    const list = listOf({ subjects: [{ issuer, subject: 'alice', issuedBefore: time }] });
    expect(list.find(token({ claims: { iat: at - 1 } }))).toBe('subjects');
    expect(list.find(token({ claims: { iat: at } }))).toBeUndefined();
    expect(list.find(token({ subject: 'alice2', claims: { iat: at - 1 } }))).toBeUndefined();
    // Who does not say when cannot say later.
    for (const claims of [{}, { iat: '9999999999' }, { iat: null }]) {
      expect(list.find(token({ claims }))).toBe('subjects');
    }
    const both = {
      subjects: [
        { issuer, subject: 'alice' },
        { issuer, subject: 'alice', issuedBefore: time },
      ],
    };
    expect(listOf(both).find(token({ claims: { iat: at + 1e6 } }))).toBe('subjects');
    expect(listOf({ subjects: [...both.subjects].reverse() }).find(token({ claims: { iat: at } }))).toBe(
      'subjects',
    );
  });

  test('revokes API keys by name, by prefix, or by both together', () => {
    const named = listOf({ apiKeys: [{ name: 'report' }] });
    expect(named.find(apiKey('report', 'aaaaaaaa'))).toBe('apiKeys');
    expect(named.find(apiKey('aaaaaaaa', 'report'))).toBeUndefined();
    for (const prefix of ['abcd1234', 'ABCD1234', 'spk_abcd1234', 'SPK_Abcd1234']) {
      const list = listOf({ apiKeys: [{ prefix }] });
      expect(list.find(apiKey('any', 'abcd1234'))).toBe('apiKeys');
      expect(list.find(apiKey('any', 'abcd1235'))).toBeUndefined();
    }
    const both = listOf({ apiKeys: [{ name: 'report', prefix: 'abcd1234' }] });
    expect(both.find(apiKey('report', 'abcd1234'))).toBe('apiKeys');
    expect(both.find(apiKey('report', 'abcd1235'))).toBeUndefined();
    expect(both.find(apiKey('other', 'abcd1234'))).toBeUndefined();
  });

  test('revokes certificates by fingerprint, by serial under every root, and under one', () => {
    expect(listOf({ certificates: [{ fingerprint: hex64 }] }).find(certificate())).toBe('certificates');
    expect(listOf({ certificates: [{ fingerprint: other64 }] }).find(certificate())).toBe('certificates');
    expect(listOf({ certificates: [{ fingerprint: 'e'.repeat(64) }] }).find(certificate())).toBeUndefined();
    expect(listOf({ certificates: [{ serial: 'A1B2C' }] }).find(certificate())).toBe('certificates');
    expect(listOf({ certificates: [{ serial: 'A1B2C', ca: other64 }] }).find(certificate())).toBe(
      'certificates',
    );
    expect(listOf({ certificates: [{ serial: 'A1B2C', ca: hex64 }] }).find(certificate())).toBeUndefined();
    expect(listOf({ certificates: [{ serial: 'A1B2' }] }).find(certificate())).toBeUndefined();
  });

  test('that is empty revokes nobody, and nobody revokes the anonymous', () => {
    for (const credential of [
      token(),
      certificate(),
      apiKey('a', 'aaaaaaaa'),
      { kind: 'anonymous' } as const,
    ]) {
      expect(listOf({}).find(credential)).toBeUndefined();
    }
  });

  test('counts entries after their `until` as before it, and says how many those are', () => {
    const list = listOf({
      tokens: [{ issuer, id: 'jti-1', until: '2020-01-01T00:00:00Z', reason: 'laptop lost', at: time }],
      apiKeys: [{ name: 'a', until: '2999-01-01T00:00:00Z' }],
    });
    expect(list.find(token())).toBe('tokens');
    expect(list.overdue(Date.parse(time))).toBe(1);
    expect(list.overdue(Date.parse('2019-12-31T23:59:59.999Z'))).toBe(0);
    expect(list.overdue(Date.parse('2020-01-01T00:00:00Z'))).toBe(1);
    expect(list.overdue(Date.parse('3000-01-01T00:00:00Z'))).toBe(2);
    expect(listOf({ version: 1, tokens: [{ issuer, id: 'jti-1' }] }).overdue(Date.parse(time))).toBe(0);
    expect(list.counts).toEqual({ tokens: 1, subjects: 0, apiKeys: 1, certificates: 0 });
  });

  test('may name somebody with a space inside', () => {
    const list = listOf({ subjects: [{ issuer, subject: 'alice  b smith' }] });
    expect(list.find(token({ subject: 'alice  b smith' }))).toBe('subjects');
  });

  test('warns of an issuer that no token entry has, with its place', () => {
    const good = { tokens: [{ issuer, id: '1' }], subjects: [{ issuer, subject: 'a' }] };
    const none = parseRevocations({ file: 'revoked.yaml', text: JSON.stringify(good) }, ['x', issuer]);
    expect(none.ok && none.warnings).toEqual([]);
    for (const wrong of [`${issuer}/`, 'HTTPS://idp.example', 'https://idp.example:443']) {
      const text = `tokens:\n  - issuer: ${wrong}\n    id: "1"\nsubjects:\n  - { issuer: "${wrong}", subject: a }\n`;
      const parsed = parseRevocations({ file: 'revoked.yaml', text }, [issuer]);
      const message = 'no token entry of identity has this issuer: this revokes nothing';
      expect(parsed.ok && parsed.warnings.map((warning) => warning.message)).toEqual([message, message]);
      expect(parsed.ok && parsed.warnings.map(({ line, path }) => [line, path])).toEqual([
        [2, 'tokens[0].issuer'],
        [5, 'subjects[0].issuer'],
      ]);
    }
  });
});

describe('what would be silently useless is refused with its place', () => {
  const inQuotes = 'expected text: put it in quotes, since YAML reads bare digits as a number';
  const serial = 'expected a serial number: at most 40 hex digits, with or without colons';
  const fingerprint = 'expected a SHA-256 fingerprint: 64 hex digits, with or without colons';
  test.each([
    ['certificates: [{ serial: 1234 }]', inQuotes],
    ['certificates: [{ serial: 0x1F }]', inQuotes],
    ['certificates: [{ serial: 12e5 }]', inQuotes],
    ['certificates: [{ serial: 0123 }]', inQuotes],
    ['certificates: [{ serial: true }]', inQuotes],
    ['certificates: [{ serial: "" }]', serial],
    ['certificates: [{ serial: "0x" }]', serial],
    ['certificates: [{ serial: " 1f" }]', serial],
    ['certificates: [{ serial: "1f " }]', serial],
    ['certificates: [{ serial: "1f\\n" }]', serial],
    ['certificates: [{ serial: "1:2:3" }]', serial],
    ['certificates: [{ serial: "1f::2e" }]', serial],
    ['certificates: [{ serial: "1f:2e-3d" }]', serial],
    ['certificates: [{ serial: "1g" }]', serial],
    ['certificates: [{ serial: "１f" }]', serial],
    ['certificates: [{ serial: "\\u200e1f" }]', serial],
    ['certificates: [{ serial: "аb" }]', serial],
    [`certificates: [{ serial: ${hex64} }]`, serial],
    [`certificates: [{ fingerprint: ${hex64.slice(1)} }]`, fingerprint],
    [`certificates: [{ fingerprint: ${hex64.slice(24)} }]`, fingerprint],
    [`certificates: [{ fingerprint: "${'１'.repeat(64)}" }]`, fingerprint],
    [`certificates: [{ fingerprint: "\\u200e${hex64}" }]`, fingerprint],
    [`certificates: [{ fingerprint: "sha256:${hex64}" }]`, fingerprint],
    ['certificates: [{ reason: lost }]', 'give either fingerprint or serial'],
    [`certificates: [{ fingerprint: ${hex64}, serial: "1f" }]`, 'give either fingerprint or serial'],
    [`certificates: [{ fingerprint: ${hex64}, ca: ${hex64} }]`, 'ca goes with serial'],
    [`tokens: [{ issuer: ${issuer}, id: 17 }]`, inQuotes],
    [`tokens: [{ issuer: ${issuer}, id: 1e3 }]`, inQuotes],
    [`tokens: [{ issuer: ${issuer}, id: " a" }]`, 'begins or ends with a space'],
    [`tokens: [{ issuer: ${issuer}, id: "a\\u00a0" }]`, 'begins or ends with a space'],
    [`tokens: [{ issuer: "${issuer}\\u0000x", id: a }]`, 'holds a control character'],
    [`subjects: [{ issuer: ${issuer}, subject: 4711 }]`, inQuotes],
    [
      `subjects: [{ issuer: ${issuer}, subject: alice, issuedBefore: 2026-01-31 }]`,
      'expected a time such as 2026-01-31T12:00:00Z',
    ],
    ['apiKeys: [{}]', 'give name, prefix or both'],
    ['apiKeys: [{ prefix: 12345678 }]', inQuotes],
    ['apiKeys: [{ prefix: "abcd123" }]', 'expected the eight characters after spk_, never the whole key'],
    [
      `apiKeys: [{ prefix: "spk_abcd1234_${'A'.repeat(43)}" }]`,
      'expected the eight characters after spk_, never the whole key',
    ],
    ['apiKeys: [{ name: "a b" }]', 'not a name of an API key'],
  ])('%s', (text, message) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^1:\d+ /);
    expect(problems[0]).toContain(message);
    // Perhaps a key that somebody pasted.
    expect(problems[0]).not.toContain('AAAA');
  });

  test('and so are unknown keys, nothing at all, and more than there is room for', () => {
    expect(problemsOf('certificats: []')[0]).toContain('certificates');
    expect(problemsOf('tokens: [{ issuer: a, jti: b }]')).not.toEqual([]);
    expect(problemsOf('')).not.toEqual([]);
    const entries = Array.from({ length: mostRevocations / 2 }, () => ({ name: 'a' }));
    const certificates = [...entries.map(() => ({ serial: '1' })), { serial: '2' }];
    expect(problemsOf(JSON.stringify({ apiKeys: entries, certificates }))).toEqual([
      `1:1 : more than ${mostRevocations} entries`,
    ]);
  });
});

test('what there is room for is counted over all kinds together', () => {
  const entries = {
    tokens: { issuer, id: '1' },
    subjects: { issuer, subject: 'a' },
    apiKeys: { name: 'a' },
    certificates: { serial: '1' },
  };
  const quarters = Object.fromEntries(
    Object.entries(entries).map(([kind, entry]) => [kind, Array(mostRevocations / 4).fill(entry)]),
  );
  expect(revocationFile.safeParse(quarters).success).toBe(true);
  for (const [kind, entry] of Object.entries(entries)) {
    const more = { ...quarters, [kind]: [...quarters[kind]!, entry] };
    const parsed = revocationFile.safeParse(more);
    expect(parsed.error?.issues.map(({ message }) => message)).toEqual([
      `more than ${mostRevocations} entries`,
    ]);
  }
});

describe('a spelling', () => {
  test.each([
    // A number below zero is against RFC 5280, and issued all the same.
    ['-1A', '-1a'],
    ['-00:1a', '-1a'],
    ['-0x1a', '-1a'],
    ['-0', '0'],
    ['0', '0'],
    ['00:00', '0'],
    ['f'.repeat(40), 'f'.repeat(40)],
    [`00${'f'.repeat(40)}`, 'f'.repeat(40)],
    [`-${'f'.repeat(40)}`, `-${'f'.repeat(40)}`],
    ['f'.repeat(41), undefined],
    ['1a-', undefined],
    ['--1a', undefined],
    ['-', undefined],
    ['', undefined],
  ])('of a serial number: %j is %j', (text, expected) => {
    expect(normaliseSerial(text)).toBe(expected);
  });

  test('of a number below zero revokes that number, and not the one above', () => {
    const list = listOf({ certificates: [{ serial: '-1A' }] });
    expect(list.find(certificate({ serial: '-1a' }))).toBe('certificates');
    expect(list.find(certificate({ serial: '1a' }))).toBeUndefined();
    expect(listOf({ certificates: [{ serial: '1A' }] }).find(certificate({ serial: '-1A' }))).toBeUndefined();
  });

  const octets = fc.uint8Array({ minLength: 1, maxLength: 20 });
  const plain = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const spellings = (hex: string): readonly string[] => {
    const pairs = hex.match(/../g)!;
    const stripped = hex.replace(/^0+(?=.)/, '');
    const separated = [':', ' ', '-'].map((separator) => pairs.join(separator));
    const all = [
      hex,
      stripped,
      `0${stripped}`,
      `0x${hex}`,
      ...separated,
      stripped.length % 2
        ? `${stripped[0]}${pairs
            .slice(-((stripped.length - 1) / 2) || pairs.length)
            .map((pair) => `:${pair}`)
            .join('')}`
        : hex,
    ];
    return all.flatMap((text) => [text, text.toUpperCase().replace('0X', '0x'), text.toUpperCase()]);
  };

  test('of a serial number is found, however it is written, and no other number is', () => {
    fc.assert(
      fc.property(octets, octets, (bytes, others) => {
        const hex = plain(bytes);
        const same = BigInt(`0x${hex}`) === BigInt(`0x${plain(others)}`);
        for (const serial of spellings(hex)) {
          const list = listOf({ certificates: [{ serial }] });
          // Node writes capital letters, and an even number of digits.
          for (const held of [hex, hex.toUpperCase(), hex.replace(/^0+(?=.)/, '')]) {
            expect(list.find(certificate({ serial: held }))).toBe('certificates');
          }
          expect(list.find(certificate({ serial: plain(others) }))).toBe(same ? 'certificates' : undefined);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('of a fingerprint is found, however it is written, and no other one is', () => {
    const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(digest, fc.nat(255), (bytes, bit) => {
        const hex = plain(bytes);
        const nearly = Buffer.from(bytes);
        nearly[bit >> 3]! ^= 1 << (bit & 7);
        const pairs = hex.match(/../g)!;
        for (const fingerprint of [
          hex,
          hex.toUpperCase(),
          `0x${hex}`,
          pairs.join(':').toUpperCase(),
          pairs.join(' '),
        ]) {
          const list = listOf({ certificates: [{ fingerprint }] });
          expect(list.find(certificate({ fingerprint256: hex }))).toBe('certificates');
          expect(list.find(certificate({ fingerprint256: plain(nearly) }))).toBeUndefined();
        }
      }),
      { numRuns: 60 },
    );
  });

  test('of either is refused or exact, whatever the text', () => {
    const alphabet = fc.constantFrom(...'0123456789abcdefABCDEFxX:- gG１а\u200e\n');
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 70 }), (text) => {
        const serial = normaliseSerial(text);
        const digits = text.replace(/^(-?)0x/i, '$1').replace(/(?!^)[: -]/g, '');
        if (serial !== undefined) {
          expect(digits).toMatch(/^-?[0-9a-f]+$/i);
          const value = (hex: string) => BigInt(`0x${hex.replace('-', '')}`);
          expect(value(serial)).toBe(value(digits));
        }
        const fingerprint = normaliseFingerprint(text);
        if (fingerprint !== undefined) expect(fingerprint).toBe(digits.toLowerCase());
      }),
    );
  });
});

describe('the list in force', () => {
  const options = { file: 'revoked.yaml' };

  test('is read at start, and a missing or broken file stops the start', () => {
    expect(() => createRevocations(options, { readFile: () => 'tokens: [{}]' })).toThrow(/revoked\.yaml:1:/);
    expect(() => createRevocations({ file: '/nowhere/revoked.yaml' })).toThrow(/ENOENT/);
  });

  test('stays as it was where the file breaks, and follows it where it does not', async () => {
    let text = 'apiKeys: [{ name: a }]';
    const revocations = createRevocations(options, { readFile: () => text });
    for (const broken of ['apiKeys: [{ name: b }', 'apiKeys: [{ nam: b }]', '']) {
      text = broken;
      await expect(revocations.reload()).rejects.toThrow(/revoked\.yaml:1:/);
      expect(revocations.isRevoked(apiKey('a', 'aaaaaaaa'))).toBe('apiKeys');
    }
    text = 'apiKeys: [{ name: b }]';
    await revocations.reload();
    expect(revocations.isRevoked(apiKey('a', 'aaaaaaaa'))).toBeUndefined();
    expect(revocations.isRevoked(apiKey('b', 'aaaaaaaa'))).toBe('apiKeys');
    expect(revocations.counts().apiKeys).toBe(1);
  });

  test('is read from the disk, and tells what is wrong with it, all at once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'revoked-'));
    try {
      const file = join(folder, 'revoked.yaml');
      writeFileSync(file, 'apiKeys: [{ name: a }]');
      const revocations = createRevocations({ file });
      expect(revocations.isRevoked(apiKey('a', 'aaaaaaaa'))).toBe('apiKeys');
      writeFileSync(file, 'tokens: [{}]\napiKeys: [{}]\n');
      await expect(revocations.reload()).rejects.toThrow(/revoked\.yaml:1:.*\n(.*\n)*.*revoked\.yaml:2:/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('says which of its entries may go, and which can have no effect', () => {
    const text = JSON.stringify({ tokens: [{ issuer, id: '1', until: time }] });
    const revocations = createRevocations(options, { readFile: () => text, issuers: [issuer] });
    expect(revocations.overdue(Date.parse(time) - 1)).toBe(0);
    expect(revocations.overdue(Date.parse(time))).toBe(1);
    expect(revocations.warnings()).toEqual([]);
    const nobodys = createRevocations(options, { readFile: () => text });
    expect(nobodys.warnings()).toHaveLength(1);
    expect(createRevocations(undefined).warnings()).toEqual([]);
  });

  test('is empty where none is configured', async () => {
    const revocations = createRevocations(undefined);
    await revocations.reload();
    expect(revocations.isRevoked(token())).toBeUndefined();
    expect(revocations.counts()).toEqual({ tokens: 0, subjects: 0, apiKeys: 0, certificates: 0 });
  });

  test('finds a real certificate by what openssl prints of it', async () => {
    const ca = await makeTestCa();
    const leaf = await ca.issue({ uris: ['spiffe://test.local/a'] });
    const stranger = await ca.issue({ uris: ['spiffe://test.local/a'] });
    const peer = (issued: typeof leaf) => ({
      raw: issued.raw,
      fingerprint256: issued.fingerprint256,
      anchorFingerprint256: ca.fingerprint256,
    });
    const pairs = leaf.serial.match(/../g)!.join(':');
    for (const entry of [
      { serial: leaf.serial },
      { serial: pairs.toLowerCase(), ca: ca.fingerprint256.toUpperCase() },
      { fingerprint: leaf.fingerprint256 },
    ]) {
      const text = JSON.stringify({ certificates: [entry] });
      const revocations = createRevocations(options, { readFile: () => text });
      expect(revocations.isCertificateRevoked(peer(leaf))).toBe(true);
      expect(revocations.isCertificateRevoked(peer(stranger))).toBe(false);
    }
  });
});
