import { createSecureContext } from 'node:tls';
import { pemBlocks } from '../values/pem-blocks.ts';
import { readSmallFile } from './files.ts';
import type { HttpUpstreamOptions } from './options.ts';

/** Files of an https upstream, read and proven to be usable. Undefined members are left to Node's defaults. */
export interface TlsMaterial {
  readonly ca: readonly Buffer[] | undefined;
  readonly certificate: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** 4MiB, because the whole public root store in PEM is a quarter of that. */
const maxPemBytes = 4 * 1024 * 1024;

/**
 * Reads CA, certificate and key, and builds a context from them once, so that a bad file stops the start or the
 * reload instead of every later call.
 *
 * @throws Error naming the files
 */
export function loadTls(options: HttpUpstreamOptions): TlsMaterial {
  const ca = options.ca === undefined ? undefined : [options.ca].flat();
  const own = options.clientCertificate;
  const material: TlsMaterial = {
    ca: ca?.map(readCertificates),
    certificate: own && readCertificates(own.certificate),
    key: own && readSmallFile(own.key, maxPemBytes),
  };
  try {
    createSecureContext(secureContext(material));
  } catch (error) {
    const files = [...(ca ?? []), own?.certificate, own?.key].filter((path) => path !== undefined);
    throw new Error(`${files.join(', ')}: not usable for TLS (${(error as Error).message})`, {
      cause: error,
    });
  }
  return material;
}

/** Node takes a CA file without a single certificate for an empty list, and then trusts nobody without saying why. */
function readCertificates(path: string): Buffer {
  const pem = readSmallFile(path, maxPemBytes);
  const blocks = pemBlocks(pem.toString('latin1'), 'CERTIFICATE');
  if (blocks === undefined) throw new Error(`${path}: a PEM block in it is not whole`);
  if (blocks.length === 0) {
    throw new Error(`${path}: no PEM certificate in it`);
  }
  return pem;
}

/**
 * Options of `tls.connect`. Verification is stated, not left to defaults: `NODE_TLS_REJECT_UNAUTHORIZED=0` in the
 * environment would otherwise turn it off. A given CA replaces all others.
 */
export function tlsConnectOptions(material: TlsMaterial, serverName: string | undefined) {
  return {
    rejectUnauthorized: true,
    ...secureContext(material),
    ...(serverName !== undefined && { servername: serverName }),
  };
}

function secureContext(material: TlsMaterial) {
  return {
    minVersion: 'TLSv1.2' as const,
    ...(material.ca && { ca: [...material.ca] }),
    ...(material.certificate && { cert: material.certificate }),
    ...(material.key && { key: material.key }),
  };
}

export function isSameMaterial(one: TlsMaterial, other: TlsMaterial): boolean {
  const left = flatten(one);
  const right = flatten(other);
  return left.length === right.length && left.every((part, index) => isSame(part, right[index]));
}

function flatten(material: TlsMaterial): readonly (Buffer | undefined)[] {
  return [material.certificate, material.key, ...(material.ca ?? [])];
}

function isSame(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
