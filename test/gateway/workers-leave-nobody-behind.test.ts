import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';
import { startWorkers, type WorkersGateway } from '../support/workers.ts';

/** Counted by the primary: each call asks it. */
const policy = `
version: 1
roles:
  everything: { allow: [{ tools: ["*"] }] }
bindings:
  - { roles: [everything], to: [{ any: true }] }
limits:
  - { name: many, match: { tools: ["*"] }, per: [principal], concurrency: 1000, onStoreLoss: allow }
`;

/** Two starts of two processes on a busy machine, and less than what a drain waits for a process that was not told. */
const patience = 50_000;

describe('a gateway of two workers', () => {
  let recorder: Recorder;
  let gateway: WorkersGateway;
  let told: PromiseWithResolvers<void>;
  let held = 0;

  beforeEach(async () => {
    recorder = await startRecorder();
    told = Promise.withResolvers<void>();
    held = 0;
    recorder.on('tools/call', async ({ id, params }) => {
      if ((params as { name: string }).name === 'held') {
        held += 1;
        await told.promise;
      }
      return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
    });
    gateway = await startWorkers({
      upstreams: { w: recorder.url },
      policy,
      config: { drain: { delay: '0s', deadline: '45s' } },
    });
  }, patience);

  afterEach(async () => {
    told.resolve();
    await gateway.close();
    await recorder.close();
  });

  const call = (name: string): Promise<RawAnswer> => {
    const { headers, body } = modern('tools/call', { name, arguments: {} });
    return post(gateway.url('w'), body, { headers });
  };
  const events = () => gateway.process.log().map(({ event }) => event);
  const recorded = (): readonly unknown[] =>
    [1, 2].flatMap((worker) => gateway.audit(worker)).map(({ code }) => code);
  const children = (): readonly number[] =>
    readFileSync(`/proc/${gateway.process.pid}/task/${gateway.process.pid}/children`, 'utf8')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number);

  it(
    'drains on SIGTERM also while a worker begins in the place of another',
    async () => {
      process.kill(gateway.pids[0]!, 'SIGKILL');
      await expect.poll(() => children().some((pid) => !gateway.pids.includes(pid))).toBe(true);
      const running = call('held');
      await expect.poll(() => held).toBe(1);
      gateway.process.signal('SIGTERM');
      await expect.poll(events).toContain('draining');
      told.resolve();
      expect((await running).json()).toHaveProperty('result');
      expect(await gateway.process.ended).toMatchObject({ code: 0, signal: null });
      expect(recorded()).toEqual(['ok']);
    },
    patience,
  );

  it(
    'goes on with its drain when it is told to read its files again',
    async () => {
      const running = [call('held'), call('held'), call('held'), call('held')];
      await expect.poll(() => held).toBe(4);
      gateway.process.signal('SIGHUP');
      gateway.process.signal('SIGTERM');
      await expect.poll(events).toContain('draining');
      for (let signals = 0; signals < 20; signals += 1) gateway.process.signal('SIGHUP');
      told.resolve();
      for (const each of await Promise.all(running)) expect(each.json()).toHaveProperty('result');
      expect(await gateway.process.ended).toMatchObject({ code: 0, signal: null });
      expect(recorded()).toEqual(['ok', 'ok', 'ok', 'ok']);
    },
    patience,
  );

  it(
    'lets calls finish where the primary is killed while workers ask it, and then ends whole',
    async () => {
      const running = [call('held'), call('held'), call('held'), call('held')];
      await expect.poll(() => held).toBe(4);
      let stop = false;
      // Each asks the primary: something is on its way to it in the moment of its end.
      const load = Array.from({ length: 8 }, async () => {
        while (!stop) await call('quick').catch(() => undefined);
      });
      await expect.poll(() => recorder.messages.length).toBeGreaterThan(50);
      gateway.process.signal('SIGKILL');
      await expect.poll(() => events().filter((event) => event === 'draining').length).toBe(2);
      stop = true;
      await Promise.all(load);
      told.resolve();
      for (const each of await Promise.all(running)) expect(each.json()).toHaveProperty('result');
      // Resolves once nobody holds its pipes any more.
      expect(await gateway.process.ended).toMatchObject({ signal: 'SIGKILL' });
      expect(events().filter((event) => event === 'stopped')).toHaveLength(2);
    },
    patience,
  );
});
