import { describe, expect, it } from 'vitest';
import { createReloader, type ReloadReason } from '../../src/gateway/reloader.ts';

const silent = () => {};
const log = { debug: silent, info: silent, warn: silent, fatal: silent, error: silent } as never;

function start(read: () => Promise<void>) {
  const reasons: ReloadReason[] = [];
  const pauses: number[] = [];
  let joined = 0;
  let time = 0;
  const reloader = createReloader(
    () => [
      {
        what: 'policies',
        async read() {
          await read();
          time += 40;
        },
      },
    ],
    {
      log,
      async after(reason) {
        reasons.push(reason);
      },
      onJoined: () => {
        joined += 1;
      },
      sleep: async (ms) => {
        pauses.push(ms);
      },
      monotonic: () => time,
    },
  );
  return { reloader, reasons, pauses, joined: () => joined };
}

describe('a storm of reloads', () => {
  it('has one running and one waiting, whatever comes', async () => {
    let running = 0;
    let most = 0;
    let reads = 0;
    const { reloader, reasons, pauses, joined } = start(async () => {
      running += 1;
      reads += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    const asked = Array.from({ length: 1000 }, (_, index) =>
      reloader.run(index === 500 ? 'signal' : 'files'),
    );
    await Promise.all(asked);
    expect({ most, reads, joined: joined() }).toEqual({ most: 1, reads: 2, joined: 998 });
    // One of those who waited was a signal: what only a signal asks for is done too.
    expect(reasons).toEqual(['files', 'signal']);
    // As long as the last one took, so that calls have half of the time.
    expect(pauses).toEqual([40]);
  });

  it('reads again after the last who asked, never before', async () => {
    let current = 'old';
    let inForce = '';
    const { reloader } = start(async () => {
      inForce = current;
      await new Promise((resolve) => setImmediate(resolve));
    });
    const first = reloader.run('files');
    current = 'new';
    await reloader.run('files');
    await first;
    expect(inForce).toBe('new');
  });

  it('goes on after a reload that broke', async () => {
    let breaks = true;
    const { reloader } = start(async () => {
      if (breaks) throw new Error('no');
    });
    const first = reloader.run('signal');
    const second = reloader.run('signal');
    await first;
    expect(reloader.failing()).toEqual(['policies']);
    breaks = false;
    await second;
    await reloader.run('signal');
    expect(reloader.failing()).toEqual([]);
  });
});
