import { beforeAll, describe, expect, test } from 'vitest';
import { createIdentity, type Identity } from '../../src/identity/identity.ts';
import { authenticatorsOptions, resourceOptions } from '../../src/identity/options.ts';
import { good, issuer, makeIssuer, now, type TestIssuer } from './issuer.ts';
import { evidenceOf } from './support.ts';

const otherIssuer = 'https://other.example';
const warehouse = 'https://mcp.example/warehouse/mcp';
const payroll = 'https://mcp.example/payroll/mcp';
const time = now * 1000;

let idp: TestIssuer;
let other: TestIssuer;
let identity: Identity;

const resources = new Map([
  ['warehouse', resourceOptions.parse({ resource: warehouse })],
  ['payroll', resourceOptions.parse({ resource: payroll, audiences: ['payroll-api'], servers: [issuer] })],
]);

beforeAll(async () => {
  [idp, other] = await Promise.all([makeIssuer(), makeIssuer()]);
  identity = createIdentity(
    {
      authenticators: authenticatorsOptions.parse([
        { token: { issuer, audience: 'general', keys: 'idp' } },
        { token: { issuer: otherIssuer, keys: 'other' } },
      ]),
      resources,
    },
    { readFile: (path) => (path === 'idp' ? idp.jwks : other.jwks) },
  );
});

/** Names of the routes that a token opens, each asked twice: the second time it is remembered. */
async function opens(token: string): Promise<readonly string[]> {
  const routes: string[] = [];
  for (const upstream of ['warehouse', 'payroll', 'bare', 'warehouse', 'payroll', 'bare']) {
    const answer = await identity.authenticate(
      evidenceOf({ authorization: `Bearer ${token}`, upstream, time }),
    );
    if (answer.ok) routes.push(upstream);
    else expect(['token-audience', 'token-issuer']).toContain(answer.reason);
  }
  expect(routes.slice(routes.length / 2)).toEqual(routes.slice(0, routes.length / 2));
  return routes.slice(0, routes.length / 2);
}

describe('a token opens the routes that it is meant for, and no other', () => {
  test.each<[string, unknown, readonly string[]]>([
    ['the resource of one', warehouse, ['warehouse']],
    ['the resource of the other', payroll, ['payroll']],
    ['both', [warehouse, payroll], ['warehouse', 'payroll']],
    ['another audience of a route', 'payroll-api', ['payroll']],
    ['the audience of the issuer’s entry', 'general', ['bare']],
    ['all', ['general', 'payroll-api', warehouse], ['warehouse', 'payroll', 'bare']],
    ['nothing that is known', 'https://mcp.example', []],
    ['the origin', 'https://mcp.example/', []],
    ['a path above', 'https://mcp.example/warehouse', []],
    ['a path below', `${warehouse}/x`, []],
    ['a trailing slash', `${warehouse}/`, []],
    ['capitals', warehouse.toUpperCase(), []],
    ['the name of the route', 'warehouse', []],
  ])('%s', async (_, aud, routes) => {
    expect(await opens(await idp.sign({ aud }))).toEqual(routes);
  });

  test('the issuer must count there too', async () => {
    const token = await other.sign({ iss: otherIssuer, aud: [warehouse, payroll, 'payroll-api', 'general'] });
    expect(await opens(token)).toEqual(['warehouse']);
  });

  test('what is meant for nobody here drives out nothing that is remembered', async () => {
    const token = await idp.sign({ aud: warehouse, jti: 'kept' });
    const evidence = evidenceOf({ authorization: `Bearer ${token}`, time });
    const first = await identity.authenticate(evidence);
    await opens(await idp.sign({ aud: 'nobody' }));
    expect(identity.authenticate(evidence)).toMatchObject({ ok: true });
    expect(await identity.authenticate(evidence)).toMatchObject({
      principal: (first as { principal: unknown }).principal,
    });
  });
});

test('the reasons tell the audience from the issuer', async () => {
  const reasonAt = async (upstream: string, token: string) => {
    const answer = await identity.authenticate(
      evidenceOf({ authorization: `Bearer ${token}`, upstream, time }),
    );
    return answer.ok ? undefined : answer.reason;
  };
  expect(await reasonAt('payroll', await idp.sign({ aud: warehouse }))).toBe('token-audience');
  expect(await reasonAt('payroll', await other.sign({ iss: otherIssuer, aud: payroll }))).toBe(
    'token-issuer',
  );
  // Without an audience of its own, an entry has nothing that counts at a route without a resource.
  expect(await reasonAt('bare', await other.sign({ iss: otherIssuer, aud: 'general' }))).toBe(
    'token-audience',
  );
});

test('who was let in has a token that can be exchanged, and does not show', async () => {
  const token = await idp.sign({ aud: warehouse, jti: 'j1', client_id: 'c1' });
  const answer = await identity.authenticate(evidenceOf({ authorization: `Bearer ${token}`, time }));
  if (!answer.ok) throw new Error(answer.reason);
  expect(answer.bearer?.reveal()).toBe(token);
  expect(JSON.stringify(answer)).not.toContain(token);
  expect(answer.principal.credentials[0]).toMatchObject({
    tokenId: 'j1',
    clientId: 'c1',
    bound: undefined,
    claims: { ...good, aud: warehouse },
  });
});
