import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../cli/run-command.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

/** No binding: what a key may do, its own roles say. */
const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [echo]
      - methods: ["**"]
`;

describe('API keys from the command line', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    recorder.on('GET', {
      kind: 'sse',
      chunks: [event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })],
      open: true,
    });
    gate = await startTestGateway({
      door: 'plain',
      policy,
      upstreams: { w: recorder.url },
      config: {
        insecure: {},
        identity: [{ apiKeys: { file: 'keys.yaml' } }],
        revocations: { file: 'revoked.yaml' },
        reload: { settle: '10ms', poll: '0s' },
      },
      files: { 'keys.yaml': '# the night shift\nkeys: []\n', 'revoked.yaml': 'apiKeys: []\n' },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const keys = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(['keys', ...args, '--config', gate.file]);
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };
  const ask = (key: string) => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    return post(gate.url('w'), body, { headers: { ...headers, 'x-api-key': key } });
  };
  const status = async (key: string): Promise<number> => (await ask(key)).status;

  it('work at once, overlap for the grace, end after it, and are revoked for good', async () => {
    const old = await keys('create', 'report', '--expires', '90d', '--role', 'caller');
    await expect.poll(() => status(old)).toBe(200);

    const stream = await openStream('GET', gate.url('w'), { headers: { 'x-api-key': old } });
    expect(await stream.next()).toBeDefined();
    const fresh = await keys('rotate', 'report', '--grace', '2s');
    await expect.poll(() => status(fresh)).toBe(200);
    expect(await status(old)).toBe(200);
    // The stream that the old key opened, long before it was known that it would end, ends with it.
    expect(await stream.rest()).toEqual([]);
    expect(await status(old)).toBe(401);
    expect(await status(fresh)).toBe(200);
    expect((await ask(fresh)).json()).toHaveProperty('result');

    const opened = await openStream('GET', gate.url('w'), { headers: { 'x-api-key': fresh } });
    expect(await opened.next()).toBeDefined();
    const before = readFileSync(join(gate.folder, 'keys.yaml'), 'utf8');
    await keys('revoke', fresh.slice(0, 12), '--deny', '--reason', 'left the company');
    expect(await opened.rest()).toEqual([]);
    expect(await status(fresh)).toBe(401);

    // A role that the policy does not know is none.
    const powerless = await keys('create', 'other', '--role', 'nobody');
    await expect.poll(async () => (await ask(powerless)).json()).toMatchObject({ error: { code: 4030 } });

    // An old key file that comes back from a backup brings no revoked key back.
    gate.write('keys.yaml', before);
    await gate.gateway.reload('files');
    expect(await status(fresh)).toBe(401);
    expect(await gate.metrics()).toContain('sallyport_revocations_entries{kind="apiKeys"} 1');
    const text = readFileSync(join(gate.folder, 'keys.yaml'), 'utf8');
    expect(text).toContain('# the night shift');
    const written = `${text}${readFileSync(join(gate.folder, 'revoked.yaml'), 'utf8')}${JSON.stringify(gate.audit())}`;
    for (const key of [old, fresh]) expect(written).not.toContain(key.slice(13));
  });
});
