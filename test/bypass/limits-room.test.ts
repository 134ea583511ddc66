import { describe, expect, it } from 'vitest';
import type { Credential, Principal } from '../../src/identity/principal.ts';
import { createMemoryStore } from '../../src/limits/memory-store.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import type { CompiledPolicy } from '../../src/policy/compile.ts';
import {
  call,
  limitsOf,
  makeExchange,
  makeGate,
  modernCall,
  policyOf,
  principal,
  told,
  up,
} from '../filters/support.ts';

const query = call('tools/call', { name: 'query', arguments: {} });

const policies = new Map<string, CompiledPolicy>();

/** Compiled once for each `per`. */
function by(per: string): CompiledPolicy {
  const policy =
    policies.get(per) ??
    policyOf(`
version: 1
roles: { all: { allow: [{ tools: ["*"] }] } }
bindings: [{ roles: [all], to: [{ any: true }] }]
limits:
  - { name: rate, match: { tools: ["*"] }, per: ${per}, rate: 5/h }
  - { name: quota, match: { tools: ["*"] }, per: ${per}, quota: 5/month }
  - { name: tried, match: { tools: ["*"] }, per: ${per}, quota: 5/day, mode: shadow }
`);
  policies.set(per, policy);
  return policy;
}

function withToken(subject: string, tokenId: string): Principal {
  const token: Credential = {
    kind: 'token',
    issuer: 'https://idp.example',
    subject,
    scopes: [],
    claims: {},
    tokenId,
    clientId: undefined,
    bound: undefined,
    expiresAt: 9,
  };
  return { id: `token:https://idp.example#${subject}`, credentials: [token], expiresAt: undefined };
}

/** As one caller that makes without end what a limit counts by: sessions, tokens, networks. */
const makers: Readonly<Record<string, (index: number) => Exchange>> = {
  session: (index) => {
    const exchange = makeExchange({ policy: by('session'), request: query, principal: principal('eve') });
    exchange.facts.session = { key: `s${index}`, upstreamId: `u${index}`, revision: '2025-11-25' };
    return exchange;
  },
  token: (index) =>
    makeExchange({ policy: by('token'), request: query, principal: withToken('eve', `jti-${index}`) }),
  address: (index) =>
    makeExchange({
      policy: by('address'),
      request: query,
      principal: principal('eve'),
      address: `2001:db8:${index.toString(16)}::1`,
    }),
};

/** As each of 20 others, who have never called before. */
const others: Readonly<Record<string, (index: number) => Exchange>> = {
  session: (index) => {
    const exchange = makeExchange({
      policy: by('session'),
      request: query,
      principal: principal(`o${index}`),
    });
    exchange.facts.session = { key: `o${index}`, upstreamId: 'u', revision: '2025-11-25' };
    return exchange;
  },
  token: (index) =>
    makeExchange({ policy: by('token'), request: query, principal: withToken(`o${index}`, `o${index}`) }),
  address: (index) =>
    makeExchange({
      policy: by('address'),
      request: query,
      principal: principal(`o${index}`),
      address: `192.0.2.${index + 1}`,
    }),
};

describe('the room for counts', () => {
  for (const [per, made] of Object.entries(makers)) {
    it(`should NOT be taken from others by one caller with a fresh ${per} for each call`, async () => {
      const gate = makeGate({ memory: { rateKeys: 100, quotaKeys: 200 } });
      const run = async (exchange: Exchange) => {
        const verdict = told(await up(limitsOf(gate), exchange));
        limitsOf(gate).end?.(exchange);
        return verdict;
      };
      const first = await Promise.all(Array.from({ length: 500 }, (_, index) => run(made(index))));
      expect(first[0]).toBe('pass');
      expect(first.at(-1)).toBe('overloaded');
      for (let index = 0; index < 20; index += 1) expect(await run(others[per]!(index))).toBe('pass');
      // What it has already goes on counting.
      expect(await run(made(0))).toBe('pass');
    });
  }

  it('is shared by as many as there are, each with a tenth, once it is half full', () => {
    const store = createMemoryStore({ rateKeys: 100, quotaKeys: 100, concurrencyKeys: 100 }, () => undefined);
    const taken = new Map<string, number>();
    for (let caller = 0; caller < 8; caller += 1) {
      for (let index = 0; index < 100; index += 1) {
        const key = `${caller}-${index}`;
        const measure = { kind: 'window', period: 'day', most: 1000 } as const;
        const claim = {
          limit: 'l',
          key,
          measure,
          amount: 1000,
          enforced: true,
          onStoreLoss: 'local',
        } as const;
        const owner = `caller-${caller}`;
        if (store.take([{ ...claim, owner }], key, 0, 0).ok) taken.set(owner, (taken.get(owner) ?? 0) + 1);
      }
    }
    expect([...taken.values()]).toEqual([50, 10, 10, 10, 10, 10]);
    expect(store.size).toBe(100);
  });

  it('should NOT be filled by names that end up under no key of their own', async () => {
    const gate = makeGate({ memory: { rateKeys: 10, quotaKeys: 10 } });
    for (let index = 0; index < 50; index += 1) {
      const request = modernCall('tools/call', { name: `made-up-${index}` });
      const exchange = makeExchange({ policy: by('tool'), request, revision: '2026-07-28' });
      expect(told(await up(limitsOf(gate), exchange))).not.toBe('overloaded');
    }
  });
});
