import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRealPath, type FileSystem } from '../../src/lookups/real-path.ts';

let top: string;

beforeAll(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-real-')));
  mkdirSync(join(top, 'a/b'), { recursive: true });
  writeFileSync(join(top, 'a/f'), '');
  symlinkSync('a', join(top, 'link'));
  symlinkSync('nowhere', join(top, 'dangling'));
  symlinkSync('loop2', join(top, 'loop1'));
  symlinkSync('loop1', join(top, 'loop2'));
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

describe('real paths', () => {
  const realPath = createRealPath();

  it('are those of the deepest part that exists, with the rest appended', async () => {
    expect(await realPath(join(top, 'a/f'))).toBe(join(top, 'a/f'));
    expect(await realPath(join(top, 'link/f'))).toBe(join(top, 'a/f'));
    expect(await realPath(join(top, 'link/new/deeper'))).toBe(join(top, 'a/new/deeper'));
    expect(await realPath('/')).toBe('/');
    expect(await realPath('/sallyport-no-such-folder/x')).toBe('/sallyport-no-such-folder/x');
  });

  it('of folders that must exist are undefined where they do not', async () => {
    expect(await realPath(`${join(top, 'link')}/`)).toBe(join(top, 'a'));
    expect(await realPath(`${join(top, 'new')}/`)).toBeUndefined();
    expect(await realPath(`${join(top, 'a/f')}/`)).toBeUndefined();
  });

  it.each(['loop1', 'loop1/x', 'dangling', 'dangling/x', 'a/f/x', `${'n/'.repeat(80)}x`, 'x'.repeat(300)])(
    'are undefined on any doubt: %s',
    async (rest) => {
      expect(await realPath(`${top}/${rest}`)).toBeUndefined();
    },
  );

  it.each(['', 'a', './a', '/a/../b', '/a/./b', '/a//b', '//a', '/a\0b'])(
    'are not asked for what is not canonical: %j',
    async (path) => {
      expect(await realPath(path)).toBeUndefined();
    },
  );

  it('are undefined where the file system may not be asked, whatever it says then', async () => {
    const failing = (code: string): FileSystem => ({
      realpath: () => Promise.reject(Object.assign(new Error('no'), { code })),
      lstat: () => Promise.reject(Object.assign(new Error('no'), { code })),
    });
    for (const code of ['EACCES', 'ELOOP', 'ENOTDIR', 'EIO', 'ENAMETOOLONG', 'ESTALE']) {
      expect(await createRealPath({ fileSystem: failing(code) })('/a/b')).toBeUndefined();
    }
  });
});

describe('a file system that does not answer', () => {
  function hanging() {
    const calls: { path: string; answer: (real: string) => void }[] = [];
    const fileSystem: FileSystem = {
      realpath: (path) => new Promise((answer) => calls.push({ path, answer })),
      lstat: () => Promise.resolve({}),
    };
    return { calls, fileSystem };
  }

  it('is not waited for, and not asked again while it owes answers', async () => {
    const { calls, fileSystem } = hanging();
    const realPath = createRealPath({ fileSystem, timeoutMs: 20, concurrency: 2, waiting: 3 });
    const asked = ['/a', '/b', '/c', '/d', '/e', '/f'].map((path) => realPath(path));
    expect(await Promise.all(asked)).toEqual(asked.map(() => undefined));
    expect(calls.map(({ path }) => path)).toEqual(['/a', '/b']);
  });

  it('is asked by those who wait, in turn, once it answers', async () => {
    const { calls, fileSystem } = hanging();
    const realPath = createRealPath({ fileSystem, timeoutMs: 10_000, concurrency: 1, waiting: 2 });
    const asked = [realPath('/a'), realPath('/b'), realPath('/c'), realPath('/d')];
    expect(await asked[3]).toBeUndefined();
    calls[0]!.answer('/real/a');
    expect(await asked[0]).toBe('/real/a');
    await expect.poll(() => calls.length).toBe(2);
    calls[1]!.answer('/real/b');
    expect(await asked[1]).toBe('/real/b');
    await expect.poll(() => calls.length).toBe(3);
    calls[2]!.answer('/real/c');
    expect(await asked[2]).toBe('/real/c');
    expect(calls.map(({ path }) => path)).toEqual(['/a', '/b', '/c']);
  });
});
