import { describe, expect, it } from 'vitest';
import { explain, formatExplanation } from '../../src/policy/explain.ts';
import { policyOf, requestOf } from './support/build.ts';

const policy = policyOf(`version: 1
roles:
  analyst:
    allow:
      - tools: [query]
        upstreams: [u]
        when: { args: { limit: { max: 1000 } } }
      - { id: describing, tools: ["describe_*"] }
      - { tools: [report], actions: [call], upstreams: [other] }
      - { prompts: [summary] }
    deny:
      - { id: no-drops, tools: ["drop_*"], mode: shadow }
  admin:
    allow:
      - { tools: [drop_table] }
bindings:
  - { roles: analyst, to: { any: true } }
  - { roles: admin, to: { apiKey: root } }
acl:
  - { id: vault, tool: open_vault, allow: [{ roles: admin }] }
`);
const of = (tool: string, args?: Record<string, unknown>) =>
  explain(requestOf({ tool, ...(args === undefined ? {} : { args }) }), policy);

describe('explain', () => {
  it('gives the decision, the roles and every rule that names the target', () => {
    expect(of('query', { limit: 5000 })).toEqual({
      request: { subject: 'someone', action: 'call', upstream: 'u', kind: 'tool', name: 'query' },
      effect: 'deny',
      decision: {
        effect: 'deny',
        visible: true,
        obligations: { auditArguments: false },
        reasons: [
          {
            code: 'condition-failed',
            rule: 'roles.analyst.allow[0]',
            location: 'a.yaml:5',
            condition: 'args.limit.max',
          },
        ],
      },
      roles: [{ role: 'analyst', location: 'a.yaml:3' }],
      bindings: [{ rule: 'bindings[0]', location: 'a.yaml:17' }],
      acl: [],
      rules: [
        {
          rule: 'roles.analyst.allow[0]',
          location: 'a.yaml:5',
          effect: 'allow',
          shadow: false,
          outcome: 'does-not-apply',
          condition: 'args.limit.max',
        },
      ],
      scopes: [],
      limits: [],
      nearMisses: [],
    });
    expect(of('query').rules[0]?.outcome).toBe('cannot-be-evaluated');
    expect(of('query', { limit: 1 }).rules[0]?.outcome).toBe('applies');
  });

  const misses: readonly [string, string, string, string][] = [
    ['qeury', 'roles.analyst.allow[0]', 'name', 'query'],
    ['Query', 'roles.analyst.allow[0]', 'name', 'query'],
    ['desribe_table', 'describing', 'name', 'describe_*'],
    ['report', 'roles.analyst.allow[2]', 'upstream', 'other'],
    ['summary', 'roles.analyst.allow[3]', 'kind', 'prompt'],
    ['drop_table', 'roles.admin.allow[0]', 'role', 'admin'],
    ['open_vault', 'vault', 'role', 'admin'],
  ];
  for (const [tool, rule, differs, wants] of misses) {
    it(`finds that ${tool} misses ${rule} by its ${differs}`, () => {
      const expected = rule === 'vault' ? 'acl[0].allow[0]' : rule;
      expect(of(tool).nearMisses).toContainEqual(expect.objectContaining({ rule: expected, differs, wants }));
    });
  }

  it('finds no near miss where nothing is near', () => {
    expect(of('zzz').nearMisses).toEqual([]);
  });

  it('finds a miss by action', () => {
    const request = requestOf({ tool: 'report', upstream: 'other', action: 'read' });
    expect(explain(request, policy).nearMisses).toContainEqual(
      expect.objectContaining({ rule: 'roles.analyst.allow[2]', differs: 'action', wants: 'call' }),
    );
  });

  it('gives ten near misses at most', () => {
    const rules = Array.from({ length: 30 }, (_, i) => `{ tools: tool_${i} }`).join(', ');
    const wide = policyOf(
      `version: 1\nroles: { r: { allow: [${rules}] } }\nbindings: [{ roles: r, to: { any: true } }]`,
    );
    expect(explain(requestOf({ tool: 'tool_x' }), wide).nearMisses).toHaveLength(10);
  });
});

describe('formatExplanation', () => {
  it('is text for a terminal', () => {
    expect(
      formatExplanation(of('query', { limit: 5000 })),
    ).toBe(`DENY: "someone" may not call tool "query" on "u"
  because: condition-failed roles.analyst.allow[0] (a.yaml:5), args.limit.max
  the target is visible
Roles:
  analyst (a.yaml:3)
Bindings:
  bindings[0] (a.yaml:17)
Rules that name the target:
  allow roles.analyst.allow[0] (a.yaml:5) does not apply: args.limit.max
`);
    expect(formatExplanation(of('drop_table'))).toBe(`DENY: "someone" may not call tool "drop_table" on "u"
  because: no-rule
  the target is hidden: answered as if it did not exist
Roles:
  analyst (a.yaml:3)
Bindings:
  bindings[0] (a.yaml:17)
Rules that name the target:
  deny no-drops (a.yaml:12), shadow applies
Near misses:
  allow roles.admin.allow[0] (a.yaml:15): its role is "admin"
`);
    expect(formatExplanation(of('open_vault'))).toContain('Protected by:\n  vault (a.yaml:20)\n');
    expect(formatExplanation(of('describe_x'))).toMatch(
      /^ALLOW: "someone" may call tool "describe_x" on "u"\n/,
    );
  });

  it('lets no name write to the terminal', () => {
    const text = formatExplanation(of('\u001b[2J\u202eevil\n"x'));
    expect(text).toContain('"\\u001b[2J\\u202eevil\\n\\"x"');
    expect(text).not.toContain('\u001b');
  });
});

describe('explaining limits', () => {
  const limited = policyOf(`version: 1
roles: { all: { allow: [{ tools: "*" }] }, more: { allow: [{ tools: "*" }] } }
bindings:
  - { roles: [all, more], to: { any: true } }
limits:
  - { name: calls, match: { tools: "*" }, per: [principal, tool], rate: 30/min, burst: 10, concurrency: 2 }
  - { name: rows, match: { methods: [tools/call] }, per: role, quota: 500/day, cost: args.rows / 1000, mode: shadow }
  - { name: money, match: { tools: query, roles: more }, per: role, sum: args.amount per month, most: 10.5, onStoreLoss: deny }
  - { name: else, match: { tools: other }, per: tool, rate: 100/10s }
`);
  const textOf = (tool: string, args?: Record<string, unknown>) =>
    formatExplanation(
      explain(requestOf({ tool, ...(args === undefined ? {} : { args }) }), limited, 'tools/call'),
    )
      .split('\n')
      .filter((line) => line.includes('per '));

  it('says which ones count the call, under what, and by how much', () => {
    expect(textOf('query', { rows: 2500, amount: 1.25 })).toEqual([
      '  calls (a.yaml:6), per principal and tool: 30/min, burst 10; 2 at once',
      '  rows (a.yaml:7), shadow, per role: 500/day, cost args.rows / 1000; under all, more; this call costs 2.5',
      '  money (a.yaml:8), per role: args.amount per month, most 10.5; under more; this call adds 1.25; deny on store loss',
    ]);
    expect(textOf('other', { rows: 1 })).toEqual([
      '  calls (a.yaml:6), per principal and tool: 30/min, burst 10; 2 at once',
      '  rows (a.yaml:7), shadow, per role: 500/day, cost args.rows / 1000; under all, more',
      '  else (a.yaml:9), per tool: 100/10s, burst 100',
    ]);
  });

  it('says where the arguments do not tell', () => {
    expect(textOf('query')[2]).toContain(
      'this call adds what these arguments do not tell; refuses it in any case',
    );
    expect(explain(requestOf({ tool: 'query' }), limited, 'tools/call').limits).toMatchObject([
      { limit: 'calls', cost: 1 },
      { limit: 'rows', cost: 'unknown', roles: ['all', 'more'] },
      { limit: 'money', adds: 'unknown', onStoreLoss: 'deny' },
    ]);
  });

  it('says where a call asks for more than there ever is', () => {
    const [, rows, money] = textOf('query', { rows: 500_001, amount: 10.501 });
    expect(rows).toContain('this call costs 500.001; would refuse it in any case');
    expect(money).toContain('this call adds 10.501; refuses it in any case');
    expect(textOf('query', { rows: 500_000, amount: 10.5 }).join()).not.toContain('in any case');
  });
});
