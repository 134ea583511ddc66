/**
 * How people and tools write serial numbers and fingerprints: upper or lower case, with `0x` before them, bytes set
 * apart by colons, dashes or spaces. ASCII only: a digit of another script is refused, not guessed at.
 */
const hexForms = /^(?:0x)?([0-9a-f]+)$|^([0-9a-f]{1,2}(?:([: -])[0-9a-f]{2})(?:\3[0-9a-f]{2})*)$/i;

/** RFC 5280, section 4.1.2.2: a serial number has at most 20 octets. */
const longestSerial = 40;

const fingerprintDigits = 64;

/**
 * The one form of a certificate's serial number: lower-case hex without leading zeros, `0` for zero.
 *
 * @returns undefined where the text is no serial number; one with more than 20 octets is none, but perhaps a fingerprint
 */
export function normaliseSerial(text: string): string | undefined {
  const [sign, digits] = text.startsWith('-') ? ['-', hexDigits(text.slice(1))] : ['', hexDigits(text)];
  if (digits === undefined) return undefined;
  const significant = digits.replace(/^0+(?=.)/, '');
  return significant.length > longestSerial ? undefined : `${significant === '0' ? '' : sign}${significant}`;
}

/** The one form of a SHA-256 fingerprint: 64 lower-case hex digits. Undefined where the text is none. */
export function normaliseFingerprint(text: string): string | undefined {
  const digits = hexDigits(text);
  return digits?.length === fingerprintDigits ? digits : undefined;
}

function hexDigits(text: string): string | undefined {
  const match = hexForms.exec(text);
  return (match?.[1] ?? match?.[2]?.replace(/[: -]/g, ''))?.toLowerCase();
}
