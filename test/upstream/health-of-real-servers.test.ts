import { randomUUID } from 'node:crypto';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startEverything } from '../../scripts/everything.ts';
import { startEverythingFixture } from '../support/everything-fixture.ts';
import { startRecorder } from '../support/recorder.ts';
import { httpServer, until, upstreamAt } from './harness.ts';

const health = { interval: '100ms', timeout: '5s' };

const servers = [
  ['the official server-everything, which wants a session', () => startEverything(0)],
  ['the official second generation, both eras', () => startEverythingFixture()],
] as const;

describe('a health check of', () => {
  for (const [name, start] of servers) {
    it(`${name} is answered, again and again`, async () => {
      const server = await start();
      onTestFinished(() => server.close());
      const upstream = upstreamAt(server.url, { health });
      await until(() => upstream.standing().endpoints[0]!.counts.checksOk >= 3);
      expect(upstream.standing().endpoints[0]!.counts.checksFailed).toBe(0);
    });
  }

  it('a server of the first generation without sessions is answered, and complains once of what it does not know', async () => {
    const complaints: string[] = [];
    let open = 0;
    const { url } = await httpServer(async (request, response) => {
      // As its documentation has it: all anew for each request.
      const server = new McpServer({ name: 'stateless', version: '1' });
      const transport = new StreamableHTTPServerTransport({});
      server.server.onerror = (error) => complaints.push(error.message);
      open += 1;
      response.on('close', () => {
        open -= 1;
        void transport.close();
        void server.close();
      });
      await server.connect(transport as Transport);
      await transport.handleRequest(request, response);
    });
    const upstream = upstreamAt(url, { health });
    const { counts } = upstream.standing().endpoints[0]!;
    await until(() => counts.checksOk + counts.checksFailed >= 5);
    await upstream.close();
    await until(() => open === 0);
    // It was asked for its revision by a question of the newest one, once.
    expect(counts.checksFailed).toBe(0);
    expect(complaints.map((text) => /Unsupported protocol version/.test(text))).toEqual([true]);
  });

  it('a server of the first generation that has one session to give leaves it to clients', async () => {
    const server = new McpServer({ name: 'stateful', version: '1' });
    let sessions = 0;
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => {
        sessions += 1;
        return randomUUID();
      },
    });
    await server.connect(transport as Transport);
    onTestFinished(() => server.close());
    const { url } = await httpServer((request, response) => void transport.handleRequest(request, response));
    const upstream = upstreamAt(url, { health });
    const { counts } = upstream.standing().endpoints[0]!;
    await until(() => counts.checksOk + counts.checksFailed >= 3);
    const begin = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'client', version: '1' },
      },
    };
    const answer = await upstream.send({
      verb: 'POST',
      body: Buffer.from(JSON.stringify(begin)),
      headers: [],
      longLived: false,
      signal: new AbortController().signal,
    });
    expect((answer as { sessionId?: string }).sessionId).toMatch(/^[0-9a-f-]{36}$/);
    // And goes on while that client has it.
    await until(() => counts.checksOk + counts.checksFailed >= 6);
    expect([sessions, counts.checksFailed]).toEqual([1, 0]);
  });

  it('any server begins no session, opens no stream and calls nothing', async () => {
    const server = await startRecorder();
    onTestFinished(() => server.close());
    const upstream = upstreamAt(server.url, { health, credential: { scheme: 'Bearer', value: 'static' } });
    const { counts } = upstream.standing().endpoints[0]!;
    await until(() => counts.checksOk + counts.checksFailed >= 3);
    expect(new Set(server.requests.map(({ verb }) => verb))).toEqual(new Set(['POST']));
    for (const { method } of server.messages) expect(['server/discover', 'ping']).toContain(method);
    for (const { headers } of server.requests) expect(headers['authorization']).toBe('Bearer static');
  });
});
