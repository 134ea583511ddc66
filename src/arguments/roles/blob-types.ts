/** Media types that their first bytes give away. */
export const blobTypes = {
  'application/gzip': (bytes) => startsWith(bytes, [0x1f, 0x8b]),
  'application/pdf': (bytes) => startsWith(bytes, ascii('%PDF-')),
  'application/zip': (bytes) => startsWith(bytes, ascii('PK\u0003\u0004')),
  'audio/mpeg': (bytes) =>
    startsWith(bytes, ascii('ID3')) || (bytes[0] === 0xff && [0xfb, 0xf3, 0xf2].includes(bytes[1]!)),
  'audio/ogg': (bytes) => startsWith(bytes, ascii('OggS')),
  'audio/wav': (bytes) => startsWith(bytes, ascii('RIFF')) && startsWith(bytes.subarray(8), ascii('WAVE')),
  'image/gif': (bytes) => startsWith(bytes, ascii('GIF87a')) || startsWith(bytes, ascii('GIF89a')),
  'image/jpeg': (bytes) => startsWith(bytes, [0xff, 0xd8, 0xff]),
  'image/png': (bytes) => startsWith(bytes, [0x89, ...ascii('PNG\r\n\u001a\n')]),
  'image/webp': (bytes) => startsWith(bytes, ascii('RIFF')) && startsWith(bytes.subarray(8), ascii('WEBP')),
  'video/mp4': (bytes) => startsWith(bytes.subarray(4), ascii('ftyp')),
} as const satisfies Readonly<Record<string, (bytes: Uint8Array) => boolean>>;

/** First bytes that any of them needs. */
export const longestMagic = 12;

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function ascii(text: string): readonly number[] {
  return [...text].map((character) => character.charCodeAt(0));
}
