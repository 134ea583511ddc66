import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

const canary = 'heron-5d1c07a94be2';

describe('a canary in a header that mirrors no argument, which must be forwarded', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    recorder.on('tools/list', ({ id }) => ({
      kind: 'json',
      body: { jsonrpc: '2.0', id, result: { tools: [{ name: 'send', inputSchema: { type: 'object' } }] } },
    }));
    gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      door: 'plain',
      files: { 'canary.txt': `${canary}\n` },
      config: { canaries: [{ name: 'heron', file: 'canary.txt' }] },
    });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  /** Whether the call reached the upstream, and what the client was told. */
  async function send(value: string): Promise<{ arrived: number; text: string }> {
    const { headers, body } = modern('tools/call', { name: 'send', arguments: {} });
    const calls = () => recorder.requests.filter((seen) => seen.body.toString().includes('"tools/call"'));
    const before = calls().length;
    const answer = await post(gate.url('recorder'), body, {
      headers: { ...headers, 'mcp-param-note': value },
    });
    return { arrived: calls().length - before, text: answer.body.toString() };
  }

  const base64 = Buffer.from(canary).toString('base64');
  for (const disguise of [
    canary,
    `a ${canary} b`,
    encodeURIComponent(canary),
    base64,
    `=?base64?${base64}?=`,
  ]) {
    it(`should NOT bypass: ${disguise}`, async () => {
      const { arrived, text } = await send(disguise);
      expect(text).toContain('content-refused');
      expect(text).not.toContain(canary);
      expect(arrived).toBe(0);
    });
  }

  it('goes through without one', async () => {
    expect((await send('a heron')).arrived).toBe(1);
  });
});
