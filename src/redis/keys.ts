import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** In braces, so that a cluster puts all keys of one gateway into one slot. */
export function hashTag(prefix: string): string {
  return `{${prefix}}`;
}

/** Names and seals what goes into the store: neither names of callers nor values can be read from it. */
export interface StoreKeys {
  /** What every key begins with. */
  readonly tag: string;
  /**
   * The key in the store: prefix, kind and a MAC of the name. Whoever reads the store cannot even try names out.
   *
   * @param kind one of few words, in the clear
   */
  keyOf(kind: string, name: string): string;
  /** The same under each key of the ring, the newest first: a key that is being replaced still finds what it named. */
  keysOf(kind: string, name: string): readonly string[];
  /** AES-256-GCM under the newest key; bound to the name, so that no value can be put under another. */
  seal(key: string, value: string): string;
  /** @param name any of the ring's keys for the name under which it was sealed */
  open(key: string, sealed: string): string | undefined;
}

const ivBytes = 12;
const tagBytes = 16;

/**
 * @param ring the session keys, the newest first. Keys for the store are derived from them (HKDF-SHA256) and tell
 *   nothing about them
 */
export function createStoreKeys(ring: readonly Buffer[], prefix: string): StoreKeys {
  const tag = hashTag(prefix);
  const derived = ring.map((key) => ({
    mac: derive(key, prefix, 'store names'),
    seal: derive(key, prefix, 'store values'),
  }));
  const name = (mac: Buffer, kind: string, text: string): string =>
    `${tag}:${kind}:${createHmac('sha256', mac).update(`${kind}\n`).update(text).digest('base64url')}`;
  return {
    tag,
    keyOf: (kind, text) => name(derived[0]!.mac, kind, text),
    keysOf: (kind, text) => derived.map(({ mac }) => name(mac, kind, text)),
    seal(key, value) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', derived[0]!.seal, iv).setAAD(Buffer.from(key));
      const body = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(key, sealed) {
      const bytes = Buffer.from(sealed, 'base64url');
      if (bytes.length < ivBytes + tagBytes) return undefined;
      for (const { seal } of derived) {
        const decipher = createDecipheriv('aes-256-gcm', seal, bytes.subarray(0, ivBytes))
          .setAAD(Buffer.from(key))
          .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
        try {
          return Buffer.concat([
            decipher.update(bytes.subarray(ivBytes + tagBytes)),
            decipher.final(),
          ]).toString('utf8');
        } catch {
          // Sealed under another key of the ring, or not by a gateway.
        }
      }
      return undefined;
    },
  };
}

/** Of the prefix too: what a gateway wrote means nothing under the prefix of another that has the same session keys. */
function derive(key: Buffer, prefix: string, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, prefix, `sallyport ${label}`, 32));
}
