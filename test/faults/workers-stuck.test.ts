import { afterAll, beforeAll, describe, expect } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { until } from '../support/redis.ts';
import { numberOf, startWorkers, type WorkersGateway } from '../support/workers.ts';
import { fault } from './table.ts';

/** Calls that are made while one worker stands still, each over a connection of its own. */
const calls = 40;

describe('two workers', () => {
  let recorder: Recorder;
  let gateway: WorkersGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gateway = await startWorkers({ upstreams: { recorder: recorder.url } });
  }, 60_000);

  afterAll(async () => {
    await gateway?.close();
    await recorder?.close();
  });

  const call = (): Promise<RawAnswer> => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    return post(gateway.url('recorder'), body, { headers });
  };
  const serving = async (): Promise<number> =>
    numberOf(await gateway.metrics(), 'sallyport_workers{state="serving"}');

  fault(
    'a worker stands still and keeps its connections (SIGSTOP)',
    'at most one new connection is handed to it, readiness and metrics tell, and within seconds it is killed and replaced',
    async (measured) => {
      const begun = performance.now();
      process.kill(gateway.pids[0]!, 'SIGSTOP');
      let answered = 0;
      let cut = 0;
      const all = Array.from({ length: calls }, () =>
        call().then(
          ({ status }) => {
            expect(status).toBe(200);
            answered += 1;
          },
          () => {
            cut += 1;
          },
        ),
      );
      await until('the others are answered', () => answered >= calls - 1);
      // Whoever was handed to it still waits: nobody can take that connection back from it.
      expect(cut).toBe(0);
      await until('readiness tells', async () => (await gateway.readyz()).status === 503);
      expect((await gateway.readyz()).json()).toMatchObject({
        ready: false,
        workers: { configured: 2, ready: 1 },
      });
      await until('metrics tell', async () => (await serving()) === 1);
      measured(
        `told after ${Math.round(performance.now() - begun)} ms; ${answered} of ${calls} calls answered by the other`,
      );
      await Promise.all(all);
      expect(answered + cut).toBe(calls);
      const events = () => gateway.process.log().map(({ event }) => event);
      await until('another serves', () => events().includes('a worker serves again'));
      expect(events()).toContain('a worker that does not answer is killed');
      await until('all are ready', async () => (await gateway.readyz()).status === 200);
      expect(await serving()).toBe(2);
      measured(`replaced after ${Math.round(performance.now() - begun)} ms; ${cut} connection cut`);
      for (const { status } of await Promise.all([call(), call(), call(), call()])) expect(status).toBe(200);
    },
    60_000,
  );
});
