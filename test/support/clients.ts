import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { Agent, fetch as undiciFetch } from 'undici';
import type { ClientTls } from './gateway.ts';

export interface FetchWithTls {
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/** A `fetch` with connections of its own that shows one client certificate. */
export function fetchWith(tls: ClientTls | undefined): FetchWithTls {
  const agent = new Agent({ connect: { ...tls }, bodyTimeout: 0 });
  const withAgent = (input: string | URL, init: RequestInit = {}) =>
    undiciFetch(input, { ...(init as object), dispatcher: agent });
  return { fetch: withAgent as unknown as typeof globalThis.fetch, close: () => agent.destroy() };
}

export interface Connected<T> {
  readonly client: T;
  close(): Promise<void>;
}

/** The official client of the second generation. `modern` speaks 2026-07-28, `legacy` opens a session. */
export async function connectClient(
  url: string,
  tls: ClientTls | undefined,
  era: 'modern' | 'legacy',
  prepare: (client: Client) => void = () => undefined,
  capabilities: Record<string, unknown> = { elicitation: {}, sampling: {}, roots: {} },
): Promise<Connected<Client>> {
  const withTls = fetchWith(tls);
  const client = new Client(
    { name: 'test-client', version: '1.0.0' },
    { capabilities, versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } },
  );
  prepare(client);
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: withTls.fetch }));
  return {
    client,
    async close() {
      await client.close();
      await withTls.close();
    },
  };
}

/** The official client of the first generation. */
export async function connectClient1(
  url: string,
  tls: ClientTls | undefined,
  prepare: (client: Client1) => void = () => undefined,
): Promise<Connected<Client1>> {
  const withTls = fetchWith(tls);
  const client = new Client1(
    { name: 'test-client-1', version: '1.0.0' },
    { capabilities: { elicitation: {}, sampling: {}, roots: {} } },
  );
  prepare(client);
  const transport = new Transport1(new URL(url), { fetch: withTls.fetch });
  await client.connect(transport as unknown as Transport);
  return {
    client,
    async close() {
      await client.close();
      await withTls.close();
    },
  };
}
