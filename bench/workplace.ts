import { rmSync } from 'node:fs';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invoke } from '../src/cli/command.ts';
import { generateCertsCommand } from '../src/cli/generate-certs.ts';
import { createApiKey } from '../src/identity/api-key.ts';

export interface TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** A folder of its own for certificates, keys and audit files of one run. */
export interface Workplace {
  readonly folder: string;
  readonly server: TlsFiles;
  readonly client: TlsFiles;
  readonly apiKey: string;
  remove(): Promise<void>;
}

/** @param folder where audit files are to be on a certain disk; default: the system's temporary folder */
export async function createWorkplace(folder = tmpdir()): Promise<Workplace> {
  const own = await mkdtemp(join(folder, 'sallyport-bench-'));
  const remove = (): void => rmSync(own, { recursive: true, force: true });
  // A run that fails or is interrupted leaves no keys behind either.
  process.once('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const certs = join(own, 'certs');
  const spiffe = 'client=spiffe://bench.example/ns/data/sa/nightly-report';
  const complaints: string[] = [];
  const io = { stdout: () => {}, stderr: (text: string) => complaints.push(text), environment: {} };
  const code = await invoke(generateCertsCommand, ['--out', certs, '--client', spiffe], io);
  if (code !== 0) throw new Error(complaints.join(''));
  const { key, entry } = createApiKey('nightly-report');
  const keys = join(own, 'api-keys.yaml');
  await writeFile(keys, `keys:\n  - ${JSON.stringify(entry)}\n`);
  await chmod(keys, 0o600);
  const files = (name: string): TlsFiles => ({
    ca: join(certs, 'ca/ca.crt'),
    certificate: join(certs, name, 'tls.crt'),
    key: join(certs, name, 'tls.key'),
  });
  return {
    folder: own,
    server: files('server'),
    client: files('clients/client'),
    apiKey: key,
    async remove() {
      process.off('exit', remove);
      remove();
    },
  };
}
