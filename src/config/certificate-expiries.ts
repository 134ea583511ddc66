import { X509Certificate } from 'node:crypto';
import { readPlainFile } from '../document/plain-file.ts';
import { formatPath } from '../document/problems.ts';
import { fileReferences } from './files.ts';
import type { Config } from './schema.ts';

export interface CertificateExpiry {
  /** Where the configuration names the file, e.g. `listeners[0].tls.certificate`. */
  readonly role: string;
  /** Milliseconds since the epoch: the first end among the certificates in the file. */
  readonly expiresAt: number;
}

const pem = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/**
 * When each certificate that the configuration names ends. A file that cannot be read has no entry: that it cannot be
 * is told by the reload that met it.
 */
export function certificateExpiries(config: Config): readonly CertificateExpiry[] {
  return fileReferences(config)
    .filter(({ group }) => group === 'certificates')
    .flatMap(({ at, file }) => {
      const expiresAt = firstEnd(file);
      return expiresAt === undefined ? [] : [{ role: formatPath(at), expiresAt }];
    });
}

function firstEnd(file: string): number | undefined {
  try {
    const ends = [...readPlainFile(file).matchAll(pem)].map(([text]) =>
      Date.parse(new X509Certificate(text).validTo),
    );
    return ends.length === 0 ? undefined : Math.min(...ends);
  } catch {
    return undefined;
  }
}
