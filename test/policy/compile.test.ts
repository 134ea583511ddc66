import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../src/policy/compile.ts';
import { ask, policyOf, problemsOf, requestOf, warningsOf } from './support/build.ts';

describe('compilePolicy', () => {
  it('reports every problem of every file at once, with place and suggestion', () => {
    const a = `version: 1
roles:
  analyst:
    allow:
      - tool: [query]
      - tools: []
      - upstreams: [u]
      - tools: [query]
        when:
          args: { "a[": { max: 1 }, b: { mx: 1 }, c: {}, d: { min: 2, max: 1 }, e: { pattern: "(" } }
          network: [10.0.0.1/8, nonsense]
          time: { between: ["8:00", "18:00"], zone: Mars/Olympus }
      - { tools: " x", mode: shadwo, actions: [cal], audit: everything }
  "bad name": {}
bindings:
  - { roles: analyst, to: { certificate: {} } }
  - { roles: analyst, to: { tokn: { issuer: x } } }
  - { roles: analyst, to: { token: { subject: x } } }
acl:
  - { tool: x, resource: y }
limits:
  - { name: l, match: {}, per: [principal], burst: 5 }
  - { name: l, match: { tools: x }, per: [prinicpal], rate: often }
quota: 5
`;
    expect(problemsOf(a, 'version: 2\n')).toEqual([
      'a.yaml:5:9: roles.analyst.allow[0].tool: unknown key; did you mean "tools"?',
      'a.yaml:6:16: roles.analyst.allow[1].tools: the list is empty: leave the key out, or name something',
      'a.yaml:7:9: roles.analyst.allow[2]: names no target: give tools, resources, prompts or methods',
      'a.yaml:10:19: roles.analyst.allow[3].when.args["a["]: not an argument path: write name, a.b, a[0], a[*] or ["odd name"], with or without "$."',
      'a.yaml:10:42: roles.analyst.allow[3].when.args.b.mx: unknown key; did you mean "max"?',
      'a.yaml:10:54: roles.analyst.allow[3].when.args.c: names no operator',
      'a.yaml:10:61: roles.analyst.allow[3].when.args.d: "min" is greater than "max"',
      'a.yaml:10:95: roles.analyst.allow[3].when.args.e.pattern: not a valid regular expression (RE2 syntax)',
      "a.yaml:11:21: roles.analyst.allow[3].when.network[0]: the address has bits set beyond its /8: write the network's first address",
      'a.yaml:11:33: roles.analyst.allow[3].when.network[1]: expected an address or a network such as 10.0.0.0/8 or 2001:db8::/32',
      'a.yaml:12:29: roles.analyst.allow[3].when.time.between[0]: expected a time of day such as "08:00"',
      'a.yaml:12:53: roles.analyst.allow[3].when.time.zone: not an IANA time zone',
      'a.yaml:13:18: roles.analyst.allow[4].tools: a pattern must not begin or end with white space',
      'a.yaml:13:30: roles.analyst.allow[4].mode: must be one of "enforce", "shadow"; did you mean "shadow"?',
      'a.yaml:13:48: roles.analyst.allow[4].actions[0]: must be one of "call", "read", "subscribe", "get", "complete", "use", "ask"; did you mean "call"?',
      'a.yaml:13:61: roles.analyst.allow[4].audit: must be "arguments"',
      'a.yaml:14:3: roles["bad name"]: a role name has up to 64 letters, digits, "_", "." and "-", and begins with a letter or digit',
      'a.yaml:16:42: bindings[0].to.certificate: give uri, dns, cn or fingerprint',
      'a.yaml:17:29: bindings[1].to.tokn: unknown key; did you mean "token"?',
      'a.yaml:18:36: bindings[2].to.token.issuer: is missing',
      'a.yaml:20:5: acl[0]: protects one kind of object: give tool, resource or prompt',
      'a.yaml:22:5: limits[0]: "burst" needs "rate"',
      'a.yaml:22:5: limits[0]: needs "rate", "concurrency", "quota" or "sum"',
      'a.yaml:22:23: limits[0].match: matches nothing: name tools, methods, upstreams …',
      'a.yaml:23:43: limits[1].per[0]: must be one of "principal", "role", "certificate", "token", "session", "tool", "method", "upstream", "address"; did you mean "principal"?',
      'a.yaml:23:61: limits[1].rate: expected a rate such as 30/min, 5/s or 100/10s',
      'a.yaml:24:1: quota: unknown key',
      'b.yaml:1:10: version: must be 1',
    ]);
  });

  it('refuses what is defined twice, with both places', () => {
    const a =
      'version: 1\nroles:\n  r: { allow: [{ id: x, tools: a }] }\nlimits:\n  - { name: l, match: { tools: a }, per: tool, rate: 1/s }\n';
    const b = `version: 1\nroles:\n  r: {}\n  s: { deny: [{ id: x, tools: a }] }\nlimits:\n  - { name: l, match: { tools: a }, per: tool, rate: 1/s }\n`;
    expect(problemsOf(a, b)).toEqual([
      'b.yaml:3:3: roles.r: role "r" is already defined at a.yaml:3',
      'b.yaml:4:17: roles.s.deny[0].id: id "x" is already defined at a.yaml:3',
      'b.yaml:6:7: limits[0].name: limit "l" is already defined at a.yaml:5',
    ]);
  });

  it('refuses roles that nobody defines', () => {
    const text = `version: 1
roles: { analyst: {} }
bindings: [{ roles: [analysts], to: { any: true } }]
acl: [{ tool: x, allow: [{ roles: root }] }]
limits: [{ name: l, match: { roles: anlyst }, per: tool, rate: 1/s }]
`;
    expect(problemsOf(text)).toEqual([
      'a.yaml:3:14: bindings[0].roles: role "analysts" is not defined in any file; did you mean "analyst"?',
      'a.yaml:4:28: acl[0].allow[0].roles: role "root" is not defined in any file',
      'a.yaml:5:30: limits[0].match.roles: role "anlyst" is not defined in any file; did you mean "analyst"?',
    ]);
  });

  it('warns of what is probably not meant', () => {
    const warnings = warningsOf(`version: 1
roles:
  lonely: { allow: [{ tools: x, actions: [call, read] }] }
  empty: {}
  odd:
    deny:
      - { resources: "x:y", when: { args: { a: { max: 1 } } } }
bindings: [{ roles: [empty, odd], to: { any: true } }]
`);
    expect(warnings).toEqual([
      'a.yaml:3:3: roles.lonely: no binding gives anyone the role "lonely"',
      'a.yaml:3:21: roles.lonely.allow[0]: nothing that this rule names can be asked to "read"',
      'a.yaml:4:3: roles.empty: role "empty" has no rules',
      'a.yaml:7:9: roles.odd.deny[0]: conditions on arguments cannot be evaluated here: only tools, prompts and methods have arguments',
    ]);
  });

  it.each([
    ['FILE:///x', 'schemes are in lower case'],
    ['file:///a/../b', 'names have no dot segments'],
    ['file:///a//b', 'names have no empty segments'],
    ['file:///é', 'other than ASCII characters are percent-encoded as UTF-8'],
    ['file:///a%2fb', 'percent-encoding is in upper case'],
  ])('refuses the resource pattern %s, which would protect nothing', (pattern, why) => {
    const uris = JSON.stringify([pattern]);
    for (const policy of [
      `version: 1\nroles: { a: { deny: [{ resources: ${uris} }] } }`,
      `version: 1\nacl: [{ resource: ${uris}, allow: [] }]`,
      `version: 1\nlimits: [{ name: a, match: { resources: ${uris} }, per: principal, rate: 1/s }]`,
    ]) {
      const compiled = compilePolicy([{ file: 'a.yaml', text: policy }]);
      expect(compiled.ok ? [] : compiled.problems.map(({ message }) => message)).toEqual([
        `the pattern "${pattern}" can never match: ${why}`,
      ]);
    }
  });

  it('merges files: a role of one, a binding of another', () => {
    const policy = policyOf(
      'version: 1\nbindings: [{ roles: r, to: { any: true } }]',
      'version: 1\nroles: { r: { allow: [{ tools: t }] } }',
    );
    expect(ask(policy, { tool: 't' }).reasons[0].location).toBe('b.yaml:2');
  });

  it('compiles no file at all to a policy that allows nothing', () => {
    const compiled = compilePolicy([]);
    expect(compiled.ok && ask(compiled.policy, { tool: 't' })).toMatchObject({ effect: 'deny' });
  });

  it('does not read the environment', () => {
    const policy = policyOf(
      `version: 1\nroles: { r: { allow: [{ tools: "\${HOME}" }] } }\nbindings: [{ roles: r, to: { any: true } }]`,
    );
    expect(ask(policy, { tool: `\${HOME}` }).effect).toBe('allow');
  });

  it('collects the exact names that it mentions', () => {
    const policy = policyOf(`version: 1
roles: { r: { allow: [{ tools: [a, "b*"], prompts: p, resources: "r://x" }], deny: [{ tools: d }] } }
bindings: [{ roles: r, to: { any: true } }]
acl: [{ tool: acl-tool, allow: [] }]
limits: [{ name: l, match: { tools: limited, prompts: q }, per: tool, rate: 1/s }]
`);
    expect([...policy.knownNames.tools].sort()).toEqual(['a', 'acl-tool', 'd', 'limited']);
    expect([...policy.knownNames.prompts].sort()).toEqual(['p', 'q']);
  });

  it('never throws, whatever the files hold', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ file: fc.string(), text: fc.oneof(fc.string(), fc.json()) })),
        (sources) => {
          const compiled = compilePolicy(sources);
          if (!compiled.ok) expect(compiled.problems.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the hash of a policy', () => {
  const one = { file: 'a.yaml', text: 'version: 1\n' };
  const two = { file: 'b.yaml', text: 'version: 1\nroles: {}\n' };
  const hash = (...sources: readonly { file: string; text: string }[]) => {
    const compiled = compilePolicy(sources);
    if (!compiled.ok) throw new Error('expected a policy');
    return compiled.policy.hash;
  };

  it('is pinned', () => {
    expect(hash(one)).toBe('361e49eeac926c488d930082505c8dc76b3598d8746faf9d097963782bcb1f44');
  });

  it('does not depend on the order of files', () => {
    expect(hash(one, two)).toBe(hash(two, one));
  });

  it('changes with every text and every name, and files do not run together', () => {
    const hashes = [
      hash(one),
      hash(one, two),
      hash({ ...one, text: 'version: 1\n\n' }),
      hash({ ...one, file: 'c.yaml' }),
      hash({ ...one, file: 'a.yaml11' }),
      hash(),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

it('a request for a role that only a prototype has finds none', () => {
  expect(problemsOf('version: 1\nbindings: [{ roles: constructor, to: { any: true } }]')).toHaveLength(1);
  const policy = policyOf(
    'version: 1\nroles: { constructor: { allow: [{ tools: toString }] } }\nbindings: [{ roles: constructor, to: { any: true } }]',
  );
  expect(ask(policy, { tool: 'toString' }).effect).toBe('allow');
  expect(ask(policy, { tool: 'constructor' }).effect).toBe('deny');
  expect(requestOf({ tool: 'x' }).resource.kind).toBe('tool');
});
