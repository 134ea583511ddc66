import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key.ts';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { run } from './run-command.ts';

const policy = `version: 1
roles:
  caller:
    allow:
      - id: small-sums
        tools: [get-sum]
        when: { args: { a: { max: 1000 } } }
      - resources: ["file:///public/**"]
      - tools: [robot-sum]
    deny:
      - id: nobody-drops
        tools: ["drop_*"]
bindings:
  - roles: [caller]
    to:
      - certificate: { uri: "spiffe://test.local/alice" }
      - certificate: { dns: alice.test, cn: alice }
      - apiKey: robot
      - token: { issuer: "https://idp.example", claims: { groups: data } }
      - anonymous: true
arguments:
  - id: whole-numbers
    match: { tools: [get-sum] }
    args:
      a: { int: {}, clamp: { max: 900 } }
      b: { int: { max: "9007199254740993" } }
  - id: robots-only
    match: { tools: [robot-sum] }
    relations: [{ id: robot, that: "principal.id == 'apikey:robot'", message: for the robot }]
`;
const alice = 'spiffe://test.local/alice';

describe('explain', () => {
  let prepared: GatewayFolder;

  beforeAll(async () => {
    prepared = await prepareGateway({
      upstreams: { one: 'http://127.0.0.1:9/mcp', two: 'http://127.0.0.1:9/mcp' },
      policy,
    });
  });

  afterAll(() => prepared.remove());

  const explain = (...args: string[]) =>
    run(['explain', '--config', prepared.file, '--upstream', 'one', ...args]);

  it('exits with 0 where the call is allowed, and names the rule and its place', async () => {
    const { code, stdout, stderr } = await explain('--as', alice, '--tool', 'get-sum', '--args', '{"a":1}');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('small-sums');
    expect(stdout).toMatch(/policy\.yaml:5/);
  });

  it('gives an API key the roles of its line in the key file, as the gateway does', async () => {
    const { entry } = createApiKey('nightly');
    const folder = await prepareGateway({
      upstreams: { one: 'http://127.0.0.1:9/mcp' },
      policy,
      config: { identity: [{ apiKeys: { file: 'keys.json' } }] },
    });
    const asks = ['explain', '--config', folder.file, '--as', 'api-key:nightly', '--tool', 'robot-sum'];
    const written = (more: object) =>
      folder.write('keys.json', JSON.stringify({ keys: [{ ...entry, ...more }] }));
    written({ roles: ['caller'] });
    expect((await run([...asks, '--args', '{}'])).stdout).toContain('caller');
    written({});
    expect((await run([...asks, '--args', '{}'])).stdout).toContain('no-role');
    await folder.remove();
  });

  it('exits with 1 where it is denied, and says by what', async () => {
    const condition = await explain('--as', alice, '--tool', 'get-sum');
    expect(condition.code).toBe(1);
    expect(condition.stdout).toContain('condition-failed');
    const rule = await explain('--as', alice, '--tool', 'drop_table');
    expect(rule.code).toBe(1);
    expect(rule.stdout).toContain('nobody-drops');
    const stranger = await explain('--as', 'spiffe://test.local/bob', '--tool', 'get-sum');
    expect(stranger.code).toBe(1);
    expect(stranger.stdout).toContain('no-role');
  });

  it('exits with 1 where a rule on arguments refuses, and says what and how to allow it', async () => {
    const refused = await explain('--as', alice, '--tool', 'get-sum', '--args', '{"a":"drop"}');
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(
      /^DENY: .*\n {2}because: arguments-refused whole-numbers \(\S+policy\.yaml:\d+\), "a", role int: type\n {2}to allow it: /,
    );
    expect(refused.stdout).not.toContain('drop"');
  });

  it('decides on rewritten arguments, and shows them', async () => {
    const condition = await explain('--as', alice, '--tool', 'get-sum', '--args', '{"a":1001}');
    expect(condition.code).toBe(0);
    expect(condition.stdout).toContain('clamp "a" by whole-numbers, sent: 900');
    expect(condition.stdout).toContain('Sent: {"a":900}');
    expect(condition.stdout).toContain("the tool's own schema");
  });

  it('reads arguments with all their digits', async () => {
    const sum = (b: string) =>
      explain('--as', alice, '--tool', 'get-sum', '--args', `{"a":1,"b":${b}}`).then(({ code }) => code);
    expect(await sum('9007199254740993')).toBe(0);
    expect(await sum('9007199254740994')).toBe(1);
  });

  it('spells the id of a caller as the gateway does', async () => {
    const as = (who: string) => explain('--as', who, '--tool', 'robot-sum').then(({ code }) => code);
    expect(await as('api-key:robot')).toBe(0);
    expect(await as(alice)).toBe(1);
  });

  it('gives the same as JSON', async () => {
    const { code, stdout } = await explain('--as', alice, '--tool', 'drop_table', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      decision: {
        effect: 'deny',
        reasons: [{ code: 'denied-by-rule', rule: 'nobody-drops', location: expect.stringMatching(/:11$/) }],
      },
    });
  });

  for (const [who, ...more] of [
    ['dns:alice.test'],
    ['cn:alice'],
    ['api-key:robot'],
    ['anonymous'],
    ['token:https://idp.example#bob', '--claims', '{"groups":["data"]}'],
  ] as const) {
    it(`knows a caller by ${who}`, async () => {
      const { code, stdout } = await explain(
        '--as',
        who,
        ...more,
        '--resource',
        'file:///public/a',
        '--json',
      );
      const allowed = { decision: { effect: 'allow' } };
      // Rules on certificates need all that they name: dns or cn alone is not enough here.
      const both = who.startsWith('dns:') || who.startsWith('cn:');
      expect(JSON.parse(stdout)).toMatchObject(both ? { decision: { effect: 'deny' } } : allowed);
      expect(code).toBe(both ? 1 : 0);
    });
  }

  it('exits with 2 and the help where the question is not one', async () => {
    for (const [args, complaint] of [
      [['--tool', 'x'], '--as is missing'],
      [['--as', alice], 'Name one target'],
      [['--as', alice, '--tool', 'x', '--prompt', 'y'], 'Name one target'],
      [['--as', 'alice', '--tool', 'x'], 'say who'],
      [['--as', 'http:', '--tool', 'x'], 'say who'],
      [['--as', 'token:bob', '--tool', 'x'], 'token:ISSUER#SUBJECT'],
      [['--as', alice, '--tool', 'x', '--args', '[1]'], '--args: not a JSON object'],
      [['--as', alice, '--tool', 'x', '--args', '{'], '--args: not JSON'],
      [['--as', alice, '--tool', 'x', '--args', '{"a":1,"a":2}'], '--args: repeated-key'],
      [['--as', alice, '--tool', 'x', '--action', 'grab'], '--action: one of'],
      [['--as', alice, '--tool', 'x', '--at', 'noon'], '--at: not an ISO 8601 time'],
      [['--as', alice, '--tool', 'x', '--upstream', 'three'], '--upstream: one of one, two'],
      [['--as', alice, '--resource', 'file:///a/../b'], '--resource:'],
    ] as const) {
      const { code, stdout, stderr } = await explain(...args);
      expect({ args, code, stdout }).toEqual({ args, code: 2, stdout: '' });
      expect(stderr).toContain(complaint);
      expect(stderr).toContain('Usage: sallyport explain');
    }
  });

  it('exits with 2 where there are several upstreams and none is named', async () => {
    const { code, stderr } = await run([
      'explain',
      '--config',
      prepared.file,
      ...['--as', alice, '--tool', 'x'],
    ]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('--upstream: one of one, two'),
    });
  });

  it('exits with 3 where the configuration is wrong', async () => {
    expect(await explain('--as', alice, '--tool', 'x', '--set', 'nonsense=1')).toMatchObject({ code: 3 });
  });
});
