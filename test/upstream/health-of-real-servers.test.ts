import { describe, expect, it, onTestFinished } from 'vitest';
import { startEverything } from '../../scripts/everything.ts';
import { startEverythingFixture } from '../support/everything-fixture.ts';
import { startRecorder } from '../support/recorder.ts';
import { until, upstreamAt } from './harness.ts';

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
