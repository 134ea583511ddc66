import { describe, expect, it } from 'vitest';
import { httpUpstreamOptions } from '../../../src/upstream/options.ts';

const url = 'https://up.example/mcp';
const client = { issuer: 'https://as.example', clientId: 'gw', secret: 'f' };
const exchange = { ...client, scope: ['read'] };

function problems(http: object): readonly string[] {
  const parsed = httpUpstreamOptions.safeParse({ url, ...http });
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('options of credentials', () => {
  const fine: readonly object[] = [
    { credential: { clientCredentials: client } },
    {
      credential: {
        clientCredentials: { ...client, issuer: undefined, tokenEndpoint: 'https://as.example/t' },
      },
    },
    { credential: { clientCredentials: { ...client, secret: undefined, privateKey: 'f' } } },
    { credential: { tokenExchange: { ...exchange, audience: ['a', 'b'], resource: 'urn:example:r' } } },
    { credential: { value: 'x' }, assertion: { audience: 'a' } },
    { credential: { header: 'x-key', value: 'x' }, assertion: { audience: 'a', header: 'x-caller' } },
  ];
  for (const http of fine) {
    it(`take ${JSON.stringify(http)}`, () => {
      expect(problems(http)).toEqual([]);
    });
  }

  const one = 'credential: give exactly one of value, file, clientCredentials and tokenExchange';
  const header = 'this header belongs to the transport, the protocol or a credential';
  const wrong: readonly (readonly [object, string])[] = [
    [{ credential: {} }, one],
    [{ credential: { value: 'x', clientCredentials: client } }, one],
    [{ credential: { file: 'x', tokenExchange: exchange } }, one],
    [{ credential: { clientCredentials: client, tokenExchange: exchange } }, one],
    [
      { credential: { clientCredentials: { ...client, issuer: undefined } } },
      'credential.clientCredentials: give issuer, tokenEndpoint or both',
    ],
    [
      { credential: { clientCredentials: { ...client, privateKey: 'k' } } },
      'credential.clientCredentials: give either secret or privateKey',
    ],
    [
      { credential: { clientCredentials: { ...client, secret: undefined } } },
      'credential.clientCredentials: give either secret or privateKey',
    ],
    [
      { credential: { tokenExchange: { ...exchange, scope: [] } } },
      'credential.tokenExchange.scope: Too small: expected array to have >=1 items',
    ],
    [
      { credential: { tokenExchange: { ...exchange, scope: ['a b'] } } },
      'credential.tokenExchange.scope.0: not a scope: no spaces, quotes or backslashes',
    ],
    [
      { credential: { clientCredentials: { ...client, resource: 'warehouse' } } },
      'credential.clientCredentials.resource: not an absolute URI without a fragment',
    ],
    [
      { credential: { clientCredentials: { ...client, issuer: 'https://u:p@as.example' } } },
      'credential.clientCredentials.issuer: no user name or password in the URL: use credential',
    ],
    [
      { credential: { header: 'mcp-session-id', clientCredentials: client } },
      'credential.header: this header belongs to the transport or the protocol',
    ],
    ...['authorization', 'Cookie', 'DPoP', 'host', 'mcp-name', 'Content-Type', 'last-event-id'].map(
      (name): [object, string] => [
        { assertion: { audience: 'a', header: name } },
        `assertion.header: ${header}`,
      ],
    ),
    [
      { credential: { header: 'X-Id', value: 'x' }, assertion: { audience: 'a', header: 'x-id' } },
      'assertion.header: the credential has this header already',
    ],
  ];
  for (const [http, problem] of wrong) {
    it(`should NOT take ${JSON.stringify(http)}`, () => {
      expect(problems(http)).toContain(problem);
    });
  }
});
