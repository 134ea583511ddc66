import { type Decoded, decoded, failed } from './failure.ts';
import { hasControls, hasHidden } from './text.ts';

/** Longer than any honest URI, short enough for a header and for a record. In UTF-16 units. */
const maxUriLength = 4096;

/** RFC 3986, appendix B, with a scheme and in its normal form. */
const parts = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/su;

const unreserved = /^[A-Za-z0-9._~-]$/;
/** May stand in a path segment as it is, and means nothing there (RFC 3986 section 3.3). */
const pathLiteral = /^[!$&'()*+,;=:@]$/;
/** The same for a query, where `&`, `=`, `+` and `;` divide. */
const queryLiteral = /^[!$'()*,:@/?]$/;
/** May stand as they are in the part of the URI named. Everything else is written as percent-encoded UTF-8. */
const literals = {
  authority: /^[A-Za-z0-9._~!$&'()*+,;=:[\]-]$/,
  path: /^[A-Za-z0-9._~!$&'()*+,;=:@/-]$/,
  query: /^[A-Za-z0-9._~!$&'()*+,;=:@/?-]$/,
} as const;

type Part = keyof typeof literals;

/**
 * The one name under which policy knows a resource URI.
 *
 * Two spellings of one resource must not have two names, or a deny rule on the first would miss the second. So a URI
 * is refused where it can be read as another resource than it says: not in normal form (RFC 3986 section 6.2.2, WHATWG
 * URL), dot segments or empty segments in any spelling, encoded delimiters, user information, control characters,
 * invisible characters, letters that are not in NFC; for `file:`, names that Windows reads as another.
 * The host of a scheme that the WHATWG standard does not know is opaque, and its case is kept.
 * What remains differs only in spelling, and is respelt: characters that a URI may not have become upper-case
 * percent-encoding, encoded characters that need no encoding in a path are decoded.
 *
 * The URI that is sent on stays as it came; this is for matching and for records.
 *
 * @returns `frame-params-invalid` where the URI is refused
 */
export function resourceName(uri: string): Decoded<string> {
  const fault = (detail: string): Decoded<string> => failed('frame-params-invalid', `the URI ${detail}`);
  if (uri.length > maxUriLength) return fault('is too long');
  if (hasControls(uri) || !uri.isWellFormed()) return fault('holds control characters');
  const match = parts.exec(uri);
  if (match === null) return fault('has no scheme in lower case');
  const [, scheme = '', rawAuthority, rawPath = '', rawQuery, rawFragment] = match;
  if (uri.includes('\\')) return fault('holds a backslash');

  const authority = rawAuthority === undefined ? undefined : respell(rawAuthority, 'authority');
  const path = respell(rawPath, 'path');
  const query = rawQuery === undefined ? '' : respell(rawQuery.slice(1), 'query');
  const fragment = rawFragment === undefined ? '' : respell(rawFragment.slice(1), 'query');
  if (path === undefined || query === undefined || fragment === undefined) return fault('hides a character');
  if (rawAuthority !== undefined && authority === undefined)
    return fault('hides a character in its authority');
  if (rawAuthority?.includes('@')) return fault('holds user information');
  // Servers of schemes of their own glue host and path together: a host of dots climbs as well.
  if (isDotSegment(authority ?? '') || path.split('/').some(isDotSegment))
    return fault('holds a dot segment');
  // `file:////x` and `file:///a//b` are other names for `file:///x` and `file:///a/b` to most file systems.
  if (authority !== undefined && path.includes('//')) return fault('holds an empty path segment');
  if (authority === undefined && path === '') return fault('names nothing');

  const name =
    `${scheme}:${authority === undefined ? '' : `//${authority}`}${path}` +
    `${rawQuery === undefined ? '' : `?${query}`}${rawFragment === undefined ? '' : `#${fragment}`}`;
  if (name.includes('%') && hasTwin(decodeURIComponent(name))) return fault('has a twin that looks the same');
  if (scheme === 'file' && path.split('/').some(isWindowsAlias))
    return fault('holds a name that Windows changes');
  return (
    agreesWithWhatwg(uri, name, authority !== undefined && path === '') ?? fault('is not in normal form')
  );
}

/**
 * The name of a URI template (RFC 6570) for matching: its text, refused where the text around the expressions would
 * be. What a template expands to is judged by itself when it is read.
 */
export function resourceTemplateName(template: string): Decoded<string> {
  if (template.length > maxUriLength) return failed('frame-params-invalid', 'the URI template is too long');
  // An expression may begin with an operator, and expand to anything: a letter stands for it.
  const sample = template.replace(/\{[^{}]*\}/g, 'x');
  if (hasControls(template) || /[{}]/.test(sample)) {
    return failed('frame-params-invalid', 'the URI template is not one');
  }
  const name = resourceName(sample);
  return name.ok ? decoded(template) : name;
}

/** A reader that follows the WHATWG standard must reach the same URI as one that follows RFC 3986. */
function agreesWithWhatwg(uri: string, name: string, pathIsEmpty: boolean): Decoded<string> | undefined {
  const whatwg = URL.parse(uri);
  if (whatwg === null) return undefined;
  const match = parts.exec(whatwg.href);
  if (match === null) return undefined;
  const [, scheme = '', authority, path = '', query, fragment] = match;
  const pathName = respell(path, 'path');
  const queryName = query === undefined ? '' : respell(query.slice(1), 'query');
  const fragmentName = fragment === undefined ? '' : respell(fragment.slice(1), 'query');
  if (pathName === undefined || queryName === undefined || fragmentName === undefined) return undefined;
  const authorityName = authority === undefined ? undefined : respell(authority, 'authority');
  const start = `${scheme}:${authorityName === undefined ? '' : `//${authorityName}`}`;
  const end = `${query === undefined ? '' : `?${queryName}`}${fragment === undefined ? '' : `#${fragmentName}`}`;
  if (`${start}${pathName}${end}` === name) return decoded(name);
  // `https://host` and `https://host/` are one resource, and the second is its name.
  return pathIsEmpty && pathName === '/' && `${start}${end}` === name
    ? decoded(`${start}/${end}`)
    : undefined;
}

/** File systems of macOS take both normal forms of a letter, and names that differ in ignorable characters, for one. */
function hasTwin(decodedName: string): boolean {
  return hasHidden(decodedName) || decodedName.normalize('NFC') !== decodedName;
}

/** Windows drops dots and blanks at the end of a name, and `name::$DATA` is the content of `name`. */
function isWindowsAlias(segment: string): boolean {
  return /(?:\.|%20)$|:[:$]/.test(segment);
}

function isDotSegment(segment: string): boolean {
  // Some servers cut path parameters off before they resolve dots: `..;x` climbs as `..` does.
  return /^\.{1,2}(?:;|$)/.test(segment);
}

/**
 * Brings one part of a URI into the one spelling.
 *
 * @returns undefined where it holds percent-encoding that hides a delimiter, a dot, a letter, a control character or
 *   another layer of encoding, or that is not UTF-8
 */
function respell(text: string, part: Part): string | undefined {
  if (text === '' || literalOnly[part].test(text)) return text;
  let result = '';
  for (let index = 0; index < text.length; ) {
    if (text[index] === '%') {
      const run = /^(?:%[0-9A-Fa-f]{2})+/.exec(text.slice(index))?.[0];
      const plain = run === undefined ? undefined : decodeRun(run);
      if (run === undefined || plain === undefined) return undefined;
      for (const character of plain) {
        const spelt = respellEncoded(character, part);
        if (spelt === undefined) return undefined;
        result += spelt;
      }
      // `%25` before two hex digits is a second layer, which some servers peel off as well.
      if (plain.endsWith('%') && /^[0-9A-Fa-f]{2}/.test(text.slice(index + run.length))) return undefined;
      if (/%[0-9A-Fa-f]{2}/.test(plain)) return undefined;
      index += run.length;
      continue;
    }
    const character = String.fromCodePoint(text.codePointAt(index) ?? 0);
    result += literals[part].test(character) ? character : encodeURIComponent(character);
    index += character.length;
  }
  return result;
}

const literalOnly = {
  authority: /^[A-Za-z0-9._~!$&'()*+,;=:[\]-]*$/,
  path: /^[A-Za-z0-9._~!$&'()*+,;=:@/-]*$/,
  query: /^[A-Za-z0-9._~!$&'()*+,;=:@/?-]*$/,
} as const;

function respellEncoded(character: string, part: Part): string | undefined {
  if (unreserved.test(character) || hasControls(character)) return undefined;
  // After decoding, `payroll%2Fx` is a path below `payroll` to one server and a name to the next.
  if (part === 'path' && (character === '/' || character === '\\')) return undefined;
  if (part === 'path' && pathLiteral.test(character)) return character;
  if (part === 'query' && queryLiteral.test(character)) return character;
  // In an authority a hidden delimiter would move the host.
  if (part === 'authority' && /^[@:/?#[\]\\]$/.test(character)) return undefined;
  return toPercent(character);
}

/** Percent-encodes also what encodeURIComponent leaves alone. */
function toPercent(character: string): string {
  return [...Buffer.from(character, 'utf8')]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('');
}

function decodeRun(run: string): string | undefined {
  try {
    return decodeURIComponent(run);
  } catch {
    return undefined;
  }
}
