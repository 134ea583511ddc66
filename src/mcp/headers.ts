import { type Decoded, decoded, failed } from './failure.ts';
import { decodeHeaderValue } from './sentinel.ts';

export { checkMirroredHeaders, mirroredArgumentsOf, mirrorHeaders } from './mirror.ts';

/** The headers of one HTTP request that the protocol gives a meaning. Values without surrounding white space. */
export interface ProtocolHeaders {
  readonly version?: string;
  /** `Mcp-Method`, as sent. */
  readonly method?: string;
  /** `Mcp-Name`, decoded. */
  readonly name?: string;
  readonly sessionId?: string;
  readonly lastEventId?: string;
  /** `Mcp-Param-*`: suffix in lower case -> decoded value. */
  readonly params: ReadonlyMap<string, string>;
  /** Repeated `Accept` fields are joined, as HTTP allows. */
  readonly accept?: string;
}

/** Two of these could be read differently by whoever takes the first and whoever takes the last. */
const singular: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'dpop',
  'x-api-key',
  'origin',
  'last-event-id',
]);
const singularPrefixes = ['content-', 'mcp-'] as const;

const paramPrefix = 'mcp-param-';
const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Visible ASCII (2025-11-25, basic/transports). */
const visible = /^[\x21-\x7e]+$/;
/** More annotated arguments than any tool has; each costs a comparison. */
const maxParams = 64;

/**
 * Reads the protocol's headers from the raw list, where repeated fields are still visible.
 *
 * @param rawHeaders names and values in turn, as they came over the wire
 * @returns `header-invalid` for a repeated or malformed header, `header-mismatch` for a mirrored one (`Mcp-Method`,
 *   `Mcp-Name`, `Mcp-Param-*`, `MCP-Protocol-Version`) with characters or an encoding that is not allowed
 */
export function readProtocolHeaders(rawHeaders: readonly string[]): Decoded<ProtocolHeaders> {
  const found = new Map<string, string>();
  const params = new Map<string, string>();
  let accept: string | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!.toLowerCase();
    if (name === 'accept') {
      const value = trimOws(rawHeaders[index + 1]!);
      accept = accept === undefined ? value : `${accept}, ${value}`;
      continue;
    }
    if (!singular.has(name) && !singularPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    if (found.has(name)) return failed('header-invalid', 'a header is repeated that may stand only once');
    const value = trimOws(rawHeaders[index + 1]!);
    found.set(name, value);
    if (!name.startsWith(paramPrefix)) continue;
    const suffix = name.slice(paramPrefix.length);
    const param = decodeHeaderValue(value);
    if (!token.test(suffix) || param === undefined) {
      return failed('header-mismatch', 'an Mcp-Param header is malformed');
    }
    if (params.size === maxParams) return failed('header-invalid', 'too many Mcp-Param headers');
    params.set(suffix, param);
  }

  const version = found.get('mcp-protocol-version');
  const method = found.get('mcp-method');
  const rawName = found.get('mcp-name');
  const sessionId = found.get('mcp-session-id');
  const lastEventId = found.get('last-event-id');
  const name = rawName === undefined ? undefined : decodeHeaderValue(rawName);
  if ((rawName !== undefined && name === undefined) || !isVisible(version) || !isVisible(method)) {
    return failed('header-mismatch', 'a mirrored header has characters or an encoding that is not allowed');
  }
  if (!isVisible(sessionId))
    return failed('header-invalid', 'the session id has characters that are not allowed');
  // An event id is UTF-8 text without line ends (WHATWG HTML 9.2); a header value cannot hold a line end either.
  if (lastEventId?.includes('\0')) return failed('header-invalid', 'the event id has a NUL');
  return decoded({
    ...(version === undefined ? {} : { version }),
    ...(method === undefined ? {} : { method }),
    ...(name === undefined ? {} : { name }),
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(lastEventId === undefined ? {} : { lastEventId }),
    params,
    ...(accept === undefined ? {} : { accept }),
  });
}

function isVisible(value: string | undefined): boolean {
  return value === undefined || visible.test(value);
}

/** Strips optional white space as RFC 9110 section 5.6.3 defines it: spaces and tabs, nothing else. */
function trimOws(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isOws(value.charCodeAt(start))) start++;
  while (end > start && isOws(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isOws(unit: number): boolean {
  return unit === 0x20 || unit === 0x09;
}
