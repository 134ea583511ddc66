import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, hashOf } from '../../src/pins/canonical.ts';
import { isJsonObject, type JsonObject, type JsonValue, toExactNumber } from '../../src/values/json.ts';
import { jsonValues, toolDefinition } from './support.ts';

describe('canonical JSON', () => {
  it('sorts keys by UTF-16 code units, as RFC 8785 says, and writes no white space', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const value = Object.fromEntries(keys.map((key, index) => [key, index]));
    expect(canonicalJson(value)).toBe(
      '{"\\r":1,"1":3,"\u0080":5,"\u00f6":6,"\u20ac":0,"\ud83d\ude00":4,"\ufb33":2}',
    );
  });

  it('is the same whatever the order of keys, at every depth', () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        expect(canonicalJson(reversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('means the value that it was made of', () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        const read = JSON.parse(canonicalJson(value), (_key, member: unknown, { source }) =>
          typeof member === 'number' && /^-?[0-9]{16,}$/.test(source ?? '')
            ? exactOr(source!, member)
            : member,
        );
        expect(canonicalJson(read)).toBe(canonicalJson(value));
      }),
    );
  });

  it('keeps numbers apart that a double would make one', () => {
    const numbers = [
      toExactNumber('9007199254740993'),
      toExactNumber('9007199254740992'),
      9007199254740992,
      9007199254740991,
      toExactNumber('100000000000000000000'),
      1e20,
      1e21,
      0.1,
      1,
      '1',
      null,
      false,
    ];
    expect(new Set(numbers.map(canonicalJson)).size).toBe(numbers.length);
    expect(canonicalJson(-0)).toBe('0');
  });

  it('refuses what is no JSON number', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});

describe('the hash of a definition', () => {
  it('is pinned: a changed algorithm would quarantine everything that was approved', () => {
    expect(hashOf({ b: [1, 'x', null], a: { c: true } })).toBe(
      'sha256:9ca7d4a8b567c7d695d9188f6fbb09a824b9085293e519156b480011fc1851b7',
    );
  });

  it('changes with every member, at every depth', () => {
    const before = hashOf(toolDefinition);
    const changed = [...mutations(toolDefinition)];
    expect(changed.length).toBeGreaterThan(30);
    for (const mutation of changed) expect(hashOf(mutation), canonicalJson(mutation)).not.toBe(before);
  });

  it('changes with members that no specification names', () => {
    for (const member of ['x-vendor', 'execution', '_meta', 'icons', 'constructor']) {
      expect(hashOf({ ...toolDefinition, [member]: 'other' })).not.toBe(hashOf(toolDefinition));
    }
  });
});

function exactOr(source: string, value: number): unknown {
  return Number.isSafeInteger(value) ? value : toExactNumber(source);
}

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member!)]),
  );
}

/** The value with one thing removed, added or changed. */
function* mutations(value: JsonValue): Generator<JsonValue> {
  if (Array.isArray(value)) {
    yield [...value, 'added'];
    if (value.length > 1) yield value.toReversed();
    for (const [index, item] of value.entries()) {
      yield value.toSpliced(index, 1);
      for (const mutation of mutations(item as JsonValue)) yield value.with(index, mutation);
    }
    return;
  }
  if (isJsonObject(value)) {
    yield { ...value, added: null };
    for (const [key, member] of Object.entries(value)) {
      const { [key]: _, ...rest } = value as JsonObject;
      yield rest;
      for (const mutation of mutations(member!)) yield { ...value, [key]: mutation };
    }
    return;
  }
  if (typeof value === 'string') yield `${value}\u200b`;
  else if (typeof value === 'number') yield value + 1;
  else if (typeof value === 'boolean') yield !value;
  else yield 'other';
}
