import { mkdtemp, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AuditFile, type AuditFileOptions, AuditUnavailableError } from '../../src/observe/audit-file.ts';
import { realSystem, type System } from '../../src/observe/audit-open.ts';

let folder: string;
let open: AuditFile[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-audit-'));
  open = [];
});
afterEach(async () => {
  for (const file of open) await file.close(100);
  await rm(folder, { recursive: true });
});

const events = () => ({ failed: vi.fn(), recovered: vi.fn(), noticed: vi.fn() });

async function openAudit(options: Partial<AuditFileOptions> = {}, told = events(), system?: System) {
  const file = await AuditFile.open(
    {
      file: join(folder, 'audit.jsonl'),
      onFailure: 'deny',
      sync: 'none',
      pendingBytes: 1_000_000,
      pendingRecords: 10_000,
      retry: 20,
      timeout: 10_000,
      ...options,
    },
    told,
    system,
  );
  open.push(file);
  return { file, told };
}

const linesOf = async (path = join(folder, 'audit.jsonl')) =>
  (await readFile(path, 'utf8')).split('\n').slice(0, -1);
const failure = (code: string) => Object.assign(new Error(code), { code });

/** A disk that can be filled, hung and slowed down. */
function disk(): System & {
  error: Error | undefined;
  atMost: number;
  syncError: Error | undefined;
  writes: number;
} {
  const self = {
    error: undefined as Error | undefined,
    syncError: undefined as Error | undefined,
    atMost: Number.POSITIVE_INFINITY,
    writes: 0,
    async write(fd: number, bytes: Buffer, offset: number) {
      self.writes += 1;
      if (self.error !== undefined) throw self.error;
      const piece = bytes.subarray(0, Math.min(bytes.length, offset + self.atMost));
      return realSystem.write(fd, piece, offset);
    },
    async sync() {
      if (self.syncError !== undefined) throw self.syncError;
    },
  };
  return self;
}

describe('writing', () => {
  test('creates the file for its owner alone, and its folder too', async () => {
    const path = join(folder, 'new/deep/audit.jsonl');
    await openAudit({ file: path });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'new'))).mode & 0o777).toBe(0o700);
  });

  test('resolves only once the line is in the file', async () => {
    const { file } = await openAudit();
    await file.append('{"n":1}\n');
    expect(await linesOf()).toEqual(['{"n":1}']);
  });

  test('keeps a thousand concurrent records whole, once each and in order, in far fewer writes', async () => {
    const system = disk();
    const { file } = await openAudit({}, events(), system);
    const waiting: (Promise<void> | undefined)[] = [];
    for (let i = 0; i < 1000; i += 1) {
      waiting.push(file.append(`{"sequence":${i}}\n`));
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(waiting);
    expect((await linesOf()).map((line) => JSON.parse(line).sequence)).toEqual([...Array(1000).keys()]);
    expect(system.writes).toBeLessThan(50);
    expect(file.stats).toMatchObject({ written: 1000, lost: 0, pendingRecords: 0, pendingBytes: 0 });
  });

  test('does not strand a line that comes just as the last write ends', async () => {
    const { file } = await openAudit();
    for (let i = 0; i < 200; i += 1) {
      await file.append(`${i}\n`);
      // Each append lands in another microtask after the write's end.
      for (let hop = 0; hop < i % 7; hop += 1) await Promise.resolve();
    }
    expect(await linesOf()).toHaveLength(200);
  });

  test('goes on after a short write where it stopped', async () => {
    const system = disk();
    system.atMost = 3;
    const { file } = await openAudit({}, events(), system);
    await Promise.all([file.append('{"a":1}\n'), file.append('{"b":2}\n')]);
    expect(await linesOf()).toEqual(['{"a":1}', '{"b":2}']);
  });

  test('flushes what waits when it is closed, and refuses what comes later', async () => {
    const { file } = await openAudit();
    const written = file.append('{"last":true}\n');
    await file.close();
    await written;
    expect(await linesOf()).toEqual(['{"last":true}']);
    await expect(file.append('{"late":true}\n')).rejects.toThrow(AuditUnavailableError);
    expect(file.accepting()).toBe(false);
  });
});

describe('a torn last line', () => {
  test('is closed off at start, so that the next record stands alone', async () => {
    await writeFile(join(folder, 'audit.jsonl'), '{"whole":1}\n{"torn":');
    const { file, told } = await openAudit();
    await file.append('{"next":1}\n');
    expect(await linesOf()).toEqual(['{"whole":1}', '{"torn":', '{"next":1}']);
    expect(file.stats.torn).toBe(1);
    expect(told.noticed).toHaveBeenCalledWith(expect.stringContaining('ended inside a line'));
  });

  test('is not seen where the file ends as it should, or is empty', async () => {
    await writeFile(join(folder, 'audit.jsonl'), '{"whole":1}\n', { mode: 0o600 });
    const { file, told } = await openAudit();
    await openAudit({ file: join(folder, 'empty.jsonl') });
    expect(file.stats.torn).toBe(0);
    expect(told.noticed).not.toHaveBeenCalled();
  });
});

describe('a full disk', () => {
  test('rejects the record and refuses further calls with deny (/dev/full)', async () => {
    const { file, told } = await openAudit({ file: '/dev/full' });
    expect(file.accepting()).toBe(true);
    await expect(file.append('{"a":1}\n')).rejects.toThrow('The audit record could not be written');
    expect(file.accepting()).toBe(false);
    await expect(file.append('{"b":1}\n')).rejects.toThrow(AuditUnavailableError);
    expect(told.failed).toHaveBeenCalledTimes(1);
    expect(told.failed.mock.calls[0]?.[0]).toMatchObject({ code: 'ENOSPC' });
  });

  test('does not make anybody wait with drop, and tells once per episode (/dev/full)', async () => {
    const { file, told } = await openAudit({ file: '/dev/full', onFailure: 'drop', pendingRecords: 5 });
    for (let i = 0; i < 20; i += 1) expect(file.append(`${i}\n`)).toBeUndefined();
    await vi.waitFor(() => expect(file.stats.failures).toBeGreaterThan(2));
    expect(file.accepting()).toBe(true);
    expect(told.failed).toHaveBeenCalledTimes(1);
    expect(told.noticed).toHaveBeenCalledTimes(1);
    expect(file.stats.lost).toBe(15);
  });

  test('heals by itself, and the records that failed are written first, each once', async () => {
    const system = disk();
    const { file, told } = await openAudit({}, events(), system);
    await file.append('{"n":1}\n');
    system.error = failure('ENOSPC');
    await expect(file.append('{"n":2}\n')).rejects.toThrow(AuditUnavailableError);
    await expect(file.append('{"n":3}\n')).rejects.toThrow(AuditUnavailableError);
    expect(file.accepting()).toBe(false);
    system.error = undefined;
    await vi.waitFor(() => expect(file.accepting()).toBe(true));
    await file.append('{"n":4}\n');
    expect((await linesOf()).map((line) => JSON.parse(line).n)).toEqual([1, 2, 3, 4]);
    expect(told.recovered).toHaveBeenCalledTimes(1);
    expect(file.stats).toMatchObject({ written: 4, lost: 0, failures: expect.any(Number) });
  });

  test('in the middle of a line leaves no torn line once there is room again', async () => {
    const system = disk();
    const { file } = await openAudit({}, events(), system);
    system.atMost = 4;
    const { write } = system;
    let calls = 0;
    system.write = (fd, bytes, offset) => {
      calls += 1;
      if (calls === 2) return Promise.reject(failure('ENOSPC'));
      return write(fd, bytes, offset);
    };
    await expect(file.append('{"n":12345}\n')).rejects.toThrow(AuditUnavailableError);
    await vi.waitFor(() => expect(file.accepting()).toBe(true));
    expect(await linesOf()).toEqual(['{"n":12345}']);
  });

  test('bounds what is kept in memory: beyond, records are rejected and counted', async () => {
    const { file } = await openAudit({ file: '/dev/full', pendingRecords: 3, retry: 60_000 });
    const answers = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => file.append(`${i}\n`)));
    expect(answers.every(({ status }) => status === 'rejected')).toBe(true);
    expect(file.stats.pendingRecords).toBe(3);
    expect(file.stats.lost).toBe(7);
  });

  test('stops accepting while too many bytes wait for a disk that hangs', async () => {
    const system = disk();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { write } = system;
    system.write = async (fd, bytes, offset) => {
      await promise;
      return write(fd, bytes, offset);
    };
    const { file } = await openAudit({ pendingBytes: 20 }, events(), system);
    const first = file.append('{"n":1234567890}\n');
    await new Promise((next) => setImmediate(next));
    await expect(file.append('{"n":1}\n')).rejects.toThrow(AuditUnavailableError);
    resolve();
    await first;
    expect(file.accepting()).toBe(true);
  });
});

describe('fdatasync', () => {
  test('is waited for, and its failure withholds the answer', async () => {
    const system = disk();
    system.syncError = failure('EIO');
    const { file } = await openAudit({ sync: 'fdatasync' }, events(), system);
    await expect(file.append('{"n":1}\n')).rejects.toThrow(AuditUnavailableError);
    expect(file.stats.written).toBe(0);
    system.syncError = undefined;
    await vi.waitFor(() => expect(file.stats.written).toBe(1));
    // Written again, because nobody knows what the disk has of the first attempt.
    expect(await linesOf()).toEqual(['{"n":1}', '{"n":1}']);
  });
});

describe('rotation', () => {
  test('goes on in a new file after reopen', async () => {
    const { file } = await openAudit();
    await file.append('{"n":1}\n');
    await rename(join(folder, 'audit.jsonl'), join(folder, 'audit.1'));
    await file.reopen();
    await file.append('{"n":2}\n');
    expect(await linesOf(join(folder, 'audit.1'))).toEqual(['{"n":1}']);
    expect(await linesOf()).toEqual(['{"n":2}']);
  });

  test('loses nothing and repeats nothing while records come in', async () => {
    const { file } = await openAudit();
    const waiting: (Promise<void> | undefined)[] = [];
    for (let i = 0; i < 300; i += 1) {
      waiting.push(file.append(`${i}\n`));
      if (i === 100) {
        await rename(join(folder, 'audit.jsonl'), join(folder, 'audit.1'));
        waiting.push(file.reopen());
      }
      if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(waiting);
    const all = [...(await linesOf(join(folder, 'audit.1'))), ...(await linesOf())];
    expect(all.map(Number)).toEqual([...Array(300).keys()]);
  });

  test('does not go on writing into a file that somebody deleted', async () => {
    const { file, told } = await openAudit();
    await file.append('{"n":1}\n');
    await unlink(join(folder, 'audit.jsonl'));
    await vi.waitFor(
      async () => {
        await file.append('{"n":2}\n');
        expect(await linesOf()).toContain('{"n":2}');
      },
      { timeout: 5000, interval: 100 },
    );
    expect(told.noticed).toHaveBeenCalledWith(expect.stringContaining('moved or deleted'));
  });

  test('into a path that cannot be opened refuses calls until it can', async () => {
    const path = join(folder, 'sub/audit.jsonl');
    const { file, told } = await openAudit({ file: path });
    await rename(join(folder, 'sub'), join(folder, 'gone'));
    await writeFile(join(folder, 'sub'), 'a file where the folder should be');
    await file.reopen();
    expect(file.accepting()).toBe(false);
    expect(told.failed).toHaveBeenCalledTimes(1);
    await unlink(join(folder, 'sub'));
    await vi.waitFor(() => expect(file.accepting()).toBe(true));
    await file.append('{"n":1}\n');
    expect(await linesOf(path)).toEqual(['{"n":1}']);
  });
});

test('a path that is a folder stops the start', async () => {
  await expect(openAudit({ file: folder })).rejects.toMatchObject({ code: 'EISDIR' });
});

test('a file that others can read is told of', async () => {
  await writeFile(join(folder, 'audit.jsonl'), '', { mode: 0o644 });
  const { told } = await openAudit();
  expect(told.noticed).toHaveBeenCalledWith(expect.stringContaining('others than its owner'));
});

describe('a disk that hangs', () => {
  /** A disk whose calls answer only once they are let go. */
  function hanging(what: 'write' | 'sync') {
    const waiting: (() => void)[] = [];
    const self = {
      hangs: true,
      letGo() {
        self.hangs = false;
        for (const go of waiting.splice(0)) go();
      },
      system: {
        async write(fd: number, bytes: Buffer, offset: number) {
          if (what === 'write' && self.hangs) await new Promise<void>((resolve) => waiting.push(resolve));
          return realSystem.write(fd, bytes, offset);
        },
        async sync() {
          if (what === 'sync' && self.hangs) await new Promise<void>((resolve) => waiting.push(resolve));
        },
      } satisfies System,
    };
    return self;
  }

  test.each(['write', 'sync'] as const)('counts as one that fails (%s), until it answers', async (what) => {
    const disk = hanging(what);
    const { file, told } = await openAudit({ timeout: 50, sync: 'fdatasync' }, events(), disk.system);
    const first = file.append('{"n":1}\n');
    await new Promise((resolve) => setImmediate(resolve));
    const second = file.append('{"n":2}\n');
    await expect(first).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE', cause: { code: 'ETIMEDOUT' } });
    await expect(second).rejects.toThrow(AuditUnavailableError);
    expect(file.accepting()).toBe(false);
    expect(told.failed).toHaveBeenCalledTimes(1);
    expect(file.stats).toMatchObject({ failures: 1, lost: 0, pendingRecords: 2 });
    await expect(file.append('{"n":3}\n')).rejects.toThrow(AuditUnavailableError);

    disk.letGo();
    await vi.waitFor(() => expect(file.accepting()).toBe(true));
    expect(told.recovered).toHaveBeenCalledTimes(1);
    await file.append('{"n":4}\n');
    expect(await linesOf()).toEqual(['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}']);
  });

  test('does not keep a reload or the end of the process', async () => {
    const disk = hanging('write');
    const { file } = await openAudit({ timeout: 50 }, events(), disk.system);
    const lost = file.append('{"n":1}\n');
    await file.reopen();
    await file.close(50);
    await expect(lost).rejects.toThrow(AuditUnavailableError);
    disk.letGo();
  });
});
