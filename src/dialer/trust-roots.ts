import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { readPlainFile } from '../document/plain-file.ts';
import { pemBlocks } from '../values/pem-blocks.ts';

/**
 * What vouches for issuers: the roots that Node trusts (with `NODE_EXTRA_CA_CERTS`), and those of the files. Made once,
 * because reading 150 certificates for each connection takes longer than the connection.
 *
 * @throws Error naming a file that cannot be read or holds no certificate: TLS itself would skip it in silence
 */
export function readTrust(
  files: readonly string[],
  readFile: (path: string) => string = readPlainFile,
): SecureContext {
  const own = files.flatMap((path) => {
    const found = pemBlocks(readFile(path), 'CERTIFICATE');
    if (found === undefined) throw new Error(`${path}: a PEM block in it is not whole`);
    if (found.length === 0) throw new Error(`${path}: there is no certificate in it`);
    for (const pem of found) {
      try {
        new X509Certificate(pem);
      } catch {
        throw new Error(`${path}: holds a certificate that cannot be read`);
      }
    }
    return found;
  });
  return createSecureContext({ ca: [...getCACertificates('default'), ...own], minVersion: 'TLSv1.2' });
}
