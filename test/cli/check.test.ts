import { rmSync, symlinkSync } from 'node:fs';
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
    // The certificates of the tour are made when it first runs: here others stand in for them.
    const flags = Object.entries({
      'listeners.0.tls.certificate': 'certs/server.crt',
      'listeners.0.tls.key': 'certs/server.key',
      'listeners.0.tls.clients.ca': 'certs/ca.crt',
      'listeners.0.tls.clients.crl': 'certs/ca.crt',
      'identity.0.certificate.trust.0.ca': 'certs/ca.crt',
    }).flatMap(([key, file]) => ['--set', `${key}=${join(prepared.folder, file)}`]);
    const { code, stdout, stderr } = await run(['check', '--config', join(root, 'sallyport.yaml'), ...flags]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/decision tables: [1-9]\d* right, 0 wrong/);
  });
});
