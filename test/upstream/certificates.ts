import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { makeTestCa } from '../support/certificates.ts';
import { listen, pong } from './harness.ts';

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Pair {
  issue(cn: string, san: readonly string[]): Promise<Pair>;
}

export async function authority(name: string): Promise<Authority> {
  const ca = await makeTestCa({ name });
  return {
    certificate: ca.caPem,
    key: ca.caKey,
    async issue(cn, san) {
      const { certPem, keyPem } = await ca.issue({ cn, san, eku: ['serverAuth', 'clientAuth'] });
      return { certificate: certPem, key: keyPem };
    },
  };
}

/** A folder that is removed when the test ends; `write` gives the path of the file. */
export function folder(): { write(name: string, text: string): string; path(name: string): string } {
  const root = mkdtempSync(join(tmpdir(), 'sallyport-upstream-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  return {
    write(name, text) {
      writeFileSync(join(root, name), text);
      return join(root, name);
    },
    path: (name) => join(root, name),
  };
}

/** An HTTPS server that answers `pong` and writes down the names in the client certificates. */
export async function httpsServer(options: ServerOptions) {
  const clients: (string | undefined)[] = [];
  const server = createServer(options, (request, response) => {
    const peer = (request.socket as TLSSocket).getPeerCertificate();
    clients.push(peer?.subject?.CN as string | undefined);
    response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
  });
  server.on('tlsClientError', () => {});
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { port, clients };
}

export const loopback = ['127.0.0.1', 'mcp.internal'];
