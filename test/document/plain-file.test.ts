import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPlainFile, readPlainFile } from '../../src/document/plain-file.ts';

describe('a file of the configuration', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-plain-'));
    writeFileSync(join(folder, 'file'), 'grüße\n');
    symlinkSync('file', join(folder, 'link'));
    mkdirSync(join(folder, 'folder'));
    expect(spawnSync('mkfifo', [join(folder, 'pipe')]).status).toBe(0);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const [how, read] of [
    ['at once', async (path: string) => readPlainFile(path)],
    ['beside the event loop', loadPlainFile],
  ] as const) {
    it(`is read whole, also through a link (${how})`, async () => {
      for (const name of ['file', 'link']) expect(await read(join(folder, name))).toBe('grüße\n');
    });

    it(`holds nobody up, and is not taken for an empty one, where it is none (${how})`, async () => {
      for (const path of [join(folder, 'pipe'), '/dev/null', '/dev/zero']) {
        await expect(read(path)).rejects.toThrow(`${path} is no plain file`);
      }
      await expect(read(join(folder, 'folder'))).rejects.toMatchObject({ code: 'EISDIR' });
      await expect(read(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
    });
  }
});
