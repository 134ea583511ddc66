import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** 32 bytes: what the keys derived from them have. */
const fewestBytes = 32;

/**
 * The key ring for handles that leave the gateway: the first seals, all open.
 *
 * @param files key material, any bytes, surrounding white space ignored. Absent: one random key, so that handles end
 *   with this process and open on no other replica
 * @param instead used where there are no files: a random key that several processes share
 * @throws Error naming a file that is too short to be a secret
 */
export function readSessionKeys(
  files: readonly string[] | undefined,
  instead: Buffer = randomBytes(fewestBytes),
): readonly Buffer[] {
  if (files === undefined) return [instead];
  return files.map((file) => {
    const key = Buffer.from(readFileSync(file, 'latin1').trim(), 'latin1');
    if (key.length < fewestBytes) throw new Error(`${file}: a session key has at least ${fewestBytes} bytes`);
    return key;
  });
}
