import { describe, expect, it } from 'vitest';
import { writeYaml } from '../../src/document/write-yaml.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { decide } from '../../src/policy/decide.ts';
import { judgeTool, scaffoldPolicy } from '../../src/policy/scaffold.ts';
import type { JsonObject } from '../../src/values/json.ts';

const reading = { annotations: { readOnlyHint: true, openWorldHint: false } };

describe('the risk of a tool', () => {
  it.each<[string, JsonObject, string]>([
    ['get_weather', reading, 'reads'],
    ['list-files', reading, 'reads'],
    ['get_weather', {}, 'changes'],
    ['send_mail', {}, 'changes'],
    ['send_mail', reading, 'changes'],
    ['deleteUser', {}, 'dangerous'],
    // A hint never makes a tool milder than its name.
    ['deleteUser', reading, 'dangerous'],
    ['run_query', reading, 'dangerous'],
    ['getENVSecrets', reading, 'dangerous'],
    ['tidy', { annotations: { destructiveHint: true } }, 'dangerous'],
    ['tidy', { annotations: { destructiveHint: false } }, 'changes'],
    ['tidy', { annotations: 'none' }, 'changes'],
    ['tidy', { annotations: { readOnlyHint: 'true' } }, 'changes'],
  ])('%s with %j: %s', (name, definition, risk) => {
    expect(judgeTool(name, definition).risk).toBe(risk);
  });

  it('says why', () => {
    expect(judgeTool('drop_table', { annotations: { destructiveHint: true } }).notes).toEqual([
      'does not say that it only reads',
      'says that it may destroy',
      'may reach the outside: mark it `untrusted` or `egress` under `tools:`',
      'its name says drop',
    ]);
  });
});

describe('a first policy', () => {
  const { document, leftOut } = scaffoldPolicy({
    upstream: 'one',
    tools: new Map<string, JsonObject>([
      ['get_a', reading],
      ['drop_b', {}],
      ['wild*', {}],
      ['it says "yes": {}', {}],
    ]),
    prompts: ['p', '*'],
    resources: ['file:///a', 'file:///**'],
  });
  const compiled = compilePolicy([{ file: 'first.yaml', text: writeYaml(document) }]);

  it('compiles, and allows nothing to anybody, also not to whoever is bound', () => {
    expect(compiled.ok).toBe(true);
    const bound = {
      ...document,
      bindings: [{ roles: Object.keys(document['roles'] as object), to: [{ any: true }] }],
    };
    const open = compilePolicy([{ file: 'first.yaml', text: writeYaml(bound as JsonObject) }]);
    if (!open.ok) throw new Error('does not compile');
    const subject = { id: 'x', credentials: [{ kind: 'anonymous' as const }] };
    const ask = (kind: 'tool' | 'prompt' | 'resource', name: string, action: 'call' | 'get' | 'read') =>
      decide(
        { subject, action, resource: { upstream: 'one', kind, name }, context: { address: '::1', time: 0 } },
        open.policy,
      );
    for (const decision of [
      ask('tool', 'get_a', 'call'),
      ask('tool', 'drop_b', 'call'),
      ask('prompt', 'p', 'get'),
      ask('resource', 'file:///a', 'read'),
    ]) {
      expect(decision.effect).toBe('deny');
      expect(decision.shadow?.effect).toBe('allow');
    }
  });

  it('leaves out what no exact rule can name', () => {
    expect(leftOut).toEqual([
      'tool "wild*": no rule can name it',
      'prompt "*": no rule can name it',
      'resource "file:///**": no rule can name it',
    ]);
  });
});

describe('a first policy for a hostile server', () => {
  const compiles = (offered: Parameters<typeof scaffoldPolicy>[0]) => {
    const { document, leftOut } = scaffoldPolicy(offered);
    const text = writeYaml(document);
    const compiled = compilePolicy([{ file: 'first.yaml', text }]);
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
    return { text, leftOut, policy: compiled.policy };
  };
  const offered = (names: readonly string[], upstream = 'server') => ({
    upstream,
    tools: new Map(names.map((name) => [name, reading] as const)),
    prompts: names,
    resources: [],
  });

  it('can be written for an upstream with the longest name there is', () => {
    compiles(offered(['get', 'send', 'delete'], 'u'.repeat(63)));
  });

  it('can be written for a name that says one dangerous word again and again, or all of them', () => {
    compiles(
      offered([`x${'_key'.repeat(255)}`.slice(0, 256), 'delete_remove_drop_destroy_purge_'.repeat(7)]),
    );
  });

  it.each([
    'true',
    'null',
    '~',
    '1e3',
    '0x10',
    '- a',
    '? a',
    'a: b',
    '# a',
    '&a',
    '!!js',
    '%YAML',
    '---',
    '...',
    '|',
    '>',
    '{a',
    '[a',
    "'",
    '"',
    'a\nb: c',
    '\u2028',
    '\u202ea',
    '\ud83d\ude00',
    '__proto__',
    'constructor',
    '<<',
    '=',
  ])('names %j and nothing else, or leaves it out', (name) => {
    const { policy, leftOut } = compiles(offered([name, 'plain']));
    expect(leftOut.length === 0 ? [...policy.knownNames.tools].sort() : leftOut).toEqual(
      leftOut.length === 0 ? [name, 'plain'].sort() : [expect.any(String), expect.any(String)],
    );
    expect(policy.knownNames.tools.has('plain')).toBe(true);
  });

  it('is written of 20,000 names as of a few: none is looked for among all others', () => {
    const names = Array.from({ length: 20_000 }, (_, index) => `n${index}`);
    let asked = 0;
    const counted = new Proxy(names, {
      get: (target, key) => {
        asked += 1;
        return Reflect.get(target, key) as unknown;
      },
    });
    expect(
      scaffoldPolicy({ upstream: 'server', tools: new Map(), prompts: counted, resources: [] }).leftOut,
    ).toEqual([]);
    expect(asked).toBeLessThan(names.length * 10);
  });
});
