import { expect, it } from 'vitest';
import { type FloodKind, FloodTally, floodCause } from '../../src/listener/flood-tally.ts';
import type { Refusal } from '../../src/listener/refusal.ts';

function tally() {
  const told: Refusal[] = [];
  const counted: FloodKind[] = [];
  const subject = new FloodTally(
    (refusal) => told.push(refusal),
    (kind) => counted.push(kind),
  );
  const refuse = (kind: FloodKind, address: string, now: number) =>
    subject.refused(
      kind,
      {
        peer: { address, port: 1, tls: undefined },
        verb: '-',
        upstream: undefined,
        code: 'flooded',
        status: 0,
        cause: floodCause(kind),
      },
      now,
    );
  return { subject, told, counted, refuse };
}

it('tells of the first ten of a kind, and of all that follow at once; each is counted', () => {
  const { subject, told, counted, refuse } = tally();
  for (let n = 0; n < 1000; n += 1) refuse('handshakes', `192.0.2.${n % 200}`, n);
  refuse('blocked', '192.0.2.9', 1000);
  expect(told).toHaveLength(11);
  subject.flush();
  expect(told).toHaveLength(12);
  expect(told.at(-1)).toMatchObject({ times: 990, peer: { address: '192.0.2.199' }, code: 'flooded' });
  expect(counted).toHaveLength(1001);
  expect(told.reduce((sum, { times = 1 }) => sum + times, 0)).toBe(1001);
});

it('tells again in the next ten seconds, after what is left of those before', () => {
  const { told, refuse } = tally();
  for (let n = 0; n < 30; n += 1) refuse('requests', '192.0.2.1', n);
  refuse('requests', '192.0.2.2', 10_000);
  expect(told.slice(10).map(({ times, peer }) => [times, peer.address])).toEqual([
    [20, '192.0.2.1'],
    [undefined, '192.0.2.2'],
  ]);
});

it('does not tell of what was closed unheard together with what was answered', () => {
  const { subject, told } = tally();
  const peer = { address: '192.0.2.1', port: 1, tls: undefined };
  for (let n = 0; n < 50; n += 1) {
    for (const status of n % 5 === 0 ? [0, 429] : [429]) {
      const cause = floodCause('blocked');
      subject.refused('blocked', { peer, verb: '-', upstream: undefined, code: 'flooded', status, cause }, n);
    }
  }
  subject.flush();
  const sum = (status: number): number =>
    told.filter((one) => one.status === status).reduce((all, { times = 1 }) => all + times, 0);
  expect([sum(0), sum(429)]).toEqual([10, 50]);
});

it('has nothing to add where all was told', () => {
  const { subject, told, refuse } = tally();
  refuse('connections', '192.0.2.1', 0);
  subject.flush();
  subject.flush();
  expect(told).toHaveLength(1);
});
