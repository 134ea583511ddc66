import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { schemaDifferences } from './schema-difference.ts';
import {
  brief,
  changeOf,
  type Difference,
  join,
  keysOf,
  same,
  valueDifferences,
} from './value-difference.ts';
import { visible } from './visible.ts';

export type { Difference } from './value-difference.ts';

/** Differences that are told; of a definition that has nothing in common with the old one, more say no more. */
const mostDifferences = 100;

/** What differs between two tool definitions. Empty where their hashes are equal. */
export function diffDefinitions(before: JsonObject, after: JsonObject): readonly Difference[] {
  const found: Difference[] = [];
  for (const key of keysOf(before, after)) {
    const old = own(before, key);
    const now = own(after, key);
    if (same(old, now)) continue;
    if (key === 'inputSchema' || key === 'outputSchema') found.push(...schemaDifferences(key, old, now));
    else if (key === 'annotations') found.push(...annotationDifferences(old, now));
    else found.push(...valueDifferences(join('', key), old, now));
  }
  return bounded(found);
}

/** What differs between two texts of instructions. */
export function diffTexts(
  path: string,
  before: string | undefined,
  after: string | undefined,
): readonly Difference[] {
  return before === after ? [] : valueDifferences(path, before, after);
}

/** One line for each difference, its details indented below. */
export function formatDifferences(differences: readonly Difference[]): readonly string[] {
  return differences.flatMap(({ path, change, details }) => [
    path === '' ? change : `${path}: ${change}`,
    ...details.map((line) => `  ${line}`),
  ]);
}

/** Each hint by itself: `readOnlyHint: annotation changed, true -> false`. */
function annotationDifferences(
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): readonly Difference[] {
  if (!isObjectOrAbsent(before) || !isObjectOrAbsent(after))
    return valueDifferences('annotations', before, after);
  return keysOf(before ?? {}, after ?? {}).flatMap((key) => {
    const old = before === undefined ? undefined : own(before, key);
    const now = after === undefined ? undefined : own(after, key);
    if (same(old, now)) return [];
    return [
      {
        path: `annotations.${visible(key, 100)}`,
        change: `annotation ${changeOf(old, now)}`,
        details: [`${brief(old)} -> ${brief(now)}`],
      },
    ];
  });
}

function bounded(found: readonly Difference[]): readonly Difference[] {
  if (found.length <= mostDifferences) return found;
  const more = found.length - mostDifferences;
  return [
    ...found.slice(0, mostDifferences),
    { path: '', change: `and ${more} more differences`, details: [] },
  ];
}

function isObjectOrAbsent(value: JsonValue | undefined): value is JsonObject | undefined {
  return value === undefined || isJsonObject(value);
}
