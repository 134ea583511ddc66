import { contains, parseNetwork } from '../conditions/address.ts';
import { constantTruth } from '../conditions/cel.ts';
import type { NetworkTest, TimeTest, ValueOperators } from '../conditions/options.ts';
import { parseTimeOfDay } from '../conditions/time.ts';
import { compileValueTest } from '../conditions/value-test.ts';
import { conditionsOf } from './walk.ts';
import { type Lint, warn } from './warning.ts';

const never = {
  allow: 'can never hold: the rule never allows',
  deny: 'can never hold: the rule denies only what cannot be evaluated',
};

/** Conditions that no request can meet, and expressions that say the same of each. */
export const impossibleConditions: Lint = function* (files) {
  for (const { file, path, effect, when } of conditionsOf(files)) {
    for (const [name, operators] of Object.entries(when.args ?? {})) {
      if (isImpossible(operators))
        yield warn(file, [...path, 'args', name], 'condition-impossible', never[effect]);
    }
    for (const [name, test] of Object.entries(when.claims ?? {})) {
      const isOperators = typeof test === 'object' && test !== null && !Array.isArray(test);
      if (isOperators && isImpossible(test as ValueOperators)) {
        yield warn(file, [...path, 'claims', name], 'condition-impossible', never[effect]);
      }
    }
    if (when.network !== undefined && isNowhere(when.network)) {
      yield warn(file, [...path, 'network'], 'condition-impossible', never[effect]);
    }
    if (when.time !== undefined && isNever(when.time)) {
      yield warn(file, [...path, 'time'], 'condition-impossible', never[effect]);
    }
    const constant = when.cel === undefined ? undefined : constantTruth(when.cel);
    if (constant !== undefined) {
      const says = constant === 'unknown' ? 'can never be evaluated' : `is always ${constant}`;
      yield warn(file, [...path, 'cel'], 'condition-constant', `the expression ${says}`);
    }
  }
};

/** Operators of which no value can meet all. With few values to choose from, they are tried; else types are compared. */
function isImpossible(operators: ValueOperators): boolean {
  const { equals, oneOf, optional, present } = operators;
  if (optional === true || present === false) return false;
  const choice = equals !== undefined ? [equals] : oneOf;
  if (choice !== undefined) {
    const test = compileValueTest(operators);
    return choice.every((value) => test.test(value) !== 'true');
  }
  const { contains: has, min, max, minLength, maxLength, pattern, prefix } = operators;
  const isNumber = min !== undefined || max !== undefined;
  const isText = pattern !== undefined || prefix !== undefined;
  const isList = has !== undefined;
  const hasLength = minLength !== undefined || maxLength !== undefined;
  if ([isNumber, isText, isList].filter(Boolean).length > 1 || (isNumber && hasLength)) return true;
  if (isList && maxLength === 0) return true;
  return prefix !== undefined && maxLength !== undefined && [...prefix].length > maxLength;
}

/** Whether every network that is asked for lies in one that is excluded. */
function isNowhere({ in: inside, notIn: outside }: NetworkTest): boolean {
  const excluded = (outside ?? []).map((text) => parseNetwork(text)!);
  if (inside === undefined) return excluded.some(({ bits }) => bits === 0);
  return inside.every((text) => {
    const network = parseNetwork(text)!;
    return excluded.some((other) => other.bits <= network.bits && contains(other, network.address));
  });
}

/** From the end of the day to its beginning: a span that crosses midnight and has no minute on either side. */
function isNever({ between }: TimeTest): boolean {
  if (between === undefined) return false;
  const [from, to] = between.map((text) => parseTimeOfDay(text)!);
  return from! >= 24 * 60 && to! === 0;
}
