import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Arena, startArena } from './arena.ts';
import { itLetsThrough, itRefuses, policyWithRules } from './argument-calls.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-tree-')));
const tree = join(folder, 'tree');

const policy = policyWithRules(`
  - id: fetching
    match: { tools: [fetch] }
    args: { url: { url: { hosts: [good.example] } } }
  - id: running
    match: { tools: [run] }
    args:
      command:
        command:
          allow:
            - words: [git, [status, log]]
              options: { -n: { int: { max: 100 } }, --oneline: flag }
  - id: writing
    match: { tools: [write] }
    args: { path: { path: { within: ${tree}, mounted: true, mode: write } } }
`);

let arena: Arena;
beforeAll(async () => {
  mkdirSync(join(tree, 'real'), { recursive: true });
  mkdirSync(join(folder, 'out'));
  writeFileSync(join(tree, 'file'), '');
  writeFileSync(join(folder, 'out', 'target'), '');
  symlinkSync(join(folder, 'out'), join(tree, 'away'));
  symlinkSync(join(folder, 'out', 'target'), join(tree, 'leak'));
  symlinkSync(join(folder, 'out', 'new'), join(tree, 'dangling'));
  symlinkSync('../out', join(tree, 'up'));
  symlinkSync('loop', join(tree, 'loop'));
  symlinkSync(join(tree, 'file'), join(tree, 'inside'));
  symlinkSync(tree, join(tree, 'real', 'again'));
  arena = await startArena({ policy });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const everyWay = (title: string, tool: string, args: string | undefined) =>
  itRefuses(() => arena, title, tool, args);
const arrives = (tool: string, args: string | undefined) => itLetsThrough(() => arena, tool, args);

describe('what a server would go and do', () => {
  for (const url of [
    'https://good.example@evil.example/',
    'https://good.example.evil.example/',
    'https://good.example\\\\@evil.example/',
    'https://good.example:444/',
    'http://good.example/',
    'https://good.example\\u3002evil.example/',
    'https://g\\u043e\\u043ed.example/',
    'https:good.example',
    '//good.example/',
    'https://127.0.0.1/',
    'https://0x7f.1/',
    'https://[::ffff:127.0.0.1]/',
    'file:///etc/passwd',
    'https://good.example/\\n',
    ' https://good.example/',
    'HTTPS://evil.example#https://good.example/',
  ]) {
    everyWay('', 'fetch', `{"url":"${url}"}`);
  }
  arrives('fetch', '{"url":"https://good.example/a?b=c"}');

  for (const command of [
    'git push',
    'git status; id',
    'git status && id',
    'git status | sh',
    'git status\\nid',
    'git log -n 101',
    'git log -n 5 --output=/etc/x',
    'git log $(id)',
    'git log `id`',
    'git -c core.pager=id log',
    'git log --one',
    'g\\"i\\"t push',
    "git 'status;id'",
    'git log > /tmp/x',
    '/tmp/git status',
    'git status #x',
    'A=1 git status',
    'git\\u00a0status',
    '',
  ]) {
    everyWay('', 'run', `{"command":"${command}"}`);
  }
  everyWay('', 'run', '{"command":["git","push"]}');
  everyWay('', 'run', '{"command":["git",["status"]]}');
  everyWay('', 'run', '{"command":{"0":"git"}}');
  arrives('run', '{"command":"git log -n 5 --oneline"}');

  for (const rest of [
    'away/x',
    'away',
    'away/',
    'away/new/deeper',
    'leak',
    'dangling',
    'dangling/x',
    'up/target',
    'loop',
    'loop/x',
    'inside',
    'file/x',
    'real/again/away/x',
    'real/../away/x',
    '../out/target',
    'real/%2e%2e/%2e%2e/out',
  ]) {
    everyWay('a link', 'write', JSON.stringify({ path: `${tree}/${rest}` }));
  }
  for (const rest of ['file', 'new', 'real/new/newer', 'real/again/new']) {
    arrives('write', JSON.stringify({ path: `${tree}/${rest}` }));
  }
});
