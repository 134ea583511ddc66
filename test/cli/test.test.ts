import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { run } from './run-command.ts';

const table = (expected: 'allow' | 'deny') => `version: 1
subjects:
  robot: { apiKey: robot }
cases:
  - { name: it may, as: robot, upstream: one, tool: a, expect: ${expected} }
  - { name: it may not, as: robot, upstream: one, tool: b, expect: deny }
`;

describe('test', () => {
  let prepared: GatewayFolder;

  beforeAll(async () => {
    prepared = await prepareGateway({
      upstreams: { one: 'http://127.0.0.1:9/mcp' },
      policy:
        'version: 1\nroles: { r: { allow: [{ tools: [a] }] } }\nbindings: [{ roles: [r], to: { apiKey: robot } }]\n',
      files: { 'policies/tests/right.yaml': table('allow'), 'others/wrong.yaml': table('deny') },
    });
  });

  afterAll(() => prepared.remove());

  const test = (...args: string[]) => run(['test', '--config', prepared.file, ...args]);

  it('runs the tables beside the policies', async () => {
    expect(await test()).toEqual({
      code: 0,
      stdout: 'decision tables: 1; cases: 2 right, 0 wrong\n',
      stderr: '',
    });
  });

  it.each(['others', 'others/wrong.yaml'])('runs the tables that are named: %s', async (name) => {
    const { code, stdout, stderr } = await test(join(prepared.folder, name));
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'decision tables: 1; cases: 1 right, 1 wrong\n' });
    expect(stderr).toMatch(/wrong\.yaml:5:\d+: cases\[0\]: it may: expected deny; it says allow/);
  });

  it('gives the result as JSON', async () => {
    const { stdout } = await test('--json', join(prepared.folder, 'others'));
    expect(JSON.parse(stdout)).toMatchObject({ files: 1, right: 1, wrong: 1, failures: [{ line: 5 }] });
  });

  it('does not pass where there is nothing to run', async () => {
    mkdirSync(join(prepared.folder, 'empty'));
    expect((await test(join(prepared.folder, 'empty'))).code).toBe(1);
    expect((await test(join(prepared.folder, 'nowhere'))).code).toBe(3);
  });

  it('does not pass for a file that is no table', async () => {
    writeFileSync(join(prepared.folder, 'others', 'broken.yaml'), 'version: 1\ncase: []\n');
    const { code, stderr } = await test(join(prepared.folder, 'others', 'broken.yaml'));
    expect(code).toBe(3);
    expect(stderr).toContain('broken.yaml:2');
  });
});
