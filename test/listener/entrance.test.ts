import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import type { Entrance } from '../../src/pipeline/load.ts';
import { sendBytes } from '../support/raw-client.ts';
import { dial, ping, rawPost, readAll, startListener, until } from './support.ts';

/** An entrance that lets nobody in until it is told to. */
function shutEntrance(turnsAway: Entrance['turnsAway'] = () => 'bound') {
  const line: { readonly bytes: number; readonly begin: () => boolean; hasLeft: boolean }[] = [];
  const entrance: Entrance = {
    turnsAway,
    takeTurn: (_arrival, bytes, begin) => {
      const waiting = { bytes, begin, hasLeft: false };
      line.push(waiting);
      return () => {
        waiting.hasLeft = true;
      };
    },
  };
  return { line, entrance };
}

const large = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'ping',
  params: { text: 'x'.repeat(300_000) },
});

describe('a request that waits for its turn', () => {
  for (const [what, body] of [
    ['small', ping],
    ['larger than what a socket holds', large],
  ] as const) {
    it(`is read whole once it begins, with a body that is ${what}`, async () => {
      const { line, entrance } = shutEntrance();
      const listener = await startListener({}, undefined, { entrance });
      const socket = await dial(listener);
      socket.write(`${rawPost(listener, [`Content-Length: ${body.length}`])}\r\n${body}`);
      await until(() => line.length === 1, 'in line');
      expect(line[0]!.bytes).toBe(body.length);
      expect(listener.arrivals).toHaveLength(0);
      line[0]!.begin();
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
      expect(listener.arrivals[0]!.body.toString()).toBe(body);
    });
  }

  it('is of unknown size where it does not say', async () => {
    const { line, entrance } = shutEntrance();
    const listener = await startListener({}, undefined, { entrance });
    const socket = await dial(listener);
    socket.write(`${rawPost(listener, ['Transfer-Encoding: chunked'])}\r\n`);
    await until(() => line.length === 1, 'in line');
    expect(line[0]!.bytes).toBe(Number.POSITIVE_INFINITY);
  });

  it('is not told to continue before it may', async () => {
    const { line, entrance } = shutEntrance();
    const listener = await startListener({}, undefined, { entrance });
    const socket = await dial(listener);
    let said = '';
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    socket.write(`${rawPost(listener, [`Content-Length: ${ping.length}`, 'Expect: 100-continue'])}\r\n`);
    await until(() => line.length === 1, 'in line');
    expect(said).toBe('');
    line[0]!.begin();
    await until(() => said.startsWith('HTTP/1.1 100 Continue'), 'told');
    socket.write(ping);
    await until(() => said.includes('HTTP/1.1 200 '), 'answered');
  });

  it('is forgotten with the client that leaves, and nothing of it is read', async () => {
    const { line, entrance } = shutEntrance();
    const listener = await startListener({}, undefined, { entrance });
    const [gone, stays] = [await dial(listener), await dial(listener)];
    const request = `${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`;
    gone.write(`${rawPost(listener).replace('POST', 'GET')}\r\n`);
    stays.write(request);
    await until(() => line.length === 2, 'in line');
    gone.resetAndDestroy();
    // Answers to others: by then it has been seen here that the client is gone.
    for (let asked = 0; asked < 3; asked += 1) {
      await sendBytes(listener.mcp, [`${rawPost(listener, ['Content-Length: 2'], '/nowhere')}\r\n{}`]);
    }
    expect(line.map(({ hasLeft }) => hasLeft)).toEqual([true, false]);
    expect(line[0]!.begin()).toBe(false);
    const answered = once(stays, 'data');
    expect(line[1]!.begin()).toBe(true);
    await answered;
    expect(listener.arrivals).toHaveLength(1);
  });

  it('is served also where the gateway stops meanwhile, as the last on its connection', async () => {
    const { line, entrance } = shutEntrance();
    const listener = await startListener({}, undefined, { entrance });
    const socket = await dial(listener);
    const read = readAll(socket);
    socket.write(`${rawPost(listener, [`Content-Length: ${ping.length}`])}\r\n${ping}`);
    await until(() => line.length === 1, 'in line');
    const closed = listener.close(10_000);
    line[0]!.begin();
    expect(await read).toMatch(/^HTTP\/1\.1 200 .*connection: close/is);
    await closed;
  });

  it('does not wait where it is refused', async () => {
    const { line, entrance } = shutEntrance(() => new GatewayError('overloaded'));
    const listener = await startListener({}, undefined, { entrance });
    const socket = await dial(listener);
    // So large that it cannot be one that frees something.
    socket.write(`${rawPost(listener, [`Content-Length: ${large.length}`])}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 503 /);
    expect(line).toHaveLength(0);
    expect(listener.arrivals).toHaveLength(0);
  });
});
