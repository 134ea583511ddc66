import ipaddr from 'ipaddr.js';

/** A block of addresses of one family; an address is a block of full length. */
export interface Block {
  readonly family: 4 | 6;
  /** The address in words of 16 bits, highest first: two or eight. */
  readonly words: readonly number[];
  /** How many leading bits all addresses of the block share. */
  readonly prefix: number;
}

/** Dotted decimal, four numbers, none with a leading zero: all other spellings mean different things to different readers. */
const dottedDecimal = /^(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!$)|$)){4}$/;

/**
 * Reads an address in its one exact spelling: dotted decimal, or RFC 5952 with hexadecimal digits of either case and no
 * dotted part.
 */
export function readExactAddress(text: string): Block | undefined {
  if (dottedDecimal.test(text)) return blockV4(text);
  const address = readV6(text);
  if (address === undefined || address.toRFC5952String() !== text.toLowerCase()) return undefined;
  return { family: 6, words: address.parts, prefix: 128 };
}

/**
 * Reads an address in any spelling that name services answer with. A zone id makes it undefined: whoever has one
 * speaks of a link.
 */
export function readAddress(text: string): Block | undefined {
  if (dottedDecimal.test(text)) return blockV4(text);
  const address = readV6(text);
  return address === undefined ? undefined : { family: 6, words: address.parts, prefix: 128 };
}

/** Reads `address/prefix`, the address in its exact spelling, the prefix without leading zeros. Host bits are kept. */
export function readBlock(text: string): Block | undefined {
  const slash = text.indexOf('/');
  const address = readExactAddress(slash < 0 ? '' : text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === undefined || !/^(?:0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  const prefix = Number(length);
  return prefix > address.prefix ? undefined : { ...address, prefix };
}

/** Whether two blocks of one family share an address. */
export function overlaps(a: Block, b: Block): boolean {
  return a.family === b.family && sameBits(a.words, b.words, Math.min(a.prefix, b.prefix));
}

/** Whether all of a block lies in another of its family. */
export function within(inner: Block, outer: Block): boolean {
  return inner.family === outer.family && inner.prefix >= outer.prefix && overlaps(inner, outer);
}

/** Whether a bit behind the prefix is set: `10.0.0.1/8`. */
export function hasHostBits({ words, prefix }: Block): boolean {
  return words.some((word, i) => (word & (0xffff >>> bounded(prefix - i * 16))) !== 0);
}

/** The IPv4 address in two words of an IPv6 address. */
export function embeddedV4(words: readonly number[], at: number): Block {
  return { family: 4, words: [words[at]!, words[at + 1]!], prefix: 32 };
}

function sameBits(a: readonly number[], b: readonly number[], bits: number): boolean {
  for (let i = 0; i * 16 < bits; i++) {
    if ((a[i]! ^ b[i]!) >>> (16 - bounded(bits - i * 16)) !== 0) return false;
  }
  return true;
}

/** How many bits of one word. */
function bounded(bits: number): number {
  return Math.max(0, Math.min(16, bits));
}

function blockV4(text: string): Block {
  const [a, b, c, d] = text.split('.').map(Number) as [number, number, number, number];
  return { family: 4, words: [a * 256 + b, c * 256 + d], prefix: 32 };
}

function readV6(text: string): ipaddr.IPv6 | undefined {
  if (!/^(?=.*:)[0-9A-Fa-f:.]{2,45}$/.test(text) || !ipaddr.IPv6.isValid(text)) return undefined;
  return ipaddr.IPv6.parse(text);
}
