import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { UpstreamAnswer } from '../../src/pipeline/upstream-port.ts';
import { collect, message, pong, rawServer, until, upstreamOver } from './harness.ts';

const json = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${pong.length}\r\n\r\n${pong}`;
const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const event = `data: ${pong}\n\n`;
const chunk = `${event.length.toString(16)}\r\n${event}\r\n`;

type Fault = (socket: Socket) => void;
const after =
  (text: string, way: 'end' | 'resetAndDestroy'): Fault =>
  (socket) =>
    socket.write(text, () => setTimeout(() => socket[way](), 5));

/** Where a connection is lost, and whether a list or read may be asked once more after it. */
const faults: readonly [string, Fault, boolean][] = [
  ['reset before the head', (socket) => socket.resetAndDestroy(), true],
  ['ended before the head', (socket) => socket.end(), true],
  ['reset in the head', after('HTTP/1.1 200 OK\r\ncontent-ty', 'resetAndDestroy'), true],
  ['ended in the head', after('HTTP/1.1 200 OK\r\ncontent-ty', 'end'), true],
  ['reset after the head of a body', after(json.slice(0, -pong.length), 'resetAndDestroy'), false],
  ['ended in a body', after(json.slice(0, -1), 'end'), false],
  ['reset after the head of a stream', after(streamHead, 'resetAndDestroy'), false],
  ['reset in an event', after(streamHead + chunk.slice(0, 12), 'resetAndDestroy'), false],
  ['reset between events', after(streamHead + chunk, 'resetAndDestroy'), false],
  ['silence', () => undefined, false],
];

/** Two servers that count whole requests by their ids. The first to come is answered by the fault, all others well. */
async function twoServers(fault: Fault) {
  const seen: string[] = [];
  const connections: number[] = [];
  let isBroken = false;
  const talk =
    (place: number) =>
    (socket: Socket): void => {
      connections.push(place);
      socket.on('data', (bytes) => {
        const id = /"id":(\d+)/.exec(bytes.toString())?.[1];
        if (id === undefined) return;
        seen.push(id);
        if (id === '7' && !isBroken) {
          isBroken = true;
          fault(socket);
        } else socket.write(json);
      });
    };
  const servers = [await rawServer(talk(0)), await rawServer(talk(1))];
  return { urls: servers.map(({ url }) => url), seen, connections };
}

async function whole(answer: UpstreamAnswer): Promise<string> {
  return answer.kind === 'stream' ? `${(await collect(answer.events)).length} events` : answer.kind;
}

const asked = (repeatable: boolean) =>
  message({ body: Buffer.from('{"jsonrpc":"2.0","id":7,"method":"x"}'), repeatable });

describe('a call whose connection is lost', () => {
  for (const [what, fault, mayRepeat] of faults) {
    for (const count of [1, 2]) {
      it(`(${what}; ${count} endpoints) reaches the servers once where it may change something`, async () => {
        const { urls, seen } = await twoServers(fault);
        const upstream = upstreamOver(urls.slice(0, count), { timeouts: { headers: '200ms' } });
        await expect(upstream.send(asked(false)).then(whole)).rejects.toThrow();
        // A second one would be on its way by now.
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(seen).toEqual(['7']);
        const { connect, reread } = upstream.standing().counts;
        expect([connect, reread]).toEqual([0, 0]);
      });

      it(`(${what}; ${count} endpoints) is ${mayRepeat ? '' : 'not '}made once more where it changes nothing`, async () => {
        const { urls, seen } = await twoServers(fault);
        const upstream = upstreamOver(urls.slice(0, count), { timeouts: { headers: '200ms' } });
        const sent = upstream.send(asked(true)).then(whole);
        if (mayRepeat) expect(await sent).toBe('json');
        else await expect(sent).rejects.toThrow();
        expect(seen).toEqual(mayRepeat ? ['7', '7'] : ['7']);
        expect(upstream.standing().counts.reread).toBe(mayRepeat ? 1 : 0);
      });
    }
  }

  it('is asked again on a new connection, not on another one that was kept', async () => {
    const { urls, seen, connections } = await twoServers((socket) => socket.resetAndDestroy());
    const upstream = upstreamOver(urls.slice(0, 1), { limits: { connections: 4 } });
    await Promise.all(Array.from({ length: 4 }, () => upstream.send(message())));
    expect(connections.length).toBe(4);
    await upstream.send(asked(true));
    expect([seen.filter((id) => id === '7').length, connections.length]).toEqual([2, 5]);
  });

  it('of a session is asked again of its own endpoint', async () => {
    let broken = 0;
    const talk = (place: string) => (socket: Socket) => {
      socket.on('data', (bytes) => {
        if (bytes.toString().includes('mcp-session-id') && broken < 1) {
          broken += 1;
          socket.resetAndDestroy();
        } else socket.write(json.replace('content-type', `mcp-session-id: ${place}\r\ncontent-type`));
      });
    };
    const servers = [await rawServer(talk('a')), await rawServer(talk('b'))];
    const upstream = upstreamOver(servers.map(({ url }) => url));
    const begun = await upstream.send(message());
    const { sessionId } = begun as { sessionId: string };
    const again = await upstream.send(message({ headers: ['mcp-session-id', sessionId], repeatable: true }));
    expect([(again as { sessionId: string }).sessionId, broken]).toEqual([sessionId, 1]);
  });

  it('has no more time in both tries together than in one', async () => {
    let requests = 0;
    const { url } = await rawServer((socket) => {
      socket.on('data', () => {
        requests += 1;
        const isFirst = requests === 1;
        setTimeout(() => (isFirst ? socket.resetAndDestroy() : socket.write(json)), 300);
      });
    });
    const upstream = upstreamOver([url], { timeouts: { total: '400ms' } });
    await expect(upstream.send(asked(true))).rejects.toMatchObject({ code: 'upstream-timeout' });
    expect([requests, upstream.standing().counts.reread]).toEqual([2, 1]);
  });

  it('is not made a third time', async () => {
    let requests = 0;
    const servers = [0, 1, 2].map(() =>
      rawServer((socket) => {
        socket.on('data', () => {
          requests += 1;
          socket.resetAndDestroy();
        });
      }),
    );
    const upstream = upstreamOver((await Promise.all(servers)).map(({ url }) => url));
    await expect(upstream.send(asked(true))).rejects.toMatchObject({ code: 'upstream-closed' });
    expect(requests).toBe(2);
  });

  it('is not made again where the budget is used up, and that is counted', async () => {
    let requests = 0;
    const { url } = await rawServer((socket) => {
      socket.on('data', () => {
        requests += 1;
        socket.resetAndDestroy();
      });
    });
    const upstream = upstreamOver([url], {
      retries: { share: 50, perSecond: 0 },
      breaker: { failures: 10_000 },
    });
    for (let call = 0; call < 100; call += 1) await upstream.send(asked(true)).catch(() => undefined);
    expect(requests).toBe(150);
    expect(upstream.standing().counts).toMatchObject({ reread: 50, unpaid: 50 });
  });

  it('is not made again once the caller has left', async () => {
    const leaving = new AbortController();
    let requests = 0;
    const { url } = await rawServer((socket) => {
      socket.on('data', () => {
        requests += 1;
        leaving.abort(new Error('left'));
        socket.resetAndDestroy();
      });
    });
    const upstream = upstreamOver([url]);
    await expect(upstream.send({ ...asked(true), signal: leaving.signal })).rejects.toThrow('left');
    await until(() => requests === 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([requests, upstream.standing().counts.reread]).toEqual([1, 0]);
  });
});
