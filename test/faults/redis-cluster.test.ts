import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startCluster, startRedis, type TestRedis, until } from '../support/redis.ts';
import { codeOf, type RedisStage, startRedisStage } from './redis-stage.ts';
import { fault } from './table.ts';

const prefix = 'sallyport';

describe('a cluster', () => {
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  let replica: TestRedis;
  let slot: string;

  const idOf = (node: TestRedis): Promise<string> => node.cli('CLUSTER', 'MYID');
  /** The masters, the one of the gateway's slot first. */
  const masters = async (nodes: readonly TestRedis[]): Promise<TestRedis[]> => {
    const own: TestRedis[] = [];
    const others: TestRedis[] = [];
    for (const node of nodes) {
      const keys = await node.cli('CLUSTER', 'COUNTKEYSINSLOT', slot);
      (Number(keys) > 0 ? own : others).push(node);
    }
    return [...own, ...others];
  };

  beforeAll(async () => {
    cluster = await startCluster();
    slot = await cluster.nodes[0]!.cli('CLUSTER', 'KEYSLOT', `{${prefix}}`);
    replica = await startRedis({
      lines: [
        'cluster-enabled yes',
        'cluster-node-timeout 2000',
        'cluster-config-file nodes-replica.conf',
        'repl-diskless-sync-delay 0',
      ],
    });
    await replica.cli('CLUSTER', 'MEET', '127.0.0.1', String(cluster.nodes[0]!.port));
    await until('the new node knows the others', async () =>
      (await replica.cli('CLUSTER', 'INFO')).includes('cluster_known_nodes:4'),
    );
  }, 60_000);

  afterAll(async () => {
    await cluster?.stop();
    await replica?.stop();
  });

  async function withStage(run: (stage: RedisStage) => Promise<void>): Promise<void> {
    const stage = await startRedisStage({ nodes: cluster.nodes.map(({ port }) => `127.0.0.1:${port}`) });
    try {
      await stage.counts();
      await until('the quota is used up', async () => codeOf(await stage.call('allow')) === 4290);
      await run(stage);
      await stage.counts();
      await until('the quota stands', async () => codeOf(await stage.call('allow')) === 4290);
    } finally {
      await stage.close();
    }
  }

  fault(
    'the slot of the gateway moves to another master (ASK, TRYAGAIN, MOVED)',
    'while it is on its way limits are decided as they say, then counted where it went, with what was counted before',
    (measured) =>
      withStage(async (stage) => {
        const [from, to] = (await masters(cluster.nodes)) as [TestRedis, TestRedis];
        const [fromId, toId] = [await idOf(from), await idOf(to)];
        await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
        await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
        const keys = (await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, '100')).split('\n');
        expect(keys.length).toBeGreaterThan(1);
        await from.cli('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys);
        await until('the rate is decided without', async () => codeOf(await stage.call('deny')) === 5030);
        const begun = performance.now();
        for (const node of [to, from]) await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
        await until('it is counted there', async () => codeOf(await stage.call('deny')) === undefined);
        measured(`counted at the other master after ${Math.round(performance.now() - begun)} ms`);
      }),
    60_000,
  );

  fault(
    'the master of the slot dies and its replica takes over',
    'limits are decided as they say meanwhile, and counted at the new master with what it knows',
    (measured) =>
      withStage(async (stage) => {
        const [master] = (await masters(cluster.nodes)) as [TestRedis];
        await until('the replica knows its master', async () =>
          (await replica.cli('CLUSTER', 'REPLICATE', await idOf(master))).includes('OK'),
        );
        await until('the replica is in step', async () =>
          (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
        );
        // The others must know of it too, or nobody votes for it.
        for (const node of cluster.nodes)
          await until('all know the replica', async () =>
            (await node.cli('CLUSTER', 'NODES'))
              .split('\n')
              .some((line) => line.includes(' slave ') || line.includes(',slave ')),
          );
        const begun = performance.now();
        await master.kill();
        await until('the store is known to be lost', async () => codeOf(await stage.call('deny')) === 5030);
        await until('the new master counts', async () => codeOf(await stage.call('deny')) === undefined);
        measured(
          `counted at the new master ${Math.round(performance.now() - begun)} ms after the old one died`,
        );
      }),
    60_000,
  );
});
