import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';

const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: ["*"]
bindings:
  - roles: [caller]
    to: { any: true }
limits:
  - name: three-then-slow
    match: { tools: [echo] }
    per: [principal, tool]
    rate: 1/hour
    burst: 3
  - name: two-at-once
    match: { tools: [slow] }
    per: [principal]
    concurrency: 2
`;

describe('limits', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gate = await startTestGateway({ upstreams: { recorder: recorder.url }, policy });
  });

  afterEach(() => recorder.on('tools/call', undefined));

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  const slow = async (who: string) => {
    const { headers, body } = modern('tools/call', { name: 'slow', arguments: {} });
    return { headers, body, tls: await gate.as(who) };
  };
  const callSlow = async (who: string) => {
    const { body, ...options } = await slow(who);
    return (await post(gate.url('recorder'), body, options)).json();
  };
  const limited = {
    id: 1,
    error: { code: 4290, data: { reason: 'concurrency-limited', limit: 'two-at-once' } },
  };

  for (const [index, { name, connect }] of generations.entries()) {
    it(`tell a client who calls too often when to come back (${name})`, async () => {
      const caller = await connect(gate.url('recorder'), await gate.as(`often-${index}`));
      for (let call = 0; call < 3; call += 1) await caller.call('echo');
      const error = await caller.call('echo').then(
        () => undefined,
        (refused: { code: number; data: { retryAfterMs: number } }) => refused,
      );
      expect(error).toMatchObject({
        code: 4290,
        message: expect.stringContaining('Too many calls: try again later'),
        data: { reason: 'rate-limited', limit: 'three-then-slow', retryAfterMs: expect.any(Number) },
      });
      expect(error?.data.retryAfterMs).toBeGreaterThan(3_000_000);
      expect(error?.data.retryAfterMs).toBeLessThanOrEqual(3_600_000);
      // Another tool, and another caller, are not meant.
      await caller.call('other');
      await caller.close();
      const neighbour = await connect(gate.url('recorder'), await gate.as(`seldom-${index}`));
      await neighbour.call('echo');
      await neighbour.close();
    });
  }

  it('refuse a call too many at once, and only while it is one', async () => {
    const gateOpens = Promise.withResolvers<void>();
    let running = 0;
    recorder.on('tools/call', async ({ id }) => {
      running += 1;
      await gateOpens.promise;
      return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
    });
    const first = [callSlow('carol'), callSlow('carol')];
    await expect.poll(() => running).toBe(2);
    expect(await callSlow('carol')).toMatchObject(limited);
    gateOpens.resolve();
    for (const answer of await Promise.all(first)) expect(answer).toHaveProperty('result');
    expect(await callSlow('carol')).toHaveProperty('result');
  });

  it('give the place of a failed call back', async () => {
    recorder.on('tools/call', { kind: 'drop' });
    for (let call = 0; call < 5; call += 1) {
      expect(await callSlow('dave')).toMatchObject({ error: { code: 5020 } });
    }
  });

  it('give the place of a cancelled call back', async () => {
    recorder.on('tools/call', { kind: 'sse', chunks: [': here\n\n'], open: true });
    for (let call = 0; call < 5; call += 1) {
      const before = recorder.requests.length;
      const stream = await openStream('POST', gate.url('recorder'), await slow('erin'));
      expect(stream.headers['content-type']).toBe('text/event-stream');
      stream.abort();
      expect(await recorder.requests[before]?.abandoned).toBe(true);
    }
  });

  it('count what they refused, by their name', async () => {
    const metrics = await gate.metrics();
    expect(metrics).toContain('sallyport_limited_total{upstream="recorder",limit="three-then-slow"} 3');
    expect(metrics).toContain('sallyport_limited_total{upstream="recorder",limit="two-at-once"} 1');
  });
});
