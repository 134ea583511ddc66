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

function withoutConditions(document: OraclePolicy): OraclePolicy {
  return JSON.parse(
    JSON.stringify(document, (key, value) => (key === 'when' || key === 'claims' ? undefined : value)),
  );
}
