import { RE2JS } from 're2js';
import { missing } from './ask-at.ts';
import type { ValueOperators } from './options.ts';
import { every, type Truth, truthOf } from './truth.ts';

export type Scalar = string | number | boolean | null;

/** The operators on one value, compiled. Type-strict: a value of another type than an operator speaks of is unknown. */
export interface ValueTest {
  test(value: unknown): Truth;
  /** The first operator that does not hold, or else that cannot be evaluated. */
  blame(value: unknown): string;
}

interface Operator {
  readonly name: string;
  test(value: unknown): Truth;
}

export function compileValueTest(operators: ValueOperators): ValueTest {
  const list: Operator[] = [];
  const add = (name: string, test: (value: unknown) => Truth) => list.push({ name, test });

  const { equals, oneOf, contains, min, max, minLength, maxLength, pattern, prefix } = operators;
  if (equals !== undefined) add('equals', isOneOf([equals]));
  if (oneOf !== undefined) add('oneOf', isOneOf(oneOf));
  if (contains !== undefined) {
    add('contains', (value) => (Array.isArray(value) ? containsScalar(value, contains) : 'unknown'));
  }
  if (min !== undefined)
    add(
      'min',
      onNumber((value) => value >= min),
    );
  if (max !== undefined)
    add(
      'max',
      onNumber((value) => value <= max),
    );
  if (minLength !== undefined)
    add(
      'minLength',
      onLength((length) => length >= minLength),
    );
  if (maxLength !== undefined)
    add(
      'maxLength',
      onLength((length) => length <= maxLength),
    );
  if (prefix !== undefined)
    add(
      'prefix',
      onText((value) => value.startsWith(prefix)),
    );
  if (pattern !== undefined) {
    const compiled = compileRegex(pattern);
    if (compiled === undefined) throw new TypeError('the schema lets only valid patterns through');
    add(
      'pattern',
      onText((value) => compiled.matcher(value).matches()),
    );
  }
  if (operators.present !== undefined) {
    const wanted = operators.present;
    add('present', (value) => truthOf((value !== missing) === wanted));
  }
  const optional = operators.optional === true;
  return {
    test: (value) =>
      optional && value === missing ? 'true' : every(list, (operator) => operator.test(value)),
    blame: (value) => {
      const failed = list.find((operator) => operator.test(value) === 'false');
      const unknown = failed ?? list.find((operator) => operator.test(value) === 'unknown');
      return unknown?.name ?? list[0]!.name;
    },
  };
}

/** Linear-time regular expression over the whole value; undefined where the text is not one. */
export function compileRegex(text: string): RE2JS | undefined {
  try {
    return RE2JS.compile(text);
  } catch {
    return undefined;
  }
}

function isOneOf(wanted: readonly Scalar[]): (value: unknown) => Truth {
  return (value) => {
    if (!wanted.some((one) => sameType(one, value))) return 'unknown';
    return truthOf(wanted.includes(value as Scalar));
  };
}

/** A list without the value, but with elements that are no scalars, cannot be said to lack it. */
function containsScalar(list: readonly unknown[], wanted: Scalar): Truth {
  if (list.includes(wanted)) return 'true';
  return list.some((element) => typeof element === 'object' && element !== null) ? 'unknown' : 'false';
}

function sameType(a: Scalar, b: unknown): boolean {
  return a === null ? b === null : typeof a === typeof b;
}

function onNumber(test: (value: number) => boolean): (value: unknown) => Truth {
  return (value) => (typeof value === 'number' && Number.isFinite(value) ? truthOf(test(value)) : 'unknown');
}

function onText(test: (value: string) => boolean): (value: unknown) => Truth {
  return (value) => (typeof value === 'string' ? truthOf(test(value)) : 'unknown');
}

/** Lists by their elements, text by its code points as JSON Schema counts them. */
function onLength(test: (length: number) => boolean): (value: unknown) => Truth {
  return (value) => {
    if (Array.isArray(value)) return truthOf(test(value.length));
    return typeof value === 'string' ? truthOf(test(codePoints(value))) : 'unknown';
  };
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
