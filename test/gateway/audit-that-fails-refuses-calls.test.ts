import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { legacy, modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

describe('an audit that cannot be written', () => {
  let recorder: Recorder;

  beforeAll(async () => {
    recorder = await startRecorder();
  });

  afterAll(() => recorder.close());

  const start = (onFailure: 'deny' | 'drop'): Promise<TestGateway> =>
    startTestGateway({
      upstreams: { recorder: recorder.url },
      config: { audit: { file: 'audit.jsonl', onFailure, retry: '100ms' } },
    });
  /** Puts /dev/full in the place of the file, and has the gateway open it, as a log rotation does. */
  const breakAudit = async (gate: TestGateway): Promise<void> => {
    renameSync(join(gate.folder, 'audit.jsonl'), join(gate.folder, 'audit.1.jsonl'));
    symlinkSync('/dev/full', join(gate.folder, 'audit.jsonl'));
    await gate.gateway.reload('signal');
  };
  const call = async (gate: TestGateway) => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    return post(gate.url('recorder'), body, { headers, tls: await gate.as('alice') });
  };
  const ready = async (gate: TestGateway) => {
    const answer = await fetch(`${gate.gateway.adminUrl}/readyz`);
    return { status: answer.status, ...((await answer.json()) as Record<string, unknown>) };
  };

  it('refuses calls and readiness, says so in a metric, and recovers when the file can be written', async () => {
    const gate = await start('deny');
    expect((await call(gate)).status).toBe(200);
    expect(await ready(gate)).toMatchObject({ status: 200, ready: true, audit: 'ok' });
    await breakAudit(gate);
    const refused = await call(gate);
    expect(refused.status).toBe(503);
    expect(refused.json()).toEqual({
      jsonrpc: '2.0',
      ...(refused.body.includes('"id"') ? { id: 1 } : {}),
      error: {
        code: 5030,
        message: 'The call cannot be recorded, so it is refused',
        data: { reason: 'audit-unavailable' },
      },
    });
    const sent = recorder.requests.length;
    for (const body of [legacy('ping'), legacy('tools/list')]) {
      const answer = await post(gate.url('recorder'), body, { tls: await gate.as('alice') });
      expect(answer.status).toBe(503);
    }
    expect(recorder.requests).toHaveLength(sent);
    expect(await ready(gate)).toMatchObject({ status: 503, ready: false, audit: 'failing' });
    expect(await gate.metrics()).toContain('sallyport_audit_accepting 0');
    expect((await fetch(`${gate.gateway.adminUrl}/livez`)).status).toBe(200);

    rmSync(join(gate.folder, 'audit.jsonl'));
    await gate.gateway.reload('signal');
    await expect.poll(() => ready(gate)).toMatchObject({ status: 200, ready: true, audit: 'ok' });
    expect((await call(gate)).status).toBe(200);
    expect(gate.audit().at(-1)).toMatchObject({ method: 'tools/call', code: 'ok' });
    await gate.close();
  });

  it('lets calls pass with onFailure: drop, and counts what is lost', async () => {
    const gate = await start('drop');
    await breakAudit(gate);
    for (let times = 0; times < 3; times += 1) expect((await call(gate)).status).toBe(200);
    expect(await ready(gate)).toMatchObject({ status: 200, ready: true });
    expect(await gate.metrics()).toMatch(/sallyport_audit_failures_total [1-9]/);
    rmSync(join(gate.folder, 'audit.jsonl'));
    await gate.close();
  });
});
