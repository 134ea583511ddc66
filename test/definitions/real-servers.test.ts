import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { lookAlikesIn } from '../../src/pins/compare.ts';
import { parseLock } from '../../src/pins/parse-lock.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const script = fileURLToPath(new URL('list-over-stdio.ts', import.meta.url));
const server = (name: string) => `${root}/node_modules/@modelcontextprotocol/${name}/dist/index.js`;

interface Listed {
  readonly hashes: Readonly<Record<string, string>>;
  readonly lock: string;
}

async function list(...args: readonly string[]): Promise<Listed> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, process.execPath, ...args]);
  return JSON.parse(stdout) as Listed;
}

const servers: readonly [name: string, args: readonly string[], tool: string][] = [
  ['server-everything', [server('server-everything'), 'stdio'], 'echo'],
  ['server-filesystem', [server('server-filesystem'), tmpdir()], 'read_text_file'],
];

describe('the definitions of real servers', () => {
  for (const [name, args, tool] of servers) {
    it(`have the same hashes in two processes, and a lock file of them reads back (${name})`, async () => {
      const [one, two] = await Promise.all([list(...args), list(...args)]);
      expect(Object.keys(one.hashes)).toContain(tool);
      expect(Object.keys(one.hashes).length).toBeGreaterThan(5);
      expect(two).toEqual(one);
      const parsed = parseLock({ file: 'pins.yaml', text: one.lock });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      const pinned = parsed.lock.upstreams.get('real')!.tools;
      expect(Object.fromEntries([...pinned].map(([key, { hash }]) => [key, hash]))).toEqual(one.hashes);
      expect(lookAlikesIn(parsed.lock, false)).toEqual([]);
    });
  }
});
