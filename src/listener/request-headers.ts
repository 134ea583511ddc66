/** The headers that decide whether a request gets in, read once from the raw list. */
export interface RequestHeaders {
  /** `Host`, or `:authority` on HTTP/2. Undefined where there is none. */
  host: string | undefined;
  origin: string | undefined;
  contentType: string | undefined;
  /** Repeated `Accept` fields are joined: the list may be spread (RFC 9110, section 5.3). */
  accept: string | undefined;
  contentLength: string | undefined;
  contentEncoding: boolean;
  transferEncoding: string | undefined;
  expect: string | undefined;
  upgrade: string | undefined;
  /** Where the first ordinary header starts: HTTP/2 puts its pseudo-headers before. */
  ordinaryFrom: number;
}

/**
 * 128 headers, because honest clients send a few dozen and Node drops what is beyond its own count silently: the check
 * would then see less than the parser did. Same number for HTTP/2.
 */
export const maximumHeaders = 128;

/**
 * Reads the raw header list of a request.
 *
 * Node's own `headers` object joins or drops repeated fields, so that a check sees one value and whoever comes later
 * perhaps another; here a repeated field fails the request.
 *
 * @param raw names and values in turn, HTTP/2 pseudo-headers included
 * @returns a text for operators where a header is repeated or `:authority` and `Host` disagree
 */
export function readRequestHeaders(raw: readonly string[]): RequestHeaders | string {
  const found: RequestHeaders = {
    host: undefined,
    origin: undefined,
    contentType: undefined,
    accept: undefined,
    contentLength: undefined,
    contentEncoding: false,
    transferEncoding: undefined,
    expect: undefined,
    upgrade: undefined,
    ordinaryFrom: 0,
  };
  let authority: string | undefined;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index]!;
    const value = raw[index + 1]!;
    if (name.charCodeAt(0) === 0x3a) {
      found.ordinaryFrom = index + 2;
      if (name !== ':authority') continue;
      if (authority !== undefined) return 'several :authority';
      authority = value;
      continue;
    }
    // Most names differ in length from all that matter here, and are then not even lower-cased.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() !== 'host') break;
        if (found.host !== undefined) return 'several Host';
        found.host = value;
        break;
      case 6: {
        const lower = name.toLowerCase();
        if (lower === 'accept')
          found.accept = found.accept === undefined ? value : `${found.accept},${value}`;
        if (lower === 'origin') {
          if (found.origin !== undefined) return 'several Origin';
          found.origin = value;
        }
        if (lower === 'expect') {
          if (found.expect !== undefined) return 'several Expect';
          found.expect = value;
        }
        break;
      }
      case 7:
        if (name.toLowerCase() !== 'upgrade') break;
        if (found.upgrade !== undefined) return 'several Upgrade';
        found.upgrade = value;
        break;
      case 12:
        if (name.toLowerCase() !== 'content-type') break;
        if (found.contentType !== undefined) return 'several Content-Type';
        found.contentType = value;
        break;
      case 14:
        if (name.toLowerCase() !== 'content-length') break;
        if (found.contentLength !== undefined) return 'several Content-Length';
        found.contentLength = value;
        break;
      case 16:
        if (name.toLowerCase() === 'content-encoding') found.contentEncoding = true;
        break;
      case 17:
        if (name.toLowerCase() !== 'transfer-encoding') break;
        if (found.transferEncoding !== undefined) return 'several Transfer-Encoding';
        found.transferEncoding = value;
        break;
    }
  }
  // An intermediary may route by one and a server judge by the other (RFC 9113, section 8.3.1).
  if (authority !== undefined && found.host !== undefined && authority !== found.host) {
    return ':authority and Host disagree';
  }
  found.host ??= authority;
  return found;
}
