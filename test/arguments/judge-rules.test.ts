import { describe, expect, test } from 'vitest';
import { namedArguments } from '../../src/arguments/compile.ts';
import { judgeRules } from '../../src/arguments/judge-rules.ts';
import type { ArgumentRule } from '../../src/arguments/rule.ts';
import type { JsonObject } from '../../src/values/json.ts';
import { caller, ruleOf } from './support.ts';

const judge = (rules: readonly ArgumentRule[], args: JsonObject) => judgeRules(rules, args, caller, false);

const broken: ArgumentRule = {
  ...ruleOf({}),
  judgeSteps: () => {
    throw new Error('hunter2');
  },
};

describe('several rules', () => {
  test('must all let the arguments pass', () => {
    const rules = [ruleOf({ args: { a: { int: {} } } }), ruleOf({ args: { a: { int: { max: 5 } } } })];
    expect(judge(rules, { a: 5 }).fault).toBeUndefined();
    expect(judge(rules, { a: 6 }).fault).toMatchObject({ role: 'int', fault: 'above-max' });
  });

  test('judge what the others rewrote, those that came before as well', () => {
    const strict = ruleOf({ args: { a: { int: { max: 5 } } } });
    const clamps = ruleOf({ args: { a: { clamp: { max: 5 } } } });
    const sets = ruleOf({ args: { a: { set: 9 } } });
    expect(judge([clamps, strict], { a: 99 })).toMatchObject({ args: { a: 5 }, fault: undefined });
    expect(judge([strict, sets], { a: 1 }).fault).toMatchObject({ role: 'int', fault: 'above-max' });
  });

  test('that undo each other refuse', () => {
    const low = ruleOf({ args: { a: { clamp: { max: 5 } } } });
    const high = ruleOf({ args: { a: { clamp: { min: 10 } } } });
    expect(judge([low, high], { a: 7 }).fault).toMatchObject({
      path: 'a',
      role: 'rewrite',
      fault: 'conflict',
    });
  });

  test('that rewrite different arguments agree', () => {
    const rules = [ruleOf({ args: { a: { clamp: { max: 5 } } } }), ruleOf({ args: { b: { default: 1 } } })];
    const judged = judge(rules, { a: 9 });
    expect(judged.args).toEqual({ a: 5, b: 1 });
    expect(judged.rewrites.map(({ rewrite }) => rewrite)).toEqual(['clamp', 'default']);
  });

  test('in shadow mode change and refuse nothing, and see what will be sent', () => {
    const shadow = ruleOf({ args: { a: { int: { max: 3 } }, b: { set: 1 } } }, 'shadow');
    const clamps = ruleOf({ args: { a: { clamp: { max: 5 } } } });
    const judged = judge([shadow, clamps], { a: 9 });
    expect(judged).toMatchObject({ args: { a: 5 }, fault: undefined });
    expect(judged.wouldRefuse).toMatchObject([{ role: 'int', fault: 'above-max' }]);
    expect(judge([shadow, clamps], { a: 2 })).toMatchObject({
      args: { a: 2 },
      rewrites: [],
      wouldRefuse: [],
    });
  });
});

describe('a rule that throws', () => {
  test('refuses, and says nothing of why', () => {
    const judged = judge([broken], { a: 'hunter2' });
    expect(judged.fault).toMatchObject({ rule: 'r', role: 'rule', fault: 'broken' });
    expect(JSON.stringify(judged.fault)).not.toContain('hunter2');
  });

  test('would refuse, in shadow mode', () => {
    const judged = judge([{ ...broken, mode: 'shadow' }], {});
    expect(judged).toMatchObject({ fault: undefined, wouldRefuse: [{ role: 'rule', fault: 'broken' }] });
  });
});

test('the named arguments are the first names of all paths of all rules', () => {
  const one = ruleOf({ args: { a: { int: {} }, 'b.c[*]': { id: {} }, '["odd name"]': { drop: true } } });
  const other = ruleOf({ args: { constructor: { int: {} }, a: { text: {} } } });
  expect([...namedArguments([])]).toEqual([]);
  expect([...namedArguments([one])]).toEqual(['a', 'b', 'odd name']);
  expect(namedArguments([one])).toBe(namedArguments([one]));
  expect([...namedArguments([one, other])]).toEqual(['a', 'b', 'odd name', 'constructor']);
});
