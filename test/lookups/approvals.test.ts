import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApprovals, writeApproval } from '../../src/lookups/approvals.ts';
import { readCanaryFiles } from '../../src/lookups/canary-files.ts';
import { run } from '../cli/run-command.ts';

const ticket = '6f1ed002ab5595859014ebf0951522d9';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'approvals-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('an approval', () => {
  it('is good once', async () => {
    const approvals = createApprovals(folder, () => 1_000);
    await writeApproval(folder, ticket, 2_000);
    expect(await approvals.take(ticket)).toBe(true);
    expect(await approvals.take(ticket)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is good once for many who take it at the same moment', async () => {
    const replicas = [createApprovals(folder, () => 0), createApprovals(folder, () => 0)];
    await writeApproval(folder, ticket, 2_000);
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, index) => replicas[index % 2]!.take(ticket)),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
  });

  it('is good until its time, and gone afterwards', async () => {
    await writeApproval(folder, ticket, 2_000);
    expect(await createApprovals(folder, () => 2_000).take(ticket)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is for its own ticket', async () => {
    const other = 'a'.repeat(32);
    await writeApproval(folder, ticket, 2_000);
    const approvals = createApprovals(folder, () => 0);
    expect(await approvals.take(other)).toBe(false);
    // A file that was renamed approves nothing.
    writeFileSync(join(folder, other), readFileSync(join(folder, ticket)));
    expect(await approvals.take(other)).toBe(false);
    expect(await approvals.take(ticket)).toBe(true);
  });

  it.each([
    '',
    'null',
    '{}',
    '[]',
    '{"ticket":1}',
    `{"ticket":"${ticket}"}`,
    `{"ticket":"${ticket}","until":"x"}`,
    ' '.repeat(5_000),
  ])('is not made by a file that holds %j', async (text) => {
    writeFileSync(join(folder, ticket), text);
    expect(await createApprovals(folder, () => 0).take(ticket)).toBe(false);
  });

  it('is a file, neither a link nor a folder', async () => {
    const approvals = createApprovals(folder, () => 0);
    await writeApproval(folder, 'b'.repeat(32), 2_000);
    symlinkSync(join(folder, 'b'.repeat(32)), join(folder, ticket));
    expect(await approvals.take(ticket)).toBe(false);
    mkdirSync(join(folder, ticket));
    expect(await approvals.take(ticket)).toBe(false);
  });

  it.each(['../x', '', 'A'.repeat(32), '6f1e', `${ticket}\n`])(
    'is asked for by tickets only: %j',
    async (given) => {
      expect(await createApprovals(folder, () => 0).take(given)).toBe(false);
      await expect(writeApproval(folder, given, 1)).rejects.toThrow(
        'a ticket is 32 lower-case hexadecimal digits',
      );
    },
  );

  it('is not there where the folder is not', async () => {
    expect(await createApprovals(join(folder, 'gone'), () => 0).take(ticket)).toBe(false);
  });
});

describe('sallyport approve', () => {
  it('writes an approval that the gateway takes', async () => {
    const ran = await run(['approve', ticket, '--for', '1h', '--folder', folder]);
    expect(ran).toEqual({ code: 0, stdout: expect.stringContaining('good for one call until'), stderr: '' });
    expect(await createApprovals(folder, () => Date.now() + 3_599_000 - 60_000).take(ticket)).toBe(true);
  });

  it.each([
    [['approve'], 'Give one ticket: 32 lower-case hexadecimal digits.\n'],
    [['approve', 'nonsense'], 'Give one ticket: 32 lower-case hexadecimal digits.\n'],
    [['approve', ticket, ticket], 'Give one ticket: 32 lower-case hexadecimal digits.\n'],
    [['approve', ticket, '--for', '2d'], '--for: must be at most 86400000ms\n'],
    [['approve', ticket, '--for', 'soon'], expect.stringContaining('--for: ')],
  ])('refuses %j', async (args, stderr) => {
    expect(await run([...args, '--folder', folder])).toEqual({ code: 2, stdout: '', stderr });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says that the folder is not there', async () => {
    const ran = await run(['approve', ticket, '--folder', join(folder, 'gone')]);
    expect(ran).toEqual({ code: 3, stdout: '', stderr: expect.stringContaining('ENOENT') });
  });
});

describe('files of canaries', () => {
  it('hold one value a line', () => {
    const file = join(folder, 'canaries');
    writeFileSync(file, 'first-value\r\n\n  second-value  \n');
    expect(readCanaryFiles([{ name: 'backup', file, results: 'alert' }])).toEqual([
      { name: 'backup', value: 'first-value', results: 'alert' },
      { name: 'backup', value: 'second-value', results: 'alert' },
    ]);
  });

  it('that hold none are named', () => {
    const file = join(folder, 'canaries');
    writeFileSync(file, '\n \n');
    expect(() => readCanaryFiles([{ name: 'backup', file, results: 'alert' }])).toThrow(
      `${file}: there is no canary in it`,
    );
  });
});
