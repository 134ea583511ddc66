import { type Host, type HostFault, readHost } from './url-host.ts';
import { hasDotSegments } from './url-paths.ts';

/** A URL as it stands in the text, where every reader must find the same parts. */
export interface UrlParts {
  /** Lower case, without colon. */
  readonly scheme: string;
  readonly userinfo: boolean;
  readonly host: Host;
  readonly port: number;
  /** As written. */
  readonly path: string;
  readonly query: boolean;
  readonly fragment: boolean;
}

export type UrlTextFault =
  | HostFault
  | 'hidden-character'
  | 'backslash'
  | 'not-absolute'
  | 'scheme'
  | 'slashes'
  | 'userinfo'
  | 'port-notation'
  | 'authority-ambiguous'
  | 'path-form'
  | 'readings-differ';

/** Schemes with a host whose grammar WHATWG URL defines, and their ports. */
export const schemePorts: ReadonlyMap<string, number> = new Map([
  ['https', 443],
  ['http', 80],
  ['wss', 443],
  ['ws', 80],
  ['ftp', 21],
]);

/**
 * Reads an absolute URL by the characters, then asks the platform's WHATWG parser, and refuses where the two see
 * different things. A parser that repairs what it reads (backslashes, missing slashes, tabs, credentials in front of a
 * host) repairs it otherwise than the next one does: what was judged would not be what is fetched.
 */
export function readUrl(text: string): UrlParts | UrlTextFault {
  // Tabs and line feeds are taken out by WHATWG parsers; bidirectional marks show a person another host.
  if (!/^[\x21-\x7e]*$/.test(text)) {
    if (!text.isWellFormed()) return 'hidden-character';
    if (/[\s\p{Cc}\p{Bidi_Control}\u{e0000}-\u{e007f}]/u.test(text)) return 'hidden-character';
  }
  if (text.includes('\\')) return 'backslash';
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return 'not-absolute';
  const defaultPort = schemePorts.get(scheme);
  if (defaultPort === undefined) return 'scheme';
  if (!text.startsWith('://', scheme.length)) return 'slashes';
  const { authority, path, query, fragment, rest } = cut(text.slice(scheme.length + 3));
  // Readers of RFC 1738 end the authority at the first slash only: `https://a.example?@b.example/` is b.example to them.
  if (path === '' && rest.includes('@')) return 'authority-ambiguous';
  const at = authority.lastIndexOf('@');
  if (at >= 0 && !/^[A-Za-z0-9._~!$&'()*+,;=:%-]*$/.test(authority.slice(0, at))) return 'userinfo';
  const place = splitPort(authority.slice(at + 1), defaultPort);
  if (typeof place === 'string') return place;
  const host = readHost(place.host);
  if (typeof host === 'string') return host;
  if (hasDotSegments(path)) return 'path-form';
  const parts: UrlParts = {
    scheme,
    userinfo: at >= 0,
    host,
    port: place.port,
    path,
    query,
    fragment,
  };
  return isReadAlike(text, parts, defaultPort) ? parts : 'readings-differ';
}

/** RFC 3986, section 3: the authority ends at the first slash, question mark or hash, the path at one of the last two. */
function cut(text: string) {
  const hash = text.indexOf('#');
  const beforeHash = hash < 0 ? text : text.slice(0, hash);
  const mark = beforeHash.indexOf('?');
  const hierarchy = mark < 0 ? beforeHash : beforeHash.slice(0, mark);
  const slash = hierarchy.indexOf('/');
  return {
    authority: slash < 0 ? hierarchy : hierarchy.slice(0, slash),
    path: slash < 0 ? '' : hierarchy.slice(slash),
    query: mark >= 0,
    fragment: hash >= 0,
    /** Query and fragment, with what introduces them. */
    rest: text.slice(hierarchy.length),
  };
}

function splitPort(
  place: string,
  defaultPort: number,
): { readonly host: string; readonly port: number } | UrlTextFault {
  const colon = place.indexOf(':', place.startsWith('[') ? place.indexOf(']') : 0);
  if (colon < 0) return { host: place, port: defaultPort };
  const port = place.slice(colon + 1);
  // An IPv6 address without brackets.
  if (port.includes(':') || port.includes(']')) return 'address-notation';
  if (!/^[1-9][0-9]{0,4}$/.test(port) || Number(port) > 65_535) return 'port-notation';
  return { host: place.slice(0, colon), port: Number(port) };
}

function isReadAlike(text: string, parts: UrlParts, defaultPort: number): boolean {
  const url = URL.parse(text);
  if (url === null) return false;
  const { host } = parts;
  const hostname = host.kind === 'address' && host.block.family === 6 ? `[${host.name}]` : host.name;
  return (
    url.protocol === `${parts.scheme}:` &&
    url.hostname === hostname &&
    url.port === (parts.port === defaultPort ? '' : String(parts.port)) &&
    (parts.userinfo || (url.username === '' && url.password === ''))
  );
}
