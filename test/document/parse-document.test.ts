// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to the environment are what is tested.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { formatProblem, parseDocument } from '../../src/document/parse-document.ts';

const rule = z.strictObject({
  tools: z.union([z.string(), z.array(z.string())]).optional(),
  upstreams: z.array(z.string()).optional(),
});
const schema = z.strictObject({
  version: z.literal(1),
  port: z.int().optional(),
  mode: z.enum(['enforce', 'shadow']).optional(),
  identity: z
    .array(
      z.union([
        z.strictObject({ certificate: z.strictObject({ trust: z.string().optional() }) }),
        z.strictObject({ token: z.strictObject({ issuer: z.string(), jwks: z.string() }) }),
      ]),
    )
    .optional(),
  roles: z.record(z.string(), z.strictObject({ allow: z.array(rule) })).optional(),
});

function problemsOf(text: string, environment?: Record<string, string | undefined>): readonly string[] {
  const parsed = parseDocument(
    { file: 'a.yaml', text },
    schema,
    environment === undefined ? {} : { environment },
  );
  return parsed.ok ? [] : parsed.problems.map(formatProblem);
}

describe('parseDocument', () => {
  it('gives the value and the places of its members', () => {
    const text = 'version: 1\nroles:\n  analyst:\n    allow:\n      - tools: [a]\n      - tools: b\n';
    const parsed = parseDocument({ file: 'a.yaml', text }, schema);
    if (!parsed.ok) throw new Error('expected a value');
    expect(parsed.value.roles).toEqual({ analyst: { allow: [{ tools: ['a'] }, { tools: 'b' }] } });
    expect(parsed.locate(['roles', 'analyst'])).toEqual({ file: 'a.yaml', line: 3, column: 3 });
    expect(parsed.locate(['roles', 'analyst', 'allow', 1])).toEqual({ file: 'a.yaml', line: 6, column: 9 });
    expect(parsed.locate(['roles', 'analyst', 'allow', 1, 'absent'])).toMatchObject({ line: 6 });
    expect(parsed.locate([])).toMatchObject({ line: 1, column: 1 });
  });

  it('reports every problem at once, with its place and a suggestion', () => {
    const text = `version: 2
port: "80"
mode: shadwo
identity:
  - certificate: { trst: x }
  - token: { issuer: a }
  - tokn: { issuer: a, jwks: u }
roles:
  analyst:
    allow:
      - tols: [a]
      - tools: 5
      - tools: [5]
rolse: {}
`;
    expect(problemsOf(text)).toEqual([
      'a.yaml:1:10: version: must be 1',
      'a.yaml:2:7: port: expected a number, found text',
      'a.yaml:3:7: mode: must be one of "enforce", "shadow"; did you mean "shadow"?',
      'a.yaml:5:20: identity[0].certificate.trst: unknown key; did you mean "trust"?',
      'a.yaml:6:12: identity[1].token.jwks: is missing',
      'a.yaml:7:5: identity[2].tokn: unknown key; did you mean "token"?',
      'a.yaml:11:9: roles.analyst.allow[0].tols: unknown key; did you mean "tools"?',
      'a.yaml:12:16: roles.analyst.allow[1].tools: expected text or a list, found a number',
      'a.yaml:13:17: roles.analyst.allow[2].tools[0]: expected text, found a number',
      'a.yaml:14:1: rolse: unknown key',
    ]);
  });

  it('does not suggest a key that is there already', () => {
    expect(problemsOf('version: 1\nversions: 1\n')).toEqual(['a.yaml:2:1: versions: unknown key']);
  });

  const malformed: readonly [string, string, string][] = [
    ['an empty file', '', 'a.yaml:1:1: the file is empty'],
    ['only a comment', '# nothing\n', 'a.yaml:1:1: the file is empty'],
    ['a repeated key', 'version: 1\nversion: 1\n', 'a.yaml:2:1: version: this key is given twice'],
    [
      'a repeated nested key',
      'roles:\n  a: &r { allow: [] }\n  a: *r\nversion: 1',
      'a.yaml:3:3: roles.a: this key is given twice',
    ],
    ['an unknown anchor', 'version: 1\nport: *v', 'a.yaml:2:7: port: this alias names no anchor above it'],
    [
      'an unknown tag',
      'version: !!js/function 1',
      'a.yaml:1:10: Unresolved tag: tag:yaml.org,2002:js/function',
    ],
    [
      'a second document',
      'version: 1\n---\nversion: 1\n',
      'a.yaml:2:1: a file holds one document; this begins a second one',
    ],
    ['a key that is no text', '? [1]\n: 2\n', 'a.yaml:1:3: a key must be text'],
    ['__proto__', 'version: 1\n__proto__: { port: 1 }\n', 'a.yaml:2:1: the key "__proto__" is not accepted'],
    [
      '__proto__ in a JSON spelling',
      '{"version": 1, "\\u005f_proto__": {}}',
      'a.yaml:1:16: the key "__proto__" is not accepted',
    ],
  ];
  for (const [what, text, problem] of malformed) {
    it(`refuses ${what}`, () => {
      expect(problemsOf(text)).toEqual([problem]);
    });
  }

  it('stops at aliases that multiply', () => {
    const levels = Array.from({ length: 30 }, (_, i) => `l${i + 1}: &l${i + 1} [*l${i}, *l${i}]`);
    const problems = problemsOf(`l0: &l0 [x, x]\n${levels.join('\n')}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/more than 500000 values/);
  });

  it('stops at aliases that contain themselves', () => {
    expect(problemsOf('version: &a [*a]')[0]).toMatch(/nested deeper than 64 levels/);
  });

  it('stops at nesting that the parser itself cannot bear', () => {
    for (const open of ['[', '{a: ', '- ']) {
      const problems = problemsOf(open.repeat(50_000));
      expect(problems.length).toBeLessThanOrEqual(100);
      expect(problems.join('\n')).toMatch(/nested too deeply/);
    }
  });

  it('finds a repeated key among very many at once', () => {
    const keys = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join('\n');
    const parsed = parseDocument({ file: 'a', text: `${keys}\nk7: 2` }, z.record(z.string(), z.number()));
    expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([
      'a:50001:1: k7: this key is given twice',
    ]);
  });

  it('stops at depth and at length', () => {
    expect(problemsOf(`version: ${'['.repeat(70)}${']'.repeat(70)}`)[0]).toMatch(/nested deeper than 64/);
    expect(problemsOf(`# ${'x'.repeat(9 * 1024 * 1024)}`)[0]).toMatch(/longer than/);
  });

  it('follows honest aliases', () => {
    const text = 'version: 1\nroles:\n  a: &a { allow: [{ tools: x }] }\n  b: *a\n';
    const parsed = parseDocument({ file: 'a.yaml', text }, schema);
    expect(parsed.ok && parsed.value.roles?.['b']).toEqual({ allow: [{ tools: 'x' }] });
  });

  it('reads YAML 1.2: yes is text, and so is a merge key', () => {
    const parsed = parseDocument(
      { file: 'a', text: 'a: yes\nb: { "<<": { c: 1 } }' },
      z.record(z.string(), z.unknown()),
    );
    expect(parsed.ok && parsed.value).toEqual({ a: 'yes', b: { '<<': { c: 1 } } });
  });
});

describe('references to the environment', () => {
  const open = z.record(z.string(), z.unknown());
  const read = (text: string, environment: Record<string, string | undefined>) => {
    const parsed = parseDocument({ file: 'a.yaml', text }, open, { environment });
    return parsed.ok ? parsed.value : parsed.problems.map(formatProblem);
  };

  it('fill values after parsing, so that they cannot add structure', () => {
    const evil = 'x\nadmin: true # ${B} "';
    expect(read('a: ${A}\nb: "pre-${A}"', { A: evil, B: 'no' })).toEqual({ a: evil, b: `pre-${evil}` });
  });

  it('fill neither keys nor comments', () => {
    expect(read('${A}: 1 # ${MISSING}', { A: 'x' })).toEqual({ '${A}': 1 });
  });

  it('become numbers and booleans only where they stand unquoted', () => {
    expect(read('a: ${N}\nb: "${N}"\nc: ${T}\nd: ${H}', { N: '80', T: 'true', H: '0x10' })).toEqual({
      a: 80,
      b: '80',
      c: true,
      d: '0x10',
    });
  });

  it('know defaults, messages and escapes', () => {
    const text = 'a: ${A:-fallback}\nb: ${E:-fallback}\nc: ${E}\nd: "$${A}"\ne: "${B:?no}${B}"\nf: ${A:-}';
    expect(read(text, { E: '', B: 'b' })).toEqual({
      a: 'fallback',
      b: 'fallback',
      c: '',
      d: '${A}',
      e: 'bb',
      f: '',
    });
  });

  it('that cannot be filled are problems, all at once, beside those of the schema', () => {
    const text = 'version: ${V}\nport: ${P:?tell the port}\nmode: ${M\nroles: ${}\nrolse: 1\n';
    expect(problemsOf(text, { toString: undefined })).toEqual([
      'a.yaml:1:10: version: the environment variable V is not set',
      'a.yaml:2:7: port: the environment variable P: tell the port',
      'a.yaml:3:7: mode: "${" has no closing "}"; write "$${" for a literal "${"',
      'a.yaml:4:8: roles: a reference is written ${NAME}, ${NAME:-default} or ${NAME:?message}',
      'a.yaml:5:1: rolse: unknown key',
    ]);
  });

  it('never show a value', () => {
    const problems = problemsOf('version: ${S}\nmode: ${S}\nport: ${S}', { S: 'hunter2' });
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('do not find what an object inherits', () => {
    expect(read('a: ${constructor}', {})).toEqual([
      'a.yaml:1:4: a: the environment variable constructor is not set',
    ]);
  });

  it('are ordinary text where no environment is given', () => {
    const parsed = parseDocument({ file: 'a.yaml', text: 'a: ${A}' }, open);
    expect(parsed.ok && parsed.value).toEqual({ a: '${A}' });
  });
});
