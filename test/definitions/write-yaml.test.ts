import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseDocument } from '../../src/document/parse-document.ts';
import { writeYaml } from '../../src/document/write-yaml.ts';
import { canonicalJson } from '../../src/pins/canonical.ts';
import type { JsonObject, JsonValue } from '../../src/values/json.ts';
import { jsonValues } from './support.ts';

function readBack(text: string): JsonValue {
  const parsed = parseDocument({ file: 'x.yaml', text }, z.unknown(), { exactNumbers: true });
  if (!parsed.ok) throw new Error(`${JSON.stringify(parsed.problems)}\n${text}`);
  return parsed.value as JsonValue;
}

describe('YAML that is written', () => {
  it('reads back as the value that it was made of', () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        const whole: JsonObject = { value };
        expect(canonicalJson(readBack(writeYaml(whole)))).toBe(canonicalJson(whole));
      }),
      { numRuns: 1000 },
    );
  });

  it('shows nothing that is not seen, and cuts no line short', () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        const text = writeYaml({ value });
        expect(text).not.toMatch(
          /[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\r\t]|(?!\n)\p{Cc}/u,
        );
        expect(text.endsWith('\n')).toBe(true);
      }),
    );
  });

  it('has long text in blocks, one value a line, and escapes what is not seen', () => {
    const text = writeYaml({
      version: 1,
      'odd key': 'yes',
      text: 'First line.\n\n  second, indented\nlast',
      ended: 'a\nb\n\n',
      list: [{ a: 1, b: [] }, ['x'], {}],
      hidden: 'a\u202eb\u{e0041}',
      exact: { big: 1e20 },
    });
    expect(text).toBe(
      [
        'version: 1',
        'odd key: "yes"',
        'text: |-',
        '  First line.',
        '',
        '    second, indented',
        '  last',
        'ended: |+',
        '  a',
        '  b',
        '',
        'list:',
        '  - a: 1',
        '    b: []',
        '  -',
        '    - x',
        '  - {}',
        'hidden: "a\\u202eb\\U000e0041"',
        'exact:',
        '  big: 1e+20',
        '',
      ].join('\n'),
    );
  });

  it('writes keys of any length', () => {
    const value = { ['k'.repeat(3000)]: { ['\n'.repeat(800)]: [1] }, after: { x: 'y' } };
    expect(readBack(writeYaml(value))).toEqual(value);
  });
});
