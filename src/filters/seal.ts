import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** What a handle is for. Each purpose has keys of its own: one kind of handle never opens as another. */
export type SealPurpose =
  | 'session'
  | 'event-id'
  | 'request-state'
  | 'task-id'
  | 'task-question'
  | 'client-task'
  | 'cursor';

export interface Sealer {
  /**
   * Encrypts and authenticates `text`: printable ASCII (base64url) that only this gateway's keys open.
   *
   * @param boundTo must be the same when it is opened. It is not part of the handle, so it costs no length
   */
  seal(text: string, boundTo?: string): string;
  /** The text that `seal` was given; undefined for anything else whatever, without telling why. */
  open(sealed: string, boundTo?: string): string | undefined;
  /** 128 bits over `text`, base64url, by the sealing key. */
  tag(text: string): string;
  /** Whether any key of the ring gives this tag for `text`. In constant time. */
  verify(text: string, tag: string): boolean;
}

const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const shortestKey = 32;

/**
 * A sealer for one purpose. AES-256-GCM with a random 96-bit nonce: safe for 2^32 handles per key, so rotate a key
 * that seals a thousand a second within a month.
 *
 * @param ring key material of at least 32 bytes each; the first seals, all of them open
 * @throws TypeError if the ring is empty or a key is too short
 */
export function createSealer(ring: readonly Buffer[], purpose: SealPurpose): Sealer {
  if (ring.length === 0) throw new TypeError('the key ring is empty');
  const keys = ring.map((material) => {
    if (material.length < shortestKey) throw new TypeError(`a key has fewer than ${shortestKey} bytes`);
    return { seal: derive(material, `${purpose} seal`), tag: derive(material, `${purpose} tag`) };
  });
  const first = keys[0]!;
  // Bound into the seal as well: an upgrade of the format cannot be undone by whoever holds an old handle.
  const about = Buffer.from(`sallyport ${purpose} v${version}`);
  const associated = (boundTo: string | undefined): Buffer =>
    boundTo === undefined ? about : Buffer.concat([about, Buffer.of(0), Buffer.from(boundTo, 'utf8')]);
  return {
    seal(text, boundTo) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', first.seal, nonce).setAAD(associated(boundTo));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(version), nonce, body, cipher.getAuthTag()]).toString('base64url');
    },
    open(sealed, boundTo) {
      const bytes = Buffer.from(sealed, 'base64url');
      // One handle, one spelling: base64 decoders overlook padding, foreign characters and spare bits.
      if (bytes.toString('base64url') !== sealed) return undefined;
      if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== version) return undefined;
      const nonce = bytes.subarray(1, 1 + nonceBytes);
      const body = bytes.subarray(1 + nonceBytes, -tagBytes);
      const tag = bytes.subarray(-tagBytes);
      for (const { seal } of keys) {
        const decipher = createDecipheriv('aes-256-gcm', seal, nonce, { authTagLength: tagBytes });
        decipher.setAAD(associated(boundTo)).setAuthTag(tag);
        try {
          return decipher.update(body, undefined, 'utf8') + decipher.final('utf8');
        } catch {
          // Not this key. A handle that no key opens is refused below, all of them alike.
        }
      }
      return undefined;
    },
    tag: (text) => mac(first.tag, text),
    verify(text, tag) {
      const given = Buffer.from(tag);
      let known = false;
      for (const key of keys) {
        const expected = Buffer.from(mac(key.tag, text));
        known = (expected.length === given.length && timingSafeEqual(expected, given)) || known;
      }
      return known;
    },
  };
}

function derive(material: Buffer, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', material, Buffer.alloc(0), `sallyport ${label} v${version}`, 32));
}

function mac(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest().subarray(0, tagBytes).toString('base64url');
}
