import { describe, expect, test } from 'vitest';
import { holdsSecret } from '../../src/redaction/holds.ts';
import { prepareNeedles } from '../../src/redaction/needles.ts';
import type { JsonValue } from '../../src/values/json.ts';
import { encodings, secrets } from './samples.ts';

const own = 'correct-horse/battery+staple';
const needles = prepareNeedles([own, '4242424242']);

describe("one of the gateway's own secrets", () => {
  const places: Readonly<Record<string, (text: string) => JsonValue>> = {
    'a text': (text) => text,
    'a list': (text) => ['a', [text]],
    'a key': (text) => ({ a: [{ [text]: null }] }),
    'a member': (text) => ({ a: true, b: { c: [{ d: text }] } }),
  };
  for (const [place, put] of Object.entries(places)) {
    test.each(Object.entries(encodings))(`is seen in ${place}: %s`, (_name, encode) => {
      expect(holdsSecret(put(encode(own)), needles)).toBe(true);
      expect(holdsSecret(put(encode(own.slice(0, -1))), needles)).toBe(false);
      expect(holdsSecret(put(encode(own)), prepareNeedles([]))).toBe(false);
    });
  }

  test('is seen as a number', () => {
    expect(holdsSecret({ a: 4242424242 }, needles)).toBe(true);
    expect(holdsSecret({ a: JSON.rawJSON('94242424242424242424242') as JsonValue }, needles)).toBe(true);
    expect(holdsSecret({ a: 4242424241 }, needles)).toBe(false);
  });

  test("is not taken for somebody else's", () => {
    for (const text of Object.values(secrets)) expect(holdsSecret({ text }, needles)).toBe(false);
  });
});
