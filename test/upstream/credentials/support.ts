import type { IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { createDialer } from '../../../src/dialer/create-dialer.ts';
import { outboundOptions } from '../../../src/dialer/options.ts';
import { BearerToken } from '../../../src/identity/bearer-token.ts';
import type { Principal } from '../../../src/identity/principal.ts';
import type { UpstreamCaller } from '../../../src/pipeline/upstream-port.ts';
import type { HttpUpstream, HttpUpstreamDeps } from '../../../src/upstream/http.ts';
import { startTokenServer, type TokenServer } from '../../support/token-server.ts';
import { folder } from '../certificates.ts';
import { httpServer, pong, upstreamAt } from '../harness.ts';

export interface Setup {
  readonly tokens: TokenServer;
  /** What the upstream saw, oldest first. */
  readonly seen: IncomingMessage[];
  readonly files: ReturnType<typeof folder>;
  /** Path of a file with the client secret `s3cret:/+`. */
  readonly secret: string;
  readonly deps: HttpUpstreamDeps;
  readonly url: string;
  /** An upstream with this credential, beside what every client has. */
  upstream(kind: 'clientCredentials' | 'tokenExchange', options?: object, http?: object): HttpUpstream;
  /** The status with which the upstream answers from now on. */
  status(code: number): void;
}

/** A token endpoint, an upstream that writes down what it gets, and a dialer that may reach this machine. */
export async function setup(): Promise<Setup> {
  const tokens = await startTokenServer();
  onTestFinished(() => tokens.close());
  const dialer = createDialer(outboundOptions.parse({ private: ['127.0.0.0/8'], maxBytes: '64KiB' }));
  onTestFinished(() => dialer.close());
  const files = folder();
  const secret = files.write('secret', 's3cret:/+\n');
  const seen: IncomingMessage[] = [];
  let status = 200;
  const { url } = await httpServer((request, response) => {
    seen.push(request);
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json' }).end(status === 200 ? pong : '{}');
  });
  const deps = { dial: dialer.dial };
  const client = { tokenEndpoint: tokens.url, clientId: 'gateway', secret };
  return {
    tokens,
    seen,
    files,
    secret,
    deps,
    url,
    upstream: (kind, options = {}, http = {}) =>
      upstreamAt(
        url,
        {
          credential: {
            [kind]: { ...client, ...(kind === 'tokenExchange' && { scope: ['read'] }), ...options },
          },
          ...http,
        },
        deps,
      ),
    status(code) {
      status = code;
    },
  };
}

/** A caller with a token. */
export function caller(changes: Partial<UpstreamCaller> & { readonly token?: string } = {}): UpstreamCaller {
  const { token, ...rest } = changes;
  return {
    principal: principalOf('alice'),
    bearer: new BearerToken(token ?? 'subject-token-of-alice'),
    method: 'tools/call',
    target: 'echo',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    ...rest,
  };
}

export function principalOf(name: string, changes: Partial<Principal> = {}): Principal {
  const expiresAt = Date.now() + 3_600_000;
  return {
    id: `token:https://idp.example#${name}`,
    credentials: [
      {
        kind: 'token',
        issuer: 'https://idp.example',
        subject: name,
        scopes: ['read'],
        claims: { groups: ['staff', 'ops'], roles: ['reader'], secret: 'not asked for' },
        tokenId: 'jti-1',
        clientId: 'desktop',
        bound: undefined,
        expiresAt,
      },
    ],
    expiresAt,
    ...changes,
  };
}
