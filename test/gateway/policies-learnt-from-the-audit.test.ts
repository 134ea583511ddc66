import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../cli/run-command.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const open = `version: 1
roles:
  everything:
    allow:
      - id: all-tools
        tools: ["*"]
      - resources: ["**"]
bindings:
  - roles: [everything]
    to: { certificate: { uri: "spiffe://test.local/*" } }
`;

describe('policies learnt from the audit', () => {
  let recorder: Recorder;
  let gate: TestGateway;
  let audit: string;

  const ask = async (who: string, method: string, params: Record<string, unknown>) => {
    const { headers, body } = modern(method, params);
    return post(gate.url('warehouse'), body, { headers, tls: await gate.as(who) });
  };
  const call = (who: string, name: string) => ask(who, 'tools/call', { name, arguments: {} });
  const codeOf = (answer: { readonly body: Buffer | string }) =>
    (JSON.parse(String(answer.body)) as { error?: { code: number } }).error?.code;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({ upstreams: { warehouse: recorder.url }, policy: open });
    audit = join(gate.folder, 'audit.jsonl');
    for (const [who, name] of [
      ['alice', 'query'],
      ['bob', 'query'],
      ['bob', 'export'],
    ] as const) {
      expect(codeOf(await call(who, name))).toBeUndefined();
    }
    expect(codeOf(await ask('bob', 'resources/read', { uri: 'file:///reports/1' }))).toBeUndefined();
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  it('allow the same callers the same again, and nobody anything else', async () => {
    const learnt = await run(['learn', audit]);
    expect({ code: learnt.code, stderr: learnt.stderr }).toEqual({ code: 0, stderr: '' });
    await gate.setPolicy(learnt.stdout);
    expect(codeOf(await call('alice', 'query'))).toBeUndefined();
    expect(codeOf(await call('bob', 'export'))).toBeUndefined();
    expect(codeOf(await ask('bob', 'resources/read', { uri: 'file:///reports/1' }))).toBeUndefined();
    for (const refused of [
      call('alice', 'export'),
      call('bob', 'drop'),
      call('carol', 'query'),
      ask('alice', 'resources/read', { uri: 'file:///reports/1' }),
      ask('bob', 'resources/read', { uri: 'file:///reports/2' }),
    ]) {
      expect(codeOf(await refused)).toBe(4030);
    }
    await gate.setPolicy(open);
  });

  it('leave out what was refused, unless asked', async () => {
    expect((await run(['learn', audit])).stdout).not.toContain('drop');
    expect((await run(['learn', audit, '--include-denied'])).stdout).toContain('drop');
  });

  it('can be narrowed by upstream and time, and say so where nothing is left', async () => {
    for (const narrow of [
      ['--upstream', 'elsewhere'],
      ['--since', '2999-01-01'],
    ]) {
      const { code, stderr } = await run(['learn', audit, ...narrow]);
      expect({ code, stderr }).toEqual({ code: 1, stderr: 'Nothing was seen that a policy could allow.\n' });
    }
    expect((await run(['learn', audit, '--since', 'yesterday'])).code).toBe(2);
    expect((await run(['learn'])).code).toBe(2);
  });

  it('differ from the old ones in what explain and diff then tell', async () => {
    const record = gate.audit().find((one) => (one['target'] as { name?: string })?.name === 'export')!;
    expect(record['roles']).toEqual(['everything']);
    const explained = await run(['explain', '--config', gate.file, '--record', String(record['exchange'])]);
    expect(explained.code).toBe(0);
    expect(explained.stdout).toMatch(
      /^THEN .*: allow, allowed all-tools; it ended with ok\n {2}roles: everything\n/,
    );
    expect(explained.stdout).toContain('NOW the same:\nALLOW');

    const folders = ['old', 'new'].map((name) => join(gate.folder, name));
    for (const folder of folders) mkdirSync(folder);
    writeFileSync(join(folders[0]!, 'policy.yaml'), open);
    const closed = open.replace('tools: ["*"]', 'tools: [query]');
    writeFileSync(join(folders[1]!, 'policy.yaml'), closed);
    const { code, stdout } = await run(['diff', ...folders, '--audit', audit]);
    expect(code).toBe(1);
    expect(stdout).toContain('spiffe://test.local/anything:\n');
    expect(stdout).toMatch(/loses {3}call tool anything on [\w-]+: always -> never/);
    expect(stdout).toContain(
      'recorded: spiffe://test.local/bob: call tool export on warehouse: allow -> deny',
    );
    expect(stdout).not.toContain('recorded: spiffe://test.local/alice: call tool query');
    expect(await run(['diff', folders[0]!, folders[0]!])).toMatchObject({ code: 0 });

    await gate.setPolicy(closed);
    const later = await run([
      'explain',
      '--config',
      gate.file,
      '--record',
      String(record['exchange']),
      '--json',
    ]);
    expect(later.code).toBe(1);
    expect(JSON.parse(later.stdout)).toMatchObject({
      recorded: { effect: 'allow', roles: ['everything'] },
      now: { effect: 'deny' },
      rolesNotById: [],
    });
    expect((await run(['explain', '--config', gate.file, '--record', 'no-such-id'])).code).toBe(3);
  });
});
