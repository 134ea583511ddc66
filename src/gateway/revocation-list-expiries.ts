import { fileReferences } from '../config/files.ts';
import type { Config } from '../config/schema.ts';
import { readPlainFile } from '../document/plain-file.ts';
import { formatPath } from '../document/problems.ts';
import { nextUpdateOf } from '../listener/crl.ts';

export interface RevocationListExpiry {
  /** Where the configuration names the file, e.g. `listeners[0].tls.clients.crl[0]`. */
  readonly role: string;
  /** Milliseconds since the epoch: the first next update among the lists in the file. */
  readonly expiresAt: number;
}

const pem = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;

/**
 * When the revocation lists that the configuration names must have been replaced: after that every certificate of their
 * issuer is refused. A file that cannot be read, or that names no such time, has no entry.
 */
export function revocationListExpiries(config: Config): readonly RevocationListExpiry[] {
  return fileReferences(config).flatMap(({ at, file }) => {
    if (at.at(-1) !== 'crl' && at.at(-2) !== 'crl') return [];
    const expiresAt = firstEnd(file);
    return expiresAt === undefined ? [] : [{ role: formatPath(at), expiresAt }];
  });
}

function firstEnd(file: string): number | undefined {
  try {
    const ends = [...readPlainFile(file).matchAll(pem)]
      .map(([, text]) => nextUpdateOf(Buffer.from(text!, 'base64')))
      .filter((time) => time !== undefined);
    return ends.length === 0 ? undefined : Math.min(...ends);
  } catch {
    return undefined;
  }
}
