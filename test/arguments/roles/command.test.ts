import { describe, expect, it } from 'vitest';
import { commandRole } from '../../../src/arguments/roles/command.ts';
import { commandOptions } from '../../../src/arguments/roles/command-options.ts';

const compile = (options: unknown) => commandRole.compile(commandOptions.parse(options));

const git = {
  allow: [
    {
      words: ['git', ['log', 'shortlog']],
      options: {
        '--oneline': 'flag',
        '-n': { int: { min: 1, max: 100 } },
        '--author': { id: {} },
        '--format': { enum: ['short', 'full'] },
      },
      operands: { max: 2, each: { path: { within: '/repo', base: '/repo' } } },
    },
    { words: ['git', 'commit'], options: { '-m': { text: { maxLength: 20 } } } },
    { words: ['git', 'mv'], operands: [{ path: { within: '/repo' } }, { id: { preset: 'name' } }] },
    { words: ['git', 'status'] },
  ],
};
const ls = {
  allow: [
    {
      words: ['ls'],
      clusters: true,
      options: { '-l': 'flag', '-a': 'flag', '-w': { int: { max: 200 } } },
      operands: { each: { id: {} } },
    },
  ],
};

const faultOf = (options: unknown, value: unknown) => compile(options).judge(value as string)?.fault;

describe('command', () => {
  it('is denied unless a shape allows it', () => {
    for (const value of ['ls', 'git status', ['ls'], 'true']) {
      expect(faultOf({}, value)).toBe('denied');
      expect(faultOf({ allow: [] }, value)).toBe('denied');
    }
  });

  const honest: (string | readonly string[])[] = [
    ...[
      'git status',
      ' git  status ',
      'git log',
      'git shortlog',
      'git log --oneline',
      'git log -n 5',
      'git log -n 100 --oneline',
    ],
    ...[
      'git log --author=jane',
      'git log --author jane.doe@acme.example',
      'git log --format=full',
      'git log --format short',
    ],
    ...[
      'git log src/index.ts',
      'git log --oneline src README.md',
      'git log -- src',
      'git log --oneline -- src test',
      'git log src --oneline',
    ],
    ...[
      "git log -- 'my file.txt'",
      'git log "my file.txt"',
      'git log /repo/a',
      'git log my\\ file',
      "git log 'src'",
    ],
    ...[
      "git commit -m 'fix: a; b'",
      'git commit -m "it\'s done"',
      "git commit -m ''",
      "git commit -m '$HOME | x'",
      'git mv /repo/a b',
    ],
    ['git', 'status'],
    ['git', 'log', '-n', '5', '--', 'my file'],
    ['git', 'commit', '-m', 'a; rm -rf /'],
  ];
  it.each(honest)('lets through %j', (value) => {
    expect(faultOf(git, value)).toBeUndefined();
  });

  const refused: [string | readonly string[], string][] = [
    ['rm -rf /', 'no-shape'],
    ['git', 'no-shape'],
    ['git push', 'no-shape'],
    ['Git status', 'no-shape'],
    ['/usr/bin/git status', 'no-shape'],
    ['git -C /etc status', 'no-shape'],
    ['git --exec-path=/tmp log', 'no-shape'],
    ['git -c core.pager=sh log', 'no-shape'],
    ['env git status', 'no-shape'],
    ['sh -c x', 'no-shape'],
    ["'git status'", 'no-shape'],
    ['git status -s', 'option'],
    ['git status x', 'operands'],
    ['git log --output=/tmp/x', 'option'],
    ['git log --onelin', 'option'],
    ['git log --oneline=x', 'option-value'],
    ['git log --ONELINE', 'option'],
    ['git log -p', 'option'],
    ['git log -n5', 'option'],
    ['git log -n=5', 'option'],
    ['git log -n', 'option-value'],
    ['git log -n --oneline', 'option-value'],
    ['git log -n 0', 'range'],
    ['git log -n 101', 'range'],
    ['git log -n -5', 'range'],
    ['git log -n 5x', 'type'],
    ['git log -n 0x5', 'type'],
    ['git log -n 05', 'type'],
    ['git log -n +5', 'type'],
    ['git log -n 1e2', 'type'],
    ['git log -n 99999999999999999999', 'type'],
    ["git log --author 'a;b'", 'metacharacter'],
    ["git log --author='$(id)'", 'metacharacter'],
    ['git log --author=-x', 'leading-dash'],
    ['git log --author -x', 'option-value'],
    ['git log --author=', 'too-short'],
    ['git log --format=raw', 'not-listed'],
    ['git log -', 'leading-dash'],
    ['git log ../x', 'parent'],
    ['git log /etc/passwd', 'outside-tree'],
    ['git log -- -p', 'leading-dash'],
    ['git log -- --output=x', 'leading-dash'],
    ['git log a b c', 'operands'],
    ["git log ''", 'empty'],
    ['git log %2e%2e/x', 'encoded'],
    ['git mv /repo/a', 'operands'],
    ['git mv /repo/a b c', 'operands'],
    ['git mv /etc/a b', 'outside-tree'],
    ["git commit -m 'more than twenty characters'", 'too-long'],
    ['git commit -m -x', 'option-value'],
    ['git log; id', 'chaining'],
    ['git log && id', 'chaining'],
    ['git log | sh', 'chaining'],
    ['git log & id', 'chaining'],
    ['git log\nid', 'chaining'],
    ['git log > /etc/x', 'redirection'],
    ['git log $(id)', 'expansion'],
    ['git log `id`', 'expansion'],
    ['git log "$HOME"', 'expansion'],
    ['git log *', 'glob'],
    ['git log {a,b}', 'brace'],
    ['git log ~/x', 'tilde'],
    ['git log # x', 'comment'],
    ['git log !!', 'history'],
    ['git log (x)', 'grouping'],
    ["git log 'x", 'unterminated-quote'],
    ['git log\0', 'control'],
    ['GIT_PAGER=sh git log', 'assignment'],
    ['', 'empty'],
    [[], 'empty'],
    [['git', 'status\n'], 'control'],
    [['git', 'log', 'a\0b'], 'control'],
    [['git status'], 'no-shape'],
    [['git', 'log', '--output=x'], 'option'],
    [['git', 'log', '$(id)'], 'variable'],
    [['git', 'log', '-n', '5;id'], 'type'],
  ];
  it.each(refused)('refuses %j: %s', (value, fault) => {
    expect(faultOf(git, value)).toBe(fault);
  });

  it('refuses what is neither text nor a list of words, and what is too long', () => {
    for (const value of [null, 1, true, {}, [1], ['git', null], [['git']], ['git', {}]]) {
      expect(faultOf(git, value)).toBe('type');
    }
    expect(faultOf(git, `git log ${'a'.repeat(5000)}`)).toBe('too-long');
    expect(faultOf(git, ['git', 'a'.repeat(5000)])).toBe('too-long');
    expect(faultOf(git, `git log${' a'.repeat(300)}`)).toBe('too-long');
    expect(faultOf({ ...git, maxLength: 5 }, 'git status')).toBe('too-long');
  });

  it('reads clusters only where the program does', () => {
    for (const value of ['ls -l', 'ls -la', 'ls -al x', 'ls -w80', 'ls -law80', 'ls -w 80', 'ls -la -- x']) {
      expect(faultOf(ls, value), value).toBeUndefined();
      if (/-\w\w/.test(value)) {
        expect(faultOf({ allow: [{ ...ls.allow[0], clusters: false }] }, value), value).toBe('option');
      }
    }
    for (const [value, fault] of [
      ['ls -lx', 'option'],
      ['ls -xl', 'option'],
      ['ls -w80l', 'type'],
      ['ls -lw', 'option-value'],
      ['ls -w999', 'range'],
      ['ls --l', 'option'],
      ['ls -l=x', 'option'],
    ]) {
      expect(faultOf(ls, value), value).toBe(fault);
    }
  });

  it('refuses the end of options where the program hands on what follows', () => {
    const options = {
      allow: [{ words: ['npm', 'run'], endOfOptions: false, operands: { max: 3, each: { text: {} } } }],
    };
    expect(faultOf(options, 'npm run test')).toBeUndefined();
    expect(faultOf(options, 'npm run test -- --inspect')).toBe('end-of-options');
    expect(faultOf(options, 'npm run test --inspect')).toBe('option');
  });

  it('takes operands that begin with a dash behind the end of options, if their kind does', () => {
    const options = { allow: [{ words: ['grep'], operands: { max: 2, each: { text: {} } } }] };
    expect(faultOf(options, 'grep -x')).toBe('option');
    expect(faultOf(options, 'grep -- -x')).toBeUndefined();
    expect(
      faultOf({ allow: [{ words: ['n'], operands: { each: { int: { min: -5 } } } }] }, 'n -5'),
    ).toBeUndefined();
  });

  it('names the fault of the shape that fits the longest, with its place', () => {
    expect(compile(git).judge('git log -n 500')).toEqual({
      fault: 'range',
      allow: '`allow[0]`: `options.-n`: widen `min` or `max` of `int`',
    });
    expect(compile(git).judge('git mv /etc/s3cret b')?.allow).toMatch(/^`allow\[2\]`: `operands\[0\]`: /);
  });

  it('never repeats the value in what the caller reads', () => {
    for (const text of [
      's3cret',
      'git s3cret',
      'git log --s3cret',
      'git log -n s3cret',
      'git log /s3cret',
      'git log "s3cret',
      'S3CRET=s3cret git',
    ]) {
      const fault = compile(git).judge(text);
      expect(fault).toBeDefined();
      expect(JSON.stringify(fault)).not.toContain('s3cret');
    }
  });

  it('asks of every path in one question', () => {
    const path = { path: { within: '/repo', mounted: '/srv/repo', mode: 'write' } };
    const role = compile({
      allow: [{ words: ['cp'], options: { '-t': path }, operands: { max: 3, each: path } }],
    });
    const one = role.lookup?.('cp /repo/a');
    expect(one).toMatchObject({ kind: 'real-path', path: '/srv/repo/a', also: ['/srv/repo/', '/srv/repo'] });
    const lookup = role.lookup?.('cp -t /repo/x /repo/a /repo/b/c');
    expect(lookup).toMatchObject({
      path: '/srv/repo/x',
      also: [
        '/srv/repo/',
        '/srv/repo',
        '/srv/repo/a',
        '/srv/repo/',
        '/srv/repo',
        '/srv/repo/b/c',
        '/srv/repo/',
        '/srv/repo/b',
      ],
    });
    if (lookup?.kind !== 'real-path') return;
    const answers = (lookup.also ?? []).map((asked) => asked.replace(/(?<=.)\/$/, ''));
    expect(lookup.judge('/srv/repo/x', answers)).toBeUndefined();
    expect(lookup.judge('/etc/x', answers)?.fault).toBe('outside-tree');
    expect(lookup.judge('/srv/repo/x', answers.with(2, '/etc/a'))?.fault).toBe('outside-tree');
    expect(lookup.judge('/srv/repo/x', answers.with(5, '/srv/repo/b/other'))?.fault).toBe('final-link');
    expect(lookup.judge('/srv/repo/x')?.fault).toBe('unresolved');
    expect(role.lookup?.('cp /etc/a')).toBeUndefined();
    expect(compile(git).lookup?.('git log a')).toBeUndefined();
  });

  it.each([
    [{ allow: [{ words: [] }] }, /words/],
    [{ allow: [{}] }, /words/],
    [{ allow: [{ words: ['git log'] }] }, /one word/],
    [{ allow: [{ words: ['a'], options: { n: 'flag' } }] }, /option/],
    [{ allow: [{ words: ['a'], options: { '--': 'flag' } }] }, /option/],
    [{ allow: [{ words: ['a'], options: { '--a=b': 'flag' } }] }, /option/],
    [{ allow: [{ words: ['a'], options: { '-n': {} } }] }, /exactly one/],
    [{ allow: [{ words: ['a'], options: { '-n': { int: {}, id: {} } } }] }, /exactly one/],
    [{ allow: [{ words: ['a'], operands: { max: 1 } }] }, /operands/],
    [{ allow: [{ words: ['a'], operands: { min: 2, each: { id: {} } } }] }, /max/],
    [{ allow: [{ words: ['a'], operands: [{ path: {} }] }] }, /within|operands/],
    [{ allow: [{ words: ['a'], shell: true }] }, /shell/],
  ])('does not load %j', (options, at) => {
    const parsed = commandOptions.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toMatch(at);
  });
});
