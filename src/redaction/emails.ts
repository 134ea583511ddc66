import type { Span } from './span.ts';

const local = /[\p{L}\p{N}._%+'!#$&*/=?^`{|}~-]/u;
const host = /[\p{L}\p{N}.-]/u;
/** Endings that a name of a file has, and no domain: `icon@2x.png`. */
const files =
  /^(?:png|jpe?g|gif|webp|svg|avif|bmp|ico|heic|pdf|mp[34]|tiff?|json|ya?ml|js|mjs|cjs|ts|tsx|jsx|css|html?|txt|zip|tgz|gz|jar|exe|dll|map|lock|log|bak|conf|service|timer|socket|mount)$/i;

/** RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.2. */
const longestLocal = 64;
const longestHost = 255;

/** Adds every address `local@domain.tld`. */
export function findEmails(text: string, spans: Span[]): void {
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > 0 && at - start < longestLocal && local.test(text[start - 1]!)) start -= 1;
    start = at - trimLocal(text.slice(start, at)).length;
    start += escapeLength(text, start);
    if (start >= at) continue;
    let end = at + 1;
    while (end < text.length && end - at <= longestHost && host.test(text[end]!)) end += 1;
    const domain = trimHost(text.slice(at + 1, end));
    end = at + 1 + domain.length;
    if (!isDomain(domain) || isOtherwise(text, start, end)) continue;
    spans.push({ start, end, class: 'emails', value: text.slice(start, end).toLowerCase() });
  }
}

/** JSON inside a text: the `n` of `\n` is no letter of an address. */
function escapeLength(text: string, start: number): number {
  if (text[start - 1] !== '\\') return 0;
  return /^u[0-9A-Fa-f]{4}/.test(text.slice(start, start + 5)) ? 5 : /[nrtbf]/.test(text[start]!) ? 1 : 0;
}

/** What may stand in a local part but is more likely punctuation around it: `'alice@…`, `name=alice@…`, `(alice@…`. */
function trimLocal(text: string): string {
  const cut = text.replace(/^.*[=/?&|`{}#!*$^~]/s, '');
  return cut.replace(/^['._%-]+/, '');
}

function trimHost(text: string): string {
  return text.replace(/[.-]+$/, '').replace(/\.\..*$/s, '');
}

function isDomain(domain: string): boolean {
  const labels = domain.split('.');
  const last = labels.at(-1)!;
  return (
    labels.length > 1 &&
    labels.every(
      (label) => label !== '' && label.length < 64 && !label.startsWith('-') && !label.endsWith('-'),
    ) &&
    /^(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59})$/iu.test(last) &&
    !files.test(last)
  );
}

/** The user of a URL or of a remote shell is no address: `https://bob@host/`, `git@host:path`. */
function isOtherwise(text: string, start: number, end: number): boolean {
  if (text.slice(Math.max(0, start - 3), start) === '://') return true;
  return text[end] === ':' && /^[A-Za-z~/._]/.test(text.slice(end + 1, end + 2));
}
