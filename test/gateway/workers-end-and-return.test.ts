import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareGateway } from '../support/gateway.ts';
import { runSallyport } from '../support/gateway-process.ts';
import { modern } from '../support/mcp-messages.ts';
import { openStream, post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { event, result } from '../support/recorder-answers.ts';
import { numberOf, startWorkers, sumOf, type WorkersGateway } from '../support/workers.ts';

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
  - { name: four, match: { tools: [held] }, per: [principal], concurrency: 4 }
`;

/** Whether a process of this id runs. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that has ended and is not waited for yet answers too.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('worker processes that end', () => {
  let recorder: Recorder;
  let gateway: WorkersGateway;

  beforeEach(async () => {
    recorder = await startRecorder();
    gateway = await startWorkers({
      upstreams: { recorder: recorder.url },
      policy,
      config: { drain: { delay: '0s', deadline: '5s' } },
    });
  });

  afterEach(async () => {
    await gateway.close();
    await recorder.close();
  });

  const call = (name: string): Promise<RawAnswer> => {
    const { headers, body } = modern('tools/call', { name, arguments: {} });
    return post(gateway.url('recorder'), body, { headers });
  };
  const events = () => gateway.process.log().map(({ event: what }) => what);

  it('killed under load: the other serves on, another comes in its place, what it held is free', async () => {
    const go = Promise.withResolvers<void>();
    let arrived = 0;
    recorder.on('tools/call', async ({ id, params }) => {
      if ((params as { name: string }).name === 'held') {
        arrived += 1;
        await go.promise;
      }
      return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
    });
    // Some places through each worker: connections are handed out in turn.
    let freed = 0;
    const held = Array.from({ length: 4 }, () =>
      call('held').catch(() => {
        freed += 1;
      }),
    );
    await expect.poll(() => arrived).toBe(4);
    expect((await call('held')).json()).toMatchObject({ error: { code: 4290 } });
    for (let index = 0; index < 4; index += 1) await call('echo');
    const before = sumOf(await gateway.metrics(), 'sallyport_exchanges_total');

    let failed = 0;
    let answered = 0;
    let stop = false;
    const load = Array.from({ length: 2 }, async () => {
      while (!stop) {
        await sleep(20);
        await call('echo').then(
          ({ status }) => {
            if (status === 200) answered += 1;
            else failed += 1;
          },
          () => {
            failed += 1;
          },
        );
      }
    });
    const [victim] = gateway.pids;
    process.kill(victim!, 'SIGKILL');
    await expect.poll(events, { timeout: 20_000 }).toContain('a worker ended that was meant to run');
    // Its places are free at once, those of the other are not.
    expect(freed).toBeGreaterThan(0);
    const places = Array.from({ length: freed }, () => call('held'));
    await expect.poll(() => arrived, { timeout: 10_000 }).toBe(4 + freed);
    expect((await call('held')).json()).toMatchObject({ error: { code: 4290 } });
    await expect.poll(events, { timeout: 20_000 }).toContain('a worker serves again');
    await expect.poll(async () => (await gateway.readyz()).status, { timeout: 10_000 }).toBe(200);
    stop = true;
    await Promise.all(load);
    expect(answered).toBeGreaterThan(0);
    // What was on its way in the worker that was killed: at most one call of each of those that call.
    expect(failed).toBeLessThanOrEqual(2);
    go.resolve();
    for (const place of await Promise.all(places)) expect(place.json()).toHaveProperty('result');
    await Promise.all(held);
    const metrics = await gateway.metrics();
    expect(sumOf(metrics, 'sallyport_exchanges_total')).toBeGreaterThanOrEqual(before);
    expect(numberOf(metrics, 'sallyport_worker_restarts_total')).toBe(1);
    expect(numberOf(metrics, 'sallyport_workers{state="serving"}')).toBe(2);
    recorder.on('tools/call', undefined);
  }, 90_000);

  it('all drain on one signal to the whole group, once, and end with code 0', async () => {
    const answer = Promise.withResolvers<void>();
    let arrived = 0;
    recorder.on('tools/call', async ({ id }) => {
      arrived += 1;
      await answer.promise;
      return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
    });
    const running = [call('echo'), call('echo')];
    await expect.poll(() => arrived).toBe(2);
    // As a terminal does: every process of the group gets it.
    for (const pid of gateway.pids) process.kill(pid, 'SIGINT');
    gateway.process.signal('SIGINT');
    await expect.poll(() => events().filter((what) => what === 'draining').length).toBe(3);
    answer.resolve();
    for (const each of await Promise.all(running)) expect(each.json()).toHaveProperty('result');
    expect(await gateway.process.ended).toMatchObject({ code: 0, signal: null });
    expect(gateway.process.log().at(-1)).toMatchObject({ event: 'stopped' });
    expect(gateway.pids.map(runs)).toEqual([false, false]);
    for (const worker of [1, 2])
      expect(gateway.audit(worker)).toContainEqual(expect.objectContaining({ code: 'ok' }));
    recorder.on('tools/call', undefined);
  }, 90_000);

  it('all end at once on a second signal', async () => {
    recorder.on('tools/call', { kind: 'sse', chunks: [event({ jsonrpc: '2.0', method: 'x' })], open: true });
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    const stream = await openStream('POST', gateway.url('recorder'), { headers, body });
    gateway.process.signal('SIGTERM');
    await expect.poll(events).toContain('draining');
    gateway.process.signal('SIGTERM');
    expect(await gateway.process.ended).toMatchObject({ code: 1 });
    await stream.rest().catch(() => undefined);
    await expect.poll(() => gateway.pids.map(runs), { timeout: 10_000 }).toEqual([false, false]);
    recorder.on('tools/call', undefined);
  }, 90_000);

  it('let running calls finish and end where the primary was killed', async () => {
    const answer = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    recorder.on('tools/call', async ({ id }) => {
      arrived.resolve();
      await answer.promise;
      return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
    });
    const running = call('echo');
    await arrived.promise;
    gateway.process.signal('SIGKILL');
    // `close` of the process waits for its pipes, which the workers hold as well.
    await expect.poll(events, { timeout: 10_000 }).toContain('draining');
    answer.resolve();
    expect((await running).json()).toHaveProperty('result');
    await expect.poll(() => gateway.pids.map(runs), { timeout: 20_000 }).toEqual([false, false]);
    recorder.on('tools/call', undefined);
  }, 90_000);

  it('that keep ending soon after their start end the whole, with code 1 and a word on why', async () => {
    let seen = new Set(gateway.pids);
    const killAll = setInterval(() => {
      // Only one of them, whichever now has its place: the other goes on until the whole ends.
      const last = gateway.process.log().findLast(({ event: what }) => what === 'a worker serves again');
      const pid = Number(last?.['pid'] ?? gateway.pids[0]);
      if (!seen.has(pid) && last === undefined) return;
      seen = new Set([pid]);
      if (runs(pid)) process.kill(pid, 'SIGKILL');
    }, 50);
    const ended = await gateway.process.ended;
    clearInterval(killAll);
    expect(ended).toMatchObject({ code: 1, signal: null });
    const fatal = gateway.process.log().find(({ level }) => level === 'fatal');
    expect(fatal).toMatchObject({ event: 'a worker keeps ending soon after its start: the gateway ends' });
    expect(gateway.pids.map(runs)).toEqual([false, false]);
  }, 90_000);

  it('read again on a SIGHUP that came while one of them was about to begin', async () => {
    const [victim] = gateway.pids;
    process.kill(victim!, 'SIGKILL');
    // The other has read the change each time that one of these is told; nothing is written or told after the start.
    await expect.poll(events, { timeout: 20_000 }).toContain('a worker ended that was meant to run');
    const narrow = policy.replace('tools: ["*"]', 'tools: [echo]');
    while (!events().includes('a worker serves again')) {
      gateway.folder.write('policies/policy.yaml', narrow);
      gateway.process.signal('SIGHUP');
      await sleep(20);
    }
    await expect
      .poll(async () => {
        const answers = await Promise.all([call('held'), call('held'), call('held'), call('held')]);
        return answers.every((answer) => 'error' in answer.json());
      })
      .toBe(true);
  }, 90_000);

  it('all read their files again on SIGHUP, and keep the last good ones', async () => {
    gateway.folder.write('policies/policy.yaml', policy.replace('tools: ["*"]', 'tools: [echo]'));
    gateway.process.signal('SIGHUP');
    await expect
      .poll(async () => {
        const answers = await Promise.all([call('held'), call('held'), call('held'), call('held')]);
        return answers.every((answer) => 'error' in answer.json());
      })
      .toBe(true);
    expect((await call('echo')).json()).toHaveProperty('result');
    gateway.folder.write('policies/policy.yaml', 'version: 2\n');
    gateway.process.signal('SIGHUP');
    await expect
      .poll(async () => (await gateway.readyz()).json())
      .toMatchObject({ ready: true, reload: 'failed', failed: ['policies'] });
    for (let index = 0; index < 4; index += 1) expect((await call('echo')).json()).toHaveProperty('result');
  }, 90_000);
});

describe('workers that cannot begin', () => {
  it('start nothing, and say what is wrong once', async () => {
    const recorder = await startRecorder();
    const folder = await prepareGateway({
      door: 'plain',
      upstreams: { recorder: recorder.url },
      policy: 'version: 2\n',
      config: { workers: 2 },
    });
    const ended = await runSallyport(['run', '--config', folder.file]);
    expect(ended).toMatchObject({ code: 3, signal: null });
    expect(ended.stderr.match(/policy\.yaml:1:/g)).toHaveLength(1);
    folder.remove();
    await recorder.close();
  }, 90_000);

  it('refuse an audit that has no name beside it', async () => {
    const recorder = await startRecorder();
    const folder = await prepareGateway({
      door: 'plain',
      upstreams: { recorder: recorder.url },
      config: { workers: 2, audit: { file: '/dev/null' } },
    });
    const ended = await runSallyport(['run', '--config', folder.file]);
    expect(ended).toMatchObject({ code: 3 });
    expect(ended.stderr).toMatch(/audit\.file: \/dev\/null is no regular file/);
    folder.remove();
    await recorder.close();
  }, 90_000);

  it('are no other than 1 to 64, or auto', async () => {
    const recorder = await startRecorder();
    for (const workers of [0, 65, 1.5, 'many']) {
      const folder = await prepareGateway({ upstreams: { recorder: recorder.url }, config: { workers } });
      const ended = await runSallyport(['check', '--config', folder.file]);
      expect(ended).toMatchObject({ code: 3 });
      expect(ended.stderr).toMatch(/sallyport\.yaml:1:\d+: workers: /);
      folder.remove();
    }
    await recorder.close();
  }, 90_000);
});
