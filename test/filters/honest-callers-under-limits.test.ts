import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompiledPolicy } from '../../src/policy/compile.ts';
import {
  call,
  limitsOf,
  makeExchange,
  makeGate,
  policyOf,
  principal,
  type TestGate,
  told,
  up,
} from './support.ts';

const minute = 60_000;
const hour = 60 * minute;

/** For one caller and tool: 30 calls a minute, ten of them at once; 900 units an hour; 9000 in amounts; three at once. */
const policy: CompiledPolicy = policyOf(`
version: 1
roles: { all: { allow: [{ tools: [query, export, pay] }] } }
bindings: [{ roles: [all], to: [{ any: true }] }]
limits:
  - { name: pace, match: { tools: ["*"] }, per: [principal, tool], rate: 30/min, burst: 10 }
  - { name: all-tools, match: { tools: ["*"] }, per: principal, rate: 90/min, burst: 30 }
  - { name: units, match: { tools: ["*"] }, per: principal, quota: 5400/hour, cost: { "export": 2 } }
  - { name: money, match: { tools: [pay] }, per: principal, sum: args.amount per hour, most: 9000 }
  - { name: at-once, match: { tools: ["*"] }, per: principal, concurrency: 3 }
`);

interface Step {
  readonly tool: string;
  readonly amount: number;
  /** Part of the pause by which it comes late. */
  readonly late: number;
  /** Milliseconds for which it runs. */
  readonly runs: number;
}

/** Calls of one caller, in the order of their times: each tool at its part of the pace. */
function plan(steps: readonly Step[], share: number): readonly (Step & { readonly at: number })[] {
  const pause = 2000 / share;
  const times = new Map<string, number>();
  const calls = steps.map((step) => {
    const turn = times.get(step.tool) ?? 0;
    times.set(step.tool, turn + 1);
    return { ...step, at: Math.round((turn + step.late) * pause) };
  });
  return calls.sort((one, other) => one.at - other.at);
}

async function begin(gate: TestGate, { tool, amount }: Step, startedAt: number, time: number) {
  const exchange = makeExchange({
    policy,
    request: call('tools/call', { name: tool, arguments: { amount } }),
    principal: principal('honest'),
    startedAt,
    time,
  });
  const verdict = told(await up(limitsOf(gate), exchange));
  return { verdict, end: () => limitsOf(gate).end?.(exchange) };
}

const step = fc.record({
  tool: fc.constantFrom('query', 'export', 'pay'),
  amount: fc.integer({ min: 0, max: 9 }),
  late: fc.double({ min: 0, max: 0.99, noNaN: true }),
  runs: fc.integer({ min: 0, max: 600 }),
});

/** What a wall clock may do meanwhile, by the time that has gone by; the monotonic clock goes on. */
const clocks: Readonly<Record<string, (gone: number) => number>> = {
  'goes right': (gone) => gone,
  'is set back by an hour': (gone) => (gone > 5 * minute ? gone - hour : gone),
  'jumps forth by a minute and back again': (gone) =>
    gone > minute && gone < 2 * minute ? gone + minute : gone,
  'is put right a little, again and again': (gone) => gone - ((gone >> 12) & 1) * 30,
};

/** Where windows end, or where a calendar is odd. */
const beginnings = {
  'at noon': Date.UTC(2026, 4, 31, 12),
  'before a full hour': Date.UTC(2026, 4, 31, 12) - 90_000,
  'on the eve of a leap day': Date.UTC(2028, 1, 29) - 90_000,
  'when summer time begins in Europe': Date.UTC(2026, 2, 29, 1) - 90_000,
  'before the new year': Date.UTC(2027, 0, 1) - 90_000,
};

describe('a caller at nine tenths of every limit', () => {
  for (const [clock, wall] of Object.entries(clocks)) {
    for (const [when, noon] of Object.entries(beginnings)) {
      test(`is never refused: ${when}, where the clock ${clock}`, async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 300 }), async (steps) => {
            const gate = makeGate();
            const running: { readonly until: number; end(): void }[] = [];
            for (const next of plan(steps, 0.9)) {
              for (const one of running.filter(({ until }) => until <= next.at)) {
                one.end();
                running.splice(running.indexOf(one), 1);
              }
              // It keeps to its three places.
              while (running.length >= 3) running.shift()!.end();
              const { verdict, end } = await begin(gate, next, next.at, noon + wall(next.at));
              expect(verdict).toBe('pass');
              running.push({ until: next.at + next.runs, end });
            }
          }),
          { numRuns: 5, endOnFailure: true },
        );
      });
    }
  }

  test('is refused at a tenth more: the measure is not blind', async () => {
    const gate = makeGate();
    const steps: Step[] = Array.from({ length: 200 }, () => ({ tool: 'query', amount: 1, late: 0, runs: 0 }));
    const verdicts: unknown[] = [];
    for (const next of plan(steps, 1.1)) {
      const { verdict, end } = await begin(gate, next, next.at, Date.UTC(2026, 4, 31) + next.at);
      end();
      verdicts.push(verdict);
    }
    expect(verdicts.filter((verdict) => verdict !== 'pass').length).toBeGreaterThan(0);
  });
});
