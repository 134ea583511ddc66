import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { z } from 'zod';
import type { ListenerDependencies, RunningListener } from '../../src/listener/contract.ts';
import { createListener } from '../../src/listener/listener.ts';
import { listenerOptions } from '../../src/listener/options.ts';
import type { Refusal } from '../../src/listener/refusal.ts';
import type { Arrival } from '../../src/pipeline/arrival.ts';
import type { Reply } from '../../src/pipeline/reply.ts';

export interface TestListener extends RunningListener {
  /** URL of the one route. */
  readonly mcp: string;
  readonly refusals: Refusal[];
  readonly arrivals: Arrival[];
  readonly logged: { readonly level: string; readonly event: string; readonly fields: unknown }[];
}

type Handler = (arrival: Arrival, reply: Reply) => Promise<void>;

const cleaners: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clean of cleaners.splice(0).reverse()) await clean();
});

/** Runs when the test is over, last come first. */
export function afterThisTest(clean: () => Promise<unknown>): void {
  cleaners.push(clean);
}

export const answerBody = Buffer.from('{"jsonrpc":"2.0","id":1,"result":{}}');

/** Answers every request the same way. */
export const answerOk: Handler = async (_arrival, reply) => {
  reply.send(200, { 'content-type': 'application/json' }, answerBody);
};

/** A listener on loopback with the route `/w/mcp`. Closed after the test. */
export async function startListener(
  options: Partial<z.input<typeof listenerOptions>> = {},
  handle: Handler = answerOk,
  more: Pick<
    ListenerDependencies,
    'blocks' | 'documents' | 'entrance' | 'known' | 'onFlood' | 'onOffence' | 'tokenRoutes'
  > = {},
): Promise<TestListener> {
  const refusals: Refusal[] = [];
  const arrivals: Arrival[] = [];
  const logged: { level: string; event: string; fields: unknown }[] = [];
  const logAt = (level: string) => (event: string, fields?: unknown) => {
    logged.push({ level, event, fields });
  };
  const running = await createListener(listenerOptions.parse({ bind: '127.0.0.1:0', ...options }), {
    routes: new Map([['/w/mcp', 'w']]),
    ...more,
    handle: async (arrival, reply) => {
      arrivals.push(arrival);
      await handle(arrival, reply);
    },
    onRefusal: (refusal) => refusals.push(refusal),
    log: { info: logAt('info'), warn: logAt('warn'), error: logAt('error') },
  });
  cleaners.push(() => running.close(0));
  return { ...running, mcp: `${running.address.url}/w/mcp`, refusals, arrivals, logged };
}

/** A folder that goes away with the test. */
export async function testFolder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'listener-'));
  cleaners.push(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** Waits for something that will be true soon. The bound is for broken tests only. */
export async function until(true_: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!true_()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

/** The lines of an honest POST over a bare socket, without the end of the head. */
export function rawPost(listener: TestListener, extra: readonly string[] = [], path = '/w/mcp'): string {
  return [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${listener.address.port}`,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    ...extra,
    '',
  ].join('\r\n');
}

/** A connection to it, closed after the test. */
export async function dial(listener: TestListener): Promise<Socket> {
  const socket = connect(listener.address.port, '127.0.0.1');
  socket.on('error', () => {});
  afterThisTest(async () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** All that comes until the other side closes. */
export function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.once('close', () => resolve(text));
  });
}
