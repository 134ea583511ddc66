import { describe, expect, it } from 'vitest';
import type { SubjectCredential } from '../../src/policy/access-request.ts';
import { anonymous, ask, policyOf } from './support/build.ts';

const shadow = 'mode: shadow';
const key: SubjectCredential = { kind: 'apiKey', name: 'k' };

/** Rules of the role `r` that everybody has, entries of `acl`, and what comes of them: enforced, and with the shadow rules. */
interface Row {
  readonly what: string;
  readonly allow?: string;
  readonly deny?: string;
  readonly acl?: string;
  readonly effect: 'allow' | 'deny';
  /** Effect, reason and rule with the shadow rules; absent where nothing would change. */
  readonly would?: readonly [string, string, string];
}

const rows: readonly Row[] = [
  {
    what: 'a shadow deny',
    allow: '{ tools: t }',
    deny: `{ id: d, tools: t, ${shadow} }`,
    effect: 'allow',
    would: ['deny', 'denied-by-rule', 'd'],
  },
  {
    what: 'a shadow allow',
    allow: `{ id: a, tools: t, ${shadow} }`,
    effect: 'deny',
    would: ['allow', 'allowed', 'a'],
  },
  {
    what: 'a shadow allow under a shadow deny',
    allow: `{ tools: t, ${shadow} }`,
    deny: `{ tools: t, ${shadow} }`,
    effect: 'deny',
  },
  {
    what: 'a shadow allow under a deny',
    allow: `{ tools: t, ${shadow} }`,
    deny: '{ tools: t }',
    effect: 'deny',
  },
  {
    what: 'a shadow deny under a deny',
    allow: '{ tools: t }',
    deny: `{ tools: t }, { tools: t, ${shadow} }`,
    effect: 'deny',
  },
  {
    what: 'a shadow allow whose condition fails',
    allow: `{ tools: t, ${shadow}, when: { args: { n: { max: 1 } } } }`,
    effect: 'deny',
  },
  {
    what: 'a shadow deny whose condition fails',
    allow: '{ tools: t }',
    deny: `{ tools: t, ${shadow}, when: { args: { n: { max: 1 } } } }`,
    effect: 'allow',
  },
  {
    what: 'a shadow allow beside a protected object',
    allow: `{ tools: t, ${shadow} }`,
    acl: '{ tool: t, allow: [] }',
    effect: 'deny',
  },
  {
    what: 'a shadow allow beside a shadow object',
    allow: `{ tools: t, ${shadow} }`,
    acl: `{ tool: t, ${shadow}, allow: [] }`,
    effect: 'deny',
  },
  {
    what: 'a shadow object',
    allow: '{ tools: t }',
    acl: `{ id: o, tool: t, ${shadow}, allow: [] }`,
    effect: 'allow',
    would: ['deny', 'denied-by-acl', 'o'],
  },
  {
    what: 'a shadow object that lets in',
    allow: '{ tools: t }',
    acl: `{ tool: t, ${shadow}, allow: [{ roles: r }] }`,
    effect: 'allow',
  },
  {
    what: 'a shadow object, where another lets in',
    allow: '{ tools: t }',
    acl: `{ tool: t, ${shadow}, allow: [] }, { tool: t, allow: [{ roles: r }] }`,
    effect: 'allow',
  },
  {
    what: 'a shadow entry of an object',
    allow: '{ tools: t }',
    acl: `{ tool: t, allow: [{ id: e, roles: r, ${shadow} }] }`,
    effect: 'deny',
    would: ['allow', 'allowed', 'e'],
  },
  {
    what: 'a shadow entry under a shadow deny',
    deny: `{ tools: t, ${shadow} }`,
    acl: `{ tool: t, allow: [{ roles: r, ${shadow} }] }`,
    effect: 'deny',
  },
  {
    what: 'a shadow entry under a deny',
    deny: '{ tools: t }',
    acl: `{ tool: t, allow: [{ roles: r, ${shadow} }] }`,
    effect: 'deny',
  },
  {
    what: 'a shadow entry whose condition fails',
    acl: `{ tool: t, allow: [{ roles: r, ${shadow}, when: { args: { n: { max: 1 } } } }] }`,
    effect: 'deny',
  },
  {
    what: 'a shadow entry of another role',
    acl: `{ tool: t, allow: [{ roles: s, ${shadow} }] }`,
    effect: 'deny',
  },
  {
    what: 'a shadow deny of an entry',
    acl: `{ tool: t, allow: [{ roles: r }], deny: [{ id: d, roles: r, ${shadow} }] }`,
    effect: 'allow',
    would: ['deny', 'denied-by-rule', 'd'],
  },
  {
    what: 'the first of two shadow denies',
    allow: '{ tools: t }',
    deny: `{ id: d1, tools: "*", ${shadow} }, { id: d2, tools: t, ${shadow} }`,
    effect: 'allow',
    would: ['deny', 'denied-by-rule', 'd1'],
  },
  {
    what: 'the first of two shadow allows',
    allow: `{ id: a1, tools: "*", ${shadow} }, { id: a2, tools: t, ${shadow} }`,
    effect: 'deny',
    would: ['allow', 'allowed', 'a1'],
  },
];

const policyFor = ({ allow = '', deny = '', acl = '' }: Row) =>
  policyOf(`version: 1
roles: { r: { allow: [${allow}], deny: [${deny}] }, s: {} }
bindings: [{ roles: r, to: { any: true } }]
acl: [${acl}]
`);

describe('what shadow rules would change', () => {
  it.each(rows.map((row) => [row.what, row] as const))('by %s', (_, row) => {
    const decision = ask(policyFor(row), { tool: 't', args: { n: 2 } });
    expect(decision.effect).toBe(row.effect);
    const { would } = row;
    if (would === undefined) expect(decision).not.toHaveProperty('shadow');
    else
      expect(decision.shadow).toMatchObject({ effect: would[0], reason: { code: would[1], rule: would[2] } });
  });
});

describe('implied methods and shadow rules', () => {
  const list = { method: 'tools/list', implied: true };
  const first = (allow: string, other = '[]') =>
    policyOf(`version: 1
roles: { r: { allow: ${allow} }, s: { allow: ${other} } }
bindings: [{ roles: [r, s], to: { any: true } }]
`);

  it('come with an enforced rule after a shadow rule, whatever role it is of', () => {
    for (const policy of [
      first(`[{ tools: a, ${shadow} }, { id: b, tools: b }]`),
      first(`[{ tools: a, ${shadow} }]`, '[{ id: b, tools: b }]'),
      first(`[{ tools: a, ${shadow}, upstreams: u }, { id: b, tools: b, upstreams: u }]`),
      first(`[{ tools: a, when: { claims: { no: x } } }, { id: b, tools: b }]`),
      first(`[{ tools: a, when: { claims: { no: x } }, upstreams: u }, { id: b, tools: b, upstreams: u }]`),
      first(`[{ tools: a, upstreams: "v*" }, { id: b, tools: b, upstreams: "u*" }]`),
    ]) {
      const decision = ask(policy, { ...list, credentials: [anonymous] });
      expect(decision).toMatchObject({
        effect: 'allow',
        visible: true,
        reasons: [{ code: 'implied', rule: 'b' }],
      });
      expect(decision).not.toHaveProperty('shadow');
    }
  });

  it('tell the first shadow rule that would bring them', () => {
    const policy = first(`[{ id: a, tools: a, ${shadow} }, { id: b, tools: b, ${shadow}, upstreams: u }]`);
    expect(ask(policy, list)).toMatchObject({
      effect: 'deny',
      visible: false,
      shadow: { effect: 'allow', reason: { code: 'implied', rule: 'a' } },
    });
  });

  it('come with a trial from the day on which it ends, whatever trial stands before it', () => {
    const trial = (id: string, until: string) => `{ id: ${id}, tools: ${id}, ${shadow}, until: ${until} }`;
    const policy = first(`[${trial('late', '2026-12-31')}, ${trial('soon', '2026-03-31')}]`);
    const at = (day: string) => ask(policy, { ...list, time: Date.parse(day), credentials: [key] });
    expect(at('2026-01-01').effect).toBe('deny');
    expect(at('2026-06-01')).toMatchObject({ effect: 'allow', reasons: [{ rule: 'soon' }] });
  });

  it('are denied where a deny names them, and told as that', () => {
    const policy = policyOf(`version: 1
roles: { r: { allow: [{ tools: a, ${shadow} }], deny: [{ methods: tools/list }] } }
bindings: [{ roles: r, to: { any: true } }]
`);
    expect(ask(policy, list)).not.toHaveProperty('shadow');
  });
});

describe('reasons', () => {
  it('are in the order of the policy, wherever the rules stand in an index', () => {
    const policy = policyOf(`version: 1
roles:
  r:
    allow:
      - { id: one, tools: "*" }
      - { id: two, tools: t }
      - { id: three, tools: "t*" }
      - { id: four, tools: t, upstreams: u }
bindings: [{ roles: r, to: { any: true } }]
acl: [{ tool: t, upstreams: x, allow: [] }]
`);
    expect(ask(policy, { tool: 't' }).reasons.map(({ rule }) => rule)).toEqual([
      'one',
      'two',
      'three',
      'four',
    ]);
  });

  it('of missing scopes are eight at most', () => {
    const entries = Array.from({ length: 12 }, (_, i) => `{ match: {}, scopes: s${i} }`).join(', ');
    const policy = policyOf(`version: 1
roles: { r: { allow: [{ tools: t }] } }
bindings: [{ roles: r, to: { any: true } }]
scopes: [${entries}]
`);
    const token: SubjectCredential = { kind: 'token', issuer: 'i', subject: 's', scopes: [], claims: {} };
    expect(ask(policy, { tool: 't', credentials: [token] }).reasons).toHaveLength(8);
  });
});
