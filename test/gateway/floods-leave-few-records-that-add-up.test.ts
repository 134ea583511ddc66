import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { startTestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { send } from '../support/raw-client.ts';
import { startRecorder } from '../support/recorder.ts';

it('a drained gateway has told of every refusal of a flood, exactly', async () => {
  const recorder = await startRecorder();
  const gate = await startTestGateway({
    upstreams: { w: recorder.url },
    door: 'plain',
    listener: {
      limits: {
        trusted: ['127.0.0.9'],
        rates: {
          handshakesPerAddress: { rate: '1/h', burst: 100 },
          requestsPerAddress: { rate: '1/h', burst: 5 },
        },
      },
    },
    config: { blocks: { threshold: 8 } },
  });
  const { headers, body } = modern('tools/call', { name: 'echo', arguments: {} });
  const ask = (localAddress: string): Promise<number> =>
    send('POST', gate.url('w'), { headers, body, tls: { localAddress } as object }).then(
      ({ status }) => status,
      () => 0,
    );
  const port = Number(new URL(gate.url('w')).port);
  const knock = (localAddress: string): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, localAddress });
      socket.on('error', () => {});
      socket.resume();
      socket.once('close', () => resolve());
      // One that is let in has nothing to say.
      socket.once('connect', () => setTimeout(() => socket.destroy(), 50));
    });
  const statuses: number[] = [];
  // One connection each: 5 are served, 95 refused with 429, what follows is closed unheard.
  for (let n = 0; n < 130; n += 1) statuses.push(await ask('127.0.0.2'));
  await Promise.all(Array.from({ length: 140 }, () => knock('127.0.0.3')));
  let metrics = '';
  const counted = (kind: string): number =>
    Number(
      new RegExp(`^sallyport_flood_refusals_total\\{kind="${kind}"\\} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0,
    );
  const kinds = ['requests-per-address', 'handshakes-per-address', 'blocked'];
  const closed = statuses.filter((status) => status === 0).length;
  // A connection may be closed from this side before the gateway has come to accept it.
  await expect
    .poll(
      async () => {
        metrics = await gate.metrics();
        return counted('handshakes-per-address') + counted('blocked');
      },
      { timeout: 10_000 },
    )
    .toBe(closed + 40);
  expect(counted('requests-per-address')).toBe(statuses.filter((status) => status === 429).length);
  await gate.gateway.drain();
  const records = gate.audit().filter((record) => JSON.stringify(record).includes('flooded'));
  const told = (kind: string): number =>
    records
      .filter((record) => JSON.stringify(record).includes(`(${kind})`))
      .reduce((sum, record) => sum + ((record['times'] as number | undefined) ?? 1), 0);
  expect(kinds.map((kind) => [kind, told(kind)])).toEqual(kinds.map((kind) => [kind, counted(kind)]));
  expect(records.length).toBeLessThanOrEqual(3 * 11);
  await gate.close();
  await recorder.close();
});
