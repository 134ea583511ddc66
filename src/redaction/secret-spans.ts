import { featuresOf } from './features.ts';
import type { Span } from './span.ts';
import { findStructured } from './structured-secrets.ts';
import { findTokens } from './tokens.ts';

/**
 * Where secrets stand in a text. All patterns run in linear time: each is a fixed prefix followed by one character
 * class, so a failed attempt costs no more than the class's minimum, and a successful one consumes what it read.
 */

/** `[start, end)` pairs in UTF-16 units, in turn, unsorted, possibly overlapping. */
export type Spans = number[];

const formats: readonly RegExp[] = [
  // JOSE: a base64url JSON object, with whatever dotted parts follow. JWT, JWE, and their detached halves.
  /eyJ[A-Za-z0-9_-]{12,}(?:\.[A-Za-z0-9_-]*)*/g,
  // AWS access key ids.
  /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16,}/g,
  // GitHub, GitLab, Slack, Stripe, Google, npm, OpenAI and Anthropic, Hugging Face, PyPI, SendGrid, Sallyport.
  /gh[pousr]_[A-Za-z0-9]{16,}/g,
  /github_pat_[A-Za-z0-9_]{16,}/g,
  /gl(?:pat|ptt|dt|rt|cbt|soat|imt|agent|oas)-[A-Za-z0-9_.-]{16,}/g,
  /xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}/g,
  /xapp-[A-Za-z0-9-]{8,}/g,
  /(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}/g,
  /AIza[A-Za-z0-9_-]{30,}/g,
  /ya29\.[A-Za-z0-9_-]{16,}/g,
  /npm_[A-Za-z0-9]{16,}/g,
  /sk-[A-Za-z0-9_-]{16,}/g,
  /hf_[A-Za-z0-9]{16,}/g,
  /pypi-[A-Za-z0-9_-]{16,}/g,
  /SG\.[A-Za-z0-9_-]{16,}(?:\.[A-Za-z0-9_-]*)?/g,
  /spk_[A-Za-z0-9_-]{8,}/g,
  /AGE-SECRET-KEY-1[A-Z0-9]{16,}/g,
  // Authorization values.
  /\b(?:bearer|dpop|negotiate|apikey)[ \t]{1,8}[A-Za-z0-9._~+/=-]{8,}/gi,
];

/** `name=value` and `"name": "value"` inside text: connection strings, query strings, JSON that was put in a string. */
const assignment =
  /(?:pass(?:word|wd|phrase|code)|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signature|credential)[a-z0-9_-]{0,32}\\?["']?[ \t]{0,8}[=:][ \t]{0,8}(?:\\?"[^"]*|\\?'[^']*|[^\s"'&,;]+)/gi;

const basic = /\bbasic[ \t]{1,8}([A-Za-z0-9+/_-]{8,}={0,2})/gi;
// Stops at a slash: runs cannot overlap. Greedy: a password may itself hold an at sign.
const userinfo = /:\/\/[^\s/?#]*@/g;
const keyBegin = /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY[A-Z ]{0,16}-----/g;

/** Adds the spans of everything in `text` that has the form of a secret. */
export function findFormats(text: string, spans: Spans): void {
  for (const pattern of formats) {
    for (const match of text.matchAll(pattern)) spans.push(match.index, match.index + match[0].length);
  }
  for (const match of text.matchAll(assignment)) {
    const value = match[0].search(/[=:]/) + 1;
    spans.push(match.index + value, match.index + match[0].length);
  }
  for (const match of text.matchAll(basic)) {
    // Prose has the word "basic" too; a credential decodes to `name:password`.
    if (!Buffer.from(match[1] ?? '', 'base64').includes(0x3a)) continue;
    spans.push(match.index, match.index + match[0].length);
  }
  for (const match of text.matchAll(userinfo)) spans.push(match.index + 3, match.index + match[0].length - 1);
  findPrivateKeys(text, spans);
  findStrictForms(text, spans);
}

/** What results are redacted of is hidden in records too: the forms above are wider, and fewer. */
function findStrictForms(text: string, spans: Spans): void {
  const found: Span[] = [];
  const { runs } = featuresOf(text);
  findTokens(text, runs, found);
  findStructured(text, runs, found);
  for (const { start, end } of found) spans.push(start, end);
}

/** From BEGIN to END; a key whose END is missing is hidden to the end of the text. */
function findPrivateKeys(text: string, spans: Spans): void {
  keyBegin.lastIndex = 0;
  for (let match = keyBegin.exec(text); match !== null; match = keyBegin.exec(text)) {
    const footer = text.indexOf('-----END', keyBegin.lastIndex);
    const close = footer === -1 ? -1 : text.indexOf('-----', footer + 8);
    const end = close === -1 ? text.length : close + 5;
    spans.push(match.index, end);
    keyBegin.lastIndex = end;
    if (end === text.length) break;
  }
  keyBegin.lastIndex = 0;
}
