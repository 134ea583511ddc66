import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompiledPolicy } from '../../src/policy/compile.ts';
import {
  call,
  limitsOf,
  makeExchange,
  makeGate,
  policyWithLimits,
  principal,
  type TestGate,
  told,
  up,
} from './support.ts';

const noon = Date.UTC(2026, 4, 31, 12);

/** One call, from its beginning to its end, `at` milliseconds after noon by both clocks. */
async function ask(
  gate: TestGate,
  policy: CompiledPolicy,
  at: number,
  { name = 'alice', args = {}, tool = 'query' } = {},
): Promise<unknown> {
  const exchange = makeExchange({
    policy,
    request: call('tools/call', { name: tool, arguments: args }),
    principal: principal(name),
    startedAt: at,
    time: noon + at,
  });
  const verdict = told(await up(limitsOf(gate), exchange));
  limitsOf(gate).end?.(exchange);
  return verdict;
}

const periods = { s: 1000, min: 60_000, h: 3_600_000 } as const;
const rate = fc.record({
  count: fc.integer({ min: 1, max: 40 }),
  period: fc.constantFrom(...(['s', 'min', 'h'] as const)),
  burst: fc.integer({ min: 20, max: 40 }),
});

describe('the time that a refusal tells', () => {
  test('is when the same call passes, and not a millisecond sooner, whatever limits there are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(rate, { minLength: 1, maxLength: 2 }),
        fc.array(
          fc.record({ calls: fc.integer({ min: 1, max: 30 }), period: fc.constantFrom('hour', 'day') }),
          {
            maxLength: 2,
          },
        ),
        fc.constantFrom('', ', cost: 3', ', cost: args.rows / 1000', ', cost: { "q*": 2.5 }'),
        fc.option(fc.integer({ min: 10, max: 100 }), { nil: undefined }),
        fc.array(
          fc.record({ wait: fc.integer({ min: 0, max: 20_000 }), rows: fc.integer({ min: 0, max: 9999 }) }),
          {
            minLength: 5,
            maxLength: 40,
          },
        ),
        async (rates, quotas, cost, budget, calls) => {
          const policy = policyWithLimits(
            [
              ...rates.map(({ count, period, burst }, index) => {
                const own = index === 0 ? cost : '';
                return `  - { name: r${index}, match: { tools: ["*"] }, per: principal, rate: ${count}/${period}, burst: ${burst}${own} }`;
              }),
              ...quotas.map(
                ({ calls, period }, index) =>
                  `  - { name: q${index}, match: { tools: ["*"] }, per: principal, quota: ${calls * 10}/${period}${cost} }`,
              ),
              ...(budget === undefined
                ? []
                : [
                    `  - { name: sum, match: { tools: ["*"] }, per: principal, sum: args.rows / 1000 per hour, most: ${budget} }`,
                  ]),
            ].join('\n'),
          );
          const gate = makeGate();
          let at = 0;
          for (const { wait, rows } of calls) {
            at += wait;
            const args = { rows };
            const verdict = (await ask(gate, policy, at, { args })) as {
              code: string;
              retryAfterMs?: number;
            };
            if (verdict.code === undefined || verdict.code === 'cost-too-high') continue;
            const retryAfterMs = verdict.retryAfterMs!;
            expect(retryAfterMs).toBeGreaterThan(0);
            expect(await ask(gate, policy, at + retryAfterMs - 1, { args })).not.toBe('pass');
            at += retryAfterMs;
            expect(await ask(gate, policy, at, { args })).toBe('pass');
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('is that of the least where the cost goes through lists: nothing is worked out for a flood', async () => {
    const cost = 'args.rows.filter(r, r > 0).size() + 1';
    const policy = policyWithLimits(
      `  - { name: l, match: { tools: ["*"] }, per: principal, rate: 1/s, burst: 10, cost: "${cost}" }`,
    );
    const gate = makeGate();
    const args = { rows: [1, 1, 1, 1, 1, 1, 1, 1, 1] };
    expect(await ask(gate, policy, 0, { args })).toBe('pass');
    const told = (retryAfterMs: number) => ({ code: 'rate-limited', limit: 'l', retryAfterMs });
    expect(await ask(gate, policy, 0, { args })).toEqual(told(1000));
    expect(await ask(gate, policy, 1000, { args })).toEqual(told(9000));
    expect(await ask(gate, policy, 10_000, { args })).toBe('pass');
  });
});

describe('a caller that keeps to its limits', () => {
  test('is never refused: whatever others do, whatever is reloaded, however it spreads its calls', async () => {
    await fc.assert(
      fc.asyncProperty(
        rate,
        fc.array(
          fc.record({
            wait: fc.integer({ min: 0, max: 3000 }),
            others: fc.integer({ min: 0, max: 3 }),
            reloads: fc.boolean(),
            tool: fc.constantFrom('query', 'other', 'made-up'),
          }),
          { minLength: 10, maxLength: 60 },
        ),
        async ({ count, period, burst }, steps) => {
          const text = `
  - { name: l, match: { tools: ["*"] }, per: principal, rate: ${count}/${period}, burst: ${burst} }
  - { name: other, match: { tools: [else] }, per: principal, rate: 1/h }
`;
          let policy = policyWithLimits(text);
          let reloads = 0;
          const gate = makeGate();
          // The bucket as its caller keeps it: never more than what is there for certain.
          let tokens = burst;
          let at = 0;
          for (const step of steps) {
            at += step.wait;
            tokens = Math.min(burst, tokens + (step.wait * count) / periods[period]);
            for (let index = 0; index < step.others; index += 1) await ask(gate, policy, at, { name: 'eve' });
            if (step.reloads) {
              reloads += 1;
              policy = policyWithLimits(
                `${text}  - { name: new${reloads}, match: { tools: [else] }, per: role, rate: 1/h }`,
              );
            }
            // Spread over that many calls a cost is rounded up by less than a thousandth.
            if (tokens < 1.001) continue;
            tokens -= 1.001;
            expect(await ask(gate, policy, at, { tool: step.tool })).toBe('pass');
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('gets no more than its limits, either, whatever it asks for in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ wait: fc.integer({ min: 0, max: 2000 }), amount: fc.integer({ min: 0, max: 40 }) }),
          {
            minLength: 10,
            maxLength: 80,
          },
        ),
        async (calls) => {
          const policy = policyWithLimits(
            '  - { name: l, match: { tools: ["*"] }, per: principal, rate: 10/min, burst: 10, cost: args.n * 0.5 }\n' +
              '  - { name: s, match: { tools: ["*"] }, per: principal, sum: args.n * 0.0004 per hour, most: 0.02 }',
          );
          const gate = makeGate();
          const passed: { readonly at: number; readonly units: number }[] = [];
          let at = 0;
          let sum = 0;
          for (const { wait, amount } of calls) {
            at += wait;
            if ((await ask(gate, policy, at, { args: { n: amount } })) !== 'pass') continue;
            passed.push({ at, units: Math.max(1, amount * 0.5) });
            sum += amount * 0.0004;
          }
          expect(sum).toBeLessThanOrEqual(0.02 + 1e-12);
          for (const [index, { at: from }] of passed.entries()) {
            let units = 0;
            for (const later of passed.slice(index)) {
              units += later.units;
              expect(units).toBeLessThanOrEqual(10 + ((later.at - from) * 10) / 60_000 + 1e-9);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
