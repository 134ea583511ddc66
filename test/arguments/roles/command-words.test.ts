import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { splitShellWords } from '../../../src/arguments/roles/shell-words.ts';

const wordsOf = (text: string) => {
  const split = splitShellWords(text);
  return split.ok ? split.words : split.fault;
};

describe('the words of a command', () => {
  const table: [string, readonly string[]][] = [
    ['git log', ['git', 'log']],
    ['  git   log\t-n 5 ', ['git', 'log', '-n', '5']],
    ["git commit -m 'a; b | c $(d) `e` > f'", ['git', 'commit', '-m', 'a; b | c $(d) `e` > f']],
    ['a "b c" d', ['a', 'b c', 'd']],
    ['a "b\\"c\\\\d"', ['a', 'b"c\\d']],
    ['a "it\'s" \'say "x"\'', ['a', "it's", 'say "x"']],
    ['a b\\ c', ['a', 'b c']],
    ['a \\; \\| \\$x \\* \\# \\~ \\! \\\\', ['a', ';', '|', '$x', '*', '#', '~', '!', '\\']],
    ["a ''", ['a', '']],
    ['a ""b', ['a', 'b']],
    ['a \'b\'"c"d\\e', ['a', 'bcde']],
    ["a ''#b x#y", ['a', '#b', 'x#y']],
    ['git show HEAD~1 HEAD^ a=b --x=y', ['git', 'show', 'HEAD~1', 'HEAD^', 'a=b', '--x=y']],
    ["a '{x,y}' '*' '!'", ['a', '{x,y}', '*', '!']],
    ['a \'~\' "~" "#" "=x"', ['a', '~', '~', '#', '=x']],
    ['ls /a/b.c @x %y +z ,w', ['ls', '/a/b.c', '@x', '%y', '+z', ',w']],
    ['caf\u00e9 \u6771\u4eac', ['caf\u00e9', '\u6771\u4eac']],
    ["a '\u3000'", ['a', '\u3000']],
  ];
  it.each(table)('of %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });
});

describe('what a shell would do more than split', () => {
  const forms: [string, readonly string[]][] = [
    [
      'expansion',
      [
        '$x',
        '$',
        '$$',
        '$(id)',
        '$((1+1))',
        '$\u007bx}',
        '`id`',
        '"$x"',
        '"`id`"',
        '"a$(id)b"',
        "$'a'",
        '$"a"',
        'a$',
        '=ls',
        'a`',
      ],
    ],
    ['redirection', ['>f', '<f', '2>&1', '>>f', '<<EOF', '<<<x', '<>f', '>|f', 'a>b', '<(id)', '>(id)']],
    [
      'chaining',
      [';', ';id', '&', '&&', '|', '||', 'a;b', 'a&', 'a|b', ';;', '&>f', '\nid', '\rid', '|&', 'a\n'],
    ],
    ['grouping', ['(id)', 'a()', ')', '(']],
    ['brace', ['{a,b}', '{1..9}', '{', '}', 'a{b}', '{}']],
    ['glob', ['*', '?', '[a]', 'a*', '*.txt', 'a?c', '[!a]', 'a]', '**/x']],
    ['history', ['!', '!!', '!1', '!id', '"!!"', 'a!b', '^a^b']],
    ['tilde', ['~', '~/a', '~root', '~+', 'a=~/b', 'a:~/b', '--file=~/b']],
    ['comment', ['#', '# a', '#a']],
    ['escape', ['"\\n"', '"\\$x"', '"\\`"', '"\\a"', '\\\u00e9', '\\\ud83d\ude00']],
    ['unterminated-quote', ["'", '"', "'a", '"a', "a'b c", 'a"b c', '\'a"', '"a\'', '"a\\"', "it's"]],
    [
      'control',
      [
        '\0',
        'a\0b',
        '\u0001',
        '\u0007',
        '\u000b',
        '\u000c',
        '\u001b[0m',
        '\u007f',
        '\u0085',
        "'\0'",
        '"\u001b"',
        '\u202e',
        '\ud800',
      ],
    ],
    ['white-space', ['a\u00a0b', '\u3000', 'a\u2003b', '\ufeffa']],
  ];
  it.each(forms)('%s', (fault, texts) => {
    for (const text of texts) {
      for (const command of [
        `git ${text}`,
        `git log ${text}`,
        `git log ${text} main`,
        `git 'x y' "z" ${text}`,
      ]) {
        const found = splitShellWords(command);
        expect(found.ok, JSON.stringify(command)).toBe(false);
        // Behind an open quote another fault may come first; alone, it is the one that is named.
        if (command === `git ${text}`) expect(found, JSON.stringify(command)).toEqual({ ok: false, fault });
      }
    }
  });

  it('at either end', () => {
    for (const text of ['A=b git', 'A= git', 'A+=b git', 'PATH=/tmp git log', "A='x y' git"]) {
      expect(wordsOf(text)).toBe('assignment');
    }
    for (const text of ['', ' ', '\t \t']) expect(wordsOf(text)).toBe('empty');
    expect(wordsOf('#git log')).toBe('comment');
    expect(wordsOf('~/bin/git log')).toBe('tilde');
    expect(wordsOf('git \\')).toBe('escape');
    expect(wordsOf('git a\\')).toBe('escape');
  });

  it('every character of a shell, unquoted, in every place', () => {
    for (const char of ';&|`$()<>{}*?[]!\n\r\0') {
      const command = 'git log main';
      for (let at = 0; at <= command.length; at++) {
        expect(splitShellWords(command.slice(0, at) + char + command.slice(at)).ok, `${char} ${at}`).toBe(
          false,
        );
      }
    }
  });
});

const shells = ['/bin/sh', '/bin/bash'].filter((shell) => existsSync(shell));

describe.each(shells)('against %s', (shell) => {
  const empty = mkdtempSync(join(tmpdir(), 'sallyport-sh-'));
  afterAll(() => rmSync(empty, { recursive: true, force: true }));

  /** Only texts that our own lexer let through ever come here. */
  function shellWords(texts: readonly string[]): string[][] {
    const script = texts.map((text) => `printf '%s\\0' ${text}\nprintf 'END\\0'`).join('\n');
    const output = execFileSync(shell, ['-c', script], {
      cwd: empty,
      env: { PATH: '/nonexistent', HOME: '/home/oracle', x: 'expanded', a: 'expanded' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 20_000,
    }).toString('utf8');
    const lists: string[][] = [[]];
    for (const word of output.split('\0').slice(0, -1)) {
      if (word === 'END') lists.push([]);
      else lists.at(-1)!.push(word);
    }
    return lists.slice(0, -1);
  }

  const piece = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        'a',
        'b',
        'git',
        '-n',
        '5',
        '/',
        '.',
        '=',
        ':',
        ',',
        '@',
        '%',
        '+',
        '^',
        'x',
      ),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom(' ', '  ', '\t', "'", '"', "''", '""', '\\', '\\ ', "\\'", '\\"', '\\\\'),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '#',
        '~',
        '$',
        '`',
        '*',
        '?',
        ';',
        '&',
        '|',
        '<',
        '(',
        '{',
        '}',
        '!',
        '[',
        '\n',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('\u00e9', '\u6771', '\ud83d\ude00', '\u0301', '\u00a0') },
  );

  it('gives the very words that the shell gives', () => {
    const seen: { text: string; words: readonly string[] }[] = [];
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        const split = splitShellWords(`printf ${text}`);
        if (split.ok && split.words.length > 1) seen.push({ text, words: split.words.slice(1) });
      }),
      { numRuns: 20_000 },
    );
    const unique = [...new Map(seen.map((one) => [one.text, one])).values()].slice(0, 2000);
    expect(unique.length).toBeGreaterThan(500);
    for (let from = 0; from < unique.length; from += 200) {
      const batch = unique.slice(from, from + 200);
      const found = shellWords(batch.map(({ text }) => text));
      expect(found).toEqual(batch.map(({ words }) => words));
    }
  });

  it('also where each printable character stands quoted or escaped', () => {
    const texts: string[] = [];
    for (let code = 0x20; code < 0x7f; code++) {
      const char = String.fromCharCode(code);
      texts.push(`x\\${char}y`, `\\${char}`, `'${char}'`, `"${char}"`, `x${char}y`, `${char}x`, `x${char}`);
    }
    const accepted = texts.filter((text) => splitShellWords(`printf ${text}`).ok);
    expect(accepted.length).toBeGreaterThan(300);
    expect(shellWords(accepted)).toEqual(
      accepted.map((text) => {
        const words = wordsOf(`printf ${text}`);
        return typeof words === 'string' ? words : words.slice(1);
      }),
    );
  });
});
