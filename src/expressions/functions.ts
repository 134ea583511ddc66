import { RE2JS } from 're2js';

/**
 * Stands in for a function of the package.
 *
 * @param spend takes work off what the test may do, and throws where there is none left
 * @throws where the values are not what it takes
 */
export type Stand = (values: readonly unknown[], spend: (work: number) => void) => unknown;

/** Text that `matches` looks at, UTF-16 units. 65,536, because the linear-time matcher is a slow one. */
const longestMatched = 65_536;

const longestPattern = 1_024;

const int64 = 2n ** 63n;

/**
 * Functions that this room does itself, by name and number of values (the receiver is one).
 *
 * The package folds more than ASCII where the name says ASCII, and reads `""` and `0b1` as integers. The search of the
 * engine takes the product of both lengths in the worst case: a minute for a text of a megabyte, if the caller chooses
 * text and pattern. It is paid for in advance.
 */
export const ownFunctions: ReadonlyMap<string, Stand> = new Map<string, Stand>([
  ['lowerAscii/1', ([text]) => textOf(text).replace(/[A-Z]+/g, (run) => run.toLowerCase())],
  ['upperAscii/1', ([text]) => textOf(text).replace(/[a-z]+/g, (run) => run.toUpperCase())],
  ['int/1', ([value]) => toInt(value)],
  ['double/1', ([value]) => toDouble(value)],
  ['contains/2', searching((text, part) => text.includes(part))],
  ['indexOf/2', searching((text, part) => BigInt(text.indexOf(part)))],
  ['lastIndexOf/2', searching((text, part) => BigInt(text.lastIndexOf(part)))],
  ['split/2', searching((text, part) => text.split(part))],
]);

function searching(search: (text: string, part: string) => unknown): Stand {
  return ([value, part], spend) => {
    const text = textOf(value);
    const wanted = textOf(part);
    spend(Math.floor((text.length * wanted.length) / 1_024));
    return search(text, wanted);
  };
}

/** Functions of the package that expressions may use as they are: total, pure, and linear in what they are given. */
export const plainFunctions: ReadonlySet<string> = new Set([
  'size/1',
  'startsWith/2',
  'endsWith/2',
  'trim/1',
  'substring/2',
  'substring/3',
  'join/1',
  'join/2',
  'string/1',
  'bool/1',
  'type/1',
  'dyn/1',
]);

/** Macros over lists and the keys of objects, and `has`. */
export const macros: ReadonlySet<string> = new Set(['has', 'all', 'exists', 'exists_one', 'map', 'filter']);

/** Names of types, for `type(args.x) == string`. */
export const typeNames: ReadonlySet<string> = new Set([
  'string',
  'bool',
  'int',
  'double',
  'list',
  'map',
  'null_type',
]);

/**
 * `matches` for one pattern: finds it anywhere in the text, as CEL says; `^` and `$` bind it.
 *
 * @returns undefined where the pattern is not one of RE2
 */
export function createMatches(pattern: string): Stand | undefined {
  if (pattern.length > longestPattern) return undefined;
  try {
    const compiled = RE2JS.compile(pattern);
    return ([value]) => {
      const text = textOf(value);
      if (text.length > longestMatched) throw new RangeError('the text is too long to be matched');
      return compiled.matcher(text).find();
    };
  } catch {
    return undefined;
  }
}

/**
 * `==` and `!=`, strict about types: CEL calls a text and a list simply different, and `args.mode != 'admin'` would let
 * `["admin"]` pass. Null may be compared with everything.
 *
 * @throws TypeError where neither is null and the types differ
 */
export function requireComparable(left: unknown, right: unknown): void {
  if (left === null || right === null || kindOf(left) === kindOf(right)) return;
  throw new TypeError('values of different types');
}

/**
 * `in`: a key of an object is a text; an element of a list must be of a type that the list has.
 *
 * @throws TypeError where it cannot be a member
 */
export function requirePossibleMember(value: unknown, collection: unknown): void {
  if (Array.isArray(collection)) {
    const kind = kindOf(value);
    if (collection.length === 0 || collection.some((element) => kindOf(element) === kind)) return;
  } else if (typeof value === 'string') return;
  throw new TypeError('a value of a type that cannot be a member');
}

function kindOf(value: unknown): string {
  if (typeof value === 'bigint' || typeof value === 'number') return 'number';
  if (typeof value !== 'object') return typeof value;
  if (value === null) return 'null';
  if (value instanceof Date) return 'moment';
  return Array.isArray(value) ? 'list' : 'object';
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError('not a text');
}

function toInt(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return inRange(BigInt(Math.trunc(value)));
  if (typeof value === 'string' && /^-?[0-9]{1,19}$/.test(value)) return inRange(BigInt(value));
  throw new RangeError('not an integer');
}

function inRange(value: bigint): bigint {
  if (value >= -int64 && value < int64) return value;
  throw new RangeError('not a 64-bit integer');
}

function toDouble(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (
    typeof value === 'string' &&
    value.length <= 64 &&
    /^-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(value)
  ) {
    const parsed = Number(value);
    if (Number.isFinite(parsed)) return parsed;
  }
  throw new RangeError('not a number');
}
