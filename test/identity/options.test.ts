import { describe, expect, test } from 'vitest';
import { apiKeysOptions, authenticatorsOptions } from '../../src/identity/options.ts';
import { isPublicUrl, isScope, resourceOptions } from '../../src/identity/resource-options.ts';

/** What is said of options that stop the start: each row breaks one rule, and is told of that rule alone. */

const issuer = 'https://idp.example';
const token = { issuer, audience: 'a', keys: 'f' };
const introspection = { endpoint: 'https://idp.example/ask', clientId: 'c', secret: 'f' };
const entryOf = (more: object) => [{ token: { ...token, ...more } }];

function problemsOf(value: unknown): readonly string[] {
  const parsed = authenticatorsOptions.safeParse(value);
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('identity', () => {
  const apart = 'Give only one of jwks, keys and discovery';
  const periods = 'cooldown, refreshInterval and maxStale must not be shorter, each than the one before';
  const jwks = 'https://idp.example/jwks';
  test.each<[string, unknown, string]>([
    [
      'a kind of name twice',
      [{ certificate: { principal: ['cn', 'cn'] } }],
      '0.certificate.principal: Name each kind once',
    ],
    ['keys and jwks', entryOf({ jwks }), `0.token: ${apart}`],
    ['keys and discovery', entryOf({ discovery: true }), `0.token: ${apart}`],
    ['jwks and discovery', entryOf({ keys: undefined, jwks, discovery: true }), `0.token: ${apart}`],
    [
      'no source of keys',
      entryOf({ keys: undefined }),
      '0.token: Give one of jwks, keys, discovery and introspection',
    ],
    [
      'metadata of no URL',
      entryOf({ keys: undefined, issuer: 'idp', discovery: true }),
      '0.token: discovery needs an issuer that is an https URL without query, or http on a loopback host',
    ],
    [
      'questions to nobody',
      entryOf({ introspection: { ...introspection, endpoint: undefined } }),
      '0.token: introspection needs an endpoint, or discovery that finds it',
    ],
    [
      'proofs that nobody checks',
      entryOf({ requireBinding: ['certificate', 'dpop'] }),
      '0.token: requireBinding names dpop, but no proof is checked: configure dpop',
    ],
    [
      'a binding twice',
      entryOf({ requireBinding: ['certificate', 'certificate'] }),
      '0.token.requireBinding: Name each kind once',
    ],
    ['a cool-down beyond the interval', entryOf({ cooldown: '11m' }), `0.token: ${periods}`],
    ['an interval beyond the end', entryOf({ refreshInterval: '13h' }), `0.token: ${periods}`],
    [
      'a secret and a key',
      entryOf({ introspection: { ...introspection, privateKey: 'k' } }),
      '0.token.introspection: Give either secret or privateKey',
    ],
    [
      'neither a secret nor a key',
      entryOf({ introspection: { ...introspection, secret: undefined } }),
      '0.token.introspection: Give either secret or privateKey',
    ],
    [
      'the id of a key that is not there',
      entryOf({ introspection: { ...introspection, keyId: 'k' } }),
      '0.token.introspection: keyId is the name of a privateKey',
    ],
    [
      'an entry of two kinds',
      [{ certificate: {}, token }],
      '0: Give exactly one of certificate, token, apiKeys',
    ],
    ['an entry of no kind', [{}], '0: Give exactly one of certificate, token, apiKeys'],
    ['two certificate entries', [{ certificate: {} }, { certificate: {} }], '1: Only one certificate entry'],
    [
      'two API key entries',
      [{ apiKeys: { file: 'a' } }, { certificate: {} }, { apiKeys: { file: 'b' } }],
      '2: Only one apiKeys entry',
    ],
    [
      'two entries for one issuer',
      [{ token }, { token: { ...token, audience: 'b' } }],
      '1: Another entry has this issuer',
    ],
    [
      'a header with a meaning of its own',
      [{ apiKeys: { file: 'f', header: 'X-Real-IP' } }],
      '0.apiKeys.header: Not a header that may carry an API key',
    ],
    [
      'a trust domain that is none',
      [{ certificate: { trust: [{ domain: 'ACME', ca: 'f' }] } }],
      '0.certificate.trust.0.domain: Not a SPIFFE trust domain: lower-case letters, digits, . _ -',
    ],
  ])('%s', (_, value, problem) => {
    expect(problemsOf(value)).toEqual([problem]);
  });

  test.each<[string, unknown]>([
    ['each kind of name', [{ certificate: { principal: ['spiffe', 'dns', 'uri', 'cn'] } }]],
    ['keys alone', entryOf({})],
    ['keys of an issuer whose name is no URL', entryOf({ issuer: 'idp' })],
    ['jwks alone', entryOf({ keys: undefined, jwks })],
    ['metadata alone', entryOf({ keys: undefined, discovery: true })],
    ['questions alone', entryOf({ keys: undefined, introspection })],
    [
      'questions where the metadata says',
      [{ token: { issuer, discovery: true, introspection: { ...introspection, endpoint: undefined } } }],
    ],
    [
      'a key with an id',
      entryOf({
        introspection: { ...introspection, secret: undefined, privateKey: 'k', keyId: 'i' },
      }),
    ],
    ['certificates alone as binding', entryOf({ requireBinding: ['certificate'] })],
    ['proofs that are checked', entryOf({ requireBinding: ['certificate', 'dpop'], dpop: {} })],
    ['periods of the same length', entryOf({ cooldown: '1h', refreshInterval: '1h', maxStale: '1h' })],
    ['several issuers', [{ token }, { token: { ...token, issuer: `${issuer}/` } }]],
    ['a kind beside one that is given as nothing', [{ certificate: undefined, token }]],
    ['an entry of each kind', [{ certificate: {} }, { token }, { apiKeys: { file: 'f' } }]],
  ])('takes %s', (_, value) => {
    expect(problemsOf(value)).toEqual([]);
  });

  test('the header of API keys is compared in lower case', () => {
    for (const header of ['X-Team-Key', 'x-team-key', 'ApiKey', 'API-KEY', `x-${'a'.repeat(60)}`]) {
      expect(apiKeysOptions.parse({ file: 'f', header }).header).toBe(header.toLowerCase());
    }
    for (const header of [
      'x-',
      `x-${'a'.repeat(61)}`,
      'my-x-key',
      'api--key',
      'apikeys',
      'x-forwarded-for',
      'x-forwarded-',
      'x-real-ip',
      'x-key ',
      'x-key:',
      'key',
    ]) {
      expect(apiKeysOptions.safeParse({ file: 'f', header }).success, header).toBe(false);
    }
    // Others that only look like those of proxies.
    for (const header of ['x-forwarded', 'x-x-forwarded-for', 'x-real-ip2', 'x-x-real-ip']) {
      expect(apiKeysOptions.safeParse({ file: 'f', header }).success, header).toBe(true);
    }
  });
});

describe('authorization of a route', () => {
  const resource = 'https://mcp.example/warehouse/mcp';
  const publicUrl =
    'Must be an https URL (http on a loopback host only) in normal form, without query and fragment';
  test.each<[object, string]>([
    [{ resource: 'http://mcp.example' }, `resource: ${publicUrl}`],
    [{ audiences: ['a', 'a'] }, 'audiences: Name each audience once'],
    [{ servers: ['a', 'a'] }, 'servers: Name each issuer once'],
    [{ scopes: ['a', 'a'] }, 'scopes: Name each scope once'],
    [{ scopes: ['a b'] }, 'scopes.0: Not a scope: visible ASCII without space, quote and backslash'],
    [
      { scopes: ['a', 'offline_access'] },
      'scopes: offline_access is between a client and its authorization server, and no scope of a resource',
    ],
    [{ documentation: 'http://docs.example' }, 'documentation: Must be an https URL'],
    [{ documentation: 'docs' }, 'documentation: Must be an https URL'],
  ])('%j', (more, problem) => {
    const parsed = resourceOptions.safeParse({ resource, ...more });
    const problems = parsed.success
      ? []
      : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    expect(problems).toEqual([problem]);
  });

  test('may name all of it', () => {
    const all = {
      resource,
      audiences: ['a', 'b'],
      servers: ['a', 'b'],
      scopes: ['a', 'offline'],
      name: 'Warehouse',
      documentation: 'https://docs.example',
    };
    expect(resourceOptions.parse(all)).toEqual(all);
  });

  test('its URL has 2048 characters at most', () => {
    const url = (length: number) => `${resource}/`.padEnd(length, 'x');
    expect(isPublicUrl(url(2048))).toBe(true);
    expect(isPublicUrl(url(2049))).toBe(false);
  });

  test('its URL may be a bare origin, with its slash or without', () => {
    for (const url of ['https://mcp.example', 'https://mcp.example/', 'http://127.10.200.255:3000']) {
      expect(isPublicUrl(url), url).toBe(true);
    }
    for (const url of [
      'http://127.0.0.1.example',
      'http://a127.0.0.1',
      'http://[::2]',
      'http://a.localhost',
    ]) {
      expect(isPublicUrl(url), url).toBe(false);
    }
    for (const url of ['https://mcp.example?', 'https://user@mcp.example/', 'https://:secret@mcp.example/']) {
      expect(isPublicUrl(url), url).toBe(false);
    }
  });

  test('a scope has 256 characters at most, and one at least', () => {
    expect(isScope('a'.repeat(256))).toBe(true);
    expect(isScope('!#[]~')).toBe(true);
    for (const text of ['', 'a'.repeat(257), 'a b', 'a"', 'a\\', 'ä', 'a\n', '\na']) {
      expect(isScope(text), JSON.stringify(text)).toBe(false);
    }
  });
});
