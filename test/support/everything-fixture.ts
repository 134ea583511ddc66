/**
 * The server behind the gateway in the conformance run: the official v2 SDK, both protocol eras on one endpoint.
 *
 * As a process: `node test/support/everything-fixture.ts --port 0` prints its URL on the first line.
 */

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import {
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  type EventStore,
  isLegacyRequest,
  type JSONRPCMessage,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { createEverythingServer } from './everything-server.ts';

export interface EverythingFixture {
  /** `http://127.0.0.1:<port>/mcp` */
  readonly url: string;
  close(): Promise<void>;
}

interface Session {
  readonly server: McpServer;
  readonly transport: WebStandardStreamableHTTPServerTransport;
}

// A run opens a few dozen sessions; the oldest goes first so that a client that never says goodbye costs nothing.
const maxSessions = 512;
// Enough for every stream of one run; older events can no longer be asked for.
const maxStoredEvents = 4096;

/** Starts the fixture on a loopback address. Port 0 takes a free one. */
export async function startEverythingFixture(
  options: { readonly port?: number } = {},
): Promise<EverythingFixture> {
  const modern = createMcpHandler(() => createEverythingServer(notices), { legacy: 'reject' });
  const sessions = new Map<string, Session>();
  const notices = {
    toolsChanged: () => {
      modern.notify.toolsChanged();
      for (const session of sessions.values()) session.server.sendToolListChanged();
    },
    promptsChanged: () => {
      modern.notify.promptsChanged();
      for (const session of sessions.values()) session.server.sendPromptListChanged();
    },
  };

  const openSession = async (): Promise<WebStandardStreamableHTTPServerTransport> => {
    const server = createEverythingServer(notices);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        const oldest = sessions.size < maxSessions ? undefined : sessions.keys().next().value;
        if (oldest !== undefined) void sessions.get(oldest)?.transport.close();
        sessions.set(id, { server, transport });
      },
      eventStore: createEventStore(),
      retryInterval: 100,
    });
    transport.onclose = () => {
      if (transport.sessionId !== undefined) sessions.delete(transport.sessionId);
    };
    await server.connect(transport);
    return transport;
  };

  const serveLegacy = async (request: Request): Promise<Response> => {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return (await openSession()).handleRequest(request);
    const session = sessions.get(id);
    if (session === undefined) {
      const error = { code: -32001, message: 'Session not found' };
      return Response.json({ jsonrpc: '2.0', error }, { status: 404 });
    }
    return session.transport.handleRequest(request);
  };

  const handle = toNodeHandler({
    fetch: async (request) =>
      (await isLegacyRequest(request)) ? serveLegacy(request) : modern.fetch(request),
  });
  const hostAllowed = localhostHostValidation();
  const originAllowed = localhostOriginValidation();
  const http = createServer((req, res) => {
    if (!hostAllowed(req, res) || !originAllowed(req, res)) return;
    if (new URL(req.url ?? '/', 'http://fixture').pathname === '/mcp')
      void handle(req as Parameters<typeof handle>[0], res);
    else res.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject);
    http.listen(options.port ?? 0, '127.0.0.1', resolve);
  });

  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    close: async () => {
      await modern.close();
      await Promise.all([...sessions.values()].map((session) => session.server.close()));
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
}

/** Keeps the last events of one session, so that a client may resume a dropped stream. */
function createEventStore(): EventStore {
  const events = new Map<string, { streamId: string; message: JSONRPCMessage }>();
  return {
    storeEvent: async (streamId, message) => {
      const oldest = events.size < maxStoredEvents ? undefined : events.keys().next().value;
      if (oldest !== undefined) events.delete(oldest);
      const id = randomUUID();
      events.set(id, { streamId, message });
      return id;
    },
    replayEventsAfter: async (lastEventId, { send }) => {
      const streamId = events.get(lastEventId)?.streamId;
      if (streamId === undefined) throw new Error('The event is not known');
      let passed = false;
      for (const [id, event] of events) {
        // A priming event is stored without a message: it has nothing to replay.
        if (passed && event.streamId === streamId && 'jsonrpc' in event.message)
          await send(id, event.message);
        passed ||= id === lastEventId;
      }
      return streamId;
    },
  };
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
  const fixture = await startEverythingFixture({ port: Number(values.port) });
  console.log(fixture.url);
  const stop = () => void fixture.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}
