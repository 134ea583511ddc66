import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { mostWaiting } from '../../src/workers/waiting-connections.ts';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { until } from '../support/redis.ts';
import { numberOf, startWorkers, type WorkersGateway } from '../support/workers.ts';
import { fault } from './table.ts';

/** Connections beyond those that may wait. */
const beyond = 400;

describe('two workers', () => {
  let recorder: Recorder;
  let gateway: WorkersGateway;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    recorder = await startRecorder();
    gateway = await startWorkers({ upstreams: { recorder: recorder.url } });
  }, 60_000);

  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await gateway?.close();
    await recorder?.close();
  });

  const call = (): Promise<RawAnswer> => {
    const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
    return post(gateway.url('recorder'), body, { headers });
  };
  const number = async (series: string): Promise<number> => numberOf(await gateway.metrics(), series);

  fault(
    'all workers stand still, and connections keep coming',
    'at most 4096 wait in the primary and the others are closed at once, which is counted; who waited is answered when the workers go on',
    async (measured) => {
      // Before they stop: the first scrape asks them.
      expect(await number('sallyport_worker_connections_waiting')).toBe(0);
      for (const pid of gateway.pids) process.kill(pid, 'SIGSTOP');
      const first = call();
      const { hostname, port } = new URL(gateway.url('recorder'));
      let closed = 0;
      for (let index = 0; index < mostWaiting + beyond; index += 1) {
        const socket = connect({ host: hostname, port: Number(port) });
        socket.on('error', () => undefined);
        socket.on('close', () => {
          closed += 1;
        });
        sockets.push(socket);
        // No more at once than the kernel keeps for who does not accept: it would drop them, and they would try again.
        if (index % 100 === 99) await once(socket, 'connect').catch(() => undefined);
      }
      // Each listener of each worker has at most one handed to it, besides those that wait.
      await until('the others are closed', () => closed >= beyond - 1);
      const events = () => gateway.process.log().map(({ event }) => event);
      expect(events()).toContain('connections are closed unread: workers do not take those that wait');
      for (const pid of gateway.pids) process.kill(pid, 'SIGCONT');
      expect((await first).status).toBe(200);
      await until('nobody waits', async () => (await number('sallyport_worker_connections_waiting')) === 0);
      const turnedAway = await number('sallyport_worker_connections_closed_total');
      expect(turnedAway).toBeGreaterThanOrEqual(beyond - 1);
      expect(turnedAway).toBeLessThanOrEqual(beyond + 1);
      measured(`${turnedAway} of ${mostWaiting + beyond + 1} connections closed unread`);
      for (const socket of sockets) socket.destroy();
      expect((await call()).status).toBe(200);
    },
    60_000,
  );
});
