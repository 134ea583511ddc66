import { expect } from 'vitest';
import { openPolicy, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { startRecorder } from '../support/recorder.ts';
import { until } from '../support/redis.ts';
import { sharedStore } from '../support/replicas.ts';
import type { Measured } from './table.ts';

/** One limit for each `onStoreLoss`, each for a tool of its name, and nothing else. */
const policy = `${openPolicy}
limits:
  - { name: part, match: { tools: [local] }, per: tool, quota: 40/day, onStoreLoss: local }
  - { name: strict, match: { tools: [deny] }, per: tool, rate: 1000/s, onStoreLoss: deny }
  - { name: loose, match: { tools: [allow] }, per: tool, quota: 2/month, onStoreLoss: allow }
  - { name: roomy, match: { tools: [roomy] }, per: principal, rate: 10000/s, burst: 1000, onStoreLoss: local }
`;

/** Replicas that the gateway expects: alone it admits half of a limit. */
const replicas = 2;
const partOfQuota = 40 / replicas;

/** A gateway over a store that is about to fail. */
export interface RedisStage {
  readonly gate: TestGateway;
  call(tool: 'local' | 'deny' | 'allow'): Promise<RawAnswer>;
  /** The store counts: a quota of two admits two, whatever was asked before at this gateway. */
  counts(): Promise<void>;
  /** The store is lost, and each limit says what then holds. */
  decidesWithout(measured: Measured): Promise<void>;
  /** Milliseconds until limits are counted in the store again. */
  untilBack(): Promise<number>;
  metric(name: string): Promise<number | undefined>;
  close(): Promise<void>;
}

export async function startRedisStage(redis: Readonly<Record<string, unknown>>): Promise<RedisStage> {
  const server = await startRecorder();
  const gate = await startTestGateway({
    door: 'plain',
    upstreams: { tools: server.url },
    policy,
    ...sharedStore({ replicas, ...redis }),
  });
  const call: RedisStage['call'] = (tool) => {
    const { headers, body } = modern('tools/call', { name: tool, arguments: {} });
    return post(gate.url('tools'), body, { headers });
  };
  const metric: RedisStage['metric'] = async (name) => {
    const line = (await gate.metrics()).split('\n').find((one) => one.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.slice(name.length + 1));
  };
  const isUp = async (): Promise<boolean> => (await metric('sallyport_store_up')) === 1;
  return {
    gate,
    call,
    metric,
    async counts() {
      // A store that is alive may still be late on a busy machine: asked again, it counts.
      await until('the store counts', async () => {
        await until('the store is up', isUp);
        return codeOf(await call('deny')) === undefined && (await isUp());
      });
    },
    async decidesWithout(measured) {
      const times: number[] = [];
      const timed = async (tool: 'local' | 'deny' | 'allow'): Promise<number | undefined> => {
        const begun = performance.now();
        const answer = await call(tool);
        times.push(performance.now() - begun);
        return codeOf(answer);
      };
      // Three late answers in a row are a lost store; meanwhile each is decided by its limit already.
      for (let first = 0; first < 3; first += 1) expect(await timed('deny')).toBe(5030);
      await until('the store is known to be lost', async () => !(await isUp()));
      for (let more = 0; more < 5; more += 1) expect(await timed('deny')).toBe(5030);
      for (let more = 0; more < 5; more += 1) expect(await timed('allow')).toBeUndefined();
      const here: (number | undefined)[] = [];
      for (let more = 0; more < partOfQuota + 3; more += 1) here.push(await timed('local'));
      expect(here.slice(0, partOfQuota).every((code) => code === undefined)).toBe(true);
      expect(here.slice(partOfQuota).every((code) => code === 4290)).toBe(true);
      const ready = await fetch(`${gate.gateway.adminUrl}/readyz`);
      expect(ready.status).toBe(200);
      expect(await ready.json()).toMatchObject({ ready: true, store: 'lost' });
      expect(await metric('sallyport_limit_store_events_total{event="deny",limit="strict"}')).toBeGreaterThan(
        7,
      );
      expect(await metric('sallyport_limit_store_events_total{event="lost",limit="_other"}')).toBeGreaterThan(
        0,
      );
      const sorted = times.toSorted((one, other) => one - other);
      measured(
        `${times.length} calls answered in ${Math.round(sorted[sorted.length >> 1]!)} ms (median) to ${Math.round(sorted.at(-1)!)} ms`,
      );
    },
    async untilBack() {
      const begun = performance.now();
      await until('the store is back', isUp);
      return Math.round(performance.now() - begun);
    },
    async close() {
      await gate.close();
      await server.close();
    },
  };
}

/** The JSON-RPC error code of an answer; undefined for a result. Never what the store said. */
export function codeOf(answer: RawAnswer): number | undefined {
  const text = answer.body.toString('utf8');
  expect(text).not.toMatch(/redis|WRONGTYPE|OOM|READONLY|ECONNREFUSED|\{sallyport\}/i);
  const json = text.startsWith('{') ? text : text.slice(text.indexOf('data: ') + 6);
  const message = JSON.parse(json.split('\n')[0]!) as { error?: { code: number } };
  return message.error?.code;
}
