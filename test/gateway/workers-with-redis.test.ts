import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEverythingFixture } from '../support/everything-fixture.ts';
import { openPolicy } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { dumpRedis, startRedis, type TestRedis, until } from '../support/redis.ts';
import { sharedStore } from '../support/replicas.ts';
import { numberOf, startWorkers, type WorkersGateway } from '../support/workers.ts';

const policy = `${openPolicy}
limits:
  - { name: ten, match: { tools: [counted] }, per: principal, quota: 10/month, onStoreLoss: deny }
`;

describe('two workers of a gateway that shares a Redis', () => {
  let redis: TestRedis;
  let recorder: Recorder;
  let everything: Awaited<ReturnType<typeof startEverythingFixture>>;
  let gateway: WorkersGateway;

  beforeAll(async () => {
    [redis, recorder, everything] = await Promise.all([
      startRedis({ lines: ['requirepass a-password-of-tests'], login: { password: 'a-password-of-tests' } }),
      startRecorder(),
      startEverythingFixture(),
    ]);
    gateway = await startWorkers({
      upstreams: { recorder: recorder.url, everything: everything.url },
      policy,
      ...sharedStore({ url: redis.url, password: 'a-password-of-tests', replicas: 1 }),
    });
  }, 90_000);

  afterAll(async () => {
    await gateway?.close();
    await everything?.close();
    await recorder?.close();
    await redis?.stop();
  });

  const codeOfCall = async (): Promise<number | undefined> => {
    const { headers, body } = modern('tools/call', { name: 'counted', arguments: {} });
    const answer = await post(gateway.url('recorder'), body, { headers });
    return answer.json<{ error?: { code: number } }>().error?.code;
  };

  it('count there, and the primary counts nothing', async () => {
    let admitted = 0;
    let refused = 0;
    // A store that is late once on a busy machine refuses: asked again, it counts.
    await until('the quota is used up, as both workers say', async () => {
      const code = await codeOfCall();
      if (code === undefined) admitted += 1;
      refused = code === 4290 ? refused + 1 : 0;
      return refused >= 4;
    });
    expect(admitted).toBeLessThanOrEqual(10);
    expect(await dumpRedis(redis).catch(() => '')).not.toContain('counted');
    const months = await redis.cli('KEYS', '{sallyport}:month:*');
    expect(months.split('\n')).toHaveLength(1);
    expect(await redis.cli('GET', months)).toMatch(/^\d+:10000$/);
  });

  it.each(generations)(
    'answer an official client that is asked: $name',
    async ({ connect }) => {
      const client = await connect(gateway.url('everything'), undefined);
      const calls = Array.from({ length: 4 }, () =>
        client.call('test_elicitation', { message: 'What do you say?' }),
      );
      for (const answer of await Promise.all(calls))
        expect(JSON.stringify(answer)).toContain('action=accept');
      await client.close();
    },
    60_000,
  );

  it('both took part, and the password stands nowhere', async () => {
    const metrics = await gateway.metrics();
    for (const worker of [1, 2])
      expect(numberOf(metrics, `sallyport_worker_exchanges{worker="${worker}"}`)).toBeGreaterThan(0);
    await redis.kill();
    await until('operators are told', () =>
      gateway.process.log().some(({ event }) => event === 'the store has no connection'),
    );
    const said = JSON.stringify(gateway.process.log());
    expect(metrics + said + JSON.stringify([1, 2].map((worker) => gateway.audit(worker)))).not.toContain(
      'a-password-of-tests',
    );
  });
});
