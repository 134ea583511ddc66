import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import type { DocumentPath } from '../document/problems.ts';
import type { GatewayFile } from './schema.ts';

/** What a change of a file means: which part of the gateway must be built anew. */
export type FileGroup =
  | 'config'
  | 'policies'
  | 'certificates'
  | 'revocations'
  | 'apiKeys'
  | 'credentials'
  | 'keys'
  | 'pins'
  | 'canaries';

interface FileRow {
  /** Where the gateway file names it; `*` stands for each entry of a list. */
  readonly path: readonly string[];
  readonly group: FileGroup;
  /**
   * `secret`: must not be readable by others. `folder`: holds policies. `output`: is written, need not exist. `lock`: is
   * read, may be written first. `output-folder`: is a folder, and things are taken out of it.
   */
  readonly nature: 'public' | 'secret' | 'folder' | 'output' | 'lock' | 'output-folder';
}

/** Every key of the gateway file that names a file. */
const rows: readonly FileRow[] = [
  { path: ['listeners', '*', 'tls', 'certificate'], group: 'certificates', nature: 'public' },
  { path: ['listeners', '*', 'tls', 'key'], group: 'certificates', nature: 'secret' },
  { path: ['listeners', '*', 'tls', 'clients', 'ca'], group: 'certificates', nature: 'public' },
  { path: ['listeners', '*', 'tls', 'clients', 'ca', '*'], group: 'certificates', nature: 'public' },
  { path: ['listeners', '*', 'tls', 'clients', 'crl'], group: 'revocations', nature: 'public' },
  { path: ['listeners', '*', 'tls', 'clients', 'crl', '*'], group: 'revocations', nature: 'public' },
  { path: ['identity', '*', 'certificate', 'trust', '*', 'ca'], group: 'certificates', nature: 'public' },
  { path: ['identity', '*', 'token', 'keys'], group: 'keys', nature: 'public' },
  { path: ['identity', '*', 'token', 'introspection', 'secret'], group: 'credentials', nature: 'secret' },
  { path: ['identity', '*', 'token', 'introspection', 'privateKey'], group: 'credentials', nature: 'secret' },
  { path: ['outbound', 'ca', '*'], group: 'certificates', nature: 'public' },
  { path: ['identity', '*', 'apiKeys', 'file'], group: 'apiKeys', nature: 'secret' },
  { path: ['revocations', 'file'], group: 'revocations', nature: 'public' },
  { path: ['upstreams', '*', 'http', 'ca'], group: 'certificates', nature: 'public' },
  { path: ['upstreams', '*', 'http', 'ca', '*'], group: 'certificates', nature: 'public' },
  {
    path: ['upstreams', '*', 'http', 'clientCertificate', 'certificate'],
    group: 'certificates',
    nature: 'public',
  },
  { path: ['upstreams', '*', 'http', 'clientCertificate', 'key'], group: 'certificates', nature: 'secret' },
  { path: ['upstreams', '*', 'http', 'credential', 'file'], group: 'credentials', nature: 'secret' },
  ...['clientCredentials', 'tokenExchange'].flatMap((kind) =>
    ['secret', 'privateKey'].map(
      (key): FileRow => ({
        path: ['upstreams', '*', 'http', 'credential', kind, key],
        group: 'credentials',
        nature: 'secret',
      }),
    ),
  ),
  { path: ['assertions', 'keys', '*'], group: 'keys', nature: 'secret' },
  { path: ['session', 'keys', '*'], group: 'keys', nature: 'secret' },
  { path: ['store', 'redis', 'tls', 'ca'], group: 'certificates', nature: 'public' },
  { path: ['store', 'redis', 'tls', 'ca', '*'], group: 'certificates', nature: 'public' },
  { path: ['store', 'redis', 'tls', 'certificate'], group: 'certificates', nature: 'public' },
  { path: ['store', 'redis', 'tls', 'key'], group: 'certificates', nature: 'secret' },
  { path: ['store', 'redis', 'password', 'file'], group: 'credentials', nature: 'secret' },
  { path: ['store', 'redis', 'sentinel', 'password', 'file'], group: 'credentials', nature: 'secret' },
  { path: ['pins', 'file'], group: 'pins', nature: 'lock' },
  { path: ['redaction', 'key'], group: 'keys', nature: 'secret' },
  { path: ['canaries', '*', 'file'], group: 'canaries', nature: 'secret' },
  { path: ['flows', 'approvals'], group: 'config', nature: 'output-folder' },
  { path: ['policies'], group: 'policies', nature: 'folder' },
  { path: ['audit', 'file'], group: 'config', nature: 'output' },
  { path: ['control', 'socket'], group: 'config', nature: 'output' },
];

/** One file that a configuration names. */
export interface FileReference {
  /** Where it is named, for problems. */
  readonly at: DocumentPath;
  readonly file: string;
  readonly group: FileGroup;
  readonly nature: FileRow['nature'];
}

/** A copy in which each named file is absolute: relative ones start at `folder`, not where the process was started. */
export function withAbsoluteFiles(config: GatewayFile, folder: string): GatewayFile {
  const copy = structuredClone(config);
  for (const row of rows) {
    visit(copy, row.path, [], (holder, key) => {
      const file = holder[key] as string;
      holder[key] = isAbsolute(file) ? file : resolve(folder, file);
    });
  }
  return copy;
}

/** Every file that the configuration names. */
export function fileReferences(config: GatewayFile): readonly FileReference[] {
  const found: FileReference[] = [];
  for (const { path, group, nature } of rows) {
    visit(config, path, [], (holder, key, at) =>
      found.push({ at, file: holder[key] as string, group, nature }),
    );
  }
  return found;
}

export type FileFinding =
  | { readonly kind: 'problem'; readonly at: DocumentPath; readonly message: string }
  | { readonly kind: 'warning'; readonly message: string };

/** Looks at every named file: there, readable, of the right kind, and no secret open to others. */
export async function inspectFiles(references: readonly FileReference[]): Promise<readonly FileFinding[]> {
  const findings = await Promise.all(references.map(inspectFile));
  return findings.flat();
}

async function inspectFile({ at, file, nature }: FileReference): Promise<readonly FileFinding[]> {
  const problem = (message: string): FileFinding[] => [{ kind: 'problem', at, message }];
  try {
    if (nature === 'output' || nature === 'lock') {
      return (await isFolder(file)) ? problem(`${file} is a folder, not a file`) : [];
    }
    const info = await stat(file);
    if (nature === 'output-folder') return info.isDirectory() ? [] : problem(`${file} is not a folder`);
    if (nature === 'folder') {
      if (!info.isDirectory()) return problem(`${file} is not a folder`);
      const names = await readdir(file);
      return names.some(isPolicyFile)
        ? []
        : problem(`the folder ${file} holds no policy file (*.yaml, *.yml)`);
    }
    if (info.isDirectory()) return problem(`${file} is a folder, not a file`);
    await access(file, constants.R_OK);
    if (nature === 'secret' && (info.mode & 0o077) !== 0) {
      const mode = (info.mode & 0o777).toString(8).padStart(4, '0');
      return [
        {
          kind: 'warning',
          message: `${file} holds a secret and is open to others than its owner (mode ${mode})`,
        },
      ];
    }
    return [];
  } catch (error) {
    return problem(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
  }
}

/** Policy files by name; hidden ones, such as the `..data` of a Kubernetes volume, are not. */
export function isPolicyFile(name: string): boolean {
  return /^[^.].*\.ya?ml$/.test(name);
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch {
    return false;
  }
}

type Holder = Record<string | number, unknown>;

function visit(
  node: unknown,
  path: readonly string[],
  at: DocumentPath,
  found: (holder: Holder, key: string | number, at: DocumentPath) => unknown,
): void {
  if (typeof node !== 'object' || node === null) return;
  const [step, ...rest] = path;
  if (step === undefined) return;
  const keys: readonly (string | number)[] =
    step === '*' ? (Array.isArray(node) ? [...node.keys()] : []) : Array.isArray(node) ? [] : [step];
  for (const key of keys) {
    const here = [...at, key];
    if (rest.length > 0) visit((node as Holder)[key], rest, here, found);
    else if (typeof (node as Holder)[key] === 'string') found(node as Holder, key, here);
  }
}
