import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** 20 s: starting a Node program on a busy machine takes a few. */
const startTimeoutMs = 20_000;

/**
 * Starts the official `@modelcontextprotocol/server-everything` (Streamable HTTP) as a child process on loopback.
 *
 * @param port 0 takes a free one
 * @throws Error if it does not come up in 20 s
 */
export async function startEverything(port: number): Promise<RunningServer> {
  const entry = createRequire(import.meta.url).resolve(
    '@modelcontextprotocol/server-everything/dist/index.js',
  );
  const preload = fileURLToPath(new URL('./listen-on-loopback.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', preload, entry, 'streamableHttp'], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  const taken = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => fail('it did not start in time'), startTimeoutMs);
    const fail = (why: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`server-everything: ${why}\n${said}`));
    };
    const read = (chunk: Buffer): void => {
      if (said.length < 10_000) said += chunk.toString();
      const match = /listening on loopback port (\d+)/.exec(said);
      if (match === null) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`it ended with code ${code}`));
  });
  return {
    url: `http://127.0.0.1:${taken}/mcp`,
    port: taken,
    async close() {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await exited;
      clearTimeout(killer);
    },
  };
}
