import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runSallyport } from '../support/gateway-process.ts';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';
import { numberOf, startWorkers, sumOf, type WorkersGateway } from '../support/workers.ts';

const policy = `
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"], audit: arguments }
      - methods: ["**"]
bindings:
  - roles: [everything]
    to:
      - any: true
limits:
  - { name: twenty, match: { tools: [counted] }, per: [principal], rate: 20/h, burst: 20 }
  - { name: two, match: { tools: [held] }, per: [principal], concurrency: 2 }
`;

describe('two worker processes', () => {
  let recorder: Recorder;
  let gateway: WorkersGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    gateway = await startWorkers({ upstreams: { recorder: recorder.url }, policy });
  });

  afterAll(async () => {
    await gateway.close();
    await recorder.close();
  });

  /** On a connection of its own, which the primary hands to the worker whose turn it is. */
  const call = (name: string): Promise<RawAnswer> => {
    const { headers, body } = modern('tools/call', { name, arguments: { a: 1 } });
    return post(gateway.url('recorder'), body, { headers });
  };

  it('share the connections, and count together what each of them did', async () => {
    const before = sumOf(await gateway.metrics(), 'sallyport_exchanges_total');
    const answers = await Promise.all(Array.from({ length: 30 }, () => call('echo')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const metrics = await gateway.metrics();
    expect(sumOf(metrics, 'sallyport_exchanges_total') - before).toBe(30);
    expect(numberOf(metrics, 'sallyport_worker_exchanges{worker="1"}')).toBeGreaterThan(0);
    expect(numberOf(metrics, 'sallyport_worker_exchanges{worker="2"}')).toBeGreaterThan(0);
    expect(numberOf(metrics, 'sallyport_workers{state="serving"}')).toBe(2);
    // What is the same in all of them is not summed, and a distribution is.
    expect(sumOf(metrics, 'sallyport_build_info')).toBe(1);
    expect(numberOf(metrics, 'sallyport_audit_accepting')).toBe(1);
    const duration = 'sallyport_exchange_duration_seconds_count{upstream="recorder",method="tools/call"}';
    expect(numberOf(metrics, duration)).toBe(sumOf(metrics, 'sallyport_exchanges_total'));
    expect(metrics.match(/^process_start_time_seconds /gm)).toHaveLength(1);
  });

  it('are ready as one, and say how many they are', async () => {
    const answer = await gateway.readyz();
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      ready: true,
      audit: 'ok',
      reload: 'ok',
      workers: { configured: 2, ready: 2 },
    });
  });

  it('admit together exactly what a rate admits', async () => {
    const answers = await Promise.all(Array.from({ length: 60 }, () => call('counted')));
    const admitted = answers.filter((answer) => 'result' in answer.json());
    const limited = answers.filter(
      (answer) => answer.json<{ error?: { code: number } }>().error?.code === 4290,
    );
    expect(admitted).toHaveLength(20);
    expect(limited).toHaveLength(40);
    const workers = [1, 2].map(
      (worker) => gateway.audit(worker).filter(({ code }) => code === 'rate-limited').length,
    );
    expect(workers.every((refused) => refused > 0)).toBe(true);
  });

  it('hold together exactly as many places as there are, and give them back', async () => {
    const go = Promise.withResolvers<void>();
    let arrived = 0;
    recorder.on('tools/call', async ({ id }) => {
      arrived += 1;
      await go.promise;
      return { kind: 'json', body: result(id, { resultType: 'complete', content: [] }) };
    });
    const running = [call('held'), call('held')];
    await expect.poll(() => arrived).toBe(2);
    const refused = await Promise.all([call('held'), call('held'), call('held'), call('held')]);
    expect(refused.map((answer) => answer.json<{ error?: { code: number } }>().error?.code)).toEqual(
      refused.map(() => 4290),
    );
    go.resolve();
    for (const answer of await Promise.all(running)) expect(answer.json()).toHaveProperty('result');
    // A place is given back by a word to the primary, which may come after the answer.
    await expect
      .poll(async () =>
        Promise.all([call('held'), call('held')]).then((all) => all.every((each) => 'result' in each.json())),
      )
      .toBe(true);
    recorder.on('tools/call', undefined);
  });

  it('write an audit file each, which commands read together', async () => {
    const [first, second] = [gateway.audit(1), gateway.audit(2)];
    expect(first.length).toBeGreaterThan(0);
    expect(second.length).toBeGreaterThan(0);
    const runs = [first, second].map((records) => new Set(records.map(({ run }) => run)));
    expect(runs.map(({ size }) => size)).toEqual([1, 1]);
    expect([...runs[0]!][0]).not.toBe([...runs[1]!][0]);
    for (const records of [first, second]) {
      const sequence = records.map(({ sequence: each }) => Number(each));
      expect(sequence).toEqual(sequence.map((_, index) => index + 1));
    }
    const files = [1, 2].map((worker) => join(gateway.folder.folder, `audit.${worker}.jsonl`));
    const learnt = await runSallyport(['learn', ...files]);
    expect(learnt).toMatchObject({ code: 0 });
    expect(learnt.stdout).toContain('counted');
    const exchange = second.findLast(({ code }) => code === 'ok')?.['exchange'] as string;
    const explained = await runSallyport(['explain', '--config', gateway.folder.file, '--record', exchange]);
    expect(explained.stdout).toContain('THEN');
  });
});
