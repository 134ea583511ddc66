import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { StallInput } from './inputs.ts';
import { startMeter } from './meter.ts';
import type { Question, Reply } from './peers.ts';
import type { ReloadInput } from './reloads.ts';
import { startRichGateway, toolsOfServer } from './rich-gateway.ts';

export interface Stall {
  readonly name: string;
  /** The longest turn of the event loop, in milliseconds of CPU time: the least of all runs. */
  readonly longest: number;
  readonly reply: Reply;
  readonly requestBytes: number;
  readonly answerBytes: number;
}

export interface StallsBench {
  measure(input: StallInput, runs: number): Promise<Stall>;
  /** Writes a file, has it read again, and says how long others waited: the least of all runs. */
  measureReload(input: ReloadInput, runs: number): Promise<Pick<Stall, 'name' | 'longest'>>;
  close(): Promise<void>;
}

/** Starts gateway, client and server. The gateway runs on this thread, the other two on another. */
export async function startStallsBench(): Promise<StallsBench> {
  const peers = new Worker(new URL('./peers.ts', import.meta.url));
  const [{ url }] = (await once(peers, 'message')) as [{ url: string }];
  const rich = await startRichGateway(url);
  const meter = startMeter();
  return {
    async measure(input, runs) {
      const question = questionOf(input, rich.url);
      let longest = Number.POSITIVE_INFINITY;
      let reply: Reply = { status: 0, bytes: 0, head: '' };
      for (let run = 0; run < runs; run += 1) {
        const answered = once(peers, 'message') as Promise<[Reply]>;
        peers.postMessage(question);
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        meter.take();
        [reply] = await answered;
        longest = Math.min(longest, meter.take());
      }
      return {
        name: input.name,
        longest,
        reply,
        requestBytes: question.body.length,
        answerBytes: question.answer?.length ?? 0,
      };
    },
    async measureReload({ name, file, text }, runs) {
      let longest = Number.POSITIVE_INFINITY;
      for (let run = 0; run < runs; run += 1) {
        const before = rich.gateway.inner.policy();
        // What has not changed is not read again.
        const changed = `${text()}# ${run}\n`;
        await writeFile(join(rich.folder, file), changed);
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        meter.take();
        await rich.gateway.reload('signal');
        longest = Math.min(longest, meter.take());
        const state = rich.gateway.inner.ready().body;
        const isInForce = !file.startsWith('policies/') || rich.gateway.inner.policy() !== before;
        if (!isInForce || state.includes('"reload":"failed"'))
          throw new Error(`${name} was not read: ${state}`);
      }
      return { name, longest };
    },
    async close() {
      meter.stop();
      peers.postMessage('end');
      await rich.close();
    },
  };
}

function questionOf(input: StallInput, url: string): Question {
  const name =
    input.tool ??
    (input.method === 'resources/read' ? /"uri":"([^"]*)"/.exec(input.params())?.[1] : undefined);
  const meta =
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"stalls","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}';
  const tool = input.tool === undefined ? '' : `,"name":"${input.tool}"`;
  return {
    url,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': input.method,
      ...(name === undefined ? {} : { 'mcp-name': name }),
    },
    body: Buffer.from(
      `{"jsonrpc":"2.0","id":1,"method":"${input.method}","params":{${meta}${tool}${input.params()}}}`,
    ),
    answer: input.answer === undefined ? undefined : Buffer.from(input.answer()),
    type: input.type ?? 'json',
    tools: toolsOfServer,
  };
}
