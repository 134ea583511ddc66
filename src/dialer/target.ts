import { isIP } from 'node:net';
import { DialError } from './dial-error.ts';

/** What one URL asks to be dialled. */
export interface Target {
  readonly secure: boolean;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path and query. */
  readonly path: string;
  /** The host without brackets: an address in its canonical spelling, or a name in lower-case ASCII. */
  readonly host: string;
  /** The host is an address. */
  readonly literal: boolean;
  readonly port: number;
  /** The URL as messages may show it. */
  readonly shown: string;
}

/** 2048: what servers and proxies take at least, and what issuers write fits many times over. */
const longestUrl = 2048;

/**
 * Reads a URL as it will be dialled: the host is what the URL standard makes of it, so that `0x7f.1`, `2130706433` and
 * full-width digits are the address that they stand for.
 *
 * @throws DialError `dial-url` for other schemes, user info, fragments, white space and backslashes (which the standard
 *   drops or turns silently, and other readers do not), and names that end with a dot (certificates do not)
 */
export function readTarget(text: string): Target {
  if (text.length > longestUrl) throw refused('a URL of more than 2048 characters');
  if (/[\s\\\p{Cc}]/u.test(text)) throw refused('a URL with white space or a backslash in it');
  if (!URL.canParse(text)) throw refused('a URL that is none');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('a URL that is not https');
  if (url.username !== '' || url.password !== '' || authorityOf(text).includes('@')) {
    throw refused('a URL with user info');
  }
  if (text.includes('#')) throw refused('a URL with a fragment');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host.endsWith('.')) throw refused('a host name that ends with a dot');
  const secure = url.protocol === 'https:';
  return {
    secure,
    origin: url.origin,
    path: url.pathname + url.search,
    host,
    literal: isIP(host) !== 0,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    shown: url.origin + url.pathname,
  };
}

function authorityOf(text: string): string {
  return /^[^:]*:\/*([^/?#]*)/.exec(text)?.[1] ?? '';
}

function refused(what: string): DialError {
  return new DialError('dial-url', `will not dial ${what}`);
}
