import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { Server } from 'node:net';
import type { ListenerOptions } from './options.ts';
import { maximumHeaders } from './request-headers.ts';
import type { TlsMaterial } from './tls.ts';

/** Node's server with every bound of its own set on purpose. */
export function createNodeServer(options: ListenerOptions, material: TlsMaterial | undefined): Server {
  const { limits } = options;
  const http1 = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersTimeout,
    // Only a backstop: bodies have their own clock, which also runs on HTTP/2 and can still answer.
    requestTimeout: limits.headersTimeout + limits.bodyTimeout * 2 + 5000,
    connectionsCheckingInterval: Math.min(1000, Math.max(20, Math.floor(limits.headersTimeout / 4))),
    keepAliveTimeout: limits.idleTimeout,
    // The guard asks for exactly one Host on both versions; Node's own answer would leave no record.
    requireHostHeader: false,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
    noDelay: true,
  };
  let server: Server & { maxHeadersCount?: number | null };
  if (material === undefined) {
    server = createServer(http1) as unknown as Server;
  } else {
    const mode = options.tls?.clients?.mode ?? 'none';
    server = createSecureServer({
      ...http1,
      ...material.context,
      allowHTTP1: true,
      requestCert: mode !== 'none',
      rejectUnauthorized: mode === 'require',
      handshakeTimeout: limits.headersTimeout,
      settings: {
        enablePush: false,
        maxConcurrentStreams: limits.http2Streams,
        maxHeaderListSize: limits.headerBytes,
      },
      // One more than is allowed, so that it is the guard that answers; beyond, Node resets the stream.
      maxHeaderListPairs: maximumHeaders + 1,
      // 64 MB of unsent answers and unread bodies of one connection; above it new streams are refused.
      maxSessionMemory: 64,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      // Rapid reset (CVE-2023-44487): cancelling 200 at once is honest in no MCP client.
      streamResetBurst: 200,
      streamResetRate: 20,
      unknownProtocolTimeout: 1000,
    } as Parameters<typeof createSecureServer>[0]) as unknown as Server;
  }
  // No count of Node's own: it drops what is beyond in silence, and the guard would not see it.
  server.maxHeadersCount = 0;
  return server;
}
