import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type ChaosProxy, type ConnectionChaos, startChaosProxy } from './chaos-proxy.ts';

/** What a caller sees: bytes, then how it ended. */
interface Seen {
  readonly text: string;
  readonly end: 'fin' | 'reset' | 'silence';
}

const greeting = 'hello, this is the server speaking';
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startServer(): Promise<{ readonly server: Server; readonly got: string[] }> {
  const got: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (piece: Buffer) => {
      got.push(piece.toString());
      socket.end(greeting);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { server, got };
}

async function proxied(chaos: ConnectionChaos): Promise<{ proxy: ChaosProxy; got: string[] }> {
  const { server, got } = await startServer();
  const proxy = await startChaosProxy((server.address() as AddressInfo).port, chaos);
  closers.push(() => proxy.close());
  return { proxy, got };
}

function ask(port: number, patience = 300): Promise<Seen> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1' });
    const timer = setTimeout(() => over('silence'), patience);
    const over = (end: Seen['end']): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, end });
    };
    socket.on('data', (piece: Buffer) => {
      text += piece.toString();
    });
    socket.once('end', () => over('fin'));
    socket.once('error', () => over('reset'));
    socket.write('hi there');
  });
}

describe('the chaos proxy', () => {
  const passing: readonly [string, ConnectionChaos][] = [
    ['nothing', {}],
    ['delay', { down: { delay: 20 } }],
    ['jitter', { down: { jitter: 20, slice: 5 } }],
    ['slices of one byte', { up: { slice: 1 }, down: { slice: 1 } }],
    ['throttling', { down: { throttle: 1000, slice: 10 } }],
  ];
  for (const [what, chaos] of passing) {
    it(`lets every byte pass in its order under ${what}`, async () => {
      const { proxy } = await proxied(chaos);
      expect(await ask(proxy.port, 5000)).toEqual({ text: greeting, end: 'fin' });
    });
  }

  const breaking: readonly [string, ConnectionChaos, Seen][] = [
    ['refuses', { refuse: true }, { text: '', end: 'reset' }],
    ['resets at once', { down: { resetAfter: 0 } }, { text: '', end: 'reset' }],
    ['truncates', { down: { truncateAfter: 5 } }, { text: 'hello', end: 'fin' }],
    ['half-closes', { down: { halfCloseAfter: 5 } }, { text: 'hello', end: 'fin' }],
    ['swallows after some bytes', { down: { blackHoleAfter: 5 } }, { text: 'hello', end: 'silence' }],
    ['swallows everything', { up: { blackHoleAfter: 0 } }, { text: '', end: 'silence' }],
  ];
  for (const [what, chaos, seen] of breaking) {
    it(what, async () => {
      const { proxy } = await proxied(chaos);
      expect(await ask(proxy.port)).toEqual(seen);
    });
  }

  it('resets after so many bytes', async () => {
    const { proxy } = await proxied({ down: { resetAfter: 5 } });
    // A reset may overtake the bytes before it.
    expect(await ask(proxy.port)).toMatchObject({ end: 'reset' });
  });

  it('flips one bit of one byte, across slices', async () => {
    const { proxy, got } = await proxied({ up: { flipAt: 3, slice: 2 } });
    await ask(proxy.port, 5000);
    expect(got.join('')).toContain('hi ');
    expect(proxy.bytes.up).toBe(8);
  });

  it('closes its port and opens the same one again', async () => {
    const { proxy } = await proxied({});
    const { port } = proxy;
    await proxy.stop();
    expect((await ask(port)).end).toBe('reset');
    await proxy.start();
    expect(proxy.port).toBe(port);
    expect(await ask(port, 5000)).toEqual({ text: greeting, end: 'fin' });
  });
});
