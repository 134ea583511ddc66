import { execFile } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type ChaosProxy, startChaosProxy } from '../support/chaos-proxy.ts';
import { startRedis, startSentinelGroup, type TestRedis, until } from '../support/redis.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { codeOf, type RedisStage, startRedisStage } from './redis-stage.ts';
import { fault, type Measured, scale } from './table.ts';

/** 10 s: what is promised for a store that is back. */
const recoveryMs = 10_000;

const must =
  'each limit is decided as it says (part of it, refused, not counted), readiness stays and tells, and the store counts ' +
  'again within 10 s of its return';

describe('one Redis', () => {
  let redis: TestRedis;
  let proxy: ChaosProxy;

  beforeAll(async () => {
    redis = await startRedis();
    proxy = await startChaosProxy(redis.port);
  });

  afterAll(async () => {
    await proxy?.close();
    await redis?.stop();
  });

  /** A gateway for each fault: what one counted by itself is no business of the next. */
  async function withStage(
    where: 'direct' | 'behind',
    run: (stage: RedisStage) => Promise<void>,
  ): Promise<void> {
    await redis.cli('FLUSHALL');
    const stage = await startRedisStage({
      url: where === 'direct' ? redis.url : `redis://127.0.0.1:${proxy.port}`,
    });
    try {
      await run(stage);
    } finally {
      await stage.close();
    }
  }

  const prove = (
    where: 'direct' | 'behind',
    measured: Measured,
    begin: () => Promise<unknown> | unknown,
    end: () => Promise<unknown> | unknown,
  ): Promise<void> =>
    withStage(where, async (stage) => {
      await stage.counts();
      await begin();
      try {
        await stage.decidesWithout(measured);
      } finally {
        await end();
      }
      const backMs = await stage.untilBack();
      expect(backMs).toBeLessThan(recoveryMs);
      measured(`counted in the store again after ${backMs} ms`);
      await stage.counts();
    });

  fault('Redis is killed, and started again', must, (measured) =>
    prove(
      'direct',
      measured,
      () => redis.kill(),
      () => redis.start(),
    ),
  );

  fault('Redis is paused and keeps its connections', must, (measured) =>
    prove(
      'direct',
      measured,
      () => redis.pause(),
      () => redis.resume(),
    ),
  );

  fault('Redis is full', must, (measured) =>
    prove(
      'direct',
      measured,
      () => redis.cli('CONFIG', 'SET', 'maxmemory', '1'),
      () => redis.cli('CONFIG', 'SET', 'maxmemory', '0'),
    ),
  );

  fault('Redis becomes a replica that may not be written', must, (measured) =>
    prove(
      'direct',
      measured,
      () => redis.cli('REPLICAOF', '127.0.0.1', '1'),
      () => redis.cli('REPLICAOF', 'NO', 'ONE'),
    ),
  );

  fault('Redis is busy with a script of somebody else', must, (measured) =>
    prove(
      'direct',
      measured,
      async () => {
        await redis.cli('CONFIG', 'SET', 'busy-reply-threshold', '100');
        execFile('redis-cli', ['-p', String(redis.port), 'EVAL', 'while true do end', '0'], () => {});
        await until('it is busy', async () => (await redis.cli('PING')).includes('BUSY'));
      },
      () => redis.cli('SCRIPT', 'KILL'),
    ),
  );

  fault('Redis cannot save and therefore takes no writes (MISCONF)', must, (measured) => {
    // Where the file should come stands a folder.
    const inTheWay = join(redis.folder, 'dump.rdb');
    const saved = async (status: 'ok' | 'err'): Promise<void> => {
      await redis.cli('BGSAVE');
      await until('the attempt to save is over', async () => {
        const info = await redis.cli('INFO', 'persistence');
        return info.includes('rdb_bgsave_in_progress:0') && info.includes(`rdb_last_bgsave_status:${status}`);
      });
    };
    return prove(
      'direct',
      measured,
      async () => {
        await redis.cli('CONFIG', 'SET', 'save', '3600 1000000');
        mkdirSync(inTheWay);
        await saved('err');
      },
      async () => {
        rmdirSync(inTheWay);
        await saved('ok');
        await redis.cli('CONFIG', 'SET', 'save', '');
      },
    );
  });

  fault('the user of the gateway loses its rights', must, (measured) =>
    prove(
      'direct',
      measured,
      () => redis.cli('ACL', 'SETUSER', 'default', '-evalsha'),
      () => redis.cli('ACL', 'SETUSER', 'default', '+evalsha'),
    ),
  );

  fault('Redis answers after 200 ms', must, (measured) =>
    prove(
      'behind',
      measured,
      () => {
        proxy.set({ down: { delay: 200 } });
        proxy.resetAll();
      },
      () => {
        proxy.set({});
        proxy.resetAll();
      },
    ),
  );

  fault('new connections to Redis are accepted and nothing passes', must, (measured) =>
    prove(
      'behind',
      measured,
      () => {
        proxy.set({ down: { blackHoleAfter: 0 } });
        proxy.resetAll();
      },
      () => proxy.set({}),
    ),
  );

  fault('the connection to Redis falls silent and nobody says so', must, async (measured) => {
    // Answers pass until so many bytes have, then silence. Whoever connects anew is served.
    const first = proxy.accepted + 1;
    proxy.set((connection) => (connection === first ? { down: { blackHoleAfter: 600 } } : {}));
    await withStage('behind', async (stage) => {
      await until('it is lost', async () => {
        await stage.call('deny');
        return (await stage.metric('sallyport_store_up')) === 0;
      });
      expect(codeOf(await stage.call('deny'))).toBe(5030);
      const backMs = await stage.untilBack();
      expect(backMs).toBeLessThan(recoveryMs);
      measured(`a new connection counts after ${backMs} ms`);
      await stage.counts();
    });
    proxy.set({});
  });

  fault(
    'a key of the store holds a list of somebody else',
    'the limits of that one call are decided without it, others are counted, and the store is not lost',
    (measured) =>
      withStage('direct', async (stage) => {
        await stage.counts();
        const keys = (await redis.cli('KEYS', '{sallyport}:rate:*')).split('\n');
        const spoil = async (): Promise<void> => {
          for (const key of keys) {
            await redis.cli('DEL', key);
            await redis.cli('LPUSH', key, 'not a number');
          }
        };
        await spoil();
        await until('the rate is decided without', async () => codeOf(await stage.call('deny')) === 5030);
        await until(
          'the quota is counted to its end',
          async () => codeOf(await stage.call('allow')) === 4290,
        );
        expect(await stage.metric('sallyport_store_up')).toBe(1);
        for (const key of keys) await redis.cli('DEL', key);
        await stage.counts();
        measured('the other limits counted on in the store');
      }),
  );

  fault(
    'Redis is late for 200 ms and in time for 200 ms, again and again, under load',
    'calls within a limit that is counted locally meanwhile are answered as ever, and losses become rarer',
    (measured) =>
      withStage('behind', async (stage) => {
        const good = startGoodTraffic(stage.gate.url('tools'), { perSecond: scale(60, 200), tool: 'roomy' });
        try {
          let flaps = 0;
          const flap = setInterval(() => {
            flaps += 1;
            proxy.set(flaps % 2 === 1 ? { down: { delay: 200 } } : {});
          }, 200);
          await good.answered(scale(300, 6000));
          clearInterval(flap);
          const lost = await stage.metric('sallyport_limit_store_events_total{event="lost",limit="_other"}');
          measured(`${flaps} changes, ${lost ?? 0} times lost`);
          // Found again no sooner than after half a second each time.
          expect(lost ?? 0).toBeLessThanOrEqual(flaps / 2 + 1);
          expectUnharmed(await good.stop(), measured);
        } finally {
          proxy.set({});
        }
      }),
    scale(60_000, 180_000),
  );

  fault(
    'Redis is killed and started again, three times, under load',
    'calls that a limit does not hold back are answered as ever',
    (measured) =>
      withStage('direct', async (stage) => {
        const url = stage.gate.url('tools');
        const good = startGoodTraffic(url, { perSecond: scale(60, 200), tool: 'free' });
        const counted = startGoodTraffic(url, {
          perSecond: scale(60, 200),
          tool: 'deny',
          // Refused by its limit is right too: it is what the limit says.
          isRight: (status, answer) =>
            (status === 200 && answer['result'] !== undefined) ||
            (answer['error'] as { code?: number } | undefined)?.code === 5030,
        });
        for (let round = 0; round < 3; round += 1) {
          await good.answered(30);
          await redis.kill();
          await counted.answered(30);
          await redis.start();
          measured(`back after ${await stage.untilBack()} ms`);
        }
        expectUnharmed(await good.stop(), measured);
        expectUnharmed(await counted.stop(), measured);
      }),
    60_000,
  );
});

describe('a Redis that has much to load', () => {
  fault(
    'Redis is started again and loads its data (LOADING)',
    `${must}, with what it had saved`,
    async (measured) => {
      const keys = 2000;
      const redis = await startRedis({
        // 4 ms for each key: as long as many gigabytes would take.
        lines: ['key-load-delay 4000', 'loading-process-events-interval-bytes 1024'],
      });
      let stage: RedisStage | undefined;
      try {
        stage = await startRedisStage({ url: redis.url });
        const { call } = stage;
        await stage.counts();
        await until('the quota is used up', async () => codeOf(await call('allow')) === 4290);
        await redis.cli('EVAL', `for i = 1, ${keys} do redis.call('SET', 'other:' .. i, 'x') end`, '0');
        await redis.cli('SAVE');
        await redis.kill();
        const begun = performance.now();
        const loaded = redis.start();
        await until('it loads', async () => (await redis.cli('PING')).includes('LOADING'));
        const early: (number | undefined)[] = [];
        await until('it is known to be lost', async () => {
          early.push(codeOf(await call('deny')));
          return (await stage?.metric('sallyport_store_up')) === 0;
        });
        expect(early.every((code) => code === 5030)).toBe(true);
        for (let more = 0; more < 5; more += 1) expect(codeOf(await call('deny'))).toBe(5030);
        expect(await redis.cli('PING')).toContain('LOADING');
        await loaded;
        const loadedMs = Math.round(performance.now() - begun);
        const backMs = await stage.untilBack();
        expect(backMs).toBeLessThan(recoveryMs);
        measured(`loaded for ${loadedMs} ms; counted in the store again ${backMs} ms later`);
        await stage.counts();
        expect(codeOf(await call('allow'))).toBe(4290);
      } finally {
        await stage?.close();
        await redis.stop();
      }
    },
    60_000,
  );
});

describe('sentinels', () => {
  fault(
    'the master dies and a replica takes over',
    'limits are decided as they say meanwhile, and counted at the new master with what it knows',
    async (measured) => {
      const group = await startSentinelGroup();
      let stage: RedisStage | undefined;
      try {
        stage = await startRedisStage({
          sentinel: { nodes: [`127.0.0.1:${group.sentinel.port}`], master: group.name },
        });
        const { call } = stage;
        await stage.counts();
        await until('the quota is used up', async () => codeOf(await call('allow')) === 4290);
        await until('the replica has it', async () =>
          (await group.replica.cli('KEYS', '*:month:*')).includes('{sallyport}'),
        );
        const begun = performance.now();
        await group.master.kill();
        // The refusal is remembered for a while: no question is needed for it.
        await until('the store is known to be lost', async () => codeOf(await call('deny')) === 5030);
        await until('the new master counts', async () => codeOf(await call('deny')) === undefined);
        measured(
          `counted at the new master ${Math.round(performance.now() - begun)} ms after the old one died`,
        );
        await stage.counts();
        await until('the quota stands', async () => codeOf(await call('allow')) === 4290);
      } finally {
        await stage?.close();
        await group.stop();
      }
    },
    60_000,
  );
});
