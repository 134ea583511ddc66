import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/document/problems.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { type IssuedCertificate, makeTestCa, type TestCa } from './certificates.ts';

export interface TestGatewayOptions {
  /** Name -> URL of the MCP endpoint. Each is served at `/NAME/mcp`. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** YAML of the policies. Default: everybody may do everything that has a name. */
  readonly policy?: string;
  /** `mtls` (default): client certificates required. `plain`: HTTP on loopback, anonymous principal `tester`. */
  readonly door?: 'mtls' | 'plain';
  /** Merged over the configuration, key by key, at the top level. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Merged over each upstream's `http` section. */
  readonly http?: Readonly<Record<string, unknown>>;
  /** Merged over the listener. */
  readonly listener?: Readonly<Record<string, unknown>>;
  /** Merged over the listener's `tls.clients` section. */
  readonly clients?: Readonly<Record<string, unknown>>;
  /** Further files: path inside the gateway's folder -> text. */
  readonly files?: Readonly<Record<string, string>>;
  /**
   * `off` (default): tools are not held to their schemas, for upstreams that answer calls of tools which they never
   * list. `enforce`: as a gateway does on its own.
   */
  readonly schemas?: 'off' | 'enforce';
  /** Default: a new one. */
  readonly ca?: TestCa;
}

/** What a client shows and trusts, as Node's TLS options. */
export interface ClientTls {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A folder with all that a gateway needs, and the CA that vouches for its callers. */
export interface GatewayFolder {
  readonly folder: string;
  /** The gateway file. */
  readonly file: string;
  readonly ca: TestCa;
  /** TLS options of a caller named `spiffe://test.local/NAME`. Without a name: no certificate. */
  as(name?: string): Promise<ClientTls>;
  /** The certificate of a caller, the same as `as` shows. */
  certificateOf(name: string): Promise<IssuedCertificate>;
  /** Writes a file, given its path inside the folder. */
  write(path: string, text: string): void;
  /** The audit so far, one object a line. */
  audit(): readonly Record<string, unknown>[];
  remove(): void;
}

export interface TestGateway extends Omit<GatewayFolder, 'remove'> {
  readonly gateway: Gateway;
  /** URL at which clients find an upstream. */
  url(upstream: string): string;
  metrics(): Promise<string>;
  /** Writes a policy file and reloads. */
  setPolicy(yaml: string): Promise<void>;
  close(): Promise<void>;
}

/** Lets every certificate of the test CA, and the anonymous tester, use all that has a name. */
export const openPolicy = `
version: 1
roles:
  everything:
    allow:
      - tools: ["*"]
      - resources: ["**"]
      - prompts: ["*"]
      - methods: ["**"]
      - { resources: ["**"], actions: [ask] }
bindings:
  - roles: [everything]
    to:
      - any: true
`;

const schemasOff = `
version: 1
arguments:
  - match: {}
    schema: "off"
`;

/** Writes real files for a gateway, with certificates of its own CA and free ports. */
export async function prepareGateway(options: TestGatewayOptions): Promise<GatewayFolder> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-gateway-'));
  const ca = options.ca ?? (await makeTestCa());
  const write = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o600 });
  };
  const server = await ca.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth'] });
  write('certs/ca.crt', ca.caPem);
  write('certs/server.crt', server.certPem);
  write('certs/server.key', server.keyPem);
  write('policies/policy.yaml', options.policy ?? openPolicy);
  if (options.schemas !== 'enforce') write('policies/schemas.yaml', schemasOff);
  for (const [path, text] of Object.entries(options.files ?? {})) write(path, text);
  write('sallyport.yaml', JSON.stringify(gatewayFile(options)));
  const callers = new Map<string, IssuedCertificate>();
  const certificateOf = async (name: string): Promise<IssuedCertificate> => {
    const known = callers.get(name) ?? (await ca.issue({ uris: [`spiffe://test.local/${name}`] }));
    callers.set(name, known);
    return known;
  };
  return {
    folder,
    file: join(folder, 'sallyport.yaml'),
    ca,
    certificateOf,
    async as(name) {
      if (name === undefined) return { ca: ca.caPem };
      const { certPem, keyPem } = await certificateOf(name);
      return { ca: ca.caPem, cert: certPem, key: keyPem };
    },
    write,
    audit: () =>
      readFileSync(join(folder, 'audit.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function gatewayFile(options: TestGatewayOptions): Readonly<Record<string, unknown>> {
  const mtls = options.door !== 'plain';
  const tls = {
    certificate: 'certs/server.crt',
    key: 'certs/server.key',
    clients: { ca: 'certs/ca.crt', mode: 'require', ...options.clients },
  };
  return {
    version: 1,
    listeners: [{ bind: '127.0.0.1:0', ...(mtls ? { tls } : {}), ...options.listener }],
    ...(mtls ? { identity: [{ certificate: {} }] } : { insecure: { anonymous: 'tester' } }),
    upstreams: Object.entries(options.upstreams).map(([name, url]) => ({
      name,
      path: `/${name}/mcp`,
      http: { url, ...options.http },
    })),
    policies: 'policies/',
    audit: { file: 'audit.jsonl' },
    admin: { bind: '127.0.0.1:0' },
    log: { level: 'silent' },
    drain: { deadline: '5s' },
    // This gateway shares its event loop with the test: a late loop says nothing about the gateway.
    overload: { delay: 'off', wait: 'off' },
    ...options.config,
  };
}

/** Starts a real gateway in this process: real files, real sockets on free ports, certificates of its own CA. */
export async function startTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const { remove, ...prepared } = await prepareGateway(options);
  const loaded = await loadConfig(prepared.file, {});
  if (!loaded.ok) throw new Error(loaded.problems.map(formatProblem).join('\n'));
  const started = await startGateway(loaded.config);
  if (!started.ok) throw new Error(started.problems.join('\n'));
  const { gateway } = started;
  return {
    ...prepared,
    gateway,
    url: (upstream) => `${gateway.listeners[0]!.url}/${upstream}/mcp`,
    metrics: async () => (await fetch(`${gateway.adminUrl}/metrics`)).text(),
    async setPolicy(yaml) {
      prepared.write('policies/policy.yaml', yaml);
      await gateway.reload('files');
    },
    async close() {
      await gateway.drain();
      remove();
    },
  };
}
