import { describe, expect, it } from 'vitest';
import { isVisible } from '../../src/policy/decide.ts';
import { anonymous, ask, oneRole, policyOf, requestOf, tokenWith } from './support/build.ts';

const bound = 'bindings: [{ roles: [r, s], to: { any: true } }]';

describe('allow and deny', () => {
  it('denies what no rule allows', () => {
    const policy = oneRole('[{ tools: echo }]');
    expect(ask(policy, { tool: 'other' })).toMatchObject({
      effect: 'deny',
      visible: false,
      reasons: [{ code: 'no-rule', rule: undefined, location: undefined }],
    });
    expect(ask(policy, { tool: 'echo' })).toMatchObject({
      effect: 'allow',
      visible: true,
      reasons: [{ code: 'allowed', rule: 'roles.r.allow[0]', location: 'a.yaml:2' }],
    });
  });

  it('denies whom no binding gives a role', () => {
    const policy = policyOf(
      'version: 1\nroles: { r: { allow: [{ tools: "*" }] } }\nbindings: [{ roles: r, to: { apiKey: k } }]',
    );
    expect(ask(policy, { tool: 'echo' }).reasons[0].code).toBe('no-role');
    expect(ask(policy, { tool: 'echo', credentials: [{ kind: 'apiKey', name: 'k' }] }).effect).toBe('allow');
    expect(ask(policy, { tool: 'echo', credentials: [] }).reasons[0].code).toBe('no-role');
  });

  it('lets a deny of any role win, and says all denies', () => {
    const policy = policyOf(`version: 1
roles:
  r:
    allow: [{ tools: "*" }]
    deny:
      - { id: no-drops, tools: "drop_*" }
  s:
    deny:
      - tools: [drop_table]
${bound}`);
    expect(ask(policy, { tool: 'drop_table' })).toEqual({
      effect: 'deny',
      visible: false,
      obligations: { auditArguments: false },
      reasons: [
        { code: 'denied-by-rule', rule: 'no-drops', location: 'a.yaml:6' },
        { code: 'denied-by-rule', rule: 'roles.s.deny[0]', location: 'a.yaml:9' },
      ],
    });
  });

  it('keeps kinds, upstreams and actions apart', () => {
    const policy = oneRole(
      '[{ tools: x, upstreams: u }, { resources: "f:///**", actions: read, upstreams: "v*" }, { prompts: p, actions: [get] }, { methods: m }]',
    );
    const effects: readonly [Parameters<typeof ask>[1], 'allow' | 'deny'][] = [
      [{ tool: 'x' }, 'allow'],
      [{ tool: 'x', upstream: 'v' }, 'deny'],
      [{ prompt: 'x' }, 'deny'],
      [{ resource: 'x' }, 'deny'],
      [{ method: 'x' }, 'deny'],
      [{ resource: 'f:///a', upstream: 'v2' }, 'allow'],
      [{ resource: 'f:///a', upstream: 'v2', action: 'subscribe' }, 'deny'],
      [{ resource: 'f:///a' }, 'deny'],
      [{ prompt: 'p' }, 'allow'],
      [{ prompt: 'p', action: 'complete' }, 'deny'],
      [{ method: 'm' }, 'allow'],
      [{ method: 'm', action: 'ask' }, 'allow'],
    ];
    for (const [question, effect] of effects) {
      expect(ask(policy, question).effect, JSON.stringify(question)).toBe(effect);
    }
  });

  it('names the condition that does not hold, and never its value', () => {
    const policy = oneRole('[{ tools: t, when: { args: { limit: { min: 1, max: 1000 } } } }]');
    const decision = ask(policy, { tool: 't', args: { limit: 123456 } });
    expect(decision).toMatchObject({
      effect: 'deny',
      visible: true,
      reasons: [{ code: 'condition-failed', rule: 'roles.r.allow[0]', condition: 'args.limit.max' }],
    });
    expect(JSON.stringify(decision)).not.toContain('123456');
  });

  it('names the condition for which a deny could not be evaluated', () => {
    const policy = oneRole('[{ tools: t }]', '[{ tools: t, when: { args: { path: { prefix: /etc } } } }]');
    expect(ask(policy, { tool: 't', args: { path: 5 } }).reasons[0]).toMatchObject({
      code: 'denied-by-rule',
      condition: 'args.path.prefix',
    });
    expect(ask(policy, { tool: 't', args: { path: '/etc/x' } }).reasons[0]).not.toHaveProperty('condition');
  });

  it('carries eight reasons at most', () => {
    const rules = Array.from({ length: 50 }, () => '{ tools: "*" }').join(', ');
    expect(ask(oneRole(`[${rules}]`), { tool: 'x' }).reasons).toHaveLength(8);
  });

  it('gives each reason once, however many patterns of a rule match', () => {
    const policy = oneRole('[{ tools: [x, "x*", "*"], upstreams: [u, "u*", "*"] }]');
    expect(ask(policy, { tool: 'x' }).reasons).toHaveLength(1);
  });

  it('asks for redacted arguments in the audit where a rule that counted asks for them', () => {
    const policy = oneRole(
      '[{ tools: t, audit: arguments }, { tools: u }]',
      '[{ tools: d, audit: arguments }]',
    );
    expect(ask(policy, { tool: 't' }).obligations.auditArguments).toBe(true);
    expect(ask(policy, { tool: 'u' }).obligations.auditArguments).toBe(false);
    expect(ask(policy, { tool: 'd' }).obligations.auditArguments).toBe(true);
  });

  it('knows no name beyond the longest that it matches', () => {
    const policy = oneRole('[{ resources: "**" }]');
    expect(ask(policy, { resource: 'x'.repeat(8192) }).effect).toBe('allow');
    expect(ask(policy, { resource: 'x'.repeat(8193) }).effect).toBe('deny');
  });
});

describe('an acl entry', () => {
  const policy = policyOf(`version: 1
roles:
  r: { allow: [{ resources: "**" }] }
  s: {}
  payroll: { deny: [{ resources: "file:///payroll/secret" }] }
bindings:
  - { roles: r, to: { any: true } }
  - { roles: s, to: { apiKey: s } }
  - { roles: [payroll, r], to: { apiKey: payroll } }
acl:
  - resource: "file:///payroll/**"
    allow:
      - { roles: payroll, actions: [read], when: { network: 10.0.0.0/8 } }
  - { resource: "file:///payroll/board/*", upstreams: u, allow: [{ roles: s }], deny: [{ roles: payroll }] }
`);
  const payroll = [{ kind: 'apiKey' as const, name: 'payroll' }];
  const s = [{ kind: 'apiKey' as const, name: 's' }];
  const here = { address: '10.0.0.1' };

  it('shuts out whom it does not name, whatever roles allow', () => {
    expect(ask(policy, { resource: 'file:///payroll/x' })).toMatchObject({
      effect: 'deny',
      visible: false,
      reasons: [{ code: 'denied-by-acl', rule: 'acl[0]', location: 'a.yaml:11' }],
    });
    expect(ask(policy, { resource: 'file:///payroll' }).effect).toBe('allow');
  });

  it('lets in whom it names, without any other rule', () => {
    expect(ask(policy, { resource: 'file:///payroll/board/x', credentials: s })).toMatchObject({
      effect: 'allow',
      reasons: [{ code: 'allowed', rule: 'acl[1].allow[0]', location: 'a.yaml:14' }],
    });
    expect(ask(policy, { resource: 'file:///payroll/x', credentials: payroll, ...here }).effect).toBe(
      'allow',
    );
  });

  it('protects against actions that it does not mention as well', () => {
    const subscribe = {
      resource: 'file:///payroll/x',
      action: 'subscribe',
      credentials: payroll,
      ...here,
    } as const;
    expect(ask(policy, subscribe).reasons[0].code).toBe('denied-by-acl');
  });

  it('keeps its conditions: seen, but not reached', () => {
    expect(ask(policy, { resource: 'file:///payroll/x', credentials: payroll })).toMatchObject({
      effect: 'deny',
      visible: true,
      reasons: [{ code: 'condition-failed', rule: 'acl[0].allow[0]', condition: 'network' }],
    });
  });

  it('loses against a deny of a role, and its own', () => {
    expect(
      ask(policy, { resource: 'file:///payroll/secret', credentials: payroll, ...here }).reasons[0],
    ).toMatchObject({ code: 'denied-by-rule', rule: 'roles.payroll.deny[0]' });
    expect(
      ask(policy, { resource: 'file:///payroll/board/x', credentials: payroll, ...here }).reasons[0],
    ).toMatchObject({ code: 'denied-by-rule', rule: 'acl[1].deny[0]' });
  });

  it('means its own upstreams only', () => {
    const elsewhere = { resource: 'file:///payroll/board/x', upstream: 'v', credentials: payroll, ...here };
    expect(ask(policy, elsewhere).effect).toBe('allow');
    const patterned = policyOf(
      'version: 1\nroles: { r: { allow: [{ tools: t }] } }\nbindings: [{ roles: r, to: { any: true } }]\nacl: [{ tool: t, upstreams: ["v*", w], allow: [] }]',
    );
    for (const upstream of ['v', 'v2', 'w']) {
      expect(ask(patterned, { tool: 't', upstream }).reasons[0].code, upstream).toBe('denied-by-acl');
    }
    for (const upstream of ['u', 'uv', 'ww', 'V', '']) {
      expect(ask(patterned, { tool: 't', upstream }).effect, upstream).toBe('allow');
    }
  });

  it('means its own kind only', () => {
    const tools = policyOf(
      'version: 1\nroles: { r: { allow: [{ tools: x, prompts: x }] } }\nbindings: [{ roles: r, to: { any: true } }]\nacl: [{ tool: x, allow: [] }]',
    );
    expect(ask(tools, { tool: 'x' }).reasons[0].code).toBe('denied-by-acl');
    expect(ask(tools, { prompt: 'x' }).effect).toBe('allow');
  });
});

describe('implied methods', () => {
  it('come with any allow rule on the upstream, and with no other', () => {
    const policy = oneRole('[{ tools: x, upstreams: u }, { prompts: p, upstreams: "v*" }]');
    const list = { method: 'tools/list', implied: true };
    expect(ask(policy, list).reasons[0]).toMatchObject({ code: 'implied', rule: 'roles.r.allow[0]' });
    expect(ask(policy, { ...list, upstream: 'v7' }).reasons[0]).toMatchObject({ rule: 'roles.r.allow[1]' });
    expect(ask(policy, { ...list, upstream: 'w' }).effect).toBe('deny');
    expect(ask(policy, { method: 'tools/list' }).effect).toBe('deny');
  });

  it('do not come with a rule for other claims, nor with a deny rule', () => {
    const policy = oneRole('[{ tools: x, when: { claims: { groups: data } } }]', '[{ tools: y }]');
    const list = { method: 'tools/list', implied: true };
    expect(ask(policy, list).effect).toBe('deny');
    expect(ask(policy, { ...list, credentials: [tokenWith({ groups: 'ops' })] }).effect).toBe('deny');
    expect(ask(policy, { ...list, credentials: [tokenWith({ groups: 'data' })] }).effect).toBe('allow');
  });

  it('come with rules whose arguments, network or time are not known yet', () => {
    const policy = oneRole('[{ tools: x, when: { args: { a: { max: 1 } }, network: 10.0.0.0/8 } }]');
    expect(ask(policy, { method: 'tools/list', implied: true }).effect).toBe('allow');
  });

  it('come with an acl entry for the role', () => {
    const policy = policyOf(
      'version: 1\nroles: { r: { deny: [{ tools: y }] } }\nbindings: [{ roles: r, to: { any: true } }]\nacl: [{ tool: x, upstreams: u, allow: [{ roles: r }] }]',
    );
    expect(ask(policy, { method: 'initialize', implied: true }).effect).toBe('allow');
    expect(ask(policy, { method: 'initialize', implied: true, upstream: 'v' }).effect).toBe('deny');
  });

  it('can be denied by name', () => {
    const policy = oneRole('[{ tools: x }]', '[{ methods: "resources/*" }]');
    expect(ask(policy, { method: 'resources/list', implied: true }).reasons[0].code).toBe('denied-by-rule');
    expect(ask(policy, { method: 'tools/list', implied: true }).effect).toBe('allow');
  });

  it('are methods: the flag on another kind means nothing', () => {
    const policy = oneRole('[{ tools: x }]');
    expect(ask(policy, { tool: 'y', implied: true }).effect).toBe('deny');
  });
});

describe('visibility', () => {
  const cases: readonly [string, string, string, boolean][] = [
    ['a plain allow shows', '[{ tools: t }]', '[]', true],
    ['no allow hides', '[{ tools: u }]', '[]', false],
    ['an allow with arguments shows', '[{ tools: t, when: { args: { a: { max: 1 } } } }]', '[]', true],
    ['an allow with network shows', '[{ tools: t, when: { network: 10.0.0.0/8 } }]', '[]', true],
    ['an allow with time shows', '[{ tools: t, when: { time: { days: mon } } }]', '[]', true],
    ['an allow with claims that fail hides', '[{ tools: t, when: { claims: { groups: x } } }]', '[]', false],
    ['an unconditional deny hides', '[{ tools: t }]', '[{ tools: "*" }]', false],
    [
      'a deny with arguments does not hide',
      '[{ tools: t }]',
      '[{ tools: t, when: { args: { a: { max: 1 } } } }]',
      true,
    ],
    [
      'a deny by network does not hide',
      '[{ tools: t }]',
      '[{ tools: t, when: { network: 0.0.0.0/0 } }]',
      true,
    ],
    ['a deny by claims hides', '[{ tools: t }]', '[{ tools: t, when: { claims: { groups: data } } }]', false],
    [
      'a deny by claims of others does not',
      '[{ tools: t }]',
      '[{ tools: t, when: { claims: { groups: x } } }]',
      true,
    ],
    [
      'a deny by claims that are not there hides',
      '[{ tools: t }]',
      '[{ tools: t, when: { claims: { no: x } } }]',
      false,
    ],
    ['a shadow deny does not hide', '[{ tools: t }]', '[{ tools: t, mode: shadow }]', true],
    ['a shadow allow does not show', '[{ tools: t, mode: shadow }]', '[]', false],
  ];
  for (const [what, allow, deny, visible] of cases) {
    it(what, () => {
      const request = requestOf({ tool: 't', credentials: [tokenWith({ groups: 'data' })] });
      expect(isVisible(request, oneRole(allow, deny))).toBe(visible);
    });
  }
});

describe('shadow mode', () => {
  it('reports what a deny would have changed, and changes nothing', () => {
    const policy = oneRole('[{ tools: t }]', '[{ id: try, tools: t, mode: shadow, audit: arguments }]');
    expect(ask(policy, { tool: 't' })).toEqual({
      effect: 'allow',
      visible: true,
      obligations: { auditArguments: false },
      reasons: [{ code: 'allowed', rule: 'roles.r.allow[0]', location: 'a.yaml:2' }],
      shadow: { effect: 'deny', reason: { code: 'denied-by-rule', rule: 'try', location: 'a.yaml:2' } },
    });
  });

  it('reports what an allow would have changed', () => {
    const policy = oneRole('[{ tools: t, mode: shadow }]');
    expect(ask(policy, { tool: 't' })).toMatchObject({
      effect: 'deny',
      reasons: [{ code: 'no-rule' }],
      shadow: { effect: 'allow', reason: { code: 'allowed', rule: 'roles.r.allow[0]' } },
    });
    expect(ask(policy, { method: 'ping', implied: true }).shadow?.reason.code).toBe('implied');
  });

  it('is silent where nothing would change', () => {
    const policy = oneRole(
      '[{ tools: t }, { tools: t, mode: shadow }]',
      '[{ tools: x }, { tools: x, mode: shadow }]',
    );
    expect(ask(policy, { tool: 't' })).not.toHaveProperty('shadow');
    expect(ask(policy, { tool: 'x' })).not.toHaveProperty('shadow');
  });

  it('makes an acl entry protect nothing yet', () => {
    const policy = policyOf(
      `version: 1\nroles: { r: { allow: [{ tools: t }] }, s: {} }\n${bound}\nacl: [{ id: try, tool: t, mode: shadow, allow: [] }]`,
    );
    expect(ask(policy, { tool: 't' })).toMatchObject({
      effect: 'allow',
      shadow: { effect: 'deny', reason: { code: 'denied-by-acl', rule: 'try' } },
    });
  });

  it('makes an enforced entry of a shadow object a shadow entry', () => {
    const policy = policyOf(
      `version: 1\nroles: { r: {}, s: {} }\n${bound}\nacl: [{ tool: t, mode: shadow, allow: [{ roles: r, mode: enforce }] }]`,
    );
    expect(ask(policy, { tool: 't' })).toMatchObject({ effect: 'deny', shadow: { effect: 'allow' } });
  });
});

describe('bindings', () => {
  const certificate = {
    kind: 'certificate' as const,
    fingerprint256: 'ab'.repeat(32),
    commonName: 'etl',
    uris: ['spiffe://acme.example/ns/data/sa/etl'],
    dns: ['etl.acme.example'],
  };
  const token = tokenWith({ groups: ['data'] });
  const key = { kind: 'apiKey' as const, name: 'nightly-report' };
  const table: readonly [string, Parameters<typeof ask>[1]['credentials'], boolean][] = [
    ['{ certificate: { uri: "spiffe://acme.example/ns/data/sa/etl" } }', [certificate], true],
    ['{ certificate: { uri: "spiffe://acme.example/ns/data/sa/*" } }', [certificate], true],
    ['{ certificate: { uri: "spiffe://acme.example/ns/*" } }', [certificate], false],
    ['{ certificate: { uri: "spiffe://acme.example/**" } }', [certificate], true],
    ['{ certificate: { uri: "spiffe://ACME.example/**" } }', [certificate], false],
    ['{ certificate: { dns: "*.acme.example" } }', [certificate], true],
    ['{ certificate: { dns: "*.example" } }', [certificate], false],
    ['{ certificate: { cn: etl } }', [certificate], true],
    ['{ certificate: { cn: "*" } }', [{ ...certificate, commonName: undefined }], false],
    [`{ certificate: { fingerprint: "${'AB:'.repeat(31)}AB" } }`, [certificate], true],
    [`{ certificate: { fingerprint: "${'cd'.repeat(32)}" } }`, [certificate], false],
    ['{ certificate: { cn: etl, dns: other.example } }', [certificate], false],
    [
      '{ certificate: { cn: etl, dns: etl.acme.example } }',
      [
        { ...certificate, dns: [] },
        { ...certificate, commonName: 'x' },
      ],
      false,
    ],
    ['{ certificate: { uri: ["spiffe://x/y", "spiffe://acme.example/**"] } }', [certificate], true],
    ['{ certificate: { uri: "**" } }', [token], false],
    ['{ token: { issuer: "https://idp.example" } }', [token], true],
    ['{ token: { issuer: "https://idp.example/" } }', [token], false],
    ['{ token: { issuer: "https://idp.example", subject: alice } }', [token], true],
    ['{ token: { issuer: "https://idp.example", subject: "al*" } }', [token], true],
    ['{ token: { issuer: "https://idp.example", subject: Alice } }', [token], false],
    ['{ token: { issuer: "https://idp.example", claims: { groups: data } } }', [token], true],
    ['{ token: { issuer: "https://idp.example", claims: { groups: ops } } }', [token], false],
    ['{ token: { issuer: "https://idp.example", claims: { none: ops } } }', [token], false],
    ['{ token: { issuer: "https://idp.example", scopes: [mcp, read] } }', [token], true],
    ['{ token: { issuer: "https://idp.example", scopes: [mcp, write] } }', [token], false],
    ['{ apiKey: nightly-report }', [key], true],
    ['{ apiKey: "nightly-*" }', [key], true],
    ['{ apiKey: nightly }', [key], false],
    ['{ anonymous: true }', [anonymous], true],
    ['{ anonymous: true }', [key], false],
    ['{ any: true }', [anonymous], true],
    ['{ any: true }', [certificate, token], true],
    ['{ any: true }', [], false],
    ['[{ apiKey: x }, { token: { issuer: "https://idp.example" } }]', [certificate, token], true],
  ];
  for (const [to, credentials, expected] of table) {
    it(`${to} ${expected ? 'binds' : 'does not bind'} ${credentials?.map(({ kind }) => kind).join(' and ')}`, () => {
      const policy = policyOf(
        `version: 1\nroles: { r: { allow: [{ tools: t }] } }\nbindings: [{ roles: r, to: ${to} }]`,
      );
      expect(ask(policy, { tool: 't', credentials: credentials ?? [] }).effect).toBe(
        expected ? 'allow' : 'deny',
      );
    });
  }
});
