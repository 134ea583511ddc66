import { describe, expect, test } from 'vitest';
import { crossChecks } from '../../src/config/checks.ts';
import { gatewayFileSchema } from '../../src/config/schema.ts';

const issuer = 'https://idp.example';

interface Sections {
  readonly path?: string;
  readonly issuers?: readonly string[];
  readonly authorization?: Record<string, unknown>;
}

function findings({ path = '/w/mcp', issuers = [issuer], authorization }: Sections): readonly string[] {
  const file = gatewayFileSchema.parse({
    version: 1,
    listeners: [{ bind: '127.0.0.1:0' }],
    identity: issuers.map((name) => ({ token: { issuer: name, audience: 'a', keys: 'jwks' } })),
    insecure: { anonymous: 'tester' },
    upstreams: [
      {
        name: 'w',
        path,
        http: { url: 'http://127.0.0.1:3001/mcp' },
        ...(authorization === undefined ? {} : { authorization }),
      },
    ],
    audit: { file: 'audit.jsonl' },
  });
  return crossChecks(file).map(({ at, message }) => `${at.join('.')}: ${message}`);
}

describe('authorization of a route', () => {
  test('fits where the resource has the path of the route', () => {
    for (const resource of [
      'https://mcp.example/w/mcp',
      'https://mcp.example:8443/w/mcp',
      'http://[::1]/w/mcp',
    ]) {
      expect(findings({ authorization: { resource } }), resource).toEqual([]);
    }
  });

  test('does not fit where clients would refuse the resource', () => {
    for (const resource of [
      'https://mcp.example/',
      'https://mcp.example/w',
      'https://mcp.example/w/mcp/',
      'https://mcp.example/W/mcp',
      'https://mcp.example/other/mcp',
      'https://mcp.example/gate/w/mcp',
      'https://mcp.example/%77/mcp',
    ]) {
      expect(findings({ authorization: { resource } }), resource).toEqual([
        'upstreams.0.authorization.resource: its path must be /w/mcp, the path of the route: clients accept no other resource',
      ]);
    }
  });

  test('needs an issuer', () => {
    expect(findings({ issuers: [], authorization: { resource: 'https://mcp.example/w/mcp' } })).toEqual([
      'upstreams.0.authorization: identity has no token entry, so nobody could ever come with a token',
    ]);
  });

  test('names issuers that are configured, character by character', () => {
    const servers = [issuer, `${issuer}/`, 'https://IDP.example', 'https://other.example'];
    expect(findings({ authorization: { resource: 'https://mcp.example/w/mcp', servers } })).toEqual(
      [1, 2, 3].map(
        (place) => `upstreams.0.authorization.servers.${place}: identity has no token entry with this issuer`,
      ),
    );
  });

  test('sends clients to issuers with a URL only', () => {
    const resource = 'https://mcp.example/w/mcp';
    const issuers = [issuer, 'kubernetes/serviceaccount'];
    expect(findings({ issuers, authorization: { resource } })).toEqual([
      'upstreams.0.authorization.servers: clients cannot be sent to the issuer kubernetes/serviceaccount, which is no ' +
        'https URL: list those that are',
    ]);
    expect(findings({ issuers, authorization: { resource, servers: [issuer] } })).toEqual([]);
  });
});

test('no route stands where the gateway itself publishes', () => {
  for (const path of ['/.well-known/x', '/.well-known', '/.well-known/oauth-protected-resource/w/mcp']) {
    expect(findings({ path }), path).toEqual([
      'upstreams.0.path: /.well-known/ is where the gateway itself publishes',
    ]);
  }
  expect(findings({ path: '/w/.well-known/x' })).toEqual([]);
});
