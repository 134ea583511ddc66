import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unit } from '../../src/limits/contract.ts';
import { createStoreKeys } from '../../src/redis/keys.ts';
import { createRedisState } from '../../src/redis/state.ts';
import { makeTestCa } from '../support/certificates.ts';
import {
  dumpRedis,
  startCluster,
  startRedis,
  startSentinelGroup,
  type TestRedis,
  until,
} from '../support/redis.ts';
import { claim, openStore, rateClaim, ring, type TestStore } from './support.ts';

const closers: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** What a user needs who may do nothing else: docs/shared-store.md says the same. */
const rule = (prefix: string): string =>
  `~{${prefix}}:* +evalsha +eval +time +get +set +strlen +getdel +del +exists +zcount +zscore +zadd +zrem +zremrangebyscore +pexpire`;

async function proves(store: TestStore): Promise<void> {
  const asked = [
    rateClaim('rate', 1, 2),
    claim('day', { kind: 'window', period: 'day', most: 5 * unit }),
    claim('places', { kind: 'places', most: 2 }),
  ];
  const first = await store.counts.take(asked, 'one', 0, 0);
  expect(first).toMatchObject({ ok: true, left: [{ remaining: 1 }, { remaining: 4 }], held: [asked[2]] });
  expect(await store.counts.take(asked, 'two', 0, 0)).toMatchObject({ ok: true });
  expect(await store.counts.take(asked, 'three', 0, 0)).toMatchObject({ ok: false });
  store.counts.release([asked[2]!], 'one');
  const places = [asked[2]!];
  expect(await store.counts.take(places, 'four', 0, 0)).toMatchObject({ ok: true });
  store.counts.release(places, 'two');
  store.counts.release(places, 'four');
  await store.counts.probe();
}

describe('TLS', () => {
  let redis: TestRedis;
  let folder: string;
  let files: { ca: string; certificate: string; key: string };
  let strangersCa: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-redis-tls-'));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const write = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const ca = await makeTestCa();
    const server = await ca.issue({ san: ['localhost', '127.0.0.1'], eku: ['serverAuth', 'clientAuth'] });
    files = {
      ca: write('ca.pem', ca.caPem),
      certificate: write('server.pem', server.certPem),
      key: write('server.key', server.keyPem),
    };
    strangersCa = write('other.pem', (await makeTestCa()).caPem);
    redis = await startRedis({ tls: files });
    closers.push(() => redis.stop());
  });

  it('counts over TLS with an own authority and a client certificate', async () => {
    const store = await openStore({ url: redis.url, tls: files });
    closers.push(() => store.close());
    await proves(store);
  });

  it('talks to nobody whose name or authority is another, nor without the certificate that is asked for', async () => {
    for (const tls of [
      { ca: strangersCa, certificate: files.certificate, key: files.key },
      { ...files, serverName: 'redis.example' },
      { ca: files.ca },
      {},
    ]) {
      const store = await openStore({ url: redis.url, tls }, { patienceMs: 400 });
      await until('the connection failed', () => store.trouble.length > 0);
      expect(store.link.isUp).toBe(false);
      await expect(store.counts.take([rateClaim('rate', 1, 1)], 'one', 0, 0)).rejects.toThrow(
        'no connection',
      );
      await store.close();
    }
  });
});

describe('users', () => {
  it('need no more rights than those that are documented, and one with fewer is a lost store', async () => {
    const redis = await startRedis({
      lines: [
        'user default off',
        'user admin on >secret-admin ~* &* +@all',
        `user gateway on >secret-gateway ${rule('gate')}`,
        `user reader on >secret-reader ~{gate}:* +get`,
      ],
      login: { username: 'admin', password: 'secret-admin' },
    });
    closers.push(() => redis.stop());
    const store = await openStore({
      url: redis.url,
      username: 'gateway',
      password: 'secret-gateway',
      prefix: 'gate',
    });
    closers.push(() => store.close());
    await proves(store);
    const state = createRedisState({
      link: store.link,
      keys: createStoreKeys(ring, 'gate'),
      timeout: 5000,
      isUp: () => true,
      onFault: (cause) => {
        throw cause;
      },
    });
    expect(await state.once('dpop', 'proof', 60_000)).toBe('new');
    expect(await state.look('hold', 'h', 60_000)).toEqual({ value: undefined });
    expect(await state.put('question', 'q', 'v', 60_000)).toBe(true);
    expect(await state.get('question', 'q')).toBe('v');
    expect(await state.take('question', 'q')).toBe('v');
    const reader = await openStore({
      url: redis.url,
      username: 'reader',
      password: 'secret-reader',
      prefix: 'gate',
    });
    closers.push(() => reader.close());
    await expect(reader.counts.take([rateClaim('rate', 1, 1)], 'one', 0, 0)).rejects.toMatchObject({
      kind: 'lost',
    });
    const wrong = await openStore(
      { url: redis.url, username: 'gateway', password: 'guessed' },
      { patienceMs: 400 },
    );
    await until('the login failed', () => wrong.trouble.length > 0);
    expect(String(wrong.trouble[0])).toContain('WRONGPASS');
    await wrong.close();
  });

  it('read their password from a file when they connect', async () => {
    const redis = await startRedis({
      lines: ['requirepass from-a-file'],
      login: { password: 'from-a-file' },
    });
    closers.push(() => redis.stop());
    const file = join(redis.folder, 'password');
    writeFileSync(file, 'from-a-file\n');
    const store = await openStore({ url: redis.url, password: { file } });
    closers.push(() => store.close());
    await proves(store);
  });
});

describe('a cluster', () => {
  it('keeps all keys of a gateway in one slot, and is asked at its master', async () => {
    const cluster = await startCluster();
    closers.push(() => cluster.stop());
    const nodes = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`);
    for (const prefix of ['sallyport', 'other', 'third']) {
      const store = await openStore({ nodes, prefix });
      await proves(store);
      await store.close();
    }
    const dumps = await Promise.all(cluster.nodes.map((node) => node.cli('KEYS', '*')));
    for (const prefix of ['sallyport', 'other', 'third'])
      expect(dumps.filter((dump) => dump.includes(`{${prefix}}:`))).toHaveLength(1);
  });
});

describe('a server that drives out keys when it is full', () => {
  it('is told of at each connection, and one that does not is not', async () => {
    const redis = await startRedis();
    closers.push(() => redis.stop());
    const told: string[] = [];
    const store = await openStore({ url: redis.url }, { onEviction: (policy) => told.push(policy) });
    closers.push(() => store.close());
    const again = async (): Promise<void> => {
      await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
      await until('it is connected again', async () => {
        await store.counts.probe();
        return true;
      });
    };
    for (const [memory, policy, expected] of [
      ['0', 'allkeys-lru', []],
      ['100mb', 'noeviction', []],
      ['100mb', 'allkeys-lru', ['allkeys-lru']],
      ['100mb', 'volatile-ttl', ['volatile-ttl']],
    ] as const) {
      await redis.cli('CONFIG', 'SET', 'maxmemory', memory, 'maxmemory-policy', policy);
      told.length = 0;
      await again();
      // Answered in the order in which they were asked: the probe came after the question.
      expect(told).toEqual(expected);
    }
  });
});

describe('sentinels', () => {
  it('are asked which server is the master, also after a failover', async () => {
    const group = await startSentinelGroup();
    closers.push(() => group.stop());
    const store = await openStore({
      sentinel: { nodes: ['127.0.0.1:1', `127.0.0.1:${group.sentinel.port}`], master: group.name },
    });
    closers.push(() => store.close());
    const asked = claim('month', { kind: 'window', period: 'month', most: 100 * unit });
    expect(await store.counts.take([asked], 'one', 0, 0)).toMatchObject({
      ok: true,
      left: [{ remaining: 99 }],
    });
    await until('the replica has it', async () => (await group.replica.cli('DBSIZE')).trim() !== '0');
    await group.master.kill();
    await until('the new master counts', async () => {
      const taken = await store.counts.take([asked], 'two', 0, 0);
      expect(taken).toMatchObject({ ok: true, left: [{ remaining: 98 }] });
      return true;
    });
  });
});

describe('what the store holds', () => {
  it('names no caller, tool or limit, and no value', async () => {
    const redis = await startRedis();
    closers.push(() => redis.stop());
    const store = await openStore({ url: redis.url });
    closers.push(() => store.close());
    const names = [
      'spiffe://acme.example/agent',
      'delete_everything',
      'secret-limit',
      'session-1234',
      'value-5678',
    ];
    const key = JSON.stringify(names.slice(0, 3));
    const asked = [
      rateClaim(names[2]!, 1, 5, { key }),
      claim(names[2]!, { kind: 'window', period: 'day', most: 5 * unit }, { key }),
      claim(names[2]!, { kind: 'places', most: 5 }, { key }),
    ];
    expect(await store.counts.take(asked, 'exchange-id', 0, 0)).toMatchObject({ ok: true });
    const state = createRedisState({
      link: store.link,
      keys: createStoreKeys(ring, 'sallyport'),
      timeout: 5000,
      isUp: () => true,
      onFault: () => {},
    });
    await state.once('dpop', names[3]!, 60_000);
    await state.put('question', names[3]!, names[4]!, 60_000);
    const dump = await dumpRedis(redis);
    // These five, and the mark of how far the memory reaches back.
    expect(dump.split('\n').filter((line) => line.startsWith('{sallyport}:'))).toHaveLength(6);
    for (const name of names) expect(dump).not.toContain(name);
    for (const name of names)
      expect(dump).not.toContain(Buffer.from(name).toString('base64url').slice(0, -2));
  });
});
