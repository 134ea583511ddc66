import { hasControls, hasHidden } from './text.ts';

/** Longer than any honest URL that a person is shown, in UTF-16 units. */
const longestUrl = 2048;

/** Labels of letters, digits and hyphens. Not `_`, which no host name has, and not `%`. */
const plainHost = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * Whether a URL may be put before a person at all, whatever policy says of its host (2025-11-25 and later,
 * client/elicitation, URL mode): https, a plain registered host name, in the one spelling that every reader shares.
 *
 * Refused are other schemes (`javascript:`, `data:`), user information (`https://bank.example@evil.example/`), addresses
 * in any notation, single labels, `xn--` labels (they show as letters of another alphabet that look the same), trailing
 * dots, backslashes, anything that is invisible or reorders what is seen, and whatever the WHATWG parser would change
 * in the host.
 */
export function isShowableUrl(url: string): boolean {
  if (url.length > longestUrl || hasControls(url) || hasHidden(url)) return false;
  if (!url.startsWith('https://') || url.includes('\\') || !/^[\x21-\x7e]+$/.test(url)) return false;
  const authority = /^https:\/\/([^/?#]*)/.exec(url)?.[1] ?? '';
  const [host = '', port, ...rest] = authority.split(':');
  if (rest.length > 0 || (port !== undefined && !/^[1-9]\d{0,4}$/.test(port))) return false;
  if (!plainHost.test(host) || host.split('.').some((label) => label.startsWith('xn--'))) return false;
  const parsed = URL.parse(url);
  return (
    parsed !== null && parsed.protocol === 'https:' && parsed.hostname === host && parsed.username === ''
  );
}
