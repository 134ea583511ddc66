import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';
import { until } from '../support/redis.ts';
import { numberOf, startWorkers, type WorkersGateway } from '../support/workers.ts';
import { type Answered, callTraced, readAudit } from './acknowledged.ts';
import { fault } from './table.ts';

const quota = 500;
const places = 3;

const policy = `
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"] }
bindings:
  - roles: [everything]
    to:
      - any: true
limits:
  - { name: daily, match: { tools: [echo] }, per: principal, quota: ${quota}/day, onStoreLoss: deny }
  - { name: places, match: { tools: [held] }, per: principal, concurrency: ${places}, onStoreLoss: deny }
`;

/** Each of two workers three times: the sixth end in a row of one would end the whole. */
const kills = 6;

describe('two workers', () => {
  let recorder: Recorder;
  let gateway: WorkersGateway;

  beforeEach(async () => {
    recorder = await startRecorder();
    gateway = await startWorkers({ upstreams: { recorder: recorder.url }, policy });
  }, 60_000);

  afterEach(async () => {
    await gateway.close();
    await recorder.close();
  });

  const events = () => gateway.process.log().map(({ event }) => event);
  const ready = async (): Promise<boolean> => (await gateway.readyz()).status === 200;
  const call = (name: string): Promise<RawAnswer> => {
    const { headers, body } = modern('tools/call', { name, arguments: {} });
    return post(gateway.url('recorder'), body, { headers });
  };

  fault(
    `a worker is killed -9 under load, ${kills} times`,
    'every acknowledged call has its record, a quota is neither reset nor exceeded, and every place is free again',
    async (measured) => {
      let reached = 0;
      let release = Promise.withResolvers<void>();
      let holding = 0;
      recorder.on('tools/call', async ({ id, params }) => {
        if ((params as { name: string }).name === 'echo') reached += 1;
        else {
          holding += 1;
          await release.promise;
        }
        return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
      });
      const answers: Answered[] = [];
      let running = true;
      const callers = Array.from({ length: 4 }, async () => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        while (running) {
          answers.push(await callTraced(gateway.url('recorder'), agent));
          await sleep(20);
        }
        agent.destroy();
      });
      // Those that hold places, some through each worker, whenever one is killed.
      const holders = Array.from({ length: places }, async () => {
        while (running) {
          await call('held').catch(() => undefined);
          await sleep(20);
        }
      });
      let pids = gateway.pids;
      for (let round = 0; round < kills; round += 1) {
        const before = answers.length;
        await until('calls go on', () => answers.length > before + 20 && holding > 0);
        const serving = () => gateway.process.log().filter(({ event }) => event === 'a worker serves again');
        const served = serving().length;
        const victim = pids[round % 2]!;
        process.kill(victim, 'SIGKILL');
        await until('another serves', () => serving().length > served);
        const next = Number(serving().at(-1)!['pid']);
        pids = pids.map((pid) => (pid === victim ? next : pid));
      }
      await until('the quota is exhausted', () => answers.at(-1)?.reason === 'quota-exhausted');
      running = false;
      release.resolve();
      await Promise.all([...callers, ...holders]);

      const acknowledged = answers.filter((answer) => answer.acknowledged);
      const cut = answers.filter(({ status }) => status === 0);
      expect(acknowledged.length).toBeLessThanOrEqual(quota);
      expect(reached).toBeLessThanOrEqual(quota);
      // A call that was charged and cut is the only one that is missing.
      expect(acknowledged.length + cut.length).toBeGreaterThanOrEqual(quota);
      expect(cut.length).toBeLessThanOrEqual(kills * callers.length);
      const traces = [1, 2].map(
        (worker) => readAudit(join(gateway.folder.folder, `audit.${worker}.jsonl`)).traces,
      );
      expect(acknowledged.filter(({ trace }) => !traces.some((known) => known.has(trace)))).toEqual([]);

      release = Promise.withResolvers();
      holding = 0;
      const last = Array.from({ length: places }, () => call('held'));
      await until('all places are taken', () => holding === places);
      expect((await call('held')).json()).toMatchObject({ error: { code: 4290 } });
      release.resolve();
      for (const each of await Promise.all(last)) expect(each.json()).toHaveProperty('result');
      expect(numberOf(await gateway.metrics(), 'sallyport_worker_restarts_total')).toBe(kills);
      expect(await ready()).toBe(true);
      measured(
        `${acknowledged.length} of ${quota} calls acknowledged, all recorded; ${cut.length} cut by ${kills} kills`,
      );
    },
    240_000,
  );

  fault(
    'the primary stands still (SIGSTOP)',
    'calls over open connections go on, those of a limit that only it counts are refused, and all is as before once it goes on',
    async (measured) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const url = gateway.url('recorder');
      expect((await callTraced(url, agent, 'unlimited')).acknowledged).toBe(true);
      const free = await callTraced(url, agent);
      expect(free.acknowledged).toBe(true);
      process.kill(gateway.process.pid, 'SIGSTOP');
      let answered = 0;
      for (let index = 0; index < 200; index += 1)
        if ((await callTraced(url, agent, 'unlimited')).acknowledged) answered += 1;
      expect(answered).toBe(200);
      const limited: Answered[] = [];
      for (let index = 0; index < 5; index += 1) limited.push(await callTraced(url, agent));
      expect(limited.map(({ reason }) => reason)).toEqual(Array(5).fill('limits-unavailable'));
      process.kill(gateway.process.pid, 'SIGCONT');
      await until('limits are counted again', async () => (await callTraced(url, agent)).acknowledged);
      await until('all are ready', ready);
      expect(events()).not.toContain('a worker ended that was meant to run');
      agent.destroy();
      measured(`${answered} of 200 calls without a limit answered meanwhile`);
    },
    60_000,
  );
});
