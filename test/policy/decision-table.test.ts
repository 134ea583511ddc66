import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/document/problems.ts';
import { runDecisionTable } from '../../src/policy/decision-table.ts';
import { policyOf } from './support/build.ts';

const policy = policyOf(`version: 1
roles:
  r:
    allow:
      - { id: small, tools: t, when: { args: { a: { max: 5 } }, network: 10.0.0.0/8, time: { days: mon } } }
      - { resources: "f:///*" }
      - { prompts: p, methods: m }
      - { id: by-claim, tools: c, when: { claims: { groups: data } } }
bindings:
  - roles: r
    to: [{ apiKey: k }, { token: { issuer: i, scopes: s } }, { certificate: { cn: n } }, { anonymous: true }]
`);

const subjects = `version: 1
subjects:
  key: { apiKey: k }
  bearer: { token: { issuer: i, scopes: [s], claims: { groups: [data] } } }
  cert: { certificate: { uri: "spiffe://a/b", cn: n } }
  anon: { anonymous: true }
  other: { apiKey: x }
cases:
`;
const run = (cases: string) => runDecisionTable({ file: 't.yaml', text: subjects + cases }, policy);

describe('runDecisionTable', () => {
  it('passes where the policy says what the table expects', () => {
    const result = run(`
  - { name: all hold, as: key, upstream: u, tool: t, args: { a: 5 }, from: 10.1.1.1, at: 2026-01-05T10:00:00+01:00, expect: allow, rule: small, reason: allowed }
  - { name: default place and time do not, as: key, upstream: u, tool: t, args: { a: 5 }, expect: deny, reason: condition-failed, visible: true }
  - { name: token, as: bearer, upstream: u, tool: c, expect: allow, rule: by-claim }
  - { name: certificate, as: cert, upstream: u, resource: "f:///x", expect: allow }
  - { name: subscribe, as: cert, upstream: u, resource: "f:///x", action: subscribe, expect: allow }
  - { name: anonymous, as: anon, upstream: u, prompt: p, expect: allow }
  - { name: method, as: anon, upstream: u, method: m, expect: allow }
  - { name: implied, as: anon, upstream: u, method: tools/list, implied: true, expect: allow, reason: implied }
  - { name: nobody, as: other, upstream: u, prompt: p, expect: deny, reason: no-role, visible: false }
`);
    expect(result).toEqual({ ok: true, passed: 9, failures: [] });
  });

  it('says where and why a case fails', () => {
    const result = run(`  - { name: one, as: key, upstream: u, tool: t, args: { a: 9 }, expect: allow }
  - { name: two, as: key, upstream: u, prompt: p, expect: allow, rule: small }
  - { name: three, as: key, upstream: u, prompt: p, expect: deny, reason: no-rule, visible: false }
  - { name: four, as: kye, upstream: u, prompt: p, expect: allow }
  - { name: five, as: key, upstream: u, prompt: p, expect: allow }
`);
    if (!result.ok) throw new Error('expected a table');
    expect(result.passed).toBe(1);
    const why = 'it says allow, allowed roles.r.allow[2] (a.yaml:7)';
    expect(result.failures.map(formatProblem)).toEqual([
      't.yaml:9:5: cases[0]: one: expected allow; it says deny, condition-failed small (a.yaml:5), network',
      `t.yaml:10:5: cases[1]: two: expected the rule small; ${why}`,
      `t.yaml:11:5: cases[2]: three: expected deny; expected the reason no-rule; expected it to be hidden; ${why}`,
      't.yaml:12:5: cases[3]: four: there is no subject "kye"; did you mean "key"?',
    ]);
  });

  it('refuses what is no table, all problems at once', () => {
    const result = run(`  - { name: x, as: key, upstream: u, expect: allow }
  - { name: x, as: key, upstream: u, tool: t, at: noon, expect: perhaps, resaon: no-rule }
`);
    if (result.ok) throw new Error('expected problems');
    expect(result.problems.map(formatProblem)).toEqual([
      't.yaml:9:5: cases[0]: asks about one target: give tool, resource, prompt or method',
      't.yaml:10:51: cases[1].at: expected a time such as 2026-01-01T12:00:00Z',
      't.yaml:10:65: cases[1].expect: must be one of "allow", "deny"',
      't.yaml:10:74: cases[1].resaon: unknown key; did you mean "reason"?',
    ]);
  });
});
