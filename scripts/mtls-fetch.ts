import { readFileSync } from 'node:fs';
import { Agent, fetch } from 'undici';

/** What one caller shows at the TLS handshake. Without certificate and key it shows nothing. */
export interface CallerFiles {
  readonly ca: string;
  readonly certificate?: string;
  readonly key?: string;
}

export interface MtlsFetch {
  /** A `fetch` for the official clients. */
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/** A `fetch` that trusts one CA only and shows one client certificate. */
export function createMtlsFetch(files: CallerFiles): MtlsFetch {
  const agent = new Agent({
    connect: {
      ca: readFileSync(files.ca),
      ...(files.certificate === undefined ? {} : { cert: readFileSync(files.certificate) }),
      ...(files.key === undefined ? {} : { key: readFileSync(files.key) }),
    },
  });
  const fetchWithAgent = (input: string | URL, init: RequestInit = {}) =>
    fetch(input, { ...(init as object), dispatcher: agent });
  return {
    fetch: fetchWithAgent as unknown as typeof globalThis.fetch,
    close: () => agent.destroy(),
  };
}
