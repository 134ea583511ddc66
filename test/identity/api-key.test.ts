import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createApiKey, createApiKeyAuthenticator, hashApiKey } from '../../src/identity/api-key.ts';
import { apiKeysOptions } from '../../src/identity/options.ts';
import { evidenceOf } from './support.ts';

const options = apiKeysOptions.parse({ file: 'keys.yaml' });
const expiry = '2030-01-01T00:00:00Z';
const first = createApiKey('nightly-report');
const second = createApiKey('nightly-report');
const expiring = createApiKey('guest');

const fileOf = (...entries: object[]) => JSON.stringify({ keys: entries });
const file = fileOf(first.entry, second.entry, { ...expiring.entry, expiresAt: expiry });

function authenticatorOf(readFile = () => file) {
  return createApiKeyAuthenticator(options, { readFile });
}

const ask = (apiKey: string, time = 0) => authenticatorOf().authenticate(evidenceOf({ apiKey, time }));

describe('a new key', () => {
  test('has 256 random bits, a public prefix, and an entry that holds its hash alone', () => {
    expect(first.key).toMatch(/^spk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/);
    expect(first.entry).toEqual({
      name: 'nightly-report',
      prefix: first.key.slice(4, 12),
      hash: hashApiKey(first.key),
    });
    expect(first.entry.hash).toBe(`sha256:${createHash('sha256').update(first.key).digest('hex')}`);
    expect(second.key.slice(-43)).not.toBe(first.key.slice(-43));
  });

  test('is another one each time, under its name', () => {
    const keys = Array.from({ length: 20 }, () => createApiKey('a.b-c_1'));
    expect(new Set(keys.map(({ key }) => key)).size).toBe(20);
    for (const { key, entry } of keys) {
      expect(key).toMatch(/^spk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/);
      expect(entry).toEqual({ name: 'a.b-c_1', prefix: key.slice(4, 12), hash: hashApiKey(key) });
    }
  });

  test.each(['', ' ', 'a b', 'a#b', 'a\0', '-a', '.a', 'é', 'a'.repeat(129)])(
    'is not made for the name %j',
    (name) => {
      expect(() => createApiKey(name)).toThrow(
        new TypeError(`Not a name for an API key: ${JSON.stringify(name)}`),
      );
    },
  );
});

describe('keys that are good', () => {
  test('give their name, and two may share one while one replaces the other', () => {
    for (const { key, entry } of [first, second]) {
      expect(ask(key)).toEqual({
        kind: 'proven',
        principalId: 'apikey:nightly-report',
        credential: {
          kind: 'apiKey',
          name: 'nightly-report',
          prefix: entry.prefix,
          roles: [],
          expiresAt: undefined,
        },
      });
    }
  });

  test('until they expire', () => {
    const end = Date.parse(expiry);
    expect(ask(expiring.key, end - 1)).toMatchObject({ kind: 'proven', credential: { expiresAt: end } });
    expect(ask(expiring.key, end)).toEqual({ kind: 'bad', reason: 'api-key-expired' });
  });

  test('give the same answer object each time', () => {
    const authenticator = authenticatorOf();
    const evidence = evidenceOf({ apiKey: first.key });
    expect(authenticator.authenticate(evidence)).toBe(authenticator.authenticate(evidence));
  });

  test('no header is not its business', () => {
    expect(authenticatorOf().authenticate(evidenceOf({}))).toEqual({ kind: 'not-mine' });
  });
});

describe('keys that are bad', () => {
  const swap = (text: string, at: number) =>
    text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
  test.each<[string, string, string]>([
    ['empty', '', 'api-key-malformed'],
    ['the prefix alone', first.key.slice(0, 12), 'api-key-malformed'],
    ['the hash', first.entry.hash, 'api-key-malformed'],
    ['a space before it', ` ${first.key}`, 'api-key-malformed'],
    ['a line break after it', `${first.key}\n`, 'api-key-malformed'],
    ['two keys', `${first.key}, ${second.key}`, 'api-key-malformed'],
    ['a scheme before it', `Bearer ${first.key}`, 'api-key-malformed'],
    ['cut short', first.key.slice(0, -1), 'api-key-malformed'],
    ['one character more', `${first.key}A`, 'api-key-malformed'],
    ['upper case', first.key.toUpperCase(), 'api-key-malformed'],
    ['the prefix of the prototype', `spk___proto___${'A'.repeat(43)}`, 'api-key-malformed'],
    ['a megabyte', `spk_${'a'.repeat(1_000_000)}`, 'api-key-malformed'],
    ['an unknown prefix', `spk_zzzzzzzz_${first.key.slice(13)}`, 'api-key-unknown'],
    ['another key’s secret', first.key.slice(0, 13) + second.key.slice(13), 'api-key-unknown'],
    ['the first character of the secret changed', swap(first.key, 13), 'api-key-unknown'],
    ['the last character of the secret changed', swap(first.key, 55), 'api-key-unknown'],
    [
      'an unexpired key’s prefix and an expired one’s secret',
      first.key.slice(0, 13) + expiring.key.slice(13),
      'api-key-unknown',
    ],
  ])('%s', (_, key, reason) => {
    expect(ask(key, Date.parse(expiry))).toEqual({ kind: 'bad', reason });
  });
});

describe('files that stop the start', () => {
  const { entry } = first;

  test('say all that is wrong with them, each with its place', () => {
    const text = `keys:
  - ${JSON.stringify(entry)}
  - ${JSON.stringify({ ...entry, name: 'other' })}
  - ${JSON.stringify({ ...second.entry, name: 'a b' })}
`;
    expect(() => authenticatorOf(() => text)).toThrow(
      /^keys\.yaml:4:\d+: keys\[2\]\.name: Letters, digits[^\n]*$/m,
    );
    const twice = `keys:\n  - ${JSON.stringify(entry)}\n  - ${JSON.stringify({ ...entry, name: 'other' })}\n`;
    expect(() => authenticatorOf(() => twice)).toThrow(
      /^keys\.yaml:3:\d+: keys\[1\]\.prefix: Another key has this prefix$/,
    );
    const several = fileOf({ ...entry, name: 'a b' }, { ...second.entry, prefix: 'x' });
    expect(() => authenticatorOf(() => several)).toThrow(/^keys\.yaml:[^\n]+\nkeys\.yaml:[^\n]+$/);
  });

  test.each<[string, string, RegExp]>([
    ['two keys with one prefix', fileOf(entry, { ...entry, name: 'other' }), /Another key has this prefix/],
    ['a name that needs escaping', fileOf({ ...entry, name: 'a#b' }), /Letters, digits/],
    ['a key instead of its hash', fileOf({ ...entry, hash: first.key }), /sha256: and 64 hex digits/],
    [
      'a hash in upper case',
      fileOf({ ...entry, hash: entry.hash.toUpperCase() }),
      /sha256: and 64 hex digits/,
    ],
    [
      'another hash function',
      fileOf({ ...entry, hash: `md5:${'0'.repeat(32)}` }),
      /sha256: and 64 hex digits/,
    ],
    ['a prefix that is too short', fileOf({ ...entry, prefix: 'abc' }), /eight characters/],
    ['a date without a zone', fileOf({ ...entry, expiresAt: '2030-01-01T00:00:00' }), /expiresAt/],
    ['a date that is none', fileOf({ ...entry, expiresAt: 'soon' }), /expiresAt/],
    ['an unknown member', fileOf({ ...entry, expires: expiry }), /expires/],
    ['no keys', '{}', /keys/],
    ['no YAML', '{', /keys\.yaml:1/],
  ])('%s', (_, text, message) => {
    expect(() => authenticatorOf(() => text)).toThrow(message);
  });
});

describe('reload', () => {
  test('takes the new keys and forgets the old ones', async () => {
    let text = fileOf(first.entry);
    const authenticator = authenticatorOf(() => text);
    text = fileOf(second.entry);
    expect(authenticator.authenticate(evidenceOf({ apiKey: second.key }))).toEqual({
      kind: 'bad',
      reason: 'api-key-unknown',
    });
    await authenticator.reload?.();
    expect(authenticator.authenticate(evidenceOf({ apiKey: second.key }))).toMatchObject({ kind: 'proven' });
    expect(authenticator.authenticate(evidenceOf({ apiKey: first.key }))).toEqual({
      kind: 'bad',
      reason: 'api-key-unknown',
    });
  });

  test('the file is read from the disk', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keys-'));
    try {
      const path = join(folder, 'keys.yaml');
      writeFileSync(path, file);
      const authenticator = createApiKeyAuthenticator(apiKeysOptions.parse({ file: path }));
      expect(authenticator.authenticate(evidenceOf({ apiKey: first.key }))).toMatchObject({ kind: 'proven' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('tells of keys that came with it, and of no credential that is not its own', async () => {
    let text = fileOf(first.entry);
    const authenticator = authenticatorOf(() => text);
    text = fileOf(first.entry, { ...second.entry, expiresAt: expiry });
    await authenticator.reload?.();
    const answer = authenticator.authenticate(evidenceOf({ apiKey: second.key, time: 0 }));
    if (answer instanceof Promise || answer.kind !== 'proven') throw new Error('not proven');
    const standing = { kind: 'good', expiresAt: Date.parse(expiry) };
    expect(authenticator.recheck?.(answer.credential)).toEqual(standing);
    const unknown = { kind: 'bad', reason: 'api-key-unknown' };
    // It says the same, but nobody proved it here.
    expect(authenticator.recheck?.({ ...answer.credential })).toEqual(unknown);
    expect(authenticator.recheck?.({ kind: 'anonymous' })).toEqual(unknown);
  });

  test('keeps what it had when the file is wrong or gone', async () => {
    let read = () => fileOf(first.entry);
    const authenticator = authenticatorOf(() => read());
    for (const broken of [
      () => '{}',
      () => {
        throw new Error('gone');
      },
    ]) {
      read = broken;
      await expect(authenticator.reload?.()).rejects.toThrow();
      expect(authenticator.authenticate(evidenceOf({ apiKey: first.key }))).toMatchObject({ kind: 'proven' });
    }
  });
});
