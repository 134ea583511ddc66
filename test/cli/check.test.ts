import { once } from 'node:events';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key.ts';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { run } from './run-command.ts';

const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [echo]
bindings:
  - roles: [caller]
    to: { apiKey: robot }
`;
const table = (expected: string) => `
version: 1
subjects:
  robot: { apiKey: robot }
cases:
  - { name: may echo, as: robot, upstream: somewhere, tool: echo, expect: allow }
  - { name: may not delete, as: robot, upstream: somewhere, tool: delete, expect: ${expected} }
`;

describe('check', () => {
  let prepared: GatewayFolder;

  beforeAll(async () => {
    prepared = await prepareGateway({ upstreams: { somewhere: 'http://127.0.0.1:9/mcp' }, policy });
  });

  afterAll(() => prepared.remove());

  const check = (...more: string[]) => run(['check', '--config', prepared.file, ...more]);

  it('is content with a configuration without decision tables', async () => {
    expect(await check()).toEqual({
      code: 0,
      stdout: 'configuration and policies are well; decision tables: 0 right, 0 wrong\n',
      stderr: '',
    });
  });

  it('counts the cases of the decision tables beside the policies', async () => {
    prepared.write('policies/tests/table.yaml', table('deny'));
    expect(await check()).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('decision tables: 2 right, 0 wrong'),
    });
  });

  it('exits with 1 where a decision table fails, and says which case, where, and why', async () => {
    prepared.write('policies/tests/table.yaml', table('allow'));
    const { code, stdout, stderr } = await check();
    expect(code).toBe(1);
    expect(stdout).toContain('1 right, 1 wrong');
    expect(stderr).toMatch(/table\.yaml:7:\d+: .*may not delete.*no-rule/);
    prepared.write('policies/tests/table.yaml', table('deny'));
  });

  it('warns of a role that neither a binding nor an API key gives', async () => {
    const { entry } = createApiKey('robot');
    const folder = await prepareGateway({
      upstreams: { somewhere: 'http://127.0.0.1:9/mcp' },
      policy: policy.replace('bindings:', '  reporter:\n    allow:\n      - tools: [report]\nbindings:'),
      config: { identity: [{ apiKeys: { file: 'keys.json' } }] },
    });
    const keys = (more: object) =>
      folder.write('keys.json', JSON.stringify({ keys: [{ ...entry, ...more }] }));
    keys({ roles: ['caller'] });
    const { code, stderr } = await run(['check', '--config', folder.file]);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('"reporter" [role-unbound]'),
    });
    keys({ roles: ['reporter'] });
    expect((await run(['check', '--config', folder.file])).stderr).not.toContain('role-unbound');
    await folder.remove();
  });

  it('takes the tables from the folder that it is told', async () => {
    prepared.write('elsewhere/one.yaml', table('allow'));
    expect((await check('--tests', join(prepared.folder, 'elsewhere'))).code).toBe(1);
  });

  it('exits with 3 where a decision table is not one', async () => {
    prepared.write('not-a-table/one.yaml', 'version: 1\ncases: []\n');
    expect(await check('--tests', join(prepared.folder, 'not-a-table'))).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/one\.yaml:\d+:\d+: /),
    });
  });

  it('exits with 3 where a file of the checks of content is not what it should be, as a start would', async () => {
    prepared.write('pins.yaml', 'version: 1\nupstreams:\n  somewhere: { tools: { a: {} } }\n');
    prepared.write('canaries.txt', '\n');
    prepared.write('tags.key', 'short');
    for (const [settings, complaint] of [
      [['pins.file=pins.yaml'], /pins\.yaml:3:\d+: upstreams\.somewhere\.tools\.a/],
      [['pins.file=absent.yaml'], /absent\.yaml/],
      [['canaries.0.name=bait', 'canaries.0.file=canaries.txt'], /canaries\.txt: there is no canary in it/],
      [['redaction.key=tags.key'], /tags\.key: .*at least 32 bytes/],
    ] as const) {
      const { code, stderr } = await check(...settings.flatMap((setting) => ['--set', setting]));
      expect({ settings, code }).toEqual({ settings, code: 3 });
      expect(stderr).toMatch(complaint);
    }
  });

  describe('of what the gateway writes to', () => {
    const elsewhere = (name: string) => join(prepared.folder, name);
    it.each([
      [
        'a device for several workers',
        ['workers=2', 'audit.file=/dev/null'],
        /audit\.file: \/dev\/null is no regular file/,
      ],
      [
        'standard output for several workers, wherever it goes',
        ['workers=2', 'audit.file=/dev/stdout'],
        /audit\.file: \/dev\/stdout is no regular file/,
      ],
      [
        'a file for a folder of the audit',
        ['audit.file=plain/audit.jsonl'],
        /audit\.file: .*plain is not a folder/,
      ],
      ['a file further up', ['audit.file=plain/a/b/audit.jsonl'], /audit\.file: .*plain is not a folder/],
      [
        'a folder of the socket that is not there',
        ['control.socket=gone/c.sock'],
        /control\.socket: the folder .*gone is not there/,
      ],
      ['a file for that folder', ['control.socket=plain/c.sock'], /control\.socket: .*plain is not a folder/],
      ['a file for the socket', ['control.socket=plain'], /control\.socket: something stands at .*plain/],
      [
        'a path that only its folder makes too long',
        [`control.socket=${'s'.repeat(90)}`],
        /control\.socket: .* is too long/,
      ],
    ])('exits with 3, and says where, for %s', async (_, settings, complaint) => {
      prepared.write('plain', '');
      const { code, stdout, stderr } = await check(...settings.flatMap((setting) => ['--set', setting]));
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toMatch(complaint);
      expect(stderr).toMatch(/^[^\n:]+sallyport\.yaml:\d+:\d+: [^\n]*\(set by --set [^\n]*\)\n$/);
    });

    it('is content with a folder that a start would make, a device for one process, and a socket of its own', async () => {
      const socket = elsewhere('c.sock');
      const server = createServer().listen({ path: socket });
      await once(server, 'listening');
      for (const settings of [
        ['audit.file=new/folder/audit.jsonl'],
        ['workers=2', 'audit.file=new/folder/audit.jsonl'],
        ['audit.file=/dev/null'],
        [`control.socket=${socket}`],
      ]) {
        const { code } = await check(...settings.flatMap((setting) => ['--set', setting]));
        expect({ settings, code }).toEqual({ settings, code: 0 });
      }
      server.close();
    });

    it('agrees with the kernel on a folder that only its owner could write', async () => {
      const closed = elsewhere('closed');
      mkdirSync(closed, { mode: 0o555 });
      const { code } = await check('--set', `control.socket=${closed}/c.sock`);
      // Nothing is closed to root.
      expect(code).toBe(process.getuid?.() === 0 ? 0 : 3);
    });

    it('is nothing to commands that write nothing there', async () => {
      const settings = ['--set', 'control.socket=gone/c.sock'];
      const { code } = await run(['test', '--config', prepared.file, ...settings]);
      expect(code).toBe(0);
    });
  });

  it('warns of limits and times that what the gateway file says always comes before', async () => {
    const folder = await prepareGateway({
      upstreams: { somewhere: 'http://127.0.0.1:9/mcp' },
      policy:
        `${policy}limits:\n  - { name: l, match: { tools: [echo] }, per: principal, concurrency: 33 }\n` +
        'timeouts:\n  - { match: { tools: [echo] }, total: 16m }\n',
    });
    const flags = (inFlight: number) => ['--config', folder.file, '--set', `overload.inFlight=${inFlight}`];
    const { code, stderr } = await run(['check', ...flags(64)]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /:11:\d+: limits\[0\]\.concurrency: .* more than 32 calls of one caller.* \[limit-unreachable\]\n/,
    );
    expect(stderr).toMatch(/:13:\d+: timeouts\[0\]\.total: .*"somewhere" 900s \[timeout-capped\]\n/);
    const twice = await run(['check', ...flags(66)]);
    expect(twice.stderr).not.toContain('limit-unreachable');
    await folder.remove();
  });

  it('exits with 3, as a start would, for each file of certificates, keys and lists that cannot be used', async () => {
    prepared.write('junk', 'junk\n');
    prepared.write('nonsense.yaml', 'nonsense: 1\n');
    prepared.write('jwks.json', '{}');
    const token = { issuer: 'https://i', audience: 'a', keys: 'jwks.json' };
    for (const [settings, complaint] of [
      [['listeners.0.tls.key=junk'], /junk: /],
      [['listeners.0.tls.clients.ca=junk'], /junk: no PEM certificate in it/],
      [['identity.1.apiKeys.file=nonsense.yaml'], /nonsense\.yaml:1:1: keys: is missing/],
      [[`identity.1.token=${JSON.stringify(token)}`], /jwks\.json: not a JSON Web Key Set/],
      [['session.keys.0=junk'], /junk: a session key has at least 32 bytes/],
      [['revocations.file=nonsense.yaml'], /nonsense\.yaml:1:1: nonsense: unknown key/],
      [['outbound.ca.0=junk'], /junk: /],
      [
        [
          `session.keys.0=${prepared.folder}/certs/server.key`,
          `store.redis=${JSON.stringify({ url: 'rediss://a:1', replicas: 1, tls: { ca: 'junk' } })}`,
        ],
        /junk: no PEM certificate in it/,
      ],
      [['upstreams.0.http.url=https://a/', 'upstreams.0.http.ca=junk'], /junk: no PEM certificate in it/],
      [
        ['assertions.issuer=https://i', 'assertions.keys.0=junk', 'upstreams.0.http.assertion.audience=b'],
        /junk: /,
      ],
    ] as const) {
      const { code, stderr } = await check(...settings.flatMap((setting) => ['--set', setting]));
      expect({ settings, code }).toEqual({ settings, code: 3 });
      expect(stderr).toMatch(complaint);
      // Once, however many read it.
      expect(
        stderr
          .trim()
          .split('\n')
          .filter((line) => complaint.test(line)),
      ).toHaveLength(1);
    }
  });

  it('tells of all of it at once', async () => {
    prepared.write('policies/wrong.yaml', 'version: 1\nrolls: {}\n');
    const flags = ['listeners.0.tls.key=junk', 'session.keys.0=junk', 'control.socket=gone/c.sock'];
    const { code, stderr } = await check(...flags.flatMap((flag) => ['--set', flag]));
    prepared.write('policies/wrong.yaml', 'version: 1\n');
    expect(code).toBe(3);
    for (const complaint of [
      /server\.crt|junk: .*key/,
      /at least 32 bytes/,
      /gone is not there/,
      /wrong\.yaml:2:1/,
    ]) {
      expect(stderr).toMatch(complaint);
    }
  });

  it('exits with 3 where the folder of tables is not there', async () => {
    expect(await check('--tests', join(prepared.folder, 'absent'))).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('absent'),
    });
  });

  it('exits with 3 and one line where a policy file leads nowhere', async () => {
    symlinkSync('gone.yaml', join(prepared.folder, 'policies', 'dangling.yaml'));
    const { code, stdout, stderr } = await check();
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^ENOENT: .*dangling\.yaml'\n$/);
    rmSync(join(prepared.folder, 'policies', 'dangling.yaml'));
  });

  it('exits with 3 where a policy is wrong, and says what was probably meant', async () => {
    prepared.write('policies/wrong.yaml', 'version: 1\nrolls: {}\n');
    expect(await check()).toMatchObject({
      code: 3,
      stdout: '',
      stderr: expect.stringMatching(/wrong\.yaml:2:1: .*did you mean.*roles/i),
    });
    prepared.write('policies/wrong.yaml', 'version: 1\n');
  });

  it('exits with 3 where the configuration is wrong, whether in file, environment or flag', async () => {
    expect(await run(['check', '--config', join(prepared.folder, 'absent.yaml')])).toMatchObject({ code: 3 });
    expect(await check('--set', 'audit.onFailure=perhaps')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/audit\.onFailure.*set by --set audit\.onFailure/),
    });
    expect(
      await run(['check', '--config', prepared.file], { SALLYPORT_AUDIT__ON_FAILURE: 'perhaps' }),
    ).toMatchObject({ code: 3, stderr: expect.stringContaining('set by SALLYPORT_AUDIT__ON_FAILURE') });
  });

  it('finds its configuration by $SALLYPORT_CONFIG', async () => {
    expect((await run(['check'], { SALLYPORT_CONFIG: prepared.file })).code).toBe(0);
  });

  it('agrees with the policies that this project ships', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    prepared.write('certs/ca.crl', await prepared.ca.crl());
    // The certificates of the tour are made when it first runs: here others stand in for them.
    const flags = Object.entries({
      'listeners.0.tls.certificate': 'certs/server.crt',
      'listeners.0.tls.key': 'certs/server.key',
      'listeners.0.tls.clients.ca': 'certs/ca.crt',
      'listeners.0.tls.clients.crl': 'certs/ca.crl',
      'identity.0.certificate.trust.0.ca': 'certs/ca.crt',
    }).flatMap(([key, file]) => ['--set', `${key}=${join(prepared.folder, file)}`]);
    const { code, stdout, stderr } = await run(['check', '--config', join(root, 'sallyport.yaml'), ...flags]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/decision tables: [1-9]\d* right, 0 wrong/);
  });
});
