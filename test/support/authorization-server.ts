/** A real authorization server on loopback, and the person at the browser in front of it. */

import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { errors } from 'oidc-provider';

export interface AuthorizationServer {
  readonly issuer: string;
  /** Every request, as `VERB /path`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export interface AuthorizationServerOptions {
  /** Resource -> format of its access tokens. Tokens for others are not given. */
  readonly resources: Readonly<Record<string, 'jwt' | 'opaque'>>;
  /** Scopes of every resource. */
  readonly scopes: readonly string[];
  /** Registered beforehand. Others register by themselves. */
  readonly clients?: readonly Readonly<Record<string, unknown>>[];
}

/** Starts it, with PKCE, resource indicators (RFC 8707), dynamic registration and introspection. */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const requests: string[] = [];
  let handle: ReturnType<Provider['callback']> | undefined;
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    void withoutScope(request).then(() => handle!(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: 'as-1', alg: 'ES256', use: 'sig' };
  const provider = new Provider(issuer, {
    clients: options.clients ?? [],
    jwks: { keys: [jwk] },
    cookies: { keys: ['a key for cookies'] },
    scopes: ['openid', 'offline_access', ...options.scopes],
    pkce: { required: () => true },
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    // Said outright, because the defaults are announced on the console.
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 600,
      IdToken: 600,
      Interaction: 600,
      Session: 600,
    },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    features: {
      devInteractions: { enabled: true },
      registration: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context: unknown, resource: string) => {
          const format = options.resources[resource];
          if (format === undefined) throw new errors.InvalidTarget();
          return {
            scope: options.scopes.join(' '),
            audience: resource,
            accessTokenFormat: format,
            accessTokenTTL: 600,
            ...(format === 'jwt' ? { jwt: { sign: { alg: 'ES256' } } } : {}),
          };
        },
      },
    },
  });
  handle = provider.callback();
  return {
    issuer,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * A client that registers says which scope it begins with, and this server would hold it to that for ever. Most do not.
 */
async function withoutScope(request: IncomingMessage): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/reg') return;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { scope: _scope, ...registration } = JSON.parse(Buffer.concat(chunks).toString()) as {
    scope?: string;
  };
  (request as { body?: unknown }).body = registration;
}

/** Goes through the code flow by hand, and gives back the token. For tokens that no honest client would ask for. */
export async function accessTokenFor(
  server: AuthorizationServer,
  browser: Browser,
  wanted: {
    readonly clientId: string;
    readonly redirectUrl: string;
    readonly resource: string;
    readonly scope: string;
  },
): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const start = new URL(`${server.issuer}/auth`);
  start.search = new URLSearchParams({
    client_id: wanted.clientId,
    redirect_uri: wanted.redirectUrl,
    response_type: 'code',
    resource: wanted.resource,
    scope: wanted.scope,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const answer = await browser.authorize(start, wanted.redirectUrl);
  const response = await fetch(`${server.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: wanted.clientId,
      redirect_uri: wanted.redirectUrl,
      code: answer.get('code') ?? '',
      code_verifier: verifier,
      resource: wanted.resource,
    }),
  });
  const tokens = (await response.json()) as { access_token?: string };
  if (tokens.access_token === undefined) throw new Error(`No token: ${JSON.stringify(tokens)}`);
  return tokens.access_token;
}

/** A person who logs in as `name` and agrees to everything. Keeps cookies, so that it logs in once. */
export class Browser {
  readonly #cookies = new Map<string, string>();
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** Follows an authorization URL until it leads back to the client. @returns the parameters that the client is given */
  async authorize(start: URL, redirectUrl: string): Promise<URLSearchParams> {
    let next: { readonly url: URL; readonly form?: Readonly<Record<string, string>> } = { url: start };
    for (let steps = 0; steps < 20; steps += 1) {
      const response = await this.#fetch(next.url, next.form);
      const location = response.headers.get('location');
      if (location !== null) {
        const url = new URL(location, next.url);
        if (url.href.startsWith(redirectUrl)) return url.searchParams;
        next = { url };
        continue;
      }
      const page = await response.text();
      const action = /<form[^>]* action="([^"]+)"/.exec(page)?.[1];
      const prompt = /name="prompt" value="(login|consent)"/.exec(page)?.[1];
      if (action === undefined || prompt === undefined)
        throw new Error(`No way on from ${next.url}: ${page}`);
      next = {
        url: new URL(action, next.url),
        form: prompt === 'login' ? { prompt, login: this.#name, password: 'x' } : { prompt },
      };
    }
    throw new Error('The authorization server leads in circles');
  }

  async #fetch(url: URL, form: Readonly<Record<string, string>> | undefined): Promise<Response> {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';');
      const mark = pair.indexOf('=');
      if (pair.slice(mark + 1) === '') this.#cookies.delete(pair.slice(0, mark));
      else this.#cookies.set(pair.slice(0, mark), pair.slice(mark + 1));
    }
    return response;
  }
}
