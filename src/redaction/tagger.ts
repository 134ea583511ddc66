import { hash } from 'node:crypto';

/** Bytes that SHA-256 takes at once (FIPS 180-4). */
const blockLength = 64;
const digestLength = 32;

/**
 * Prepares tags: the first 8 hex digits of HMAC-SHA-256 (RFC 2104) under one key.
 *
 * Put together from two plain hashes: each `Hmac` of Node holds memory that only a collection of garbage gives back, and a
 * text of 16 MiB may need a million tags.
 */
export function createTagger(key: Buffer): (value: string) => string {
  const block = Buffer.alloc(blockLength);
  (key.length > blockLength ? hash('sha256', key, 'buffer') : key).copy(block);
  const inner = block.map((byte) => byte ^ 0x36);
  const outer = Buffer.alloc(blockLength + digestLength);
  for (const [at, byte] of block.entries()) outer[at] = byte ^ 0x5c;
  /** Most values are short: these need no memory of their own. */
  const room = Buffer.alloc(blockLength + 1024);
  room.set(inner);
  return (value) => {
    // Three bytes of UTF-8 are the most that one UTF-16 unit takes.
    const fits = value.length * 3 <= room.length - blockLength;
    const message = fits
      ? room.subarray(0, blockLength + room.write(value, blockLength, 'utf8'))
      : Buffer.concat([inner, Buffer.from(value, 'utf8')]);
    outer.set(hash('sha256', message, 'buffer'), blockLength);
    return hash('sha256', outer, 'hex').slice(0, 8);
  };
}
