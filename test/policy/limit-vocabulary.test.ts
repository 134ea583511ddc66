import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { CompiledLimit } from '../../src/policy/model.ts';

function compile(limit: string) {
  const match = limit.startsWith('match:') ? '' : 'match: { tools: "*" }, ';
  return compilePolicy([
    { file: 'a.yaml', text: `version: 1\nlimits:\n  - { name: l, per: principal, ${match}${limit} }\n` },
  ]);
}

function limitOf(text: string): CompiledLimit {
  const compiled = compile(text);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.problems));
  return compiled.policy.limits[0]!;
}

function problemsOf(text: string): readonly string[] {
  const compiled = compile(text);
  return compiled.ok ? [] : compiled.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('the words of limits', () => {
  it('say quotas, sums and costs in thousandths', () => {
    const limit = limitOf(
      'quota: 5000/day, sum: args.amount per month, most: 10.5, cost: 2.5, onStoreLoss: deny',
    );
    expect(limit).toMatchObject({
      quota: { period: 'day', most: 5_000_000 },
      sum: { period: 'month', most: 10_500 },
      onStoreLoss: 'deny',
    });
    expect(limit.cost.least('any')).toBe(2500);
    expect(limit.sum!.amount.measure({ args: { amount: 1.5 }, tool: 'x' })).toBe(1500);
    expect(limit.sum!.amount.measure({ args: undefined, tool: 'x' })).toBeUndefined();
  });

  it('take the dearest of several patterns, and one where none matches', () => {
    const { cost } = limitOf('rate: 9/s, cost: { "export_*": 5, "*_all": 7, cheap: 0 }');
    expect(['export_x', 'export_all', 'cheap', 'other'].map((tool) => cost.least(tool))).toEqual([
      5000, 7000, 0, 1000,
    ]);
  });

  it('raise a cost from arguments to one unit at least, and a sum to nothing', () => {
    const { cost, sum } = limitOf('quota: 9/hour, cost: args.x, sum: "args.x per hour", most: 9');
    const question = { args: { x: 0.25 }, tool: 't' };
    expect([cost.least('t'), cost.measure(question)]).toEqual([1000, 1000]);
    expect([sum!.amount.least('t'), sum!.amount.measure(question)]).toEqual([0, 250]);
  });

  it('take an argument whose name a lenient server could mean for none', () => {
    const { cost } = limitOf('quota: 9/hour, cost: args.rows');
    for (const disguise of ['Rows', 'ROWS', 'r\u2134ws']) {
      expect(cost.measure({ args: { rows: 1, [disguise]: 9 }, tool: 't' })).toBeUndefined();
    }
    expect(cost.measure({ args: { rows: 1, rowsets: 9 }, tool: 't' })).toBe(1000);
  });

  it.each([
    ['quota: 5', 'limits[0].quota: expected a quota such as 5000/day: a number and hour, day or month'],
    ['quota: 5/week', 'limits[0].quota: expected a quota such as 5000/day: a number and hour, day or month'],
    ['quota: 0/day', 'limits[0].quota: expected a quota such as 5000/day: a number and hour, day or month'],
    [
      'sum: args.amount, most: 5',
      'limits[0].sum: expected an amount and its period, such as "args.amount per day": hour, day or month',
    ],
    ['sum: amount per day, most: 5', 'limits[0].sum: Unknown variable: amount (at character 1)'],
    ['sum: args.amount per day', 'limits[0]: "sum" needs "most"'],
    ['rate: 1/s, most: 5', 'limits[0]: "most" needs "sum"'],
    ['sum: args.amount per day, most: 0.0005', 'limits[0].most: must be at least 0.001'],
    ['sum: args.amount per day, most: 1.0005', 'limits[0].most: "most" has at most three decimals'],
    ['concurrency: 1, cost: 5', 'limits[0]: "cost" needs "rate" or "quota"'],
    [
      'rate: 1/s, cost: -1',
      'limits[0].cost: expected a number of at least 0, an expression such as args.rows / 1000, or numbers by tool',
    ],
    ['rate: 1/s, cost: "args.rows >"', 'limits[0].cost: Unexpected token: EOF (at character 12)'],
    ['rate: 1/s, cost: "args.rows > 1"', 'limits[0].cost: the result is of type bool, not int or double'],
    ['rate: 1/s, cost: {}', 'limits[0].cost: names no tool'],
    ['rate: 1/s, cost: 2', 'limits[0].cost: is more than the 1 that there ever are: no call would pass'],
    [
      'quota: 5/day, rate: 9/s, cost: 6',
      'limits[0].cost: is more than the 5 that there ever are: no call would pass',
    ],
    [
      'rate: 9/s, burst: 5, cost: { cheap: 5, "export_*": 5.001, dear: 99 }',
      'limits[0].cost["export_*"]: is more than the 5 that there ever are: no call of such a tool would pass. To refuse them, deny them in a role',
      'limits[0].cost.dear: is more than the 5 that there ever are: no call of such a tool would pass. To refuse them, deny them in a role',
    ],
    [
      'rate: 9/s, cost: "4 + 6"',
      'limits[0].cost: is always 10, more than the 9 that there ever are: no call would pass',
    ],
    ['rate: 9/s, cost: "1 / 0"', 'limits[0].cost: is no amount, whatever a call brings: no call would pass'],
    [
      'match: { tools: [a, b, "c*"] }, rate: 9/s, cost: "tool == \'b\' ? 10 : 1"',
      'limits[0].cost: is always 10, more than the 9 that there ever are: no call of b would pass',
    ],
    [
      'sum: 11 per day, most: 10',
      'limits[0].sum: is always 11, more than the 10 that there ever are: no call would pass',
    ],
    [
      'sum: "-1 per day", most: 10',
      'limits[0].sum: is no amount, whatever a call brings: no call would pass',
    ],
    [
      'rate: 1/999d, burst: 1000',
      'limits[0].rate: takes more than a hundred years to come back after a burst',
    ],
    [
      'rate: 1/s, onStoreLoss: alow',
      'limits[0].onStoreLoss: must be one of "local", "deny", "allow"; did you mean "allow"?',
    ],
  ] as readonly (readonly [string, ...string[]])[])('refuse %s', (text, ...expected) => {
    expect(problemsOf(text)).toEqual(expected);
  });

  it.each([
    'rate: 9/s, cost: 9',
    'rate: 9/s, cost: { a: 9 }',
    'rate: 1/s, burst: 9, cost: 9',
    'rate: 9/s, cost: args.rows + 10',
    'rate: 9/s, cost: "tool == \'b\' ? 10 : 1"',
    'match: { tools: [a, "b*"] }, rate: 9/s, cost: "tool == \'b\' ? 10 : 1"',
    'sum: 10 per day, most: 10',
    'sum: args.a per day, most: 0.001',
  ])('take %s, by which some call may pass', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });
});
