import { expect, onTestFinished } from 'vitest';
import { limits } from '../../src/filters/limits.ts';
import { createMemoryStore } from '../../src/limits/memory-store.ts';
import { call, makeExchange, policyOf, principal } from '../filters/support.ts';
import { startTestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { startRecorder } from '../support/recorder.ts';
import { expectUnharmed, startGoodTraffic } from './good-traffic.ts';
import { fault, scale } from './table.ts';

const each = policyOf(`
version: 1
roles: { all: { allow: [{ tools: ["*"] }] } }
bindings: [{ roles: [all], to: [{ any: true }] }]
limits:
  - { name: each, match: { tools: ["*"] }, per: principal, rate: 60/min, quota: 1000/day }
`);

fault(
  '100,000 distinct callers in a second, before room for 50,000',
  'The memory stays within its bound, callers that are known go on, new ones are refused until there is room',
  (measured) => {
    const callers = scale(100_000, 1_000_000);
    const room = callers / 2;
    const store = createMemoryStore(
      { rateKeys: room, quotaKeys: room, concurrencyKeys: room },
      () => undefined,
    );
    const { early, late } = limits({ store, fields: false, report: () => undefined });
    const request = call('tools/call', { name: 'query' });
    const ask = (name: string, startedAt: number, time: number): string => {
      const exchange = makeExchange({ request, policy: each, principal: principal(name), startedAt, time });
      for (const filter of [early, late]) {
        const verdict = filter.toUpstream!(request, exchange);
        if (verdict instanceof Promise) throw new Error('memory answers at once');
        if (verdict.kind === 'reject') return verdict.error.code;
      }
      late.end?.(exchange);
      return 'ok';
    };
    const noon = Date.UTC(2026, 5, 1, 12);
    const before = process.memoryUsage().heapUsed;
    const answers = new Map<string, number>();
    for (let index = 0; index < callers; index += 1) {
      const at = (index * 1000) / callers;
      const answer = ask(`caller-${index}`, at, noon + at);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      // Somebody who came early.
      if (index % (callers / 20) === 0) expect(ask('caller-0', at, noon + at)).toBe('ok');
    }
    expect(Object.fromEntries(answers)).toEqual({ ok: room, overloaded: callers - room });
    expect(store.size).toBe(2 * room);
    const bytes = process.memoryUsage().heapUsed - before;
    measured(`${store.size} keys of ${callers} callers, some ${Math.round(bytes / store.size)} bytes each`);
    // A day later all counts are worth nothing.
    let late2 = 0;
    for (let index = 0; index < 1000; index += 1) {
      if (ask(`later-${index}`, 86_400_000, noon + 86_400_000) === 'ok') late2 += 1;
    }
    expect(late2).toBe(1000);
    measured('1000 of 1000 new callers a day later');
  },
  scale(30_000, 180_000),
);

fault(
  'one caller at a hundred times its rate, beside a good one',
  'It gets its rate and nothing more; the good one feels nothing',
  async (measured) => {
    const recorder = await startRecorder();
    const gate = await startTestGateway({
      upstreams: { recorder: recorder.url },
      policy: `
version: 1
roles: { all: { allow: [{ tools: ["*"] }] } }
bindings: [{ roles: [all], to: { any: true } }]
limits:
  - { name: each, match: { tools: ["*"] }, per: principal, rate: 5/s, burst: 5, cost: { cheap: 0.05 } }
`,
    });
    onTestFinished(async () => {
      await gate.close();
      await recorder.close();
    });
    const url = gate.url('recorder');
    const tls = await gate.as('greedy');
    const good = startGoodTraffic(url, { perSecond: 20, tool: 'cheap', tls: await gate.as('good') });
    const begun = performance.now();
    const seconds = scale(2, 30);
    const { headers, body } = modern('tools/call', { name: 'dear', arguments: {} });
    const reasons = new Map<string, number>();
    const workers = Array.from({ length: 8 }, async () => {
      while (performance.now() - begun < seconds * 1000) {
        const answer = (await post(url, body, { headers, tls })).json<{
          error?: { data: { reason: string } };
        }>();
        const reason = answer.error?.data.reason ?? 'ok';
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    });
    await Promise.all(workers);
    const span = (performance.now() - begun) / 1000;
    const report = await good.stop();
    const passed = reasons.get('ok') ?? 0;
    const sent = [...reasons.values()].reduce((sum, count) => sum + count, 0);
    expect(passed).toBeLessThanOrEqual(5 + 5 * span);
    expect(passed).toBeGreaterThanOrEqual(5);
    expect([...reasons.keys()].sort()).toEqual(['ok', 'rate-limited']);
    measured(`${passed} of its ${sent} calls in ${span.toFixed(1)} s, where 5 and 5 a second are allowed`);
    expectUnharmed(report, measured);
  },
  scale(30_000, 90_000),
);
