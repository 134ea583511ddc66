import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A real Redis of this test: Debian's `redis-server` on a free port, in a folder of its own. */
export interface TestRedis {
  readonly port: number;
  readonly folder: string;
  /** `redis://127.0.0.1:<port>`, or `rediss://`. */
  readonly url: string;
  /** Runs one command as an administrator and gives its answer as text, one element a line. */
  cli(...command: string[]): Promise<string>;
  /** Stops answering, keeps its connections (SIGSTOP). */
  pause(): void;
  resume(): void;
  /** Ends at once (SIGKILL). */
  kill(): Promise<void>;
  /** Starts again on the same port, with what it has saved: nothing, unless told. */
  start(): Promise<void>;
  /** For `afterAll`: ends it and removes its folder. */
  stop(): Promise<void>;
}

export interface TestRedisOptions {
  /** Lines of its configuration. */
  readonly lines?: readonly string[];
  /** Files for TLS: then it listens with TLS only. */
  readonly tls?: { readonly ca: string; readonly certificate: string; readonly key: string };
  /** `redis-sentinel` in place of `redis-server`. */
  readonly sentinel?: boolean;
  /** Who `cli` is, where the server asks. */
  readonly login?: { readonly username?: string; readonly password: string };
}

/** 15 s: starting a program on a busy machine. A bound on a broken start, not a claim about speed. */
const startTimeoutMs = 15_000;

export async function startRedis(options: TestRedisOptions = {}): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-redis-'));
  let server: { readonly child: ChildProcess; readonly port: number } | undefined;
  for (let attempt = 0; server === undefined; attempt += 1) {
    const port = await freePort();
    const child = await launch(folder, port, options);
    if (child !== undefined) server = { child, port };
    // Another process may have taken the port between finding and using it.
    else if (attempt === 5) throw new Error('redis-server does not start');
  }
  const { port } = server;
  let { child } = server;
  const admin = adminArguments(port, options);
  const stopChild = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    port,
    folder,
    url: `${options.tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`,
    async cli(...command) {
      const { stdout } = await run('redis-cli', [...admin, ...command]);
      return stdout.trimEnd();
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: stopChild,
    async start() {
      const again = await launch(folder, port, options);
      if (again === undefined) throw new Error('redis-server does not start again');
      child = again;
    },
    async stop() {
      await stopChild();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A master, a replica and one sentinel that makes the replica the master after half a second of silence. */
export async function startSentinelGroup(): Promise<{
  readonly master: TestRedis;
  readonly replica: TestRedis;
  readonly sentinel: TestRedis;
  readonly name: string;
  stop(): Promise<void>;
}> {
  const name = 'counts';
  const master = await startRedis();
  const replica = await startRedis({
    lines: [`replicaof 127.0.0.1 ${master.port}`, 'repl-diskless-sync-delay 0'],
  });
  await until('the replica is in step', async () =>
    (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
  );
  const sentinel = await startRedis({
    sentinel: true,
    lines: [
      `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds ${name} 500`,
      `sentinel failover-timeout ${name} 3000`,
    ],
  });
  await until('the sentinel knows the replica', async () =>
    (await sentinel.cli('SENTINEL', 'REPLICAS', name)).includes(String(replica.port)),
  );
  return {
    master,
    replica,
    sentinel,
    name,
    async stop() {
      for (const one of [sentinel, replica, master]) await one.stop();
    },
  };
}

/** Three masters that share the slots. */
export async function startCluster(): Promise<{
  readonly nodes: readonly TestRedis[];
  stop(): Promise<void>;
}> {
  const nodes: TestRedis[] = [];
  for (let index = 0; index < 3; index += 1)
    nodes.push(
      await startRedis({
        lines: [
          'cluster-enabled yes',
          'cluster-node-timeout 2000',
          `cluster-config-file nodes-${index}.conf`,
        ],
      }),
    );
  const [first, second, third] = nodes as [TestRedis, TestRedis, TestRedis];
  await first.cli('CLUSTER', 'ADDSLOTSRANGE', '0', '5460');
  await second.cli('CLUSTER', 'ADDSLOTSRANGE', '5461', '10922');
  await third.cli('CLUSTER', 'ADDSLOTSRANGE', '10923', '16383');
  for (const [index, node] of nodes.entries())
    await node.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  for (const other of [second, third]) await first.cli('CLUSTER', 'MEET', '127.0.0.1', String(other.port));
  for (const node of nodes)
    await until('the cluster is one', async () =>
      (await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    );
  return {
    nodes,
    async stop() {
      for (const node of nodes) await node.stop();
    },
  };
}

/** Every key with its value, as text: what somebody who reads the store sees. */
export async function dumpRedis(redis: TestRedis): Promise<string> {
  const keys = (await redis.cli('KEYS', '*')).split('\n').filter((key) => key !== '');
  const values: string[] = [];
  for (const key of keys) {
    const type = await redis.cli('TYPE', key);
    const read = type === 'zset' ? ['ZRANGE', key, '0', '-1', 'WITHSCORES'] : ['GET', key];
    values.push(`${key} ${type} ${await redis.cli('PTTL', key)} ${await redis.cli(...read)}`);
  }
  return values.join('\n');
}

/** Waits until something holds, for a bounded time. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patience = 20_000,
): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      if (await holds()) return;
    } catch {
      // Not yet.
    }
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(20);
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    // A cluster node listens on its port plus 10000 too.
    if (port < 55_000) return port;
  }
}

function adminArguments(port: number, { tls, login }: TestRedisOptions): readonly string[] {
  const secure =
    tls === undefined ? [] : ['--tls', '--cacert', tls.ca, '--cert', tls.certificate, '--key', tls.key];
  const user = login?.username === undefined ? [] : ['--user', login.username];
  const pass = login === undefined ? [] : ['--pass', login.password, '--no-auth-warning'];
  return ['-h', '127.0.0.1', '-p', String(port), ...secure, ...user, ...pass];
}

/** @returns undefined where it ended at once, as with a port that is taken */
async function launch(
  folder: string,
  port: number,
  options: TestRedisOptions,
): Promise<ChildProcess | undefined> {
  const { tls, lines = [], sentinel = false } = options;
  const listen =
    tls === undefined
      ? [`port ${port}`]
      : [
          'port 0',
          `tls-port ${port}`,
          `tls-ca-cert-file ${tls.ca}`,
          `tls-cert-file ${tls.certificate}`,
          `tls-key-file ${tls.key}`,
        ];
  const file = join(folder, sentinel ? 'sentinel.conf' : 'redis.conf');
  const own = sentinel ? [] : ['save ""', 'appendonly no'];
  writeFileSync(
    file,
    [...listen, 'bind 127.0.0.1', `dir ${folder}`, 'daemonize no', ...own, ...lines, ''].join('\n'),
  );
  const child = spawn(sentinel ? 'redis-sentinel' : 'redis-server', [file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const ended = new Promise<'ended'>((resolve) => {
    child.once('exit', () => resolve('ended'));
    child.once('error', () => resolve('ended'));
  });
  const answers = until(
    'the server answers',
    async () => (await run('redis-cli', [...adminArguments(port, options), 'PING'])).stdout.includes('PONG'),
    startTimeoutMs,
  ).then(() => 'answers' as const);
  answers.catch(() => child.kill('SIGKILL'));
  const outcome = await Promise.race([ended, answers]);
  if (outcome === 'answers' && child.exitCode === null) return child;
  if (!said.includes('Address already in use')) throw new Error(`redis-server ended:\n${said}`);
  return undefined;
}
