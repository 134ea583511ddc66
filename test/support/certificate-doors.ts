import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions, SecureVersion } from 'node:tls';
import { makeTestCa } from './certificates.ts';
import { startTestGateway, type TestGateway } from './gateway.ts';
import { modern } from './mcp-messages.ts';
import type { Party } from './odd-certificates.ts';
import { post, sendHttp2 } from './raw-client.ts';
import { startRecorder } from './recorder.ts';

/** A way to trust client certificates: PEM of CAs, and of lists if any are given. */
export interface Door {
  readonly ca: string;
  readonly crl?: string;
}

export interface Doors {
  /**
   * Knocks with a chain, leaf first: over TLS 1.3 and 1.2, with HTTP/1.1 and h2, at a listener that requires certificates
   * and at one that requests them.
   *
   * @returns what became of it, one line for each different outcome: the principal, or the status and the reason
   */
  knock(door: string, chain: readonly Pick<Party, 'pem' | 'keyPem'>[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

/** Each mode with each version, each mode with each HTTP, and each version with each HTTP. */
const ways: readonly (readonly [mode: string, version: SecureVersion, http: 'h1' | 'h2'])[] = [
  ['require', 'TLSv1.3', 'h1'],
  ['require', 'TLSv1.2', 'h2'],
  ['request', 'TLSv1.3', 'h2'],
  ['request', 'TLSv1.2', 'h1'],
];

/** One gateway with two listeners for each door. */
export async function openDoors(
  doors: Readonly<Record<string, Door>>,
  trust: readonly { readonly domain: string; readonly ca: string }[],
): Promise<Doors> {
  const ca = await makeTestCa({ name: 'servers' });
  const recorder = await startRecorder();
  const files: Record<string, string> = {};
  const listeners: unknown[] = [];
  const places = new Map<string, number>();
  for (const [name, { ca: roots, crl }] of Object.entries(doors)) {
    files[`doors/${name}.crt`] = roots;
    if (crl !== undefined) files[`doors/${name}.crl`] = crl;
    for (const mode of ['require', 'request']) {
      places.set(`${name} ${mode}`, listeners.length);
      const lists = crl === undefined ? {} : { crl: `doors/${name}.crl` };
      const clients = { ca: `doors/${name}.crt`, mode, ...lists };
      const tls = { certificate: 'certs/server.crt', key: 'certs/server.key', minVersion: '1.2', clients };
      listeners.push({ bind: '127.0.0.1:0', hosts: ['127.0.0.1'], tls });
    }
  }
  trust.forEach(({ ca: pem }, index) => {
    files[`trust/${index}.crt`] = pem;
  });
  const bound = trust.map(({ domain }, index) => ({ domain, ca: `trust/${index}.crt` }));
  const principal = ['spiffe', 'dns', 'uri', 'cn'];
  const gate = await startTestGateway({
    ca,
    upstreams: { warehouse: recorder.url },
    files,
    config: {
      listeners,
      identity: [{ certificate: { principal, ...(bound.length > 0 && { trust: bound }) } }],
    },
  });
  const records = tail(gate);
  return {
    async knock(door, chain) {
      const outcomes = new Set<string>();
      for (const [mode, version, http] of ways) {
        const { url } = gate.gateway.listeners[places.get(`${door} ${mode}`)!]!;
        const tls: ConnectionOptions = {
          ca: ca.caPem,
          cert: chain.map(({ pem }) => pem).join(''),
          key: chain[0]!.keyPem,
          minVersion: version,
          maxVersion: version,
          // A client that does not look at what it sends: weak keys and digests too.
          ciphers: 'DEFAULT@SECLEVEL=0',
        };
        const status = await ask(`${url}/warehouse/mcp`, http, tls);
        outcomes.add(describe(mode, status, await records.next()));
      }
      return [...outcomes];
    },
    async close() {
      await gate.close();
      await recorder.close();
    },
  };
}

async function ask(url: string, http: 'h1' | 'h2', tls: ConnectionOptions): Promise<number | undefined> {
  const { headers, body } = modern('tools/list');
  try {
    const { status } = await (http === 'h2'
      ? sendHttp2('POST', url, { tls, headers, body })
      : post(url, body, { tls, headers }));
    return Number.isNaN(status) ? undefined : status;
  } catch {
    return undefined;
  }
}

interface AuditRecord {
  readonly who?: { readonly id?: string };
  readonly cause?: string;
}

function describe(mode: string, status: number | undefined, { who, cause }: AuditRecord): string {
  if (who?.id !== undefined) return status === 200 ? who.id : `${who.id} ${status}`;
  const [, thrower, reason] = /^(?:.* < )?(\w+)\(([\w-]+)\)$/.exec(cause ?? '') ?? [];
  const answer = status ?? 'closed';
  // The handshake fails where a certificate is required; where one is requested, the request gets the refusal.
  const expected =
    thrower === 'CertificateRefused' && mode === 'require' && /^[A-Z]/.test(reason!) ? 'closed' : 401;
  return answer === expected ? `${reason}` : `${mode}: ${answer} ${cause}`;
}

/** Reads the audit line by line as it grows. */
function tail(gate: TestGateway): { next(): Promise<AuditRecord> } {
  const file = join(gate.folder, 'audit.jsonl');
  let seen = 0;
  return {
    async next() {
      const deadline = Date.now() + 5000;
      for (;;) {
        const text = readFileSync(file, 'utf8');
        const end = text.indexOf('\n', seen);
        if (end !== -1) {
          const line = text.slice(seen, end);
          seen = end + 1;
          return JSON.parse(line) as AuditRecord;
        }
        if (Date.now() > deadline) throw new Error('No record of what happened at the door');
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}
