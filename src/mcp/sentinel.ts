import { isUtf8 } from 'node:buffer';

const prefix = '=?base64?';
const suffix = '?=';
/** What a header value may hold as it is: visible ASCII, with spaces and tabs only inside. */
const plainValue = /^(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?$/;

/**
 * Decodes a mirrored header's value (2026-07-28, basic/transports/streamable-http): plain ASCII, or
 * `=?base64?<base64 of UTF-8>?=` with exact lower-case markers.
 *
 * Base64 that another decoder could read differently (missing padding, other alphabets, spare bits) is refused, for
 * then header and body could agree here and differ at the server.
 *
 * @param value without surrounding white space
 * @returns undefined where the value is not a legal one
 */
export function decodeHeaderValue(value: string): string | undefined {
  if (!plainValue.test(value)) return undefined;
  if (!isSentinel(value)) return value;
  const base64 = value.slice(prefix.length, value.length - suffix.length);
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64 || !isUtf8(bytes)) return undefined;
  return bytes.toString('utf8');
}

/** Encodes a value for a mirrored header: as it is where that is unambiguous, else as a sentinel. */
export function encodeHeaderValue(value: string): string {
  // An empty field value may be dropped on the way (RFC 9110, 5.5 allows it, intermediaries do it): spelt out instead.
  if (value !== '' && plainValue.test(value) && !isSentinel(value)) return value;
  return `${prefix}${Buffer.from(value, 'utf8').toString('base64')}${suffix}`;
}

function isSentinel(value: string): boolean {
  return value.length >= prefix.length + suffix.length && value.startsWith(prefix) && value.endsWith(suffix);
}
