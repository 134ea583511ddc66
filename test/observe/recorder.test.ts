import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Audit, createAudit } from '../../src/observe/audit.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { auditOptions } from '../../src/observe/options.ts';
import { createRecorder } from '../../src/observe/recorder.ts';
import { exchangeOf, outcomeOf } from './outcomes.ts';

let folder: string;
let audit: Audit | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-recorder-'));
});
afterEach(async () => {
  await audit?.close(100);
  await rm(folder, { recursive: true });
});

const logOf = () => ({ debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn(), fatal: vi.fn() });

async function recorderWith(options: Record<string, unknown> = {}) {
  const log = logOf();
  audit = await createAudit(auditOptions.parse({ file: join(folder, 'a.jsonl'), ...options }), { log });
  const metrics = createMetrics({ upstreams: ['warehouse'], version: '0', process: false, audit });
  return { recorder: createRecorder({ audit, metrics, log }), metrics, log, audit };
}

test('an outcome reaches the audit and the metrics', async () => {
  const { recorder, metrics } = await recorderWith();
  await recorder.record(outcomeOf());
  await recorder.record(outcomeOf({ code: 'denied' }));
  const records = (await readFile(join(folder, 'a.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(records.map(({ sequence, code }) => [sequence, code])).toEqual([
    [1, 'ok'],
    [2, 'denied'],
  ]);
  expect(records[0].run).toBe(records[1].run);
  expect(await metrics.scrape()).toContain('sallyport_audit_records_total 2');
});

test('each start has a run of its own', async () => {
  const { recorder, audit: first } = await recorderWith();
  await recorder.record(outcomeOf());
  await first.close();
  await (await recorderWith()).recorder.record(outcomeOf());
  const lines = (await readFile(join(folder, 'a.jsonl'), 'utf8')).trim().split('\n');
  expect(new Set(lines.map((line) => JSON.parse(line).run)).size).toBe(2);
});

test('calls are refused while the audit cannot be written (/dev/full)', async () => {
  const { recorder, log } = await recorderWith({ file: '/dev/full' });
  expect(recorder.accepting()).toBe(true);
  await expect(recorder.record(outcomeOf())).rejects.toThrow('The audit record could not be written');
  expect(recorder.accepting()).toBe(false);
  expect(log.error).toHaveBeenCalledWith(
    'the audit cannot be written',
    expect.objectContaining({ file: '/dev/full' }),
  );
});

test('with drop nobody waits and calls go on (/dev/full)', async () => {
  const { recorder } = await recorderWith({ file: '/dev/full', onFailure: 'drop' });
  expect(recorder.record(outcomeOf())).toBeUndefined();
  expect(recorder.accepting()).toBe(true);
});

test('a stream that its age or silence ends is no trouble; a call that takes too long is', async () => {
  const { recorder, log } = await recorderWith();
  await recorder.record(outcomeOf({ event: 'stream-ended', code: 'upstream-timeout' }));
  expect(log.warn).not.toHaveBeenCalled();
  expect(log.info).toHaveBeenCalledWith(
    'a stream was ended',
    expect.objectContaining({ code: 'upstream-timeout' }),
  );
  for (const trouble of [
    outcomeOf({ event: 'exchange', code: 'upstream-timeout' }),
    outcomeOf({ event: 'stream-ended', code: 'upstream-closed' }),
  ]) {
    await recorder.record(trouble);
    expect(log.warn).toHaveBeenLastCalledWith(
      'an exchange failed',
      expect.objectContaining({ code: trouble.code }),
    );
  }
});

test('a cause that is a mere text is in no record', async () => {
  const { recorder } = await recorderWith();
  await recorder.record(outcomeOf({ code: 'overloaded', cause: 'said a peer' }));
  await recorder.record(outcomeOf({ code: 'overloaded', cause: new Error('x', { cause: 'said a peer' }) }));
  const lines = (await readFile(join(folder, 'a.jsonl'), 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).cause)).toEqual([undefined, 'Error']);
});

test('a metric that fails does not stop the record', async () => {
  const { audit: written, metrics, log } = await recorderWith();
  const recorder = createRecorder({
    audit: written,
    log,
    metrics: {
      ...metrics,
      record() {
        throw new Error('broken');
      },
    },
  });
  await recorder.record(outcomeOf());
  expect(written.stats.written).toBe(1);
  expect(log.error).toHaveBeenCalledTimes(1);
});

test('trouble with upstreams is logged, but not more than some lines a second', async () => {
  const { recorder, log } = await recorderWith();
  const trouble = outcomeOf({ code: 'upstream-unreachable', cause: new Error('connect ECONNREFUSED') });
  for (let i = 0; i < 100; i += 1) void recorder.record(trouble);
  expect(log.warn).toHaveBeenCalledTimes(10);
  await recorder.record({ ...trouble, time: trouble.time + 1000 });
  expect(log.warn).toHaveBeenLastCalledWith(
    'an exchange failed',
    expect.objectContaining({ suppressed: 90 }),
  );
});

test('what is secret in an exchange is told to the log', async () => {
  const { recorder, log } = await recorderWith();
  const exchange = exchangeOf({ facts: { secrets: ['pumpernickel-47'] } });
  await recorder.record(
    outcomeOf({ exchange, code: 'upstream-invalid', cause: new Error('pumpernickel-47') }),
  );
  expect(log.warn).toHaveBeenCalledWith(
    'an exchange failed',
    expect.anything(),
    expect.objectContaining({ whole: new Set(['pumpernickel-47']) }),
  );
});

test('an ordinary outcome, a denial too, is no matter for the process log', async () => {
  const { recorder, log } = await recorderWith();
  await recorder.record(outcomeOf());
  await recorder.record(outcomeOf({ code: 'denied' }));
  expect(log.warn).not.toHaveBeenCalled();
});
