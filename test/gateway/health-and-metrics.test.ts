import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';

describe('the admin listener', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({ upstreams: { recorder: recorder.url } });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const call = async (method: string, params: Record<string, unknown>) => {
    const { headers, body } = modern(method, params);
    return post(gate.url('recorder'), body, { headers, tls: await gate.as('alice') });
  };

  it('says that the process lives, that it serves, and by which policy', async () => {
    const live = await send('GET', `${gate.gateway.adminUrl}/livez`);
    expect({ status: live.status, body: live.body.toString() }).toEqual({ status: 200, body: 'ok\n' });
    const ready = await send('GET', `${gate.gateway.adminUrl}/readyz`);
    expect({ status: ready.status, body: ready.json() }).toEqual({
      status: 200,
      body: {
        ready: true,
        draining: false,
        audit: 'ok',
        policy: expect.stringMatching(/^[0-9a-f]{64}$/),
        reload: 'ok',
        failed: [],
      },
    });
  });

  it('gives metrics as Prometheus reads them', async () => {
    const answer = await send('GET', `${gate.gateway.adminUrl}/metrics`);
    expect(answer.headers['content-type']).toMatch(/^text\/plain|^application\/openmetrics-text/);
    const lines = answer.body.toString().split('\n');
    expect(lines.filter((line) => line.startsWith('sallyport_build_info'))).toEqual([
      expect.stringMatching(/^sallyport_build_info\{version="[^"]+"\} 1$/),
    ]);
    expect(lines.filter((line) => line.startsWith('sallyport_certificate_expiry'))).toContainEqual(
      expect.stringMatching(/certificate="listeners\[0\]\.tls\.certificate"\} \d{10}/),
    );
  });

  it('serves nothing else, no other verb, no foreign Host and no web page', async () => {
    const at = (path: string) => `${gate.gateway.adminUrl}${path}`;
    expect((await send('GET', at('/'))).status).toBe(404);
    expect((await send('GET', at('/metrics/../livez'))).status).toBe(200);
    expect((await send('POST', at('/metrics'), { body: '' })).status).toBe(405);
    expect((await send('GET', at('/metrics'), { headers: { host: 'evil.example' } })).status).toBe(403);
    expect((await send('GET', at('/metrics'), { headers: { origin: 'http://127.0.0.1' } })).status).toBe(403);
  });

  it('names tools that the upstream lists, and no other', async () => {
    await call('tools/list', {});
    await call('tools/call', { name: 'echo', arguments: {} });
    for (let index = 0; index < 50; index += 1) {
      await call('tools/call', { name: `random-${index}`, arguments: {} });
      await call(`made-up/${index}`, {});
    }
    const text = await gate.metrics();
    expect(text).toContain('upstream="recorder",kind="tool",name="echo",code="ok"} 1');
    expect(text).toContain('upstream="recorder",kind="tool",name="_other",code="ok"} 50');
    expect(text).toContain(
      'sallyport_exchanges_total{upstream="recorder",method="_other",code="method-unknown"} 50',
    );
    expect(text).not.toMatch(/random-|made-up/);
  });
});
