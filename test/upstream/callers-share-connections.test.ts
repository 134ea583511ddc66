import { describe, expect, it, onTestFinished } from 'vitest';
import type { Principal } from '../../src/identity/principal.ts';
import type { UpstreamMessage } from '../../src/pipeline/upstream-port.ts';
import { closedPort, failureOf, httpServer, message, pong, until, upstreamAt } from './harness.ts';

/** A server where some calls hang. */
async function startServer() {
  const server = { url: '', connections: 0, most: 0, hanging: 0 };
  const { url, server: listening } = await httpServer((request, response) => {
    request.on('data', (bytes: Buffer) => {
      if (bytes.toString() === 'hang') server.hanging += 1;
      else response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
    });
  });
  listening.on('connection', (socket) => {
    server.connections += 1;
    server.most = Math.max(server.most, server.connections);
    socket.on('close', () => {
      server.connections -= 1;
    });
  });
  return Object.assign(server, { url });
}

function asks(id: string | undefined, text: string, signal?: AbortSignal): UpstreamMessage {
  const caller = { bearer: undefined, method: 'tools/call', target: undefined, traceId: '' };
  return message({
    body: Buffer.from(text),
    ...(id === undefined ? {} : { caller: { ...caller, principal: { id } as Principal } }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** 16 connections, two of which are spare; 64 places. */
const limits = { connections: 16, queued: 48 };

describe('one caller whose calls hang', () => {
  it('does not keep others from a server', async () => {
    const server = await startServer();
    const upstream = upstreamAt(server.url, { limits });
    const leaving = new AbortController();
    onTestFinished(() => leaving.abort());
    const codes: string[] = [];
    for (let call = 0; call < 100; call += 1) {
      upstream.send(asks('greedy', 'hang', leaving.signal)).catch((error: { code: string }) => {
        if (!leaving.signal.aborted) codes.push(error.code);
      });
    }
    await until(() => server.hanging >= 14 && codes.length === 44);
    expect(new Set(codes)).toEqual(new Set(['overloaded']));
    for (let call = 0; call < 20; call += 1) {
      expect((await upstream.send(asks(`other ${call % 3}`, '{}'))).kind).toBe('json');
    }
    const together = Array.from({ length: 8 }, (_, call) => upstream.send(asks(`other ${call}`, '{}')));
    for (const answer of await Promise.all(together)) expect(answer.kind).toBe('json');
    // The gateway's own look at the list.
    expect((await upstream.send(asks(undefined, '{}'))).kind).toBe('json');
    expect([server.hanging, server.most <= 16]).toEqual([14, true]);
    leaving.abort();
    await until(() => upstream.standing().endpoints[0]!.active === 0);
    expect((await upstream.send(asks('greedy', '{}'))).kind).toBe('json');
  });

  it('has all of the connections but the spare ones, and its calls wait for each other', async () => {
    const server = await startServer();
    const upstream = upstreamAt(server.url, { limits });
    const answers = Array.from({ length: 56 }, () => upstream.send(asks('only', '{}')));
    expect((await failureOf(upstream.send(asks('only', '{}')))).code).toBe('overloaded');
    for (const answer of await Promise.all(answers)) expect(answer.kind).toBe('json');
    expect(server.most).toBeLessThanOrEqual(16);
  });

  it('leaves streams to others', async () => {
    const { url } = await httpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
    });
    const upstream = upstreamAt(url, { limits: { ...limits, streams: 16 } });
    const opens = (id: string) => upstream.send({ ...asks(id, '{}'), longLived: true });
    const own = await Promise.all(Array.from({ length: 14 }, () => opens('greedy')));
    expect((await failureOf(opens('greedy'))).code).toBe('overloaded');
    const others = await Promise.all([opens('one'), opens('two')]);
    for (const answer of [...own, ...others]) expect(answer.kind).toBe('stream');
    expect((await failureOf(opens('three'))).code).toBe('overloaded');
  });

  it('has all that there is where there are few connections', async () => {
    const server = await startServer();
    const upstream = upstreamAt(server.url, { limits: { connections: 4, queued: 3 } });
    const answers = Array.from({ length: 7 }, () => upstream.send(asks('only', '{}')));
    for (const answer of await Promise.all(answers)) expect(answer.kind).toBe('json');
    expect(server.most).toBeLessThanOrEqual(4);
  });
});

describe('many callers at once', () => {
  it('have all places, and no more connections than there may be', async () => {
    const server = await startServer();
    const upstream = upstreamAt(server.url, { limits });
    const answers = Array.from({ length: 64 }, (_, caller) => upstream.send(asks(`caller ${caller}`, '{}')));
    expect((await failureOf(upstream.send(asks('one more', '{}')))).code).toBe('overloaded');
    for (const answer of await Promise.all(answers)) expect(answer.kind).toBe('json');
    expect(server.most).toBeLessThanOrEqual(16);
  });

  it('give every place back, whatever becomes of their calls', async () => {
    const url = `http://127.0.0.1:${await closedPort()}/mcp`;
    const upstream = upstreamAt(url, { limits, breaker: { failures: 10_000 } });
    for (let round = 0; round < 5; round += 1) {
      const failures = Array.from({ length: 56 }, () => failureOf(upstream.send(asks('only', '{}'))));
      for (const { code } of await Promise.all(failures)) expect(code).toBe('upstream-unreachable');
    }
  });
});
