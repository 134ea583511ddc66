import { describe, expect, it } from 'vitest';
import { crossChecks, insecureWarnings } from '../../src/config/checks.ts';
import { fileReferences, withAbsoluteFiles } from '../../src/config/files.ts';
import { type GatewayFile, gatewayFileSchema } from '../../src/config/schema.ts';

const assertions = { issuer: 'https://gate.example', keys: ['one.pem', 'two.pem'] };
const client = { issuer: 'https://as.example', clientId: 'gw' };

function file(http: object, more: object = {}): GatewayFile {
  return gatewayFileSchema.parse({
    version: 1,
    listeners: [{ bind: '127.0.0.1:0' }],
    insecure: { anonymous: 'tester' },
    upstreams: [{ name: 'up', path: '/up/mcp', http: { url: 'https://up.example/mcp', ...http } }],
    audit: { file: 'audit.jsonl' },
    ...more,
  });
}

const findings = (given: GatewayFile): readonly string[] =>
  crossChecks(given).map(({ at, message }) => `${at.join('.')}: ${message}`);

describe('credentials of upstreams in the gateway file', () => {
  it('need a key to sign assertions with', () => {
    const http = { assertion: { audience: 'up' } };
    expect(findings(file(http))).toEqual([
      'upstreams.0.http.assertion: needs a key to sign with: give assertions.keys and assertions.issuer',
    ]);
    expect(findings(file(http, { assertions }))).toEqual([]);
  });

  it('need callers with tokens where there is nothing else to exchange', () => {
    const tokenExchange = { ...client, secret: 's', scope: ['read'] };
    expect(findings(file({ credential: { tokenExchange } }))).toEqual([
      'upstreams.0.http.credential.tokenExchange: identity has no token entry, so no caller has a token to exchange',
    ]);
    const falling = { ...tokenExchange, onMissing: 'clientCredentials' };
    expect(findings(file({ credential: { tokenExchange: falling } }))).toEqual([]);
    const identity = [{ token: { issuer: 'https://as.example', audience: 'a', keys: 'jwks' } }];
    expect(findings(file({ credential: { tokenExchange } }, { identity }))).toEqual([]);
  });

  const secrets: readonly (readonly [object, string, string])[] = [
    [{ credential: { clientCredentials: { ...client, secret: 's' } } }, 'clientCredentials.secret', 's'],
    [
      { credential: { clientCredentials: { ...client, privateKey: 'k' } } },
      'clientCredentials.privateKey',
      'k',
    ],
    [
      { credential: { tokenExchange: { ...client, secret: 's', scope: ['r'] } } },
      'tokenExchange.secret',
      's',
    ],
    [
      { credential: { tokenExchange: { ...client, privateKey: 'k', scope: ['r'] } } },
      'tokenExchange.privateKey',
      'k',
    ],
  ];
  for (const [http, at, name] of secrets) {
    it(`are secret files, found beside the gateway file and watched (${at})`, () => {
      const absolute = withAbsoluteFiles(file(http), '/etc/sallyport');
      expect(fileReferences(absolute)).toContainEqual({
        at: ['upstreams', 0, 'http', 'credential', ...at.split('.')],
        file: `/etc/sallyport/${name}`,
        group: 'credentials',
        nature: 'secret',
      });
    });
  }

  it('are signed with secret files, found beside the gateway file and watched', () => {
    const absolute = withAbsoluteFiles(file({}, { assertions }), '/etc/sallyport');
    expect(fileReferences(absolute).filter(({ at }) => at[0] === 'assertions')).toEqual(
      ['one.pem', 'two.pem'].map((name, index) => ({
        at: ['assertions', 'keys', index],
        file: `/etc/sallyport/${name}`,
        group: 'keys',
        nature: 'secret',
      })),
    );
  });

  it('warn where others on the network can read them', () => {
    const clear = {
      url: 'http://up.internal/mcp',
      credential: {
        clientCredentials: { clientId: 'gw', secret: 's', tokenEndpoint: 'http://as.internal/token' },
      },
      assertion: { audience: 'up' },
    };
    expect(
      insecureWarnings(file(clear, { assertions })).filter((text) => text.startsWith('upstreams')),
    ).toEqual([
      'upstreams: the credential for "up" travels over plain HTTP',
      'upstreams: identity assertions for "up" travel over plain HTTP',
      'upstreams: tokens for "up" are asked for over plain HTTP',
    ]);
    const near = {
      url: 'http://127.0.0.1:3001/mcp',
      credential: {
        clientCredentials: { clientId: 'gw', secret: 's', tokenEndpoint: 'http://127.0.0.1/token' },
      },
      assertion: { audience: 'up' },
    };
    expect(
      insecureWarnings(file(near, { assertions })).filter((text) => text.startsWith('upstreams')),
    ).toEqual([]);
  });
});
