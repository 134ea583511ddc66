import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/document/parse-document.ts';
import { type ComparedPolicy, comparePolicies, sectionsThatDiffer } from '../../src/policy/compare.ts';
import { decide } from '../../src/policy/decide.ts';
import { policyDocument } from '../../src/policy/document.ts';
import { policy as anyPolicy, request as anyRequest, toText } from './support/arbitrary-policy.ts';
import { policyOf } from './support/build.ts';
import type { OraclePolicy } from './support/to-cedar.ts';

const time = Date.UTC(2026, 0, 1, 12);

function compared(text: string): ComparedPolicy {
  const file = 'a.yaml';
  const parsed = parseDocument({ file, text }, policyDocument);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { policy: policyOf(text), files: [{ file, document: parsed.value, locate: parsed.locate }] };
}

function differencesOf(before: string, after: string) {
  return comparePolicies(compared(before), compared(after), { time }).differences.map(
    ({ caller, target, kind, before: old, after: next }) =>
      `${caller} ${kind} ${target.action} ${target.kind} ${target.name} on ${target.upstream}: ${old} -> ${next}`,
  );
}

const base = (rules: string, to = 'apiKey: robot') => `
version: 1
roles:
  r:
    allow: [${rules}]
bindings:
  - { roles: [r], to: { ${to} } }
`;

describe('who gains and who loses', () => {
  it('is nobody where the files say the same in another way', () => {
    const before = base('{ tools: [a, b], upstreams: [one] }');
    const after = base(
      '{ tools: [b], upstreams: [one] }, { id: x, description: y, tools: [a], upstreams: [one] }',
    );
    expect(differencesOf(before, after)).toEqual([]);
  });

  it('tells a tool that was added, for everybody with the role and nobody else', () => {
    expect(
      differencesOf(base('{ tools: [a], upstreams: [one] }'), base('{ tools: [a, b], upstreams: [one] }')),
    ).toEqual([
      'api-key:robot gains call tool b on one: never -> always',
      'api-key:a-key-with-the-role-r gains call tool b on one: never -> always',
    ]);
  });

  it('tells a caller that lost its binding', () => {
    const before = base('{ tools: [a], upstreams: [one] }', 'certificate: { uri: "spiffe://t/*" }');
    const after = base('{ tools: [a], upstreams: [one] }', 'certificate: { uri: "spiffe://t/a" }');
    expect(differencesOf(before, after).filter((line) => line.includes('call tool a on one'))).toEqual([
      'spiffe://t/anything loses call tool a on one: always -> never',
    ]);
  });

  it('tells what two patterns share, which no one of them shows', () => {
    const before = base('{ tools: ["get_*"], upstreams: [one] }');
    const after = before.replace('    allow:', '    deny: [{ tools: ["*_secret"] }]\n    allow:');
    expect(differencesOf(before, after)).toContain(
      'api-key:robot loses call tool get_anything_secret on one: always -> never',
    );
  });

  it.each([
    ['a looser bound', 'args: { limit: { max: 10 } }', 'args: { limit: { max: 20 } }', 'changed'],
    ['another network', 'network: [10.0.0.0/8]', 'network: [0.0.0.0/0]', 'changed'],
    [
      'other hours',
      'time: { between: ["08:00", "18:00"] }',
      'time: { between: ["08:00", "19:00"] }',
      'changed',
    ],
  ])('tells %s, although it depends before and after', (_what, before, after, kind) => {
    const text = (when: string) => base(`{ tools: [a], upstreams: [one], when: { ${when} } }`);
    const { differences } = comparePolicies(compared(text(before)), compared(text(after)), { time });
    expect(differences.map((one) => [one.caller, one.kind, one.target.name])).toContainEqual([
      'api-key:robot',
      kind,
      'a',
    ]);
  });

  it('tells a condition that fell away', () => {
    const before = base(
      '{ tools: [a], upstreams: [one], when: { time: { days: [mon, tue, wed, thu, fri] } } }',
    );
    const after = base('{ tools: [a], upstreams: [one] }');
    expect(differencesOf(before, after)).toContain(
      'api-key:robot gains call tool a on one: depends -> always',
    );
    expect(differencesOf(after, before)).toContain(
      'api-key:robot loses call tool a on one: always -> depends',
    );
  });

  it('tells what an ACL takes from roles', () => {
    const before = base('{ resources: ["file:///**"], upstreams: [one] }');
    const after = `${before}acl: [{ resource: "file:///payroll/**", allow: [] }]\n`;
    expect(differencesOf(before, after)).toContain(
      'api-key:robot loses read resource file:///payroll/anything on one: always -> never',
    );
  });

  it('tells a scope that a token now needs, and another one that it needs instead', () => {
    const open = base('{ tools: [a], upstreams: [one] }', 'token: { issuer: "https://i" }');
    const asking = (scope: string) => `${open}scopes: [{ match: { tools: [a] }, scopes: ${scope} }]\n`;
    const caller = 'token:https://i#somebody';
    expect(differencesOf(open, asking('read'))).toEqual([
      `${caller} loses call tool a on one: always -> depends`,
    ]);
    expect(differencesOf(asking('read'), asking('write'))).toContain(
      `${caller} changed call tool a on one: depends -> depends`,
    );
  });

  it('counts the sections that are not about who may do what', () => {
    const limits = (rate: string) =>
      `${base('{ tools: [a] }')}limits: [{ name: l, match: { tools: [a] }, per: principal, rate: ${rate} }]\n`;
    const documents = (text: string) => compared(text).files.map(({ document }) => document);
    expect(sectionsThatDiffer(documents(limits('1/s')), documents(limits('2/s')))).toEqual([
      { section: 'limits', gone: 1, added: 1 },
    ]);
    expect(sectionsThatDiffer(documents(limits('1/s')), documents(limits('1/s')))).toEqual([]);
  });

  const token = (more: string) => `token: { issuer: "https://i", ${more} }`;
  const tool = '{ tools: [a], upstreams: [one] }';
  const when = (condition: string) => `{ tools: [a], upstreams: [one], when: { ${condition} } }`;

  it.each([
    [
      'a caller pattern that crosses segments',
      base(tool, 'certificate: { uri: "spiffe://t/*" }'),
      base(tool, 'certificate: { uri: "spiffe://t/**" }'),
    ],
    [
      'a DNS pattern that crosses labels',
      base(tool, 'certificate: { dns: "*.t" }'),
      base(tool, 'certificate: { dns: "**.t" }'),
    ],
    [
      'a resource pattern that crosses segments',
      base('{ resources: ["file:///a/*"] }'),
      base('{ resources: ["file:///a/**"] }'),
    ],
    [
      'a wildcard in the place of the word that stands for wildcards',
      base('{ tools: [get_anything] }'),
      base('{ tools: ["get_*"] }'),
    ],
    ['the same in a binding', base(tool, 'apiKey: anything'), base(tool, 'apiKey: "*"')],
    [
      'a second value of a claim',
      base(tool, token('claims: { g: [a] }')),
      base(tool, token('claims: { g: [a, b] }')),
    ],
    [
      'a second value of a second claim',
      base(tool, token('claims: { g: [a, b], h: [c] }')),
      base(tool, token('claims: { g: [a, b], h: [c, d] }')),
    ],
    [
      'a second value of oneOf',
      base(tool, token('claims: { g: { oneOf: [a] } }')),
      base(tool, token('claims: { g: { oneOf: [a, b] } }')),
    ],
    [
      'a claim with a quoted name',
      base(tool, token(`claims: { '["a.b"]': c }`)),
      base(tool, token(`claims: { '["a.b"]': [c, d] }`)),
    ],
    ['a second client', base(tool, token('client: [a]')), base(tool, token('client: [a, b]'))],
    [
      'a second way of holding a token',
      base(tool, token('bound: [dpop]')),
      base(tool, token('bound: [dpop, certificate]')),
    ],
    [
      'a scope that implies another',
      base(tool, token('scopes: [read]')),
      `${base(tool, token('scopes: [read]'))}implies: { admin: [read] }\n`,
    ],
    [
      'a trial that gets an end',
      base('{ tools: [a], mode: shadow }'),
      base('{ tools: [a], mode: shadow, until: 2026-12-31 }'),
    ],
    [
      'a trial that ends earlier',
      base('{ tools: [a], mode: shadow, until: 2027-12-31 }'),
      base('{ tools: [a], mode: shadow, until: 2026-12-31 }'),
    ],
    [
      'an ACL that is tried out for longer',
      `${base(tool)}acl: [{ tool: a, mode: shadow, until: 2026-06-01, allow: [] }]\n`,
      `${base(tool)}acl: [{ tool: a, mode: shadow, until: 2026-12-31, allow: [] }]\n`,
    ],
    [
      "a second value of a rule's claim",
      base(when('claims: { g: a }'), token('')),
      base(when('claims: { g: [a, b] }'), token('')),
    ],
    [
      "an operator in a rule's claim",
      base(when('claims: { g: { prefix: ab } }'), token('')),
      base(when('claims: { g: { prefix: a } }'), token('')),
    ],
    [
      'an expression about the caller',
      base(when(`cel: "principal.id == 'x'"`), token('')),
      base(when(`cel: "principal.id == 'y'"`), token('')),
    ],
    [
      'an expression about the target',
      base(when(`cel: "call.name == 'x'"`)),
      base(when(`cel: "call.name == 'y'"`)),
    ],
    [
      'a condition where another rule is only for some',
      base(
        `${when('claims: { g: a }')}, ${when('network: { notIn: [10.0.0.0/8] }')}`,
        token('claims: { h: b }'),
      ),
      base(
        `${when('claims: { g: a }')}, ${when('network: { notIn: [10.1.0.0/16] }')}`,
        token('claims: { h: b }'),
      ),
    ],
    [
      "a deny rule's claim",
      base(tool, token('')).replace(
        '    allow:',
        '    deny: [{ tools: [a], when: { claims: { g: a } } }]\n    allow:',
      ),
      base(tool, token('')).replace(
        '    allow:',
        '    deny: [{ tools: [a], when: { claims: { g: b } } }]\n    allow:',
      ),
    ],
  ])('tells %s, either way', (_what, before, after) => {
    expect(differencesOf(before, after)).not.toEqual([]);
    expect(differencesOf(after, before)).not.toEqual([]);
    expect(differencesOf(before, before)).toEqual([]);
  });

  it.each([
    ['prefix: ab', 'prefix: a'],
    ['pattern: "a.*"', 'pattern: ".*"'],
    ['min: 3', 'max: 3'],
    ['minLength: 3', 'minLength: 2'],
    ['contains: a', 'contains: b'],
    ['present: true', 'present: false'],
  ])('tells of bindings whose operators no caller could be imagined for: %s, %s', (one, other) => {
    const side = (operator: string) => compared(base(tool, token(`claims: { g: { ${operator} } }`)));
    const { unasked } = comparePolicies(side(one), side(other), { time });
    expect([unasked.before.length, unasked.after.length]).toEqual([1, 1]);
    expect(comparePolicies(side(one), side(one), { time }).unasked).toEqual({ before: [], after: [] });
  });

  it('says when a trial ends that makes the difference', () => {
    const { differences } = comparePolicies(
      compared(base(tool.replace('}', ', mode: shadow }'))),
      compared(base(tool.replace('}', ', mode: shadow, until: 2026-12-31 }'))),
      { time },
    );
    expect(new Set(differences.map(({ from }) => from))).toEqual(new Set([Date.UTC(2027, 0, 1)]));
  });

  it('takes a trial that has ended for what is enforced', () => {
    const rule = (more: string) =>
      base(`{ tools: [a], upstreams: [one], when: { network: [10.0.0.0/8] }${more} }`);
    expect(differencesOf(rule(', mode: shadow, until: 2025-12-01'), rule(''))).toEqual([]);
  });

  it('says so where there was more to ask than it asks', () => {
    const side = compared(base('{ tools: [a] }'));
    expect(comparePolicies(side, side, { time, most: 3 })).toMatchObject({ asked: 3, cut: true });
  });
});

describe('for any two policies without conditions', () => {
  it('whoever is decided on differently is among the differences', () => {
    let met = 0;
    fc.assert(
      fc.property(
        anyPolicy.map(withoutConditions),
        anyPolicy.map(withoutConditions),
        fc.array(anyRequest, { minLength: 20, maxLength: 20 }),
        (before, after, asked) => {
          // Half of it stays the same, as it does between two versions of one policy.
          const [old, next] = [
            toText(before),
            toText({ ...before, acl: after.acl, roles: { ...before.roles, r0: after.roles['r0']! } }),
          ];
          const [one, other] = [compared(old), compared(next)];
          const differ = asked
            .map(({ request }) => request)
            .filter(({ subject }) => subject.credentials.length === 1)
            .some((request) => decide(request, one.policy).effect !== decide(request, other.policy).effect);
          if (!differ) return;
          met += 1;
          expect(comparePolicies(one, other, { time }).differences).not.toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
    expect(met).toBeGreaterThan(10);
  });

  it('nobody gains or loses against itself', () => {
    fc.assert(
      fc.property(anyPolicy, (document) => {
        const side = compared(toText(document));
        expect(comparePolicies(side, side, { time, most: 20_000 }).differences).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });
});

describe('for any two policies with conditions on claims and requests', () => {
  it('whoever is decided on differently is among the differences, or a binding is told of', () => {
    let met = 0;
    fc.assert(
      fc.property(
        anyPolicy,
        anyPolicy,
        fc.array(anyRequest, { minLength: 20, maxLength: 20 }),
        (before, after, asked) => {
          const [old, next] = [
            toText(before),
            toText({
              ...before,
              roles: { ...before.roles, r0: after.roles['r0']! },
              bindings: after.bindings,
            }),
          ];
          const [one, other] = [compared(old), compared(next)];
          const differ = asked
            .map(({ request }) => request)
            .filter(({ subject }) => subject.credentials.length === 1)
            .some((request) => decide(request, one.policy).effect !== decide(request, other.policy).effect);
          if (!differ) return;
          met += 1;
          const { differences, unasked } = comparePolicies(one, other, { time });
          expect(differences.length + unasked.before.length + unasked.after.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 12 },
    );
    expect(met).toBeGreaterThan(2);
  });
});

function withoutConditions(document: OraclePolicy): OraclePolicy {
  return JSON.parse(
    JSON.stringify(document, (key, value) => (key === 'when' || key === 'claims' ? undefined : value)),
  );
}

describe('priorities', () => {
  const role = (priority: string) => `
version: 1
roles:
  r: { ${priority} allow: [{ tools: [a] }] }
bindings:
  - { roles: [r], to: { apiKey: robot } }
`;
  const sections = (before: string, after: string) =>
    sectionsThatDiffer(
      compared(role(before)).files.map(({ document }) => document),
      compared(role(after)).files.map(({ document }) => document),
    );

  it('are told where they are not the same, and the default is what is written by nobody', () => {
    expect(sections('', 'priority: high,')).toEqual([{ section: 'priorities', gone: 0, added: 1 }]);
    expect(sections('priority: low,', 'priority: high,')).toEqual([
      { section: 'priorities', gone: 1, added: 1 },
    ]);
    expect(sections('', 'priority: normal,')).toEqual([]);
  });
});
