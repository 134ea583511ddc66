import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { type Answered, callTraced, readAudit } from './acknowledged.ts';
import { fault, type Measured } from './table.ts';

/** Mounts need root and a kernel that lets it. Elsewhere `/dev/full` stands for a full disk. */
function mount(...args: readonly string[]): boolean {
  return spawnSync('mount', args, { stdio: 'ignore' }).status === 0;
}

describe('an audit disk that fails', () => {
  let recorder: Recorder;
  let folder: string;
  const mounted: string[] = [];

  beforeAll(async () => {
    recorder = await startRecorder();
    folder = mkdtempSync(join(tmpdir(), 'sallyport-disk-'));
  });

  afterAll(async () => {
    for (const place of mounted.reverse()) spawnSync('umount', ['-l', place]);
    await recorder.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (file: string, audit: Readonly<Record<string, unknown>> = {}): Promise<TestGateway> =>
    startTestGateway({
      upstreams: { recorder: recorder.url },
      door: 'plain',
      config: { audit: { file, retry: '100ms', timeout: '500ms', ...audit } },
    });
  const ready = async (gate: TestGateway): Promise<number> =>
    (await fetch(`${gate.gateway.adminUrl}/readyz`)).status;
  /** Calls, eight at a time, until one is refused; then some more. */
  const callUntilRefused = async (gate: TestGateway): Promise<readonly Answered[]> => {
    const answers: Answered[] = [];
    for (let rounds = 0; rounds < 500; rounds += 1) {
      answers.push(...(await Promise.all(Array.from({ length: 8 }, () => callTraced(gate.url('recorder'))))));
      if (answers.some(({ acknowledged }) => !acknowledged)) break;
    }
    return answers;
  };
  const recovers = async (gate: TestGateway): Promise<Answered> => {
    await expect.poll(() => ready(gate)).toBe(200);
    const answer = await callTraced(gate.url('recorder'));
    expect(answer.acknowledged).toBe(true);
    return answer;
  };
  const expectRecorded = (
    answers: readonly Answered[],
    files: readonly string[],
    measured: Measured,
  ): void => {
    const traces = new Set(files.flatMap((file) => [...readAudit(file).traces]));
    const acknowledged = answers.filter((answer) => answer.acknowledged);
    const refused = answers.filter((answer) => !answer.acknowledged);
    expect(acknowledged.filter(({ trace }) => !traces.has(trace))).toEqual([]);
    expect(new Set(refused.map(({ reason }) => reason))).toEqual(new Set(['audit-unavailable']));
    measured(
      `${acknowledged.length} calls acknowledged, all recorded; ${refused.length} refused as audit-unavailable`,
    );
  };

  fault(
    'the audit disk is full',
    'no call is acknowledged without its record, readiness goes off, and all is well once there is room, without a restart',
    async (measured) => {
      const disk = join(folder, 'full');
      spawnSync('mkdir', [disk]);
      if (mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk)) {
        mounted.push(disk);
        const file = join(disk, 'audit.jsonl');
        const gate = await start(file);
        const answers = [...(await callUntilRefused(gate))];
        expect(answers.some(({ acknowledged }) => acknowledged)).toBe(true);
        expect(answers.some(({ acknowledged }) => !acknowledged)).toBe(true);
        expect(await ready(gate)).toBe(503);
        expect(mount('-o', 'remount,size=16m', disk)).toBe(true);
        answers.push(await recovers(gate));
        await gate.close();
        expectRecorded(answers, [file], measured);
        expect(readAudit(file).torn).toEqual([]);
        measured('ENOSPC of a tmpfs of 64 KiB');
        return;
      }
      const gate = await start('/dev/full');
      const answers = await callUntilRefused(gate);
      expect(answers.every(({ reason }) => reason === 'audit-unavailable')).toBe(true);
      expect(await ready(gate)).toBe(503);
      await gate.close();
      measured('ENOSPC of /dev/full: this machine does not let us mount');
    },
  );

  fault(
    'the audit disk answers EIO',
    'no call is acknowledged without its record, readiness goes off, and all is well once it can be written again',
    async (measured) => {
      const file = join(folder, 'eio.jsonl');
      const gate = await start(file);
      const answers = [await callTraced(gate.url('recorder'))];
      expect(answers[0]!.acknowledged).toBe(true);
      renameSync(file, `${file}.1`);
      // Address zero of a process is never mapped: the kernel answers each write there with EIO.
      symlinkSync('/proc/self/mem', file);
      await gate.gateway.reload('signal');
      answers.push(...(await callUntilRefused(gate)));
      expect(answers.slice(1).some(({ acknowledged }) => acknowledged)).toBe(false);
      expect(await ready(gate)).toBe(503);
      unlinkSync(file);
      answers.push(await recovers(gate));
      await gate.close();
      expectRecorded(answers, [file, `${file}.1`], measured);
    },
  );

  fault(
    'the audit disk becomes read-only',
    'no call is acknowledged without its record, and all is well once it can be written again',
    async (measured) => {
      const disk = join(folder, 'read-only');
      const file = join(disk, 'audit.jsonl');
      spawnSync('mkdir', [disk]);
      const gate = await start(file);
      const answers = [await callTraced(gate.url('recorder'))];
      const canMount = mount('-t', 'tmpfs', '-o', 'ro,size=64k', 'tmpfs', disk);
      if (canMount) mounted.push(disk);
      else {
        // A folder in place of the file cannot be written either.
        renameSync(file, `${file}.1`);
        spawnSync('mkdir', [file]);
      }
      await gate.gateway.reload('signal');
      answers.push(...(await callUntilRefused(gate)));
      expect(answers.slice(1).some(({ acknowledged }) => acknowledged)).toBe(false);
      expect(await ready(gate)).toBe(503);
      if (canMount) {
        expect(spawnSync('umount', [disk]).status).toBe(0);
        mounted.pop();
      } else rmSync(file, { recursive: true });
      answers.push(await recovers(gate));
      await gate.close();
      expectRecorded(answers, canMount ? [file] : [file, `${file}.1`], measured);
      measured(canMount ? 'EROFS of a read-only mount' : 'EISDIR: this machine does not let us mount');
    },
  );

  fault(
    'the audit disk hangs',
    'callers hear so after audit.timeout instead of waiting, new calls are refused at once, and all is well when it answers again',
    async (measured) => {
      const file = join(folder, 'pipe');
      expect(spawnSync('mkfifo', [file]).status).toBe(0);
      // A pipe that nobody empties takes 64 KiB, and then a write waits as on a disk that hangs.
      const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
      const gate = await start(file);
      const answers = [...(await callUntilRefused(gate))];
      expect(answers.some(({ acknowledged }) => acknowledged)).toBe(true);
      expect(new Set(answers.filter((answer) => !answer.acknowledged).map(({ reason }) => reason))).toEqual(
        new Set(['audit-unavailable']),
      );
      expect(await ready(gate)).toBe(503);
      expect(await gate.metrics()).toMatch(/sallyport_audit_failures_total [1-9]/);
      const sent = recorder.requests.length;
      expect((await callTraced(gate.url('recorder'))).status).toBe(503);
      expect(recorder.requests).toHaveLength(sent);

      const read: Buffer[] = [];
      const drain = setInterval(() => {
        for (const piece = Buffer.alloc(65_536); ; ) {
          try {
            const length = readSync(reader, piece);
            if (length === 0) return;
            read.push(Buffer.from(piece.subarray(0, length)));
          } catch {
            return;
          }
        }
      }, 10);
      answers.push(await recovers(gate));
      await gate.close();
      await new Promise((resolve) => setTimeout(resolve, 50));
      clearInterval(drain);
      closeSync(reader);
      const copy = join(folder, 'pipe.jsonl');
      writeFileSync(copy, Buffer.concat(read));
      expectRecorded(answers, [copy], measured);
    },
  );
});
