import { isIP } from 'node:net';
import { readPlainFile } from '../document/plain-file.ts';
import type { ServerAddress } from './find-server.ts';
import type { RedisOptions } from './options.ts';

/** One connection that has been proven to answer. */
export interface RedisSession {
  /** @throws what the client throws, or the error that the server answered */
  send(command: readonly string[]): Promise<unknown>;
  /** Resolves once, with why it ended. Commands without an answer have failed then. */
  readonly ended: Promise<unknown>;
  drop(cause?: unknown): void;
}

export interface Login {
  readonly username?: string | undefined;
  readonly password?: RedisOptions['password'];
}

/** 1 s for TCP, TLS and login: a server in the same network that needs longer is not there. */
const connectMs = 1000;

/**
 * Connects, proves the server's name, logs in.
 *
 * @param login other than that of the options: that of sentinels
 * @throws where no connection is made within a second
 */
export async function openSession(
  options: RedisOptions,
  address: ServerAddress,
  login: Login = options,
): Promise<RedisSession> {
  // Loaded when it is needed: who counts in memory does without.
  const { createClient } = await import('redis');
  const password = readPassword(login.password);
  const common = {
    host: address.host,
    port: address.port,
    connectTimeout: connectMs,
    reconnectStrategy: false,
  } as const;
  const client = createClient({
    RESP: 2,
    socket: usesTls(options) ? { ...common, ...tlsOf(options, address.host), tls: true } : common,
    ...(login.username === undefined ? {} : { username: login.username }),
    ...(password === undefined ? {} : { password }),
    ...(address.database === undefined ? {} : { database: address.database }),
    disableOfflineQueue: true,
    // What is not needed needs no rights.
    disableClientInfo: true,
    maintNotifications: 'disabled',
    commandsQueueMaxLength: options.pending * 2,
  });
  let end: (cause: unknown) => void = () => {};
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  const drop = (cause?: unknown): void => {
    end(cause);
    // Throws where it has ended already.
    try {
      client.destroy();
    } catch {}
  };
  client.on('error', drop);
  client.on('end', () => end(undefined));
  // The client bounds the dialling, but not how long a server takes to answer the login.
  const timer = setTimeout(() => drop(new Error('no login within a second')), connectMs);
  try {
    await Promise.race([
      client.connect(),
      ended.then((cause) => {
        throw cause ?? new Error('the connection ended');
      }),
    ]);
  } catch (error) {
    drop(error);
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { send: (command) => client.sendCommand([...command]), ended, drop };
}

/** Every text of the options that must appear nowhere. Passwords of files are read anew; a file that is gone has none. */
export function redisSecrets(options: RedisOptions): readonly string[] {
  return [options.password, options.sentinel?.password].flatMap((password) => {
    try {
      const text = readPassword(password);
      return text === undefined ? [] : [text];
    } catch {
      return [];
    }
  });
}

function usesTls(options: RedisOptions): boolean {
  return options.url === undefined ? options.tls !== undefined : options.url.startsWith('rediss:');
}

function readPassword(password: RedisOptions['password']): string | undefined {
  if (password === undefined || typeof password === 'string') return password;
  // Editors and `echo` end files with a line break.
  return readPlainFile(password.file).trim();
}

function tlsOf(options: RedisOptions, host: string): Record<string, unknown> {
  const { ca, certificate, key, serverName } = options.tls ?? {};
  const servername = serverName ?? (isIP(host) === 0 ? host : undefined);
  return {
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca: [ca].flat().map(readPlainFile) }),
    ...(certificate === undefined ? {} : { cert: readPlainFile(certificate) }),
    ...(key === undefined ? {} : { key: readPlainFile(key) }),
    ...(servername === undefined ? {} : { servername }),
  };
}
