import { describe, expect, test } from 'vitest';
import { crossChecks } from '../../src/config/checks.ts';
import { gatewayFileSchema } from '../../src/config/schema.ts';

const issuer = 'https://idp.example';
const other = 'https://other.example';
const introspection = { endpoint: `${issuer}/introspect`, clientId: 'gate', secret: 'secret' };

interface Sections {
  readonly tokens: readonly Record<string, unknown>[];
  /** The `authorization` of each upstream; undefined for none. */
  readonly routes: readonly (Record<string, unknown> | undefined)[];
}

function findings({ tokens, routes }: Sections): readonly string[] {
  const file = gatewayFileSchema.parse({
    version: 1,
    listeners: [{ bind: '127.0.0.1:0' }],
    identity: tokens.map((token) => ({ token: { keys: 'jwks', ...token } })),
    upstreams: routes.map((authorization, index) => ({
      name: `u${index}`,
      path: `/u${index}/mcp`,
      http: { url: 'http://127.0.0.1:3001/mcp' },
      ...(authorization === undefined ? {} : { authorization }),
    })),
    audit: { file: 'audit.jsonl' },
  });
  return crossChecks(file).map(({ at, message }) => `${at.join('.')}: ${message}`);
}

const route = (index: number, extra: Record<string, unknown> = {}) => ({
  resource: `https://mcp.example/u${index}/mcp`,
  ...extra,
});

describe('an audience', () => {
  test('is needed while one route has no resource', () => {
    expect(findings({ tokens: [{ issuer }], routes: [route(0), undefined] })).toEqual([
      'identity.0.token: needs an audience, because the upstream "u1" has no authorization.resource',
    ]);
    expect(findings({ tokens: [{ issuer, audience: 'a' }, { issuer: other }], routes: [undefined] })).toEqual(
      ['identity.1.token: needs an audience, because the upstream "u0" has no authorization.resource'],
    );
  });

  test('is not needed where all have one', () => {
    expect(findings({ tokens: [{ issuer }], routes: [route(0), route(1)] })).toEqual([]);
    expect(findings({ tokens: [{ issuer, audience: 'a' }], routes: [undefined] })).toEqual([]);
  });
});

describe('a binding', () => {
  test('must be one that can be proven', () => {
    const audience = 'a';
    expect(findings({ tokens: [{ issuer, audience, dpop: {} }], routes: [undefined] })).toEqual([
      expect.stringMatching(/^identity\.0\.token\.dpop: no upstream has authorization\.resource/),
    ]);
    const certificate = { issuer, audience, requireBinding: ['certificate'] };
    expect(findings({ tokens: [certificate], routes: [route(0)] })).toEqual([
      'identity.0.token.requireBinding: no listener asks for client certificates: set tls.clients on one of them',
    ]);
    const both = { issuer, dpop: {}, requireBinding: ['certificate', 'dpop'] };
    expect(findings({ tokens: [both], routes: [route(0)] })).toEqual([]);
    expect(() => findings({ tokens: [{ issuer, requireBinding: ['dpop'] }], routes: [route(0)] })).toThrow(
      'requireBinding names dpop',
    );
  });
});

describe('an opaque token', () => {
  const tokens = [
    { issuer, audience: 'a', introspection },
    { issuer: other, audience: 'a', introspection },
  ];

  test('must have one issuer that can be asked at each route', () => {
    expect(
      findings({ tokens, routes: [route(0), undefined, route(2, { servers: [issuer, other] })] }),
    ).toEqual([
      expect.stringMatching(/^upstreams\.0\.authorization: .*both have introspection/),
      expect.stringMatching(/^upstreams\.1: .*both have introspection/),
      expect.stringMatching(/^upstreams\.2\.authorization: .*both have introspection/),
    ]);
  });

  test('has one where servers name it', () => {
    const routes = [route(0, { servers: [issuer] }), route(1, { servers: [other] })];
    expect(findings({ tokens, routes })).toEqual([]);
    expect(findings({ tokens: [tokens[0]!, { issuer: other, audience: 'a' }], routes: [undefined] })).toEqual(
      [],
    );
  });
});
