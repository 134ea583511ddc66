import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessRequest } from '../../src/policy/access-request.ts';
import { decide, isVisible } from '../../src/policy/decide.ts';
import { limitsFor } from '../../src/policy/limits.ts';
import {
  policy as anyPolicy,
  request as anyRequest,
  rule as anyRule,
  roleNames,
  toText,
} from './support/arbitrary-policy.ts';
import { policyOf } from './support/build.ts';
import type { OraclePolicy } from './support/to-cedar.ts';

const requests = fc.array(
  anyRequest.map(({ request }) => request),
  { minLength: 30, maxLength: 30 },
);
const runs = { numRuns: 150 };

function compile(document: OraclePolicy) {
  return policyOf(toText(document));
}

/** Counts how often a change of policy took something away: a property that never meets its case proves nothing. */
function neverGrants(
  change: (document: OraclePolicy) => fc.Arbitrary<OraclePolicy>,
  documents: fc.Arbitrary<OraclePolicy> = anyPolicy,
): void {
  let taken = 0;
  fc.assert(
    fc.property(
      documents.chain((document) => fc.tuple(fc.constant(document), change(document))),
      requests,
      ([before, after], asked) => {
        const [old, changed] = [compile(before), compile(after)];
        for (const request of asked) {
          const was = decide(request, old);
          const is = decide(request, changed);
          if (was.effect === 'deny') expect(is.effect).toBe('deny');
          else if (is.effect === 'deny') taken += 1;
          if (!was.visible) expect(is.visible).toBe(false);
        }
      },
    ),
    runs,
  );
  expect(taken).toBeGreaterThan(0);
}

describe('never grants', () => {
  it('adding a deny rule', () => {
    neverGrants((document) =>
      fc.tuple(fc.constantFrom(...roleNames), anyRule).map(([name, rule]) => {
        const role = document.roles[name]!;
        return { ...document, roles: { ...document.roles, [name]: { ...role, deny: [...role.deny, rule] } } };
      }),
    );
  });

  it('removing an allow rule', () => {
    neverGrants((document) =>
      fc.constantFrom(...roleNames).map((name) => {
        const role = document.roles[name]!;
        return { ...document, roles: { ...document.roles, [name]: { ...role, allow: role.allow.slice(1) } } };
      }),
    );
  });

  it('taking away a binding, where roles only allow', () => {
    neverGrants(
      (document) =>
        fc.nat({ max: document.bindings.length - 1 }).map((index) => ({
          ...document,
          bindings: document.bindings.filter((_, at) => at !== index),
        })),
      anyPolicy.map(withoutDenies),
    );
  });

  it('asking for scopes', () => {
    neverGrants((document) =>
      fc.constantFrom('s0', 's1', 's9').map((scope) => ({
        ...document,
        scopes: [...document.scopes, { match: {}, scopes: [scope] }],
      })),
    );
  });

  it('protecting an object with an entry that lets nobody in', () => {
    neverGrants((document) =>
      fc.constantFrom('echo', 'get_*', '*').map((tool) => ({
        ...document,
        acl: [...document.acl, { tool: [tool], allow: [], deny: [] }],
      })),
    );
  });
});

/** With a role a caller loses its denies, and what is asked of it for the role: less means less only without these. */
function withoutDenies(document: OraclePolicy): OraclePolicy {
  const roles = Object.entries(document.roles).map(([name, role]) => [name, { ...role, deny: [] }] as const);
  const acl = document.acl.map((object) => ({ ...object, deny: [] }));
  const scopes = document.scopes.map(({ match: { roles: _, ...match }, ...rule }) => ({ ...rule, match }));
  return { ...document, roles: Object.fromEntries(roles), acl, scopes };
}

describe('order', () => {
  /** The same rules, bindings and entries, in another order and spread over files. */
  function shuffled(document: OraclePolicy): fc.Arbitrary<readonly string[]> {
    const roles = Object.entries(document.roles);
    return fc
      .record({
        roles: fc.shuffledSubarray(roles, { minLength: roles.length }),
        rules: fc.tuple(
          ...roles.map(([, { allow, deny }]) =>
            fc.record({
              allow: fc.shuffledSubarray([...allow], { minLength: allow.length }),
              deny: fc.shuffledSubarray([...deny], { minLength: deny.length }),
            }),
          ),
        ),
        bindings: fc.shuffledSubarray([...document.bindings], { minLength: document.bindings.length }),
        acl: fc.shuffledSubarray([...document.acl], { minLength: document.acl.length }),
        scopes: fc.shuffledSubarray([...document.scopes], { minLength: document.scopes.length }),
        files: fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
      })
      .map((order) => {
        const parts: Partial<OraclePolicy>[] = [
          { roles: Object.fromEntries(order.roles.slice(0, 1).map(([name]) => [name, ruleOf(name)])) },
          { roles: Object.fromEntries(order.roles.slice(1).map(([name]) => [name, ruleOf(name)])) },
          { bindings: order.bindings },
          { acl: order.acl },
          { scopes: order.scopes },
          { implies: document.implies },
        ];
        return order.files.map((file) => toText({ version: 1, ...parts[file] }));
        function ruleOf(name: string) {
          return order.rules[roles.findIndex(([one]) => one === name)]!;
        }
      });
  }

  it('of files and rules never matters', () => {
    fc.assert(
      fc.property(
        anyPolicy.chain((document) => fc.tuple(fc.constant(document), shuffled(document))),
        requests,
        ([document, texts], asked) => {
          const [one, other] = [compile(document), policyOf(...texts)];
          for (const request of asked) {
            const a = decide(request, one);
            const b = decide(request, other);
            expect([b.effect, b.visible, b.obligations, b.shadow?.effect, b.reasons[0].code]).toEqual([
              a.effect,
              a.visible,
              a.obligations,
              a.shadow?.effect,
              a.reasons[0].code,
            ]);
          }
        },
      ),
      runs,
    );
  });
});

describe('decide', () => {
  it('says the same each time, and agrees with isVisible', () => {
    fc.assert(
      fc.property(anyPolicy, requests, (document, asked) => {
        const policy = compile(document);
        for (const request of asked) {
          const decision = decide(request, policy);
          expect(decide(request, policy)).toEqual(decision);
          expect(isVisible(request, policy)).toBe(decision.visible);
          const { arguments: _, ...context } = request.context;
          expect(isVisible({ ...request, context }, policy)).toBe(decision.visible);
          if (decision.effect === 'allow') expect(decision.visible).toBe(true);
        }
      }),
      runs,
    );
  });

  const policy = policyOf(`version: 1
roles:
  r:
    allow:
      - { tools: "*", resources: "**", when: { args: { "a[*].b": { pattern: "x+" }, c: { max: 1 } } } }
      - { methods: "*", when: { claims: { g: [1, x] }, network: [10.0.0.0/8], time: { days: mon } } }
    deny: [{ prompts: "*", when: { args: { a: { contains: 1 } } } }]
bindings:
  - { roles: r, to: [{ any: true }, { certificate: { uri: "**", dns: "*", cn: "*" } }, { token: { issuer: i, subject: "*", scopes: s, claims: { x: 1 } } }] }
acl: [{ tool: "a*", allow: [{ roles: r, when: { args: { x: { minLength: 1 } } } }] }]
limits: [{ name: l, match: { tools: "*", roles: r }, per: principal, rate: 1/s }]
`);

  it('never throws, whatever breaks the type of a request', () => {
    const junk = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSet: true,
    });
    const word = fc.constantFrom(
      'tool',
      'resource',
      'prompt',
      'method',
      'call',
      'read',
      '__proto__',
      'toString',
      '',
    );
    const shaped = fc.record(
      {
        subject: fc.oneof(junk, fc.record({ id: junk, credentials: fc.oneof(junk, fc.array(junk)) })),
        action: fc.oneof(junk, word),
        resource: fc.oneof(
          junk,
          fc.record({
            upstream: fc.oneof(junk, word),
            kind: fc.oneof(junk, word),
            name: fc.oneof(junk, word),
            implied: junk,
          }),
        ),
        context: fc.oneof(junk, fc.record({ arguments: junk, address: junk, time: junk })),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(junk, shaped), (request) => {
        const decision = decide(request as AccessRequest, policy);
        expect(decision.reasons.length).toBeGreaterThan(0);
        expect(['allow', 'deny']).toContain(decision.effect);
      }),
      { numRuns: 3000 },
    );
  });

  const hostile: readonly [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a number', 5],
    ['no subject', { action: 'call', resource: { upstream: 'u', kind: 'tool', name: 'x' }, context: {} }],
    [
      'a getter that throws',
      {
        get subject() {
          throw new Error('boo');
        },
      },
    ],
    ['a revoked proxy', revoked()],
    [
      'a name that is an object',
      {
        subject: { credentials: [{ kind: 'anonymous' }] },
        action: 'call',
        resource: { upstream: 'u', kind: 'tool', name: { toString: () => 'x' } },
        context: {},
      },
    ],
    [
      'an unknown kind',
      {
        subject: { credentials: [{ kind: 'anonymous' }] },
        action: 'call',
        resource: { upstream: 'u', kind: '__proto__', name: 'x' },
        context: {},
      },
    ],
    [
      'an unknown action',
      {
        subject: { credentials: [{ kind: 'anonymous' }] },
        action: 'own',
        resource: { upstream: 'u', kind: 'tool', name: 'x' },
        context: {},
      },
    ],
  ];
  for (const [what, request] of hostile) {
    it(`denies ${what}`, () => {
      expect(decide(request as AccessRequest, policy)).toMatchObject({ effect: 'deny', visible: false });
    });
  }

  it('bears arguments of any shape', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'x', 'A'), fc.anything()), (args) => {
        const request: AccessRequest = {
          subject: { id: 's', credentials: [{ kind: 'anonymous' }] },
          action: 'call',
          resource: { upstream: 'u', kind: 'tool', name: 'x' },
          context: { arguments: args, address: '::1', time: 0 },
        };
        expect(['allow', 'deny']).toContain(decide(request, policy).effect);
      }),
      { numRuns: 2000 },
    );
  });

  it('does not touch what it is given', () => {
    const freeze = (value: unknown): unknown => {
      if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
      return value;
    };
    const request = freeze({
      subject: { id: 's', credentials: [{ kind: 'anonymous' }] },
      action: 'call',
      resource: { upstream: 'u', kind: 'tool', name: 'x' },
      context: { arguments: { a: [{ b: 'x' }], c: 1 }, address: '::1', time: 0 },
    }) as AccessRequest;
    expect(decide(request, policy).effect).toBe('allow');
    const { subject } = request;
    expect(
      limitsFor(policy, { upstream: 'u', kind: 'tool', name: 'x', method: 'tools/call', subject, time: 0 }),
    ).toHaveLength(1);
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
