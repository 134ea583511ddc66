import { describe, expect, it } from 'vitest';
import type { Credential, Principal } from '../../src/identity/principal.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import {
  call,
  type ExchangeShape,
  frameOf,
  limitsOf,
  makeExchange,
  makeGate,
  note,
  policyOf,
  principal,
  told,
  up,
} from '../filters/support.ts';

/** One call a day, counted under `per`; everything else is allowed. */
function once(per: string, match = '{ tools: ["*"] }') {
  return policyOf(`
version: 1
roles:
  reader: { allow: [{ tools: ["*"], resources: ["**"], prompts: ["*"], methods: ["**"] }] }
  writer: { allow: [{ tools: ["*"] }] }
bindings:
  - { roles: [reader], to: [{ any: true }] }
  - { roles: [writer], to: [{ apiKey: both }] }
limits:
  - { name: once, match: ${match}, per: ${per}, quota: 1/day }
`);
}

const query = call('tools/call', { name: 'query', arguments: {} });

/** Whether each of these calls passes, one after the other, each at its end before the next begins. */
async function passes(
  shapes: readonly (ExchangeShape & { readonly session?: string })[],
): Promise<boolean[]> {
  const filter = limitsOf(makeGate());
  const all: boolean[] = [];
  for (const { session, ...shape } of shapes) {
    const exchange: Exchange = makeExchange({ request: query, ...shape });
    if (session !== undefined) {
      exchange.facts.session = { key: session, upstreamId: 'u', revision: '2025-11-25' };
    }
    all.push(told(await up(filter, exchange)) === 'pass');
    filter.end?.(exchange);
  }
  return all;
}

function holder(...credentials: readonly Credential[]): Principal {
  return { id: 'token:https://idp.example#alice', credentials, expiresAt: undefined };
}

function token(claims: object, tokenId?: string): Credential {
  return {
    kind: 'token',
    issuer: 'https://idp.example',
    subject: 'alice',
    scopes: ['b', 'a'],
    claims: { iat: 1, ...claims },
    tokenId,
    clientId: 'c',
    bound: undefined,
    expiresAt: 9,
  };
}

function certificate(fingerprint256: string): Credential {
  return {
    kind: 'certificate',
    fingerprint256,
    serial: '1',
    commonName: undefined,
    uris: [],
    dns: [],
    anchorFingerprint256: 'ff',
    expiresAt: 9,
  };
}

describe('a limit by address', () => {
  const one = '2001:db8:aaaa:bbbb::1';
  for (const other of [
    '2001:db8:aaaa:bbbb::2',
    '2001:DB8:AAAA:BBBB::1',
    '2001:0db8:aaaa:bbbb:0000:0000:0000:0001',
    '2001:db8:aaaa:bbbb:ffff:ffff:ffff:ffff',
    '2001:db8:aaaa:bbbb::1%eth0',
    '2001:db8:aaaa:bbbb::192.0.2.1',
  ]) {
    it(`should NOT bypass by ${other}`, async () => {
      const policy = once('address');
      expect(
        await passes([
          { policy, address: one },
          { policy, address: other },
        ]),
      ).toEqual([true, false]);
    });
  }

  it('counts other networks apart', async () => {
    const policy = once('address');
    const addresses = [one, '2001:db8:aaaa:bbbc::1', '192.0.2.1', '192.0.2.2'];
    expect(await passes(addresses.map((address) => ({ policy, address })))).toEqual([true, true, true, true]);
  });
});

describe('a limit by principal', () => {
  const policy = once('principal');
  for (const [disguise, shape] of [
    ['another session', { session: 'other' }],
    ['another address', { address: '198.51.100.7' }],
    ['another tool', { request: call('tools/call', { name: 'other' }) }],
    ['a made-up tool', { request: call('tools/call', { name: 'made-up' }) }],
    ['another case of the tool', { request: call('tools/call', { name: 'QUERY' }) }],
    ['another id', { request: call('tools/call', { name: 'query' }, 'other') }],
    ['a call as a task', { request: call('tools/call', { name: 'query', task: { ttl: 1 } }) }],
    ['another upstream', { upstream: 'other' }],
    ['another revision', { revision: '2025-03-26' }],
  ] as const) {
    it(`should NOT bypass by ${disguise}`, async () => {
      expect(
        await passes([
          { policy, session: 'one' },
          { policy, session: 'one', ...shape },
        ]),
      ).toEqual([true, false]);
    });
  }

  it('counts another principal apart, and none that is merely spelt alike', async () => {
    const names = ['alice', 'Alice', 'alice ', 'alic\u0435'];
    expect(await passes(names.map((name) => ({ policy, principal: principal(name) })))).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });
});

describe('a limit by tool', () => {
  it('should NOT bypass by names that nobody knows', async () => {
    const policy = once('[principal, tool]');
    const shapes = ['made-up', 'MADE-UP', 'made-up-2', 'm\u0430de-up', 'x'.repeat(255)].map((name) => ({
      policy,
      request: call('tools/call', { name }),
    }));
    expect(await passes(shapes)).toEqual([true, false, false, false, false]);
  });

  it('counts known names apart, as long as they are', async () => {
    const policy = once('[principal, tool]');
    const catalog = createCatalog();
    const names = ['a', 'A', 'x'.repeat(255), `${'x'.repeat(254)}y`];
    catalog.learnTools(names.map((name) => ({ name, mirroredArguments: new Map(), definition: { name } })));
    expect(
      await passes(names.map((name) => ({ policy, catalog, request: call('tools/call', { name }) }))),
    ).toEqual([true, true, true, true]);
  });

  it('should NOT bypass by made-up notifications', async () => {
    const policy = once('[principal, method]', '{ methods: ["**"] }');
    const shapes = ['notifications/made-up', 'notifications/made-up-2', 'Notifications/Made-Up'].map(
      (method) => ({
        policy,
        request: note(method),
      }),
    );
    expect(await passes(shapes)).toEqual([true, false, false]);
  });
});

describe('a limit by token', () => {
  const policy = once('token');
  const shape = (...credentials: readonly Credential[]) => ({ policy, principal: holder(...credentials) });

  it('should NOT bypass by showing the same token with another certificate', async () => {
    expect(
      await passes([
        shape(token({}, 'jti-1')),
        shape(certificate('aa'), token({}, 'jti-1')),
        shape(token({ extra: true }, 'jti-1'), certificate('bb')),
      ]),
    ).toEqual([true, false, false]);
  });

  it('should NOT bypass by a token without jti whose claims come in another order', async () => {
    expect(
      await passes([
        shape(token({})),
        shape({ ...token({ note: 'x' }), scopes: ['a', 'b'] } as Credential),
        shape({ ...token({}), scopes: ['b', 'a'] } as Credential),
      ]),
    ).toEqual([true, false, false]);
  });

  it('should NOT bypass by having no token at all', async () => {
    expect(
      await passes([
        { policy, principal: principal('a') },
        { policy, principal: principal('b') },
        { policy, principal: holder(certificate('aa')) },
      ]),
    ).toEqual([true, false, false]);
  });

  it('counts another token, and that of another issuer, apart', async () => {
    const other = { ...token({}, 'jti-1'), issuer: 'https://other.example' } as Credential;
    expect(
      await passes([
        shape(token({}, 'jti-1')),
        shape(token({}, 'jti-2')),
        shape(other),
        shape(token({ iat: 2 })),
        shape(token({ iat: 3 })),
      ]),
    ).toEqual([true, true, true, true, true]);
  });
});

describe('a limit by certificate', () => {
  it('should NOT bypass by a further credential, nor by having none', async () => {
    const policy = once('certificate');
    const shape = (...credentials: readonly Credential[]) => ({ policy, principal: holder(...credentials) });
    expect(
      await passes([
        shape(certificate('aa')),
        shape(token({}, 'jti-1'), certificate('aa')),
        shape(certificate('bb')),
        { policy, principal: principal('a') },
        { policy, principal: principal('b') },
      ]),
    ).toEqual([true, false, true, true, false]);
  });
});

describe('a limit by session', () => {
  it('should NOT bypass by leaving the session out', async () => {
    const policy = once('session');
    expect(
      await passes([
        { policy, session: 'one' },
        { policy, session: 'one' },
        { policy, session: 'two' },
        { policy },
        { policy, principal: principal('bob') },
      ]),
    ).toEqual([true, false, true, true, false]);
  });
});

describe('a limit by role', () => {
  const both = principal('both');

  it('should NOT bypass by having a further role', async () => {
    const policy = once('role');
    expect(await passes([{ policy }, { policy, principal: both }])).toEqual([true, false]);
  });

  it('counts a caller under each of its roles', async () => {
    const policy = once('role');
    expect(await passes([{ policy, principal: both }, { policy }])).toEqual([true, false]);
  });

  it('counts it under those only that the limit means', async () => {
    const policy = once('role', '{ tools: ["*"], roles: [writer] }');
    expect(await passes([{ policy, principal: both }, { policy }, { policy, principal: both }])).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('a limit on calls at once', () => {
  const policy = policyOf(`
version: 1
roles: { all: { allow: [{ tools: ["*"], resources: ["**"], methods: ["**"] }] } }
bindings: [{ roles: [all], to: [{ any: true }] }]
limits: [{ name: one, match: { methods: ["**"] }, per: principal, concurrency: 1 }]
`);
  const streamOpen = { kind: 'stream-open', lastEventId: undefined } as const;

  for (const [disguise, frame] of [
    ['a stream', streamOpen],
    ['a call', query],
    ['a subscription', call('resources/subscribe', { uri: 'file:///x' })],
    ['a list', call('tools/list')],
  ] as const) {
    it(`should NOT bypass by ${disguise} beside one that is open`, async () => {
      const filter = limitsOf(makeGate());
      const open = makeExchange({ policy, request: streamOpen });
      expect(told(await up(filter, open))).toBe('pass');
      for (let again = 0; again < 3; again += 1) {
        const exchange = makeExchange({ policy, request: frame });
        expect(told(await up(filter, exchange))).toEqual({ code: 'concurrency-limited', limit: 'one' });
        filter.end?.(exchange);
      }
      filter.end?.(open);
      expect(told(await up(filter, makeExchange({ policy, request: frame })))).toBe('pass');
    });
  }

  it('is taken by no notification and no answer', async () => {
    const filter = limitsOf(makeGate());
    const answer = frameOf({ jsonrpc: '2.0', id: 1, result: {} });
    for (const request of [note('notifications/initialized'), answer, note('notifications/initialized')]) {
      expect(told(await up(filter, makeExchange({ policy, request })))).toBe('pass');
    }
  });
});
