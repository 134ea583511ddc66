/** A gateway process whose every credential can be replaced, and callers of each kind. */

import { generateKeyPairSync } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { createApiKey, type NewApiKey } from '../../src/identity/api-key-format.ts';
import { audience, makeIssuer, type TestIssuer } from '../identity/issuer.ts';
import { type IssuedCertificate, makeTestCa, type TestCa } from './certificates.ts';
import { type ClientTls, type GatewayFolder, prepareGateway } from './gateway.ts';
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts';
import { openStream } from './raw-client.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { event } from './recorder-answers.ts';

/** Where keys of an issuer are published, slowly: an answer says what was true when it was asked. */
export interface KeyServer {
  readonly url: string;
  /** Requests so far. */
  asked(): number;
  publish(...issuers: readonly TestIssuer[]): void;
  /** Answers nothing until the returned function is called. */
  hold(): { readonly waiting: () => number; release(): void };
  close(): Promise<void>;
}

/** A stream that stays open for as long as its caller may. */
export interface Standing {
  readonly caller: string;
  readonly isOpen: () => boolean;
  readonly ended: Promise<void>;
  /** Events so far. */
  readonly events: () => number;
  abort(): void;
}

export interface RotationStage {
  readonly folder: GatewayFolder;
  readonly gateway: GatewayProcess;
  readonly recorder: Recorder;
  readonly keyServer: KeyServer;
  /** At one listener certificates are required, at the other asked for. */
  readonly required: string;
  readonly requested: string;
  /** `standing` vouches all the time, `added` comes later, `dropped` goes. */
  readonly authorities: Readonly<Record<'standing' | 'added' | 'dropped', TestCa>>;
  /** Signs before, and after. */
  readonly signers: Readonly<Record<'before' | 'after' | 'unknown', TestIssuer>>;
  readonly apiKeys: Readonly<Record<(typeof keyNames)[number], NewApiKey>>;
  certificate(name: string, authority: keyof RotationStage['authorities']): Promise<IssuedCertificate>;
  as(certificate?: IssuedCertificate): ClientTls;
  token(subject: string, signer: keyof RotationStage['signers']): Promise<string>;
  newServerCertificate(): Promise<IssuedCertificate>;
  /** Puts a file in the place of another, whole. */
  replace(path: string, text: string): void;
  read(path: string): string;
  /** As Kubernetes does: a new folder, and one rename of the link `..data` that the files lead through. */
  publish(mount: string, files: Readonly<Record<string, string>>): void;
  open(
    caller: string,
    url: string,
    tls: ClientTls,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Standing>;
  /** Has the upstream say something on every stream that is open. */
  speak(): void;
  /** Complete reloads so far, for one reason. */
  reloads(reason: 'files' | 'signal'): number;
  failedReloads(): number;
  stop(): Promise<void>;
}

const keyNames = ['standing', 'rotated', 'revoked', 'denied'] as const;

/** 250 ms: what this process pauses between two writes on purpose must be shorter on a busy machine too. */
export const settleMs = 250;

const notice = event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });

export const newSigningKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;

/** Lets everybody call, but whoever `denied` names. The last line is a list: half of it is no YAML. */
export const policyAgainst = (denied: readonly string[]): string => `
version: 1
roles:
  caller:
    allow:
      - tools: [echo]
      - methods: ["**"]
  barred:
    deny:
      - tools: [echo]
bindings:
  - roles: [caller]
    to: { any: true }
  - roles: [barred]
    to:
      - certificate: { uri: [${['spiffe://test.local/nobody', ...denied.map((name) => `spiffe://test.local/${name}`)].join(', ')}] }
`;

export async function setRotationStage(): Promise<RotationStage> {
  const authorities = {
    standing: await makeTestCa({ name: 'standing' }),
    added: await makeTestCa({ name: 'added' }),
    dropped: await makeTestCa({ name: 'dropped' }),
  };
  const signers = {
    before: await makeIssuer('before'),
    after: await makeIssuer('after'),
    unknown: await makeIssuer('unknown'),
  };
  const apiKeys = Object.fromEntries(
    keyNames.map((name) => [name, createApiKey(name)]),
  ) as RotationStage['apiKeys'];
  const recorder = await startRecorder();
  const spoken = Promise.withResolvers<string>();
  recorder.on('GET', { kind: 'sse', chunks: [notice, spoken.promise], open: true });
  const keyServer = await startKeyServer();
  keyServer.publish(signers.before);

  const serverCa = await makeTestCa({ name: 'servers' });
  const newServerCertificate = (): Promise<IssuedCertificate> =>
    serverCa.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth'] });
  const clients = (mode: string) => ({ ca: 'certs/clients.crt', crl: 'certs/clients.crl', mode });
  const hosts = ['127.0.0.1'];
  const folder = await prepareGateway({
    ca: serverCa,
    upstreams: { w: recorder.url },
    policy: policyAgainst([]),
    http: { assertion: { audience: 'recorder' } },
    files: {
      'certs/clients.crt': authorities.standing.caPem + authorities.dropped.caPem,
      'certs/clients.crl': (await authorities.standing.crl()) + (await authorities.dropped.crl()),
      'keys.yaml': `# keys\nkeys:\n${Object.values(apiKeys)
        .map(({ entry }) => `  - { name: ${entry.name}, prefix: ${entry.prefix}, hash: "${entry.hash}" }\n`)
        .join('')}`,
      'revoked.yaml': 'apiKeys: []\n',
      'secrets/assertion.pem': newSigningKey(),
    },
    config: {
      listeners: [
        {
          bind: '127.0.0.1:0',
          hosts,
          tls: { certificate: 'served/tls.crt', key: 'served/tls.key', clients: clients('require') },
        },
        {
          bind: '127.0.0.1:0',
          hosts,
          tls: { certificate: 'certs/server.crt', key: 'certs/server.key', clients: clients('request') },
        },
      ],
      identity: [
        { certificate: {} },
        { token: { issuer: keyServer.url, audience, jwks: keyServer.url, cooldown: '100ms' } },
        { apiKeys: { file: 'keys.yaml' } },
      ],
      outbound: { private: ['127.0.0.0/8'] },
      revocations: { file: 'revoked.yaml' },
      assertions: { issuer: 'https://gateway.example', keys: ['secrets/assertion.pem'] },
      // A look at any moment, such as in the middle of a write, must do no harm.
      reload: { settle: `${settleMs}ms`, poll: '200ms' },
      log: { level: 'info' },
    },
  });

  let generation = 0;
  const publish = (mount: string, files: Readonly<Record<string, string>>): void => {
    const at = join(folder.folder, mount);
    const first = !existsSync(join(at, '..data'));
    generation += 1;
    mkdirSync(join(at, `..v${generation}`), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(at, `..v${generation}`, name), text, { mode: 0o600 });
      if (first) symlinkSync(`..data/${name}`, join(at, name));
    }
    symlinkSync(`..v${generation}`, join(at, '..data_tmp'));
    const before = first ? undefined : readlinkSync(join(at, '..data'));
    renameSync(join(at, '..data_tmp'), join(at, '..data'));
    if (before !== undefined) rmSync(join(at, before), { recursive: true });
  };
  const first = await newServerCertificate();
  publish('served', { 'tls.crt': first.certPem, 'tls.key': first.keyPem });
  const gateway = await startGatewayProcess(folder.file, 60_000);
  const origins = gateway.log().find(({ event: what }) => what === 'serving')!['listeners'] as string[];

  const certificates = new Map<string, Promise<IssuedCertificate>>();
  const complete = (reason?: string) =>
    gateway
      .log()
      .filter((line) => line['event'] === 'reloaded' && (reason === undefined || line['reason'] === reason));
  const now = Math.floor(Date.now() / 1000);

  return {
    folder,
    gateway,
    recorder,
    keyServer,
    required: `${origins[0]}/w/mcp`,
    requested: `${origins[1]}/w/mcp`,
    authorities,
    signers,
    apiKeys,
    certificate(name, authority) {
      const known = certificates.get(name);
      if (known !== undefined) return known;
      const issued = authorities[authority].issue({ uris: [`spiffe://test.local/${name}`] });
      certificates.set(name, issued);
      return issued;
    },
    as: (certificate) => ({
      ca: serverCa.caPem,
      ...(certificate === undefined ? {} : { cert: certificate.certPem, key: certificate.keyPem }),
    }),
    token: (subject, signer) =>
      signers[signer].sign({ iss: keyServer.url, sub: subject, iat: now - 60, exp: now + 3600 }),
    newServerCertificate,
    replace(path, text) {
      const place = join(folder.folder, path);
      const beside = join(dirname(place), `.${basename(place)}.new`);
      writeFileSync(beside, text, { mode: 0o600 });
      renameSync(beside, place);
    },
    read: (path) => readFileSync(join(folder.folder, path), 'utf8'),
    publish,
    async open(caller, url, tls, headers = {}) {
      const stream = await openStream('GET', url, { tls, headers });
      let events = 0;
      let open = true;
      const follow = async (): Promise<void> => {
        try {
          for (let next = await stream.next(); next !== undefined; next = await stream.next()) events += 1;
        } catch {
          // Cut, which is an end like others.
        }
        open = false;
      };
      return { caller, isOpen: () => open, ended: follow(), events: () => events, abort: stream.abort };
    },
    speak: () => spoken.resolve(notice),
    reloads: (reason) => complete(reason).filter(({ failing }) => (failing as unknown[]).length === 0).length,
    failedReloads: () => complete().filter(({ failing }) => (failing as unknown[]).length > 0).length,
    async stop() {
      await gateway.kill();
      folder.remove();
      await recorder.close();
      await keyServer.close();
    },
  };
}

async function startKeyServer(): Promise<KeyServer> {
  let keys: readonly unknown[] = [];
  let asked = 0;
  let held: Set<() => void> | undefined;
  const server = createServer((_request, response) => {
    asked += 1;
    const text = JSON.stringify({ keys });
    const answer = (): void => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    };
    if (held === undefined) setTimeout(answer, 40);
    else hold(held, response, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    asked: () => asked,
    publish(...issuers) {
      keys = issuers.flatMap(({ jwks }) => (JSON.parse(jwks) as { keys: unknown[] }).keys);
    },
    hold() {
      const waiting = new Set<() => void>();
      held = waiting;
      return {
        waiting: () => waiting.size,
        release() {
          held = undefined;
          for (const answer of waiting) answer();
        },
      };
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function hold(waiting: Set<() => void>, response: ServerResponse, answer: () => void): void {
  waiting.add(answer);
  response.once('close', () => waiting.delete(answer));
}
