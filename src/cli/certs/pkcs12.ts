import { createCipheriv, createHmac, hash, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import * as asn1js from 'asn1js';
import {
  AlgorithmIdentifier,
  Attribute,
  AuthenticatedSafe,
  CertBag,
  Certificate,
  ContentInfo,
  DigestInfo,
  EncryptedContentInfo,
  EncryptedData,
  MacData,
  PBES2Params,
  PBKDF2Params,
  PFX,
  PKCS8ShroudedKeyBag,
  SafeBag,
  SafeContents,
} from 'pkijs';

const oid = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  sha256: '2.16.840.1.101.3.4.2.1',
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
} as const;

/**
 * 600,000, because a file that was copied can be guessed at for ever, and this is what OWASP asks of PBKDF2 with SHA-256.
 * The check value needs as many: it tells a right guess from a wrong one just as well. OpenSSL takes it;
 * opening such a file lasts some seconds.
 */
const defaultIterations = 600_000;

/** Eight octets, because the Keychain of macOS was seen to refuse a check value with a longer salt. */
const macSaltBytes = 8;

export interface Pkcs12Request {
  readonly certPem: string;
  /** PEM of the certificates above it. */
  readonly chainPem: string;
  /** PKCS#8. */
  readonly keyPem: string;
  /** Shown by browsers in the list of certificates. */
  readonly friendlyName: string;
  /** Characters beyond the Basic Multilingual Plane are not for these files. */
  readonly password: string;
  /** Default 600,000. */
  readonly iterations?: number;
}

/** Writes a PKCS#12 file (RFC 7292) with PBES2, AES-256-CBC and a SHA-256 check value, as browsers import it. */
export async function encodePkcs12(request: Pkcs12Request): Promise<Buffer> {
  const { password, iterations = defaultIterations } = request;
  const [leaf, ...chain] = pemBlocks(request.certPem + request.chainPem);
  // Ties the key to its certificate among the others.
  const keyId = new Attribute({
    type: oid.localKeyId,
    values: [new asn1js.OctetString({ valueHex: toArrayBuffer(Buffer.from(hash('sha256', leaf!), 'hex')) })],
  });
  const name = new Attribute({
    type: oid.friendlyName,
    values: [new asn1js.BmpString({ value: request.friendlyName })],
  });
  const key = await encrypt(pemBlocks(request.keyPem)[0]!, password, iterations);
  const keys = new SafeContents({
    safeBags: [
      new SafeBag({
        bagId: oid.shroudedKeyBag,
        bagValue: new PKCS8ShroudedKeyBag({
          encryptionAlgorithm: key.algorithm,
          encryptedData: new asn1js.OctetString({ valueHex: key.bytes }),
        }),
        bagAttributes: [keyId, name],
      }),
    ],
  });
  const certificates = new SafeContents({
    safeBags: [leaf!, ...chain].map(
      (der, index) =>
        new SafeBag({
          bagId: oid.certBag,
          bagValue: new CertBag({
            certId: oid.x509Certificate,
            parsedValue: Certificate.fromBER(toArrayBuffer(der)),
          }),
          ...(index === 0 && { bagAttributes: [keyId, name] }),
        }),
    ),
  });
  const names = await encrypt(Buffer.from(certificates.toSchema().toBER()), password, iterations);
  const safe = new AuthenticatedSafe({
    safeContents: [
      new ContentInfo({
        contentType: oid.encryptedData,
        content: new EncryptedData({
          encryptedContentInfo: new EncryptedContentInfo({
            contentType: oid.data,
            contentEncryptionAlgorithm: names.algorithm,
            encryptedContent: new asn1js.OctetString({ valueHex: names.bytes }),
            disableSplit: true,
          }),
        }).toSchema(),
      }),
      new ContentInfo({
        contentType: oid.data,
        content: new asn1js.OctetString({ valueHex: keys.toSchema().toBER() }),
      }),
    ],
  });
  const safeBytes = Buffer.from(safe.toSchema().toBER());
  const salt = randomBytes(macSaltBytes);
  const macKey = deriveMacKey(password, salt, iterations);
  const pfx = new PFX({
    authSafe: new ContentInfo({
      contentType: oid.data,
      content: new asn1js.OctetString({ valueHex: toArrayBuffer(safeBytes) }),
    }),
    macData: new MacData({
      mac: new DigestInfo({
        digestAlgorithm: new AlgorithmIdentifier({
          algorithmId: oid.sha256,
          algorithmParams: new asn1js.Null(),
        }),
        digest: new asn1js.OctetString({
          valueHex: toArrayBuffer(createHmac('sha256', macKey).update(safeBytes).digest()),
        }),
      }),
      macSalt: new asn1js.OctetString({ valueHex: toArrayBuffer(salt) }),
      iterations,
    }),
  });
  return Buffer.from(pfx.toSchema().toBER());
}

/** PBES2 (RFC 8018, section 6.2). The library would take a salt of 64 octets, which not every importer does. */
async function encrypt(
  contents: Buffer,
  password: string,
  iterations: number,
): Promise<{ readonly algorithm: AlgorithmIdentifier; readonly bytes: ArrayBuffer }> {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const key = await promisify(pbkdf2)(password, salt, iterations, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const parameters = new PBES2Params({
    keyDerivationFunc: new AlgorithmIdentifier({
      algorithmId: oid.pbkdf2,
      algorithmParams: new PBKDF2Params({
        salt: new asn1js.OctetString({ valueHex: toArrayBuffer(salt) }),
        iterationCount: iterations,
        prf: new AlgorithmIdentifier({ algorithmId: oid.hmacSha256, algorithmParams: new asn1js.Null() }),
      }).toSchema(),
    }),
    encryptionScheme: new AlgorithmIdentifier({
      algorithmId: oid.aes256Cbc,
      algorithmParams: new asn1js.OctetString({ valueHex: toArrayBuffer(iv) }),
    }),
  });
  return {
    algorithm: new AlgorithmIdentifier({ algorithmId: oid.pbes2, algorithmParams: parameters.toSchema() }),
    bytes: toArrayBuffer(Buffer.concat([cipher.update(contents), cipher.final()])),
  };
}

/**
 * RFC 7292, appendix B.2, for the key of the check value (ID 3): one round, because SHA-256 gives the 32 octets that are
 * wanted. The library awaits each of the 600,000 hashes, which lasts half a minute.
 */
function deriveMacKey(password: string, salt: Buffer, iterations: number): Buffer {
  const block = 64;
  const fill = (bytes: Buffer) =>
    Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes.toString('latin1'), 'latin1');
  // Big-endian UTF-16 with its final NUL (appendix B.1).
  const text = Buffer.from(`${password}\0`, 'utf16le').swap16();
  let key = Buffer.concat([Buffer.alloc(block, 3), fill(salt), fill(text)]);
  for (let round = 0; round < iterations; round += 1) key = hash('sha256', key, 'buffer');
  return key;
}

function pemBlocks(text: string): readonly Buffer[] {
  const blocks = text.match(/-----BEGIN [A-Z ]+-----[^-]+-----END [A-Z ]+-----/g) ?? [];
  return blocks.map((pem) => Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64'));
}

function toArrayBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** 100 bits in 20 letters and digits that are not taken for one another: nobody guesses it, and it can be typed. */
export function generatePassword(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
  const letters = [...randomBytes(20)].map((byte) => alphabet[byte & 31]);
  return letters.join('').replace(/(.{5})(?=.)/g, '$1-');
}
