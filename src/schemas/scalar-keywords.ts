import { isExactNumber, isJsonObject, type JsonValue } from '../values/json.ts';
import { canonicalText, isMultiple, isWhole, type Numeric, toNumeric } from './exact.ts';
import { formatTest } from './formats.ts';
import { requireCount, requireList, type Site } from './site.ts';

/** Characters of a text that cost one step where they are only counted or compared. */
const charactersPerStep = 64;

const typeTests: ReadonlyMap<JsonValue, (value: JsonValue) => boolean> = new Map<
  JsonValue,
  (value: JsonValue) => boolean
>([
  ['string', (value) => typeof value === 'string'],
  ['number', (value) => typeof value === 'number' || isExactNumber(value)],
  ['integer', (value) => Number.isInteger(value) || isExactNumber(value)],
  ['boolean', (value) => typeof value === 'boolean'],
  ['null', (value) => value === null],
  ['array', (value) => Array.isArray(value)],
  ['object', isJsonObject],
]);

export function compileType(site: Site, value: JsonValue): void {
  const names = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
  const tests = names.map((name) => typeTests.get(name) ?? site.fail('keyword-invalid', 'type'));
  site.node.namesObject = names.includes('object');
  const [only] = tests;
  if (only === undefined) site.fail('keyword-invalid', 'type');
  if (tests.length === 1) site.node.checks.push((given, run) => only(given) || run.fail('type'));
  else site.node.checks.push((given, run) => tests.some((test) => test(given)) || run.fail('type'));
}

/** `enum`, and `const` as one of one. Compared as JSON values: 1 is 1.0, and an integer beyond 2^53 is itself. */
export function compileMembers(site: Site, keyword: 'enum' | 'const', values: readonly JsonValue[]): void {
  site.countValues(values.length);
  const texts = new Set(values.filter((value) => typeof value === 'string'));
  const others = new Set(values.filter((value) => typeof value !== 'string').map(canonicalText));
  site.node.checks.push((given, run) => {
    if (typeof given === 'string') return texts.has(given) || run.fail(keyword);
    if (others.size === 0) return run.fail(keyword);
    const text = canonicalText(given);
    run.charge(Math.ceil(text.length / charactersPerStep));
    return others.has(text) || run.fail(keyword);
  });
}

export function compileEnum(site: Site, value: JsonValue): void {
  compileMembers(site, 'enum', requireList(site, 'enum', value));
}

const comparisons: ReadonlyMap<string, (value: Numeric, bound: Numeric) => boolean> = new Map([
  ['minimum', (value, bound) => value >= bound],
  ['maximum', (value, bound) => value <= bound],
  ['exclusiveMinimum', (value, bound) => value > bound],
  ['exclusiveMaximum', (value, bound) => value < bound],
  ['multipleOf', isMultiple],
]);

export const numberKeywords: readonly string[] = [...comparisons.keys()];

/** Bounds of numbers. JavaScript compares integers beyond 2^53 with doubles by their exact values. */
export function compileComparison(site: Site, keyword: string, value: JsonValue): void {
  const bound = toNumeric(value);
  if (bound === undefined || (keyword === 'multipleOf' && bound <= 0)) {
    site.fail('keyword-invalid', keyword);
  }
  const holds = comparisons.get(keyword)!;
  if (keyword === 'multipleOf' && isWhole(bound) && typeof bound === 'number') {
    site.node.checks.push((given, run) => {
      if (typeof given === 'number') return given % bound === 0 || run.fail(keyword);
      const numeric = toNumeric(given);
      return numeric === undefined || holds(numeric, bound) || run.fail(keyword);
    });
    return;
  }
  site.node.checks.push((given, run) => {
    const numeric = typeof given === 'number' ? given : toNumeric(given);
    return numeric === undefined || holds(numeric, bound) || run.fail(keyword);
  });
}

/** Lengths count code points. */
export function compileLength(site: Site, keyword: 'minLength' | 'maxLength', value: JsonValue): void {
  const bound = requireCount(site, keyword, value);
  const isMost = keyword === 'maxLength';
  site.node.checks.push((given, run) => {
    if (typeof given !== 'string') return true;
    const units = given.length;
    // A code point has one unit or two: mostly nothing need be counted.
    if (isMost ? units <= bound : units >= bound * 2) return true;
    if (isMost ? units > bound * 2 : units < bound) return run.fail(keyword);
    run.charge(Math.ceil(units / charactersPerStep));
    const points = codePoints(given);
    return (isMost ? points <= bound : points >= bound) || run.fail(keyword);
  });
}

function codePoints(text: string): number {
  let count = 0;
  for (let index = 0; index < text.length; index += 1) {
    count += 1;
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const next = text.charCodeAt(index + 1);
      if (next >= 0xdc00 && next <= 0xdfff) index += 1;
    }
  }
  return count;
}

export function compilePatternKeyword(site: Site, value: JsonValue): void {
  if (typeof value !== 'string') site.fail('keyword-invalid', 'pattern');
  const pattern = site.pattern(value, 'pattern');
  site.node.checks.push((given, run) => {
    if (typeof given !== 'string') return true;
    run.charge(patternCost(given, pattern.size));
    return pattern.test(given) || run.fail('pattern');
  });
}

/** A character costs some ten nanoseconds in a small program, and in a large one more. */
export function patternCost(text: string, size: number): number {
  return Math.ceil((text.length * (1 + size / 64)) / 8);
}

export function compileFormat(site: Site, value: JsonValue): void {
  if (typeof value !== 'string') site.fail('keyword-invalid', 'format');
  const test = formatTest(value);
  if (test === undefined) return;
  site.node.checks.push((given, run) => {
    if (typeof given !== 'string') return true;
    run.charge(Math.ceil(given.length / 16));
    return test(given) || run.fail('format');
  });
}
