import { once } from 'node:events';
import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, isIP } from 'node:net';
import { addressKey } from '../identity/address-key.ts';
import type { BlockedAddress } from './blocks.ts';
import type { ControlOptions } from './flood-options.ts';
import { unmapped } from './peer.ts';

/** What the operator of the machine may ask of a running gateway. */
export interface ControlCommands {
  /** Blocked addresses, those that stay longest first. */
  list(): readonly BlockedAddress[] | Promise<readonly BlockedAddress[]>;
  /**
   * Releases one address, or all where none is named.
   *
   * @param address as it is listed
   * @returns how many were blocked
   */
  release(address: string | undefined): number | Promise<number>;
}

export interface RunningControl {
  close(): Promise<void>;
}

/** 107 bytes: what the kernel has room for in the name of a socket, without the byte at its end. */
const longestPath = 107;

/** 16, because there is one operator, and perhaps a script or two. */
const maximumConnections = 16;

/**
 * Opens the control socket: plain HTTP/1.1 and JSON on a Unix domain socket of mode 0600. Nobody else is authenticated:
 * the file system says who may open it.
 *
 *     GET /blocks               {"blocks":[{"address":…,"seconds":…,"times":…,"offences":{…}}]}
 *     DELETE /blocks/ADDRESS    {"released":1}
 *     DELETE /blocks            {"released":N}
 *
 * A socket that an earlier process left behind is taken over.
 *
 * @throws Error where another process listens on it, something else stands there, or it cannot be made
 */
export async function createControl(
  options: ControlOptions,
  commands: ControlCommands,
): Promise<RunningControl> {
  const server = createServer({ headersTimeout: 5000, requestTimeout: 5000, maxHeaderSize: 8192 });
  server.maxConnections = maximumConnections;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.on('error', () => {});
    request.resume();
    answer(request, commands).then(
      ({ status, body }) => write(response, status, body),
      () => write(response, 500, { error: 'failed' }),
    );
  });
  if (Buffer.byteLength(options.socket) > longestPath) {
    throw new Error(
      `${options.socket}: too long for a socket: its whole path may have ${longestPath} bytes at most`,
    );
  }
  await listenAlone(server, options.socket);
  return {
    // Node takes the socket's name away with it.
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What an operator may name an address by: as it is listed, or any address in that /64. An IPv4 one also mapped. */
export function blockKeyOf(text: string): string | undefined {
  const bare = text.endsWith('/64') ? text.slice(0, -3) : text;
  return isIP(bare) === 0 || (bare !== text && isIP(bare) !== 6) ? undefined : addressKey(unmapped(bare));
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const prefix = '/blocks/';

async function answer({ method, url = '' }: IncomingMessage, commands: ControlCommands): Promise<Answer> {
  if (url === '/blocks' && method === 'GET') {
    return { status: 200, body: { blocks: await commands.list() } };
  }
  if (url === '/blocks' && method === 'DELETE') {
    return { status: 200, body: { released: await commands.release(undefined) } };
  }
  if (url.startsWith(prefix) && method === 'DELETE') {
    const key = blockKeyOf(decoded(url.slice(prefix.length)));
    if (key === undefined) return { status: 400, body: { error: 'not an address' } };
    return { status: 200, body: { released: await commands.release(key) } };
  }
  return { status: 404, body: { error: 'no such command' } };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function write(response: ServerResponse, status: number, value: unknown): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

async function listenAlone(server: Server, path: string): Promise<void> {
  try {
    await listen(server, path);
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cannot(path, error);
  }
  if (!isSocket(path)) throw new Error(`${path}: something stands there that is not a socket`);
  if (await somebodyListens(path)) throw new Error(`${path}: another process listens on this control socket`);
  try {
    unlinkSync(path);
    await listen(server, path);
  } catch (error) {
    throw cannot(path, error);
  }
}

async function listen(server: Server, path: string): Promise<void> {
  // From its first moment nobody else may open it: the name is made while this runs, before anything else does.
  const before = process.umask(0o177);
  try {
    server.listen({ path });
  } finally {
    process.umask(before);
  }
  await once(server, 'listening');
  // Not every file system heeds the mask.
  chmodSync(path, 0o600);
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const done = (listens: boolean) => () => {
      socket.destroy();
      resolve(listens);
    };
    socket.once('connect', done(true));
    // Refused: nobody is behind the name. Any other failure proves nothing, and so takes nothing away.
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code !== 'ECONNREFUSED')());
  });
}

function cannot(path: string, error: unknown): Error {
  const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
  // libuv tells a missing folder as EACCES.
  const hint =
    reason === 'EACCES' || reason === 'ENOENT' ? ': its folder must be there, and be writable' : '';
  return new Error(`${path}: the control socket cannot be made (${reason})${hint}`, { cause: error });
}
