import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleFile, type CaFolder, fileOf, listFile } from './ca-folder.ts';
import { currentOf, type Issued } from './ca-index.ts';
import { exists, type PlannedFile, writeAll } from './files.ts';
import { RefusedError, UsageError } from './problems.ts';

export interface SecretsRequest {
  /** Where the manifests go. */
  readonly folder: string;
  readonly namespace: string;
}

/** @throws UsageError where the text cannot name a namespace (RFC 1123) */
export function readNamespace(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text))
    throw new UsageError(`--namespace: not a namespace: ${JSON.stringify(text)}`);
  return text;
}

/**
 * Writes a manifest for each Secret that the folder gives: the server's certificate and what clients are held against,
 * by the names that `deploy/kustomize` mounts, and one for each client, for the pod of that client.
 *
 * Manifests that are there are replaced: they are copies. They hold private keys and are readable by their owner alone.
 *
 * @returns paths of what was written
 */
export async function writeSecrets(ca: CaFolder, request: SecretsRequest): Promise<readonly string[]> {
  const files: PlannedFile[] = [];
  const names = new Map<string, string>();
  const plan = (name: string, of: string, type: string, data: Readonly<Record<string, Buffer>>) => {
    const taken = names.get(name);
    if (taken !== undefined) throw new RefusedError(`${taken} and ${of} would share the Secret ${name}`);
    names.set(name, of);
    const contents = manifest(name, request.namespace, type, data);
    files.push({ path: join(request.folder, `${name}.yaml`), contents, mode: 0o600, replace: true });
  };
  const trusted = await readFile(join(ca.directory, bundleFile));
  plan('sallyport-clients', 'the CA', 'Opaque', {
    'ca.crt': trusted,
    'ca.crl': await readFile(join(ca.directory, listFile)),
  });
  for (const entry of currentOf(ca.index)) {
    if (entry.kind !== 'server' && entry.kind !== 'client') continue;
    const key = fileOf(ca.directory, entry.key);
    // Whoever was given a key may have taken it away from here.
    if (entry.revokedAt !== undefined || !(await exists(key))) continue;
    plan(secretName(entry), `${entry.kind}/${entry.name}`, 'kubernetes.io/tls', {
      'tls.crt': await readFile(fileOf(ca.directory, entry.certificate)),
      'tls.key': await readFile(key),
      'ca.crt': trusted,
    });
  }
  await writeAll(files);
  return files.map(({ path }) => path);
}

function secretName({ kind, name }: Issued): string {
  if (kind === 'server' && name === 'server') return 'sallyport-tls';
  const label = name
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/[.-]+$/, '')
    // A label between dots is not empty, and neither begins nor ends with a dash (RFC 1123).
    .replace(/-*\.[.-]*/g, '.');
  return kind === 'server' ? `sallyport-tls-${label}` : `sallyport-client-${label}`;
}

/** Nothing in it needs quoting: names are checked, contents are base64. */
function manifest(
  name: string,
  namespace: string,
  type: string,
  data: Readonly<Record<string, Buffer>>,
): string {
  return [
    'apiVersion: v1',
    'kind: Secret',
    'metadata:',
    `  name: ${name}`,
    `  namespace: ${namespace}`,
    '  labels:',
    '    app.kubernetes.io/part-of: sallyport',
    `type: ${type}`,
    'data:',
    ...Object.entries(data).map(([key, contents]) => `  ${key}: ${contents.toString('base64')}`),
    '',
  ].join('\n');
}
