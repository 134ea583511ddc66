/** Why a text is not a plain command: what a shell would do with it beyond splitting it into words. */
export type ShellFault =
  | 'assignment'
  | 'brace'
  | 'chaining'
  | 'comment'
  | 'control'
  | 'empty'
  | 'escape'
  | 'expansion'
  | 'glob'
  | 'grouping'
  | 'history'
  | 'redirection'
  | 'tilde'
  | 'unterminated-quote'
  | 'white-space';

export type ShellWords =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly fault: ShellFault };

/** What a shell acts on outside quotes, wherever it stands. */
const active: ReadonlyMap<string, ShellFault> = new Map([
  ['$', 'expansion'],
  ['`', 'expansion'],
  ['<', 'redirection'],
  ['>', 'redirection'],
  ['|', 'chaining'],
  ['&', 'chaining'],
  [';', 'chaining'],
  ['(', 'grouping'],
  [')', 'grouping'],
  ['{', 'brace'],
  ['}', 'brace'],
  ['*', 'glob'],
  ['?', 'glob'],
  ['[', 'glob'],
  [']', 'glob'],
  ['!', 'history'],
]);

/** And what it acts on at the beginning of a word. `=name` is the path of a program to zsh, `^a^b` repeats a command. */
const activeInFront: ReadonlyMap<string, ShellFault> = new Map([
  ['#', 'comment'],
  ['~', 'tilde'],
  ['=', 'expansion'],
  ['^', 'history'],
]);

/** Never in a command, quoted or not: a newline ends it, NUL ends its word, the others hide from who reads it. */
export const commandControl =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]/u;

/**
 * Splits a text into words as a POSIX shell does (POSIX.1-2024, Shell Command Language, 2.2 and 2.6.5), where that is
 * all that a shell would do with it.
 *
 * What shells expand, redirect, chain, comment or look up in their history is a fault, and so is what common word
 * splitters read otherwise than a shell does. Words that come out are the very words that `/bin/sh` finds.
 */
export function splitShellWords(text: string): ShellWords {
  if (commandControl.test(text)) return fail(/[\n\r]/.test(text) ? 'chaining' : 'control');
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (char === ' ' || char === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
      continue;
    }
    if (char === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) return fail('unterminated-quote');
      word = (word ?? '') + text.slice(at + 1, end);
      at = end + 1;
      continue;
    }
    if (char === '"') {
      const quoted = readDoubleQuoted(text, at + 1);
      if (typeof quoted === 'string') return fail(quoted);
      word = (word ?? '') + quoted.value;
      at = quoted.end;
      continue;
    }
    if (char === '\\') {
      const escaped = text[at + 1];
      // Half of a pair would be escaped, and bytes of one character split.
      if (escaped === undefined || escaped > '\u007e') return fail('escape');
      word = (word ?? '') + escaped;
      at += 2;
      continue;
    }
    const fault = unquotedFault(char, text[at - 1], word);
    if (fault !== undefined) return fail(fault);
    word = (word ?? '') + char;
    at += 1;
  }
  if (word !== undefined) words.push(word);
  const [first] = words;
  if (first === undefined) return fail('empty');
  return /^[A-Za-z_][A-Za-z0-9_]*\+?=/.test(first) ? fail('assignment') : { ok: true, words };
}

function unquotedFault(
  char: string,
  before: string | undefined,
  word: string | undefined,
): ShellFault | undefined {
  const fault = active.get(char) ?? (word === undefined ? activeInFront.get(char) : undefined);
  if (fault !== undefined) return fault;
  // Some shells expand `~` behind `=` and `:` in whatever looks like an assignment.
  if (char === '~' && (before === '=' || before === ':')) return 'tilde';
  // White space to splitters that know Unicode, a letter to the shell.
  return char > '\u007e' && /\s/.test(char) ? 'white-space' : undefined;
}

/**
 * Inside double quotes a shell takes a backslash before `$ ` " \` for an escape. Before the first two other readers keep
 * the backslash, and before anything else the shell does: only `\"` and `\\` mean the same to all.
 */
function readDoubleQuoted(text: string, from: number): { value: string; end: number } | ShellFault {
  let value = '';
  for (let at = from; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"') return { value, end: at + 1 };
    if (char === '$' || char === '`') return 'expansion';
    if (char === '!') return 'history';
    if (char !== '\\') {
      value += char;
      continue;
    }
    const escaped = text[at + 1];
    if (escaped !== '"' && escaped !== '\\') return 'escape';
    value += escaped;
    at += 1;
  }
  return 'unterminated-quote';
}

function fail(fault: ShellFault): ShellWords {
  return { ok: false, fault };
}
