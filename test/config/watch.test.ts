import { mkdir, mkdtemp, readFile, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { digestsOf, type Watched, type Watcher, watchedFiles, watchFiles } from '../../src/config/watch.ts';
import { createConfigFolder } from './folder.ts';

let folder: string;
let watchers: Watcher[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-watch-'));
  watchers = [];
});
afterEach(async () => {
  for (const watcher of watchers) watcher.close();
  await rm(folder, { recursive: true });
});

async function watching(watched: readonly Watched[], poll = 0) {
  const changed = vi.fn<(groups: ReadonlySet<string>) => void>();
  const failed = vi.fn();
  const watcher = await watchFiles(watched, { settle: 30, poll }, changed, failed);
  watchers.push(watcher);
  const groups = () => changed.mock.calls.map(([set]) => [...set].sort());
  return { watcher, changed, failed, groups };
}

const policies = (): Watched => ({ path: join(folder, 'policies'), group: 'policies', folder: true });

/** A folder as the kubelet makes it: files are links through `..data`, and `..data` is swapped as a whole. */
async function mountConfigMap(path: string, version: string, files: Record<string, string>): Promise<void> {
  await mkdir(join(path, version), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, version, name), text);
  await symlink(version, join(path, '..data_tmp'));
  await rename(join(path, '..data_tmp'), join(path, '..data'));
  for (const name of Object.keys(files)) {
    await symlink(join('..data', name), join(path, name)).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

describe('a change is seen', () => {
  test('only once nobody writes, by a look that comes between two writes', async () => {
    const file = join(folder, 'keys.yaml');
    const other = join(folder, 'revoked.yaml');
    await writeFile(file, 'one');
    await writeFile(other, 'one');
    const seen: string[] = [];
    const watcher = await watchFiles(
      [file, other].map((path) => ({ path, group: 'apiKeys', folder: false })),
      // Quiet for so long that no write of this test takes longer.
      { settle: 400, poll: 0 },
      async () => void seen.push(`${await readFile(file, 'utf8')} ${await readFile(other, 'utf8')}`),
      vi.fn(),
    );
    watchers.push(watcher);
    await writeFile(file, 'tw');
    const look = watcher.check();
    await writeFile(file, 'two');
    const again = watcher.check();
    await writeFile(other, 'two');
    await Promise.all([look, again]);
    expect(seen).toEqual(['two two']);
  });

  test('that was made after the files were looked at, before they were watched', async () => {
    const file: Watched = { path: join(folder, 'revoked.yaml'), group: 'apiKeys', folder: false };
    await writeFile(file.path, 'one');
    const before = await digestsOf([file]);
    await writeFile(file.path, 'two');
    const changed = vi.fn<(groups: ReadonlySet<string>) => void>();
    watchers.push(await watchFiles([file], { settle: 30, poll: 0 }, changed, vi.fn(), before));
    await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce());
  });

  test('when Kubernetes swaps ..data, once for all files in it', async () => {
    const { path } = policies();
    await mountConfigMap(path, '..2026_01', { 'a.yaml': 'one', 'b.yaml': 'one' });
    const { groups } = await watching([policies()]);
    await mountConfigMap(path, '..2026_02', { 'a.yaml': 'two', 'b.yaml': 'two' });
    await vi.waitFor(() => expect(groups()).toEqual([['policies']]));
    await rm(join(path, '..2026_01'), { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(groups()).toEqual([['policies']]);
    await mountConfigMap(path, '..2026_03', { 'a.yaml': 'three', 'b.yaml': 'two' });
    await vi.waitFor(() => expect(groups()).toHaveLength(2));
  });

  test('when Kubernetes swaps a secret that is watched as a file', async () => {
    await mountConfigMap(folder, '..1', { 'tls.crt': 'one', 'tls.key': 'one' });
    const { groups } = await watching([
      { path: join(folder, 'tls.crt'), group: 'certificates', folder: false },
      { path: join(folder, 'tls.key'), group: 'certificates', folder: false },
    ]);
    await mountConfigMap(folder, '..2', { 'tls.crt': 'two', 'tls.key': 'two' });
    await vi.waitFor(() => expect(groups()).toEqual([['certificates']]));
  });

  test('when an editor renames a new file over the old one, twice', async () => {
    const file = join(folder, 'gateway.yaml');
    await writeFile(file, 'one');
    const { groups } = await watching([{ path: file, group: 'config', folder: false }]);
    for (const [count, text] of ['two', 'three'].entries()) {
      await writeFile(`${file}.swp`, text);
      await rename(`${file}.swp`, file);
      await vi.waitFor(() => expect(groups()).toHaveLength(count + 1));
    }
  });

  test('when a policy file comes, and when it goes', async () => {
    await mkdir(policies().path);
    const { groups } = await watching([policies()]);
    await writeFile(join(policies().path, 'new.yaml'), 'x');
    await vi.waitFor(() => expect(groups()).toHaveLength(1));
    await unlink(join(policies().path, 'new.yaml'));
    await vi.waitFor(() => expect(groups()).toHaveLength(2));
  });

  test('by polling alone, where the kernel notifies of nothing', async () => {
    const real = join(folder, 'elsewhere');
    await mkdir(real);
    await mkdir(join(folder, 'here'));
    await writeFile(join(real, 'crl.pem'), 'one');
    await symlink(join(real, 'crl.pem'), join(folder, 'here/crl.pem'));
    const file: Watched = { path: join(folder, 'here/crl.pem'), group: 'revocations', folder: false };
    const { groups } = await watching([file], 40);
    await writeFile(join(real, 'crl.pem'), 'two');
    await vi.waitFor(() => expect(groups()).toEqual([['revocations']]));
  });

  test('with the groups that changed and no others', async () => {
    const names = ['config', 'apiKeys', 'credentials'] as const;
    for (const name of names) await writeFile(join(folder, name), 'one');
    const { watcher, groups } = await watching(
      names.map((name) => ({ path: join(folder, name), group: name, folder: false })),
    );
    await writeFile(join(folder, 'apiKeys'), 'two');
    await writeFile(join(folder, 'credentials'), 'two');
    await watcher.check();
    expect(groups().flat().sort()).toEqual(['apiKeys', 'credentials']);
  });

  test('when a file that was missing appears', async () => {
    const file: Watched = { path: join(folder, 'late.pem'), group: 'keys', folder: false };
    const { groups } = await watching([file]);
    await writeFile(file.path, 'x');
    await vi.waitFor(() => expect(groups()).toEqual([['keys']]));
  });
});

describe('nothing is reloaded', () => {
  test('when a file is written with the same content, or another file in the folder changes', async () => {
    const file = join(folder, 'gateway.yaml');
    await writeFile(file, 'one');
    const { watcher, changed } = await watching([{ path: file, group: 'config', folder: false }]);
    await writeFile(file, 'one');
    await writeFile(join(folder, 'audit.jsonl'), 'a record');
    await watcher.check();
    expect(changed).not.toHaveBeenCalled();
  });

  test('after close', async () => {
    const file = join(folder, 'gateway.yaml');
    await writeFile(file, 'one');
    const { watcher, changed } = await watching([{ path: file, group: 'config', folder: false }], 20);
    watcher.close();
    await writeFile(file, 'two');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(changed).not.toHaveBeenCalled();
  });
});

test('many changes at once cause few calls, one at a time', async () => {
  await mkdir(policies().path);
  let running = 0;
  let most = 0;
  const changed = vi.fn(async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 20));
    running -= 1;
  });
  const watcher = await watchFiles([policies()], { settle: 30, poll: 0 }, changed, () => undefined);
  watchers.push(watcher);
  for (let i = 0; i < 50; i += 1) await writeFile(join(policies().path, `${i}.yaml`), 'x');
  await watcher.check();
  await Promise.all([watcher.check(), watcher.check(), watcher.check()]);
  expect(most).toBe(1);
  expect(changed.mock.calls.length).toBeLessThan(10);
});

test('a callback that fails is told of, and the next change is seen all the same', async () => {
  const file = join(folder, 'gateway.yaml');
  await writeFile(file, 'one');
  const failed = vi.fn();
  const changed = vi.fn().mockRejectedValueOnce(new Error('did not compile'));
  const watcher = await watchFiles(
    [{ path: file, group: 'config', folder: false }],
    { settle: 30, poll: 0 },
    changed,
    failed,
  );
  watchers.push(watcher);
  await writeFile(file, 'two');
  await vi.waitFor(() => expect(failed).toHaveBeenCalledTimes(1));
  await writeFile(file, 'three');
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2));
});

test('everything that a configuration names is watched, but for what the gateway writes itself', async () => {
  const config = await createConfigFolder();
  const loaded = await loadConfig(config.file, {});
  if (!loaded.ok) throw new Error('it did not load');
  const seen = watchedFiles(loaded.config).map(
    ({ path, group }) => `${path.slice(config.path.length + 1)} ${group}`,
  );
  expect(seen.sort()).toEqual([
    'certs/ca.crl revocations',
    'certs/ca.crt certificates',
    'certs/tls.crt certificates',
    'certs/tls.key certificates',
    'policies policies',
    'sallyport.yaml config',
    'secrets/api-keys.yaml apiKeys',
    'secrets/upstream credentials',
  ]);
  await config.remove();
});
