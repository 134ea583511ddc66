import { hashTag } from './keys.ts';
import type { RedisOptions } from './options.ts';
import { type Login, openSession } from './session.ts';
import { within } from './within.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly database?: number;
}

/**
 * The server that has the gateway's keys now: the configured one, the one that a sentinel names, or the master of the
 * slot in which all keys live.
 *
 * @param last where they were last: in a cluster that node may know where they went, though no configured one answers
 * @throws the last error, where nobody could tell
 */
export async function findServer(
  options: RedisOptions,
  last: ServerAddress | undefined,
): Promise<ServerAddress> {
  if (options.url !== undefined) return addressOfUrl(options.url);
  const { sentinel } = options;
  if (sentinel !== undefined)
    return askEach(options, sentinel.nodes.map(addressOf), sentinel, (send) =>
      askSentinel(send, sentinel.master),
    );
  const nodes = (options.nodes ?? []).map(addressOf);
  return askEach(options, last === undefined ? nodes : [...nodes, last], options, (send, asked) =>
    askCluster(send, hashTag(options.prefix), asked),
  );
}

/** 1 s: a node that is silent for that long is not asked further. */
const patienceMs = 1000;

type Send = (command: readonly string[]) => Promise<unknown>;

async function askEach(
  options: RedisOptions,
  nodes: readonly ServerAddress[],
  login: Login,
  ask: (send: Send, asked: ServerAddress) => Promise<ServerAddress>,
): Promise<ServerAddress> {
  let failure: unknown;
  for (const node of nodes) {
    try {
      const session = await openSession(options, node, {
        username: login.username,
        password: login.password,
      });
      try {
        return await Promise.race([
          ask((command) => session.send(command), node),
          session.ended.then(() => Promise.reject(new Error('the connection ended'))),
        ]);
      } finally {
        session.drop();
      }
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function askSentinel(send: Send, master: string): Promise<ServerAddress> {
  const answer = await within(send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]), patienceMs);
  if (!Array.isArray(answer)) throw new Error('the sentinel knows no such master');
  return { host: String(answer[0]), port: Number(answer[1]) };
}

async function askCluster(send: Send, tag: string, asked: ServerAddress): Promise<ServerAddress> {
  const slot = Number(await within(send(['CLUSTER', 'KEYSLOT', tag]), patienceMs));
  const ranges = await within(send(['CLUSTER', 'SLOTS']), patienceMs);
  for (const [first, end, master] of ranges as [number, number, [string | null, number]][]) {
    if (slot < first || slot > end) continue;
    const [host, port] = master;
    // A node that does not know its own name or address means the one under which it was asked.
    return { host: host === null || host === '' ? asked.host : host, port };
  }
  throw new Error('no node of the cluster has the slot');
}

function addressOf(text: string): ServerAddress {
  const colon = text.lastIndexOf(':');
  return { host: withoutBrackets(text.slice(0, colon)), port: Number(text.slice(colon + 1)) };
}

function addressOfUrl(text: string): ServerAddress {
  const { hostname, port, pathname } = new URL(text);
  const database = Number(pathname.slice(1));
  return {
    host: withoutBrackets(hostname),
    port: port === '' ? 6379 : Number(port),
    ...(database === 0 ? {} : { database }),
  };
}

function withoutBrackets(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}
