/** Longer than any address that a client is given. */
const maximumLength = 2048;

/** The generic syntax of RFC 3986 for what can be a target: no user info, no white space, no backslash, ASCII only. */
const targetForm =
  /^(https?):\/\/([^/?#@:[\]]+|\[[0-9a-f:.]+\])(?::([1-9]\d{0,4})?)?(\/[^?#]*)?(?:[?#].*)?$/i;
const uriCharacters = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

/**
 * The normal form in which `htu` is compared (RFC 9449, section 4.3): scheme and host in lower case, default port and
 * empty path filled in, escapes of unreserved characters undone and the others in upper case, dot segments removed
 * (RFC 3986, sections 6.2.2 and 6.2.3), without query and fragment.
 *
 * Not what a browser makes of it: a backslash, white space, a host in other letters, or an IPv4 address in another
 * notation is another target or none.
 *
 * @returns undefined where the text is no absolute http or https URI
 */
export function normaliseTarget(text: string): string | undefined {
  if (text.length > maximumLength || !uriCharacters.test(text)) return undefined;
  const match = targetForm.exec(text);
  if (match === null) return undefined;
  const scheme = match[1]!.toLowerCase();
  const host = normaliseEscapes(match[2]!).toLowerCase();
  // What an escape hid must not become a delimiter of the authority.
  if (/[%\s]/.test(host)) return undefined;
  const port = match[3] ?? (scheme === 'https' ? '443' : '80');
  return `${scheme}://${host}:${port}${removeDotSegments(normaliseEscapes(match[4] ?? '/'))}`;
}

function normaliseEscapes(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (escaped, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escaped.toUpperCase();
  });
}

/** RFC 3986, section 5.2.4, for a path that begins with a slash. */
function removeDotSegments(path: string): string {
  const output: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '..') output.pop();
    if (segment !== '.' && segment !== '..') output.push(segment);
    else if (last) output.push('');
  }
  return `/${output.join('/')}`;
}
