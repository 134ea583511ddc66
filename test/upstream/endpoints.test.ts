import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../src/identity/principal.ts';
import type { UpstreamMessage } from '../../src/pipeline/upstream-port.ts';
import type { UpstreamChange } from '../../src/upstream/standing.ts';
import {
  asStream,
  closedPort,
  failureOf,
  httpServer,
  message,
  pong,
  rawServer,
  until,
  upstreamAt,
  upstreamOver,
} from './harness.ts';

interface Counted {
  readonly url: string;
  requests: number;
  /** What its `mcp-session-id` headers said. */
  readonly sessions: (string | undefined)[];
}

/** A server that counts, and answers as told. */
async function counted(listener?: RequestListener): Promise<Counted> {
  const counting: Counted = { url: '', requests: 0, sessions: [] };
  const { url } = await httpServer((request, response) => {
    counting.requests += 1;
    counting.sessions.push(request.headers['mcp-session-id'] as string | undefined);
    if (listener !== undefined) listener(request, response);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
  });
  return Object.assign(counting, { url });
}

const callerNamed = (id: string): Partial<UpstreamMessage> => ({
  caller: {
    principal: { id } as Principal,
    bearer: undefined,
    method: 'tools/call',
    target: undefined,
    traceId: '',
  },
});

describe('calls over several endpoints', () => {
  it('go to all of them, evenly', async () => {
    const servers = [await counted(), await counted(), await counted()];
    const upstream = upstreamOver(servers.map(({ url }) => url));
    for (let call = 0; call < 300; call += 1) await upstream.send(message());
    for (const { requests } of servers) expect(Math.abs(requests - 100)).toBeLessThan(50);
  });

  it('leave the one alone whose calls hang', async () => {
    const slow = await counted(() => undefined);
    const quick = await counted();
    const upstream = upstreamOver([slow.url, quick.url]);
    const leaving = new AbortController();
    const hanging: Promise<unknown>[] = [];
    let answered = 0;
    for (let call = 0; call < 200; call += 1) {
      const sent = upstream.send(message({ signal: leaving.signal }));
      hanging.push(sent.then(() => (answered += 1)).catch(() => undefined));
      await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
    expect(slow.requests).toBeLessThan(5);
    expect(answered).toBe(200 - slow.requests);
    leaving.abort(new Error('over'));
    await Promise.all(hanging);
  });

  it('of a session go to the endpoint that began it, which sees its own id', async () => {
    const begin =
      (id: string): RequestListener =>
      (_, response) =>
        response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': id }).end(pong);
    const one = await counted(begin('same-id'));
    const other = await counted(begin('same-id'));
    const urls = [one.url, other.url];
    const upstream = upstreamOver(urls);
    const ids = new Set<string>();
    while (ids.size < 2) {
      const answer = await upstream.send(message());
      if (answer.kind === 'json') ids.add(answer.sessionId!);
    }
    for (const id of ids) expect(id).toMatch(/^@[\w-]{8}:same-id$/);
    for (const over of [upstream, upstreamOver(urls.toReversed())]) {
      for (const id of ids) {
        const before = [one.requests, other.requests];
        for (let call = 0; call < 10; call += 1) {
          await over.send(message({ headers: ['mcp-protocol-version', '2025-11-25', 'mcp-session-id', id] }));
        }
        const got = [one.requests - before[0]!, other.requests - before[1]!];
        expect(got.toSorted()).toEqual([0, 10]);
      }
    }
    for (const { sessions } of [one, other]) {
      expect(new Set(sessions.filter((id) => id !== undefined))).toEqual(new Set(['same-id']));
    }
  });

  it('of a session whose endpoint is not in the list any more are refused, so that clients begin anew', async () => {
    const server = await counted();
    const upstream = upstreamOver([server.url]);
    const failure = await failureOf(upstream.send(message({ headers: ['mcp-session-id', '@AAAAAAAA:x'] })));
    expect([failure.code, failure.message, server.requests]).toEqual([
      'session-unknown',
      'Session not found',
      0,
    ]);
  });

  it('of a session from before there were several go to the first of the list', async () => {
    const [first, second] = [await counted(), await counted()];
    const upstream = upstreamOver([first.url, second.url]);
    for (let call = 0; call < 5; call += 1) {
      await upstream.send(message({ headers: ['mcp-session-id', 'from-before'] }));
    }
    expect([first.sessions, second.requests]).toEqual([Array(5).fill('from-before'), 0]);
  });

  it('of a session go on where one URL is left of several', async () => {
    const server = await counted((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's1' }).end(pong),
    );
    const before = await upstreamOver([server.url]).send(message());
    const after = upstreamAt(server.url);
    await after.send(message({ headers: ['mcp-session-id', (before as { sessionId: string }).sessionId] }));
    const plain = await after.send(message({ headers: ['mcp-session-id', 's2'] }));
    expect([server.sessions, (plain as { sessionId: string }).sessionId]).toEqual([
      [undefined, 's1', 's2'],
      's1',
    ]);
  });

  it('of one caller stay together where that is asked for', async () => {
    const servers = [await counted(), await counted(), await counted()];
    const upstream = upstreamOver(
      servers.map(({ url }) => url),
      { stick: 'caller' },
    );
    const counts = (): readonly number[] => servers.map(({ requests }) => requests);
    const used = new Set<number>();
    for (let caller = 0; caller < 20; caller += 1) {
      const before = counts();
      for (let call = 0; call < 5; call += 1) await upstream.send(message(callerNamed(`caller-${caller}`)));
      const got = counts().map((count, index) => count - before[index]!);
      expect(got.toSorted()).toEqual([0, 0, 5]);
      used.add(got.indexOf(5));
    }
    expect(used.size).toBe(3);
  });

  it('are busy only where all of them have what they may have', async () => {
    const waiting: (() => void)[] = [];
    const hold: RequestListener = (_, response) => {
      waiting.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end(pong));
    };
    const servers = [await counted(hold), await counted(hold)];
    const upstream = upstreamOver(
      servers.map(({ url }) => url),
      { limits: { connections: 2, queued: 1 } },
    );
    const calls = Array.from({ length: 6 }, () => upstream.send(message()));
    expect((await failureOf(upstream.send(message()))).code).toBe('overloaded');
    while ((await Promise.race([Promise.all(calls), new Promise((r) => setTimeout(r, 5))])) === undefined) {
      waiting.shift()?.();
    }
    expect(servers.map(({ requests }) => requests)).toEqual([3, 3]);
  });
});

describe('an endpoint that fails', () => {
  it('costs nobody an answer where it refuses connections, and is avoided then', async () => {
    const good = await counted();
    const dead = `http://127.0.0.1:${await closedPort()}/mcp`;
    const changes: UpstreamChange[] = [];
    const upstream = upstreamOver([dead, good.url], {}, { onChange: (change) => changes.push(change) });
    for (let call = 0; call < 60; call += 1) expect((await upstream.send(message())).kind).toBe('json');
    expect(good.requests).toBe(60);
    const { endpoints, counts, panic } = upstream.standing();
    expect([endpoints[0]!.used, endpoints[1]!.used, panic]).toEqual([false, true, false]);
    expect([endpoints[0]!.counts.ejections, counts.connect]).toEqual([1, 5]);
    expect(changes.map(({ change }) => change)).toEqual(['breaker-open', 'ejected']);
    expect(changes[0]!.endpoint).toBe(`${new URL(dead).host}/mcp`);
  });

  for (const [what, status, type] of [
    ['500 and a page', 500, 'text/html'],
    ['500 and JSON', 500, 'application/json'],
    ['429', 429, 'text/plain'],
    ['503', 503, 'text/plain'],
  ] as const) {
    it(`at once with ${what} does not draw calls to itself by having nothing to do`, async () => {
      const failing = await counted((_, response) =>
        response.writeHead(status, { 'content-type': type }).end(pong),
      );
      const waiting: (() => void)[] = [];
      const good = await counted((_, response) => {
        waiting.push(() => response.writeHead(200, { 'content-type': 'application/json' }).end(pong));
      });
      const upstream = upstreamOver([failing.url, good.url]);
      const calls = Array.from({ length: 8 }, async () => {
        for (let call = 0; call < 25; call += 1) await upstream.send(message());
      });
      // The good one takes its time: without more it would have more to do, always.
      const answering = setInterval(() => waiting.shift()?.(), 1);
      await Promise.all(calls);
      clearInterval(answering);
      expect([failing.requests < 5 + 8, failing.requests + good.requests]).toEqual([true, 200]);
      expect(upstream.standing().endpoints.map(({ breaker }) => breaker)).toEqual(['closed', 'closed']);
    });
  }

  it('is used again when its time is over', async () => {
    let isUp = false;
    const flaky = await counted((request, response) => {
      if (!isUp) request.socket.destroy();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
    });
    const good = await counted();
    const clock = { now: 0 };
    const upstream = upstreamOver([flaky.url, good.url], {}, { monotonic: () => clock.now });
    let failed = 0;
    for (let call = 0; call < 200; call += 1) {
      await upstream.send(message()).catch(() => (failed += 1));
    }
    // Not sent again: the connection closed after the request was written, so it may have been done.
    expect([failed, flaky.requests]).toEqual([5, 5]);
    isUp = true;
    clock.now += 10_000;
    for (let call = 0; call < 100; call += 1) await upstream.send(message());
    expect(flaky.requests).toBeGreaterThan(25);
  });

  it('is used all the same where all fail, so that whatever still works is found', async () => {
    let isUp = false;
    const listener: RequestListener = (request, response) => {
      if (!isUp) request.socket.destroy();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
    };
    const servers = [await counted(listener), await counted(listener), await counted(listener)];
    const upstream = upstreamOver(servers.map(({ url }) => url));
    for (let call = 0; call < 60; call += 1) await upstream.send(message()).catch(() => undefined);
    expect(upstream.standing().panic).toBe(true);
    isUp = true;
    for (let call = 0; call < 20; call += 1) expect((await upstream.send(message())).kind).toBe('json');
  });

  it('still gets the calls of its sessions while it is avoided', async () => {
    let isFailing = false;
    const one = await counted((_, response) =>
      response
        .writeHead(isFailing ? 503 : 200, { 'content-type': 'application/json', 'mcp-session-id': 's' })
        .end(pong),
    );
    const upstream = upstreamOver([one.url, (await counted()).url]);
    let id: string | undefined;
    while (id === undefined) {
      const answer = await upstream.send(message());
      id = answer.kind === 'json' ? answer.sessionId : undefined;
    }
    isFailing = true;
    for (let call = 0; call < 100; call += 1) await upstream.send(message());
    expect(upstream.standing().endpoints[0]!.used).toBe(false);
    isFailing = false;
    const before = one.requests;
    for (let call = 0; call < 5; call += 1) await upstream.send(message({ headers: ['mcp-session-id', id] }));
    expect(one.requests - before).toBe(5);
  });

  it('ends its sessions where nothing gets through to it and others are there', async () => {
    const { url, server } = await httpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 's' }).end(pong);
    });
    const good = await counted();
    const upstream = upstreamOver([url, good.url], { limits: { connections: 1 } });
    let id: string | undefined;
    while (id === undefined) id = ((await upstream.send(message())) as { sessionId?: string }).sessionId;
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const codes: string[] = [];
    for (let call = 0; call < 8; call += 1) {
      codes.push((await failureOf(upstream.send(message({ headers: ['mcp-session-id', id] })))).code);
    }
    const lost = codes.filter((code) => code !== 'session-unknown');
    expect(lost.length).toBeGreaterThanOrEqual(5);
    expect(codes.slice(lost.length)).toEqual(Array(8 - lost.length).fill('session-unknown'));
    expect(codes.at(-1)).toBe('session-unknown');
  });

  it('is not taken for one that fails where a stream that is to stay open has nothing to tell yet', async () => {
    const { url } = await httpServer((request) => request.resume());
    const options = {
      timeouts: { idle: '50ms', headers: '50ms' },
      breaker: { failures: 1, silence: '0' },
      ejection: { failures: 1 },
    };
    const quiet = upstreamAt(url, options);
    const stands = () => quiet.standing().endpoints.map(({ breaker, counts }) => [breaker, counts.ejections]);
    const codes = [];
    for (let time = 0; time < 3; time += 1) {
      codes.push((await failureOf(quiet.send(message({ longLived: true })))).code);
    }
    expect([codes, stands()]).toEqual([Array(3).fill('upstream-timeout'), [['closed', 0]]]);
    // A call is another thing.
    expect((await failureOf(quiet.send(message()))).code).toBe('upstream-timeout');
    expect(stands()).toEqual([['open', 1]]);
  });

  it('is refused at once where it is the only one, and says when to come back', async () => {
    const dead = `http://127.0.0.1:${await closedPort()}/mcp`;
    const clock = { now: 0 };
    const upstream = upstreamAt(dead, {}, { monotonic: () => clock.now });
    for (let call = 0; call < 5; call += 1) await failureOf(upstream.send(message()));
    const failure = await failureOf(upstream.send(message()));
    expect([failure.code, failure.message, failure.headers]).toEqual([
      'upstream-unreachable',
      'The server behind the gateway cannot be reached',
      { 'retry-after': '2' },
    ]);
    const { endpoints } = upstream.standing();
    expect([endpoints[0]!.breaker, endpoints[0]!.counts.refusals]).toEqual(['open', 1]);
  });

  it('gets one probe at a time, however many call', async () => {
    let connections = 0;
    const { url } = await rawServer((socket) => {
      connections += 1;
      socket.resetAndDestroy();
    });
    const clock = { now: 0 };
    const upstream = upstreamAt(url, { breaker: { silence: '0' } }, { monotonic: () => clock.now });
    for (let call = 0; call < 5; call += 1) await failureOf(upstream.send(message()));
    expect(upstream.standing().endpoints[0]!.breaker).toBe('open');
    for (const wait of [2000, 4000, 8000]) {
      clock.now += wait;
      const before = connections;
      await Promise.all(Array.from({ length: 50 }, () => failureOf(upstream.send(message()))));
      expect(connections - before).toBe(1);
    }
  });

  it('is not kept from others by one caller who spoils the probes', async () => {
    const asks = (id: string, text: string) => message({ ...callerNamed(id), body: Buffer.from(text) });
    const { url } = await httpServer((request, response) => {
      request.on('data', (bytes: Buffer) => {
        if (bytes.toString() === 'crash') request.socket.resetAndDestroy();
        else response.writeHead(200, { 'content-type': 'application/json' }).end(pong);
      });
    });
    const clock = { now: 0 };
    const upstream = upstreamAt(url, { breaker: { silence: '0' } }, { monotonic: () => clock.now });
    for (let call = 0; call < 5; call += 1) await failureOf(upstream.send(asks('spoiler', 'crash')));
    clock.now += 2000;
    expect((await failureOf(upstream.send(asks('spoiler', 'crash')))).code).toBe('upstream-closed');
    clock.now += 1000;
    const refused = await failureOf(upstream.send(asks('spoiler', 'crash')));
    expect([refused.code, refused.headers]).toEqual(['upstream-unreachable', { 'retry-after': '3' }]);
    expect(refused.data).toEqual({ retryAfterMs: 3000 });
    expect((await upstream.send(asks('other', '{}'))).kind).toBe('json');
    expect(upstream.standing().endpoints[0]!.breaker).toBe('closed');
  });
});

describe('active checks', () => {
  it('take an endpoint out that answers no more, and back in; nobody calls meanwhile', async () => {
    let isUp = true;
    const flaky = await counted((request, response) => {
      if (isUp)
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end('{"jsonrpc":"2.0","id":"health","result":{}}');
      else request.socket.destroy();
    });
    const good = await counted((_, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"jsonrpc":"2.0","id":"health","result":{}}'),
    );
    const changes: string[] = [];
    const upstream = upstreamOver(
      [flaky.url, good.url],
      { health: { interval: '100ms', timeout: '1s', unhealthy: 2, healthy: 2 }, breaker: { failures: 1000 } },
      {
        onChange: ({ endpoint, change }) =>
          endpoint === `${new URL(flaky.url).host}/mcp` && changes.push(change),
      },
    );
    await until(() => upstream.standing().endpoints[0]!.counts.checksOk > 1);
    expect(changes).toEqual([]);
    isUp = false;
    await until(() => changes.length === 1);
    expect(upstream.standing().endpoints[0]!.used).toBe(false);
    isUp = true;
    await until(() => changes.length === 2);
    expect([changes, upstream.standing().endpoints[0]!.used]).toEqual([['unhealthy', 'healthy'], true]);
  });

  it('take an endpoint back in that was avoided for its calls too, once it has come back', async () => {
    let isUp = true;
    const health = '{"jsonrpc":"2.0","id":"health","result":{}}';
    const flaky = await counted((request, response) => {
      if (isUp) response.writeHead(200, { 'content-type': 'application/json' }).end(health);
      else request.socket.destroy();
    });
    const good = await counted((_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(health),
    );
    const upstream = upstreamOver([flaky.url, good.url], {
      health: { interval: '100ms', timeout: '1s', unhealthy: 3, healthy: 2 },
      breaker: { failures: 1000 },
      ejection: { time: '1h', most: '1h' },
    });
    const endpoint = () => upstream.standing().endpoints[0]!;
    await until(() => endpoint().counts.checksOk > 1);
    isUp = false;
    while (endpoint().counts.ejections === 0) await upstream.send(message()).catch(() => undefined);
    await until(() => endpoint().counts.checksFailed > 3);
    isUp = true;
    await until(() => endpoint().used);
    expect(endpoint().counts.checksOk).toBeGreaterThan(3);
  });

  it('use connections of their own, so that busy lanes do not make a server look dead', async () => {
    const { url } = await httpServer((request, response) => {
      let body = '';
      request.on('data', (piece) => (body += piece));
      request.on('end', () => {
        if (body.includes('health')) {
          response
            .writeHead(200, { 'content-type': 'application/json' })
            .end('{"jsonrpc":"2.0","id":"health","result":{}}');
        }
      });
    });
    const upstream = upstreamAt(url, {
      limits: { connections: 1, queued: 0 },
      health: { interval: '100ms', timeout: '1s' },
    });
    const leaving = new AbortController();
    const hanging = upstream.send(message({ signal: leaving.signal })).catch(() => undefined);
    await until(() => upstream.standing().endpoints[0]!.counts.checksOk > 2);
    const { counts, active } = upstream.standing().endpoints[0]!;
    expect([counts.checksFailed, active]).toEqual([0, 1]);
    leaving.abort(new Error('over'));
    await hanging;
  });

  it('stop when the upstream is closed', async () => {
    const server = await counted();
    const upstream = upstreamAt(server.url, { health: { interval: '100ms' } });
    await until(() => server.requests > 1);
    await upstream.close();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const after = server.requests;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(server.requests).toBe(after);
  });
});

describe('streams', () => {
  it('that break count against their endpoint, those that listen do not', async () => {
    const breaking: RequestListener = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n');
      setImmediate(() => response.destroy());
    };
    const one = await counted(breaking);
    const upstream = upstreamOver([one.url, (await counted(breaking)).url]);
    const drain = async (longLived: boolean): Promise<void> => {
      const answer = asStream(await upstream.send(message({ longLived })));
      await failureOf(
        (async () => {
          for await (const _ of answer.events);
        })(),
      );
    };
    for (let call = 0; call < 30; call += 1) await drain(true);
    expect(upstream.standing().endpoints.map(({ used }) => used)).toEqual([true, true]);
    for (let call = 0; call < 12; call += 1) await drain(false);
    expect(upstream.standing().endpoints.some(({ counts }) => counts.ejections > 0)).toBe(true);
  });
});
