import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder with a gateway file that loads, and everything that it names. */
export interface ConfigFolder {
  readonly path: string;
  readonly file: string;
  write(name: string, text: string, mode?: number): Promise<void>;
  remove(): Promise<void>;
}

export const wellFormed = `version: 1
listeners:
  - bind: 0.0.0.0:8443
    tls:
      certificate: certs/tls.crt
      key: certs/tls.key
      clients: { ca: certs/ca.crt, crl: [certs/ca.crl] }
    hosts: [localhost]
identity:
  - certificate: { principal: [spiffe] }
  - apiKeys: { file: secrets/api-keys.yaml }
upstreams:
  - name: warehouse
    path: /warehouse/mcp
    http:
      url: http://127.0.0.1:3001/mcp
      credential: { file: secrets/upstream, scheme: Bearer }
policies: policies/
audit: { file: audit/sallyport.jsonl }
`;

export async function createConfigFolder(text: string = wellFormed): Promise<ConfigFolder> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-config-'));
  const write = async (name: string, content: string, mode = 0o644) => {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
    await chmod(join(path, name), mode);
  };
  for (const name of ['certs/tls.crt', 'certs/ca.crt', 'certs/ca.crl']) await write(name, `${name}\n`);
  for (const name of ['certs/tls.key', 'secrets/api-keys.yaml', 'secrets/upstream']) {
    await write(name, `${name}\n`, 0o600);
  }
  await write('policies/main.yaml', 'version: 1\n');
  await write('sallyport.yaml', text);
  return {
    path,
    file: join(path, 'sallyport.yaml'),
    write,
    remove: () => rm(path, { recursive: true }),
  };
}
