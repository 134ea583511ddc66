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

describe('cases about arguments', () => {
  const withRules = policyOf(`version: 1
roles:
  r: { allow: [{ tools: [write, page] }, { id: small, tools: few, when: { args: { n: { max: 5 } } } }] }
bindings:
  - { roles: r, to: { apiKey: k } }
arguments:
  - { id: writing, match: { tools: write }, args: { "edits[*].path": { path: { within: /w } } } }
  - { id: paging, match: { tools: [page, few] }, args: { n: { int: {}, clamp: { max: 5 } }, at: { default: 0 } } }
  - { id: try-out, match: { tools: page }, mode: shadow, args: { q: { id: {} } } }
  - { id: mine, match: { tools: few }, relations: [{ id: own, that: "principal.id == 'apikey:k'", message: mine }] }
  - { id: unseen, match: { tools: vault }, args: { x: { required: true } } }
`);
  const judge = (cases: string) => {
    const head =
      'version: 1\nsubjects: { key: { apiKey: k, id: "apikey:k" }, unnamed: { apiKey: k } }\ncases:\n';
    const result = runDecisionTable({ file: 't.yaml', text: head + cases }, withRules);
    if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
    return result;
  };

  it('pass where the rules on arguments do what the table expects', () => {
    expect(
      judge(`
  - { name: refused, as: key, upstream: u, tool: write, args: { edits: [{ path: /w/a }, { path: /etc }] }, expect: deny, reason: arguments-refused, rule: writing, argument: "edits[1].path", visible: true }
  - { name: another key, as: key, upstream: u, tool: write, args: { Edits: [] }, expect: deny, reason: arguments-refused, rule: writing, argument: edits }
  - { name: not refused, as: key, upstream: u, tool: write, args: { edits: [{ path: /w/a }] }, expect: allow, sent: { edits: [{ path: /w/a }] } }
  - { name: rewritten, as: key, upstream: u, tool: page, args: { n: 50 }, expect: allow, sent: { at: 0, n: 5 } }
  - { name: filled in, as: key, upstream: u, tool: page, expect: allow, sent: { at: 0 } }
  - { name: all digits, as: key, upstream: u, tool: page, args: { big: 9007199254740993 }, expect: allow, sent: { at: 0, big: 9007199254740993 } }
  - { name: shadow, as: key, upstream: u, tool: page, args: { q: "a b" }, expect: allow, shadow: try-out }
  - { name: decided on what is sent, as: key, upstream: u, tool: few, args: { n: 50 }, expect: allow, rule: small }
  - { name: by another name, as: unnamed, upstream: u, tool: few, args: { n: 5 }, expect: deny, rule: mine, argument: (arguments) }
  - { name: hidden, as: key, upstream: u, tool: vault, expect: deny, reason: no-rule, visible: false }
`),
    ).toEqual({ ok: true, passed: 10, failures: [] });
  });

  it('fail with what the rules say', () => {
    const { failures } =
      judge(`  - { name: one, as: key, upstream: u, tool: write, args: { edits: [{ path: /etc }] }, expect: allow, rule: small }
  - { name: two, as: key, upstream: u, tool: write, args: { edits: [{ path: /etc }] }, expect: deny, reason: no-rule, argument: path }
  - { name: three, as: key, upstream: u, tool: page, args: { n: 50 }, expect: allow, sent: { n: 50 }, shadow: try-out }
  - { name: four, as: key, upstream: u, tool: page, args: { big: 9007199254740993 }, expect: allow, sent: { at: 0, big: 9007199254740992 } }
`);
    const refused = 'arguments-refused writing (a.yaml:7), "edits[0].path", role path: outside-tree';
    expect(failures.map(({ message }) => message)).toEqual([
      `one: expected allow; expected the rule small; it says deny, ${refused}`,
      `two: expected the reason no-rule; expected the argument path; it says deny, ${refused}`,
      'three: expected the shadow rule try-out; expected other arguments to be sent than {"at":0,"n":5}; it says allow, allowed roles.r.allow[0] (a.yaml:3)',
      'four: expected other arguments to be sent than {"at":0,"big":9007199254740993}; it says allow, allowed roles.r.allow[0] (a.yaml:3)',
    ]);
  });

  it('send nothing where they expect a denial', () => {
    expect(() =>
      judge('  - { name: x, as: key, upstream: u, tool: page, expect: deny, sent: {} }\n'),
    ).toThrow('t.yaml:4:70: cases[0].sent: nothing is sent of a call that is denied');
  });
});
