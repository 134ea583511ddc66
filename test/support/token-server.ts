/** A token endpoint that keeps what it sees, byte for byte, and answers as told. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TokenRequest {
  readonly verb: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it came. */
  readonly body: string;
  /** Names and values in the order in which they came. */
  readonly form: readonly (readonly [name: string, value: string])[];
  value(name: string): string | undefined;
}

export type TokenAnswer =
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body: unknown }
  /** Never answers. */
  | 'hang'
  /** Closes the connection. */
  | 'drop';

export type TokenScript = (request: TokenRequest, number: number) => TokenAnswer | Promise<TokenAnswer>;

export interface TokenServer {
  readonly origin: string;
  /** `<origin>/token`. */
  readonly url: string;
  readonly requests: readonly TokenRequest[];
  /** Requests at the token endpoint alone. */
  asked(): number;
  answer(script: TokenScript): void;
  close(): Promise<void>;
}

/** What a token endpoint says if it gives a token. */
export function granted(token: string, more: Readonly<Record<string, unknown>> = {}): TokenAnswer {
  return { body: { access_token: token, token_type: 'Bearer', expires_in: 300, ...more } };
}

export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';

/** As `granted`, for an exchange. */
export function exchanged(token: string, more: Readonly<Record<string, unknown>> = {}): TokenAnswer {
  return granted(token, { issued_token_type: accessTokenType, ...more });
}

export async function startTokenServer(): Promise<TokenServer> {
  const requests: TokenRequest[] = [];
  let asked = 0;
  let script: TokenScript = (_, number) => granted(`minted-${number}`);
  const server = createServer((req, res) => {
    handle(req, res).catch(() => res.destroy());
  });

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString('utf8');
    const form = [...new URLSearchParams(body)];
    const request: TokenRequest = {
      verb: req.method ?? '',
      path: req.url ?? '',
      headers: req.headers as Record<string, string>,
      body,
      form,
      value: (name) => form.find(([key]) => key === name)?.[1],
    };
    requests.push(request);
    if (request.path === '/token') asked += 1;
    const answer = await script(request, asked);
    if (answer === 'hang') return;
    if (answer === 'drop') {
      res.destroy();
      return;
    }
    const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
    res.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    res.end(text);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    url: `${origin}/token`,
    requests,
    asked: () => asked,
    answer(next) {
      script = next;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
