/** One element of DER: a tag and its contents. */
export interface DerElement {
  /** The identifier octet: class, constructed bit and number. */
  readonly tag: number;
  readonly contents: Buffer;
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The bytes are not DER, or not the structure that was asked for. Never leaves identity/. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/**
 * Splits bytes into the DER elements that follow one another in them.
 *
 * Exact: definite lengths in their shortest form, single-octet tags, nothing left over. Whatever else BER would allow
 * is a second spelling of the same value, and a second spelling is a way round a comparison.
 *
 * @throws DerError on anything else, and on more than `maximum` elements
 */
export function readDer(bytes: Buffer, maximum = 1000): readonly DerElement[] {
  const elements: DerElement[] = [];
  let position = 0;
  while (position < bytes.length) {
    if (elements.length === maximum) throw new DerError('Too many elements');
    const tag = bytes[position]!;
    if ((tag & 0x1f) === 0x1f) throw new DerError('A tag of several octets');
    const { length, start } = readLength(bytes, position + 1);
    const end = start + length;
    if (end > bytes.length) throw new DerError('An element is longer than what holds it');
    elements.push({ tag, contents: bytes.subarray(start, end) });
    position = end;
  }
  return elements;
}

/** The one element in `bytes`, which must have this tag. @throws DerError */
export function readOneDer(bytes: Buffer, tag: number): Buffer {
  const elements = readDer(bytes, 1);
  if (elements.length !== 1) throw new DerError('Not exactly one element');
  return expectDer(elements[0], tag);
}

/** The contents of an element that must be there and have this tag. @throws DerError */
export function expectDer(element: DerElement | undefined, tag: number): Buffer {
  if (element?.tag !== tag) throw new DerError(`Expected tag ${tag}, found ${element?.tag ?? 'nothing'}`);
  return element.contents;
}

function readLength(bytes: Buffer, position: number): { length: number; start: number } {
  const first = bytes[position];
  if (first === undefined) throw new DerError('No length');
  if (first < 0x80) return { length: first, start: position + 1 };
  const octets = first & 0x7f;
  // 0x80 alone is BER's indefinite length. Three octets reach 16 MiB: no certificate is larger.
  if (octets === 0 || octets > 3) throw new DerError('A length that DER does not have, or that is too long');
  if (position + 1 + octets > bytes.length) throw new DerError('A length is cut short');
  const length = bytes.readUIntBE(position + 1, octets);
  if (length < 0x80 || length < 2 ** (8 * (octets - 1)))
    throw new DerError('A length is not in its shortest form');
  return { length, start: position + 1 + octets };
}
