import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayFolder, prepareGateway } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { openStream, post, send } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';

describe('a gateway that is told to stop', () => {
  let recorder: Recorder;
  let prepared: GatewayFolder;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    recorder = await startRecorder();
  });

  afterEach(async () => {
    await gateway.kill();
    prepared.remove();
  });

  afterAll(() => recorder.close());

  const start = async (drain: Record<string, string>): Promise<void> => {
    prepared = await prepareGateway({
      upstreams: { recorder: recorder.url },
      config: { log: { level: 'info' }, drain },
    });
    gateway = await startGatewayProcess(prepared.file);
  };
  const url = () => `${gateway.url}/recorder/mcp`;
  const callOf = async () => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} }, { id: 'last' });
    return { headers, body, tls: await prepared.as('alice') };
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`lets a running call finish, ends streams cleanly, flushes the audit and exits with 0 (${signal})`, async () => {
      await start({ delay: '600ms', deadline: '10s' });
      const tls = await prepared.as('alice');
      const opened = await post(url(), initialize(), { tls });
      const session = { 'mcp-session-id': opened.headers['mcp-session-id'] ?? '' };
      recorder.on('GET', { kind: 'sse', chunks: [': open\n\n'], open: true });
      const standalone = await openStream('GET', url(), { headers: session, tls });
      expect(standalone.status).toBe(200);
      const answer = Promise.withResolvers<string>();
      const arrived = Promise.withResolvers<void>();
      recorder.on('tools/call', async ({ id }) => {
        arrived.resolve();
        await answer.promise;
        return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
      });
      const { body, ...options } = await callOf();
      const running = post(url(), body, options);
      await arrived.promise;

      gateway.signal(signal);
      await expect
        .poll(async () => (await send('GET', `${gateway.adminUrl}/readyz`)).json())
        .toMatchObject({ ready: false, draining: true });
      // During the delay calls are still served: a balancer may not know yet.
      recorder.on('ping', undefined);
      expect((await post(url(), legacy('ping'), { headers: session, tls })).status).toBe(200);
      // A stream that ends cleanly ends; one that is cut off would throw here.
      expect(await standalone.rest()).toEqual([]);
      // By now no new connection is taken.
      await expect(post(url(), legacy('ping'), { headers: session, tls })).rejects.toThrow(
        /ECONNREFUSED|ECONNRESET/,
      );
      answer.resolve('');
      expect((await running).json()).toMatchObject({ id: 'last', result: { content: [] } });

      expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
      const records = prepared.audit();
      expect(records).toContainEqual(expect.objectContaining({ method: 'tools/call', code: 'ok' }));
      expect(records).toContainEqual(expect.objectContaining({ event: 'stream-ended' }));
      expect(gateway.log().at(-1)).toMatchObject({ event: 'stopped' });
      recorder.on('tools/call', undefined);
      recorder.on('GET', undefined);
    });
  }

  it('ends at once on a second signal', async () => {
    await start({ delay: '30s', deadline: '30s' });
    gateway.signal('SIGTERM');
    await expect.poll(() => gateway.log().map(({ event }) => event)).toContain('draining');
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toMatchObject({ code: 1 });
  });

  it('cuts off what is still running when the deadline has passed', async () => {
    await start({ delay: '0s', deadline: '300ms' });
    recorder.on('tools/call', { kind: 'sse', chunks: [event({ jsonrpc: '2.0', method: 'x' })], open: true });
    const stream = await openStream('POST', url(), await callOf());
    expect(stream.status).toBe(200);
    gateway.signal('SIGTERM');
    const [ended] = await Promise.all([gateway.ended, stream.rest().catch(() => undefined)]);
    expect(ended).toMatchObject({ code: 0, signal: null });
    recorder.on('tools/call', undefined);
  });
});
