import type { Span } from './span.ts';

/** Secrets that are known by what they are made of: JOSE, PEM, credentials in URLs and in headers. */

type Add = (start: number, end: number, value: string, open?: boolean) => void;

/**
 * Adds every one that stands in `text`.
 *
 * @param runs `[start, end)` pairs, outside of which there is no token
 */
export function findStructured(text: string, runs: readonly number[], spans: Span[]): void {
  const add: Add = (start, end, value, open) =>
    spans.push({ start, end, class: 'secrets', value, ...(open ? { open } : {}) });
  if (runs.length > 0) {
    if (text.includes('eyJ')) findJose(text, add);
    if (text.includes('AccountKey=')) findAll(/AccountKey=([A-Za-z0-9+/]{86}==)/g, text, add);
    if (awsSecretName.test(text)) findAll(awsSecret, text, add);
  }
  if (text.includes('PRIVATE KEY')) findPrivateKeys(text, add);
  if (text.includes('://')) findUserInfo(text, add);
  if (schemes.test(text)) findHeaderValues(text, add);
}

const awsSecretName = /secret_?access_?key/i;
const awsSecret =
  /secret_?access_?key["'\\]{0,2}[ \t]{0,4}[:=>]{1,2}[ \t]{0,4}["'\\]{0,2}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi;

function findAll(pattern: RegExp, text: string, add: Add): void {
  for (const match of text.matchAll(pattern)) {
    const value = match[1]!;
    const start = match.index + match[0].length - value.length;
    add(start, start + value.length, value);
  }
}

/** The longest compact serialization that is looked at: beyond, no server takes it in a header. */
const longestToken = 16_384;
const tokenRun = /[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)+/g;

/** JWS and JWE: the header is base64url of a JSON object that names an algorithm. */
function findJose(text: string, add: Add): void {
  for (const match of text.matchAll(tokenRun)) {
    const run = match[0];
    const from = run.indexOf('eyJ');
    if (from === -1) continue;
    // Another word may stand before it with a dash or underscore; a second token may follow after a dot.
    const parts = run.slice(from).split('.');
    let at = match.index + from;
    for (let i = 0; i < parts.length - 1; i += 1) {
      const part = parts[i]!;
      const begin = findHeader(part);
      if (begin !== -1) {
        const count = Math.min(parts.length - i, isJwe(part.slice(begin)) ? 5 : 3);
        const token = [part.slice(begin), ...parts.slice(i + 1, i + count)].join('.');
        add(at + begin, at + begin + token.length, token, at + begin + token.length === text.length);
        at += parts.slice(i, i + count).reduce((sum, each) => sum + each.length + 1, 0);
        i += count - 1;
        continue;
      }
      at += part.length + 1;
    }
  }
}

/** Where a header begins in one part. Few attempts: each costs a decoding. */
function findHeader(part: string): number {
  let begin = part.indexOf('eyJ');
  for (let tries = 0; begin !== -1 && tries < 4; tries += 1) {
    if (part.length - begin <= longestToken && namesAlgorithm(part.slice(begin))) return begin;
    begin = part.indexOf('eyJ', begin + 1);
  }
  return -1;
}

function namesAlgorithm(header: string): boolean {
  const decoded = Buffer.from(header.slice(0, 4096), 'base64url').toString('latin1');
  return /^\{\s*"/.test(decoded) && decoded.includes('"alg"');
}

function isJwe(header: string): boolean {
  return Buffer.from(header.slice(0, 4096), 'base64url').includes('"enc"');
}

const keyBegin = /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY[A-Z ]{0,16}-----/g;
/** After the label: a document that only speaks of private keys has no base64 there. */
const keyBody = /(?:\\[nr]|\s)*(?:[A-Za-z0-9+/=-]|$)/y;

/** The end of a string in JSON. Quotes inside of code, which glues lines together, go on. */
const stringEnd = /\\?"(?=[ \t\r\n]{0,16}(?:[,:}\]]|$))/g;

/** From BEGIN to END; a key whose END is missing is hidden to the end of the text, or of the string in JSON. */
function findPrivateKeys(text: string, add: Add): void {
  let from = 0;
  let footer = 0;
  for (const match of text.matchAll(keyBegin)) {
    if (match.index < from) continue;
    const body = match.index + match[0].length;
    keyBody.lastIndex = body;
    if (!keyBody.test(text)) continue;
    // Looked for once: a text of beginnings would be read to its end from each of them.
    if (footer !== -1 && footer < body) footer = text.indexOf('-----END', body);
    const close = footer === -1 ? -1 : text.indexOf('-----', footer + 8);
    stringEnd.lastIndex = body;
    const quote = stringEnd.exec(text)?.index ?? text.length;
    const end = close === -1 ? quote : Math.min(close + 5, quote);
    add(match.index, end, text.slice(match.index, end), close === -1);
    from = end;
  }
}

const placeholder =
  /^(?:pass(?:word|wd)?|pwd|secret|token|x+|\*+|\.{3}|<[^>]*>|\$?\{[^}]*\}|\$[A-Z_]+|%[A-Z_]+%|\[redacted.*)$/i;

/** Whether a text stands for a secret instead of being one. */
export function isPlaceholder(text: string): boolean {
  return placeholder.test(text);
}

/** The password of a URL. The user stays: it is no secret, and tells whose password it was. */
function findUserInfo(text: string, add: Add): void {
  for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at + 3)) {
    const start = at + 3;
    userInfo.lastIndex = start;
    const match = userInfo.exec(text);
    if (match === null) continue;
    // Greedy: a password may itself hold an at sign.
    const colon = match[0].indexOf(':');
    const password = match[0].slice(colon + 1, -1);
    if (password === '' || isPlaceholder(password)) continue;
    add(start + colon + 1, start + match[0].length - 1, password);
  }
}

const userInfo = /[^\s/?#:@"'<>\\]{0,256}:[^\s/?#"'<>\\]{1,512}@/y;

const schemes = /bearer|basic|dpop/i;
const headerValue = /\b(bearer|dpop|basic)[ \t]{1,8}([A-Za-z0-9._~+/-]{8,4096}={0,2})/gi;

function findHeaderValues(text: string, add: Add): void {
  for (const match of text.matchAll(headerValue)) {
    const [whole, scheme, value] = match as unknown as [string, string, string];
    if (scheme.toLowerCase() === 'basic' ? !isBasic(value) : !isOpaque(value)) continue;
    const start = match.index + whole.length - value.length;
    add(start, start + value.length, value, start + value.length === text.length);
  }
}

/** Prose has the word "basic" too; a credential decodes to `name:password`. */
function isBasic(value: string): boolean {
  const decoded = Buffer.from(value, 'base64').toString('latin1');
  return /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(decoded);
}

/** Prose goes on after "bearer" with a word; a token mixes digits and letters and is longer than words are. */
function isOpaque(value: string): boolean {
  return value.length >= 16 && /[0-9]/.test(value) && /[A-Za-z]/.test(value) && new Set(value).size > 7;
}
