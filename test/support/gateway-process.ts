import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface GatewayProcess {
  readonly pid: number;
  /** Origin of its first listener. */
  readonly url: string;
  readonly adminUrl: string;
  readonly ended: Promise<Ended>;
  /** What it wrote on standard error so far: the process log, one JSON object a line. */
  log(): readonly Record<string, unknown>[];
  signal(signal: NodeJS.Signals): void;
  /** For `afterAll`: does nothing where it has ended already. */
  kill(): Promise<void>;
}

/** 20 s: starting a Node program on a busy machine takes a few. A bound on a broken start, not a claim about speed. */
const startTimeoutMs = 20_000;

/** Runs one command of the gateway to its end. */
export function runSallyport(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Ended> {
  return endOf(start(args, environment, cwd));
}

/** Runs the gateway as operators do, `node src/main.ts run`, and waits until it serves. Its log level must be info. */
export async function startGatewayProcess(
  file: string,
  patience: number = startTimeoutMs,
  environment: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess> {
  const child = start(['run', '--config', file], environment);
  const ended = endOf(child);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const log = (): Record<string, unknown>[] =>
    stderr
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const serving = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const timer = setTimeout(() => fail('it did not start in time'), patience);
    const fail = (why: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${why}\n${stderr}`));
    };
    const look = (): void => {
      const line = log().find(({ event }) => event === 'serving');
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(line);
    };
    child.stderr?.on('data', look);
    void ended.then(({ code }) => fail(`it ended with code ${code}`));
  });
  return {
    pid: child.pid!,
    url: (serving['listeners'] as string[])[0]!,
    adminUrl: serving['admin'] as string,
    ended,
    log,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function start(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd?: string,
): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
    ...(cwd === undefined ? {} : { cwd }),
  });
}

function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
