import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/identity/api-key.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

const notice = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };

describe('a stream whose credential expires', () => {
  let recorder: Recorder;
  let gate: TestGateway;
  const { key, entry } = createApiKey('short-lived');

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({
      door: 'plain',
      upstreams: { w: recorder.url },
      config: { insecure: {}, identity: [{ apiKeys: { file: 'keys.yaml' } }] },
      files: { 'keys.yaml': JSON.stringify({ keys: [] }) },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  /** The key is good for another second: time to open a stream, not to keep it. */
  async function renewKey(): Promise<void> {
    const expiresAt = new Date(Date.now() + 1000).toISOString();
    gate.write('keys.yaml', JSON.stringify({ keys: [{ ...entry, expiresAt }] }));
    await gate.gateway.reload('files');
  }

  it('ends, and the upstream is told', async () => {
    recorder.on('GET', { kind: 'sse', chunks: [event(notice)], open: true });
    await renewKey();
    const stream = await openStream('GET', gate.url('w'), { headers: { 'x-api-key': key } });
    expect(await stream.next()).toBeDefined();
    expect(await stream.next()).toBeUndefined();
    expect(await recorder.requests.at(-1)?.abandoned).toBe(true);
    await expect
      .poll(() => gate.audit().at(-1))
      .toMatchObject({
        event: 'stream-ended',
        code: 'credential-invalid',
        who: { id: 'apikey:short-lived' },
      });
  });

  it('tells a subscriber why (2026-07-28)', async () => {
    recorder.on('subscriptions/listen', { kind: 'sse', chunks: [], open: true });
    await renewKey();
    const { headers, body } = modern('subscriptions/listen', { notifications: { toolsListChanged: true } });
    const stream = await openStream('POST', gate.url('w'), {
      headers: { ...headers, 'x-api-key': key },
      body,
    });
    expect(JSON.parse((await stream.next())?.data ?? '{}')).toMatchObject({
      id: 1,
      error: { data: { reason: 'credential-invalid' } },
    });
    expect(await stream.next()).toBeUndefined();
  });

  it('leaves a call that is under way alone', async () => {
    await renewKey();
    recorder.on('tools/call', ({ id }) => ({
      kind: 'sse',
      chunks: [
        event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }),
        1200,
        event({ jsonrpc: '2.0', id, result: { content: [] } }),
      ],
    }));
    const answer = await post(
      gate.url('w'),
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'echo' } },
      { headers: { 'x-api-key': key } },
    );
    expect(answer.body.toString()).toContain('"result":{"content":[]}');
  });
});
