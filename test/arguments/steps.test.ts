import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalizePath } from '../../src/arguments/normalize-path.ts';
import type { JsonValue } from '../../src/values/json.ts';
import { finish } from '../../src/values/steps.ts';
import { caller, ruleOf } from './support.ts';

/** How often a rule stops on its way through its argument. */
function stops(spec: object, path: string, value: JsonValue): number {
  const steps = ruleOf({ args: { [path]: spec } }).judgeSteps({ value }, caller, false);
  for (let count = 0; ; count += 1) if (steps.next().done) return count;
}

describe('a rule stops on its way, whatever it is asked', () => {
  const long = 1_000_000;
  const cases: readonly [name: string, spec: object, value: string][] = [
    ['taking out what is not seen', { strip: ['invisible'] }, '\u200b'.repeat(long)],
    ['taking out sequences for terminals', { strip: ['ansi'] }, '\u001b[m'.repeat(long / 3)],
    ['looking for what is not seen', { text: { ban: ['bidi', 'invisible'] } }, 'é'.repeat(long)],
    ['composing letters', { normalize: ['nfc'] }, 'e\u0301'.repeat(long / 2)],
    ['looking whether letters are composed', { text: { normalization: 'nfc' } }, 'é'.repeat(long)],
    ['shortening a path', { normalize: ['path'] }, 'a/../'.repeat(long / 5)],
  ];
  it.each(cases)('%s', (_, spec, value) => {
    expect(stops(spec, 'value', value)).toBeGreaterThan(10);
  });

  it('judging a list', () => {
    const list = Array.from({ length: 5000 }, (_, index) => `/workspace/${index}`);
    expect(stops({ path: { within: '/workspace' } }, 'value[*]', list)).toBeGreaterThan(50);
  });

  it('rewriting a list', () => {
    const list = Array.from({ length: 5000 }, (_, index) => ` ${index}`);
    expect(stops({ normalize: ['trim'] }, 'value[*]', list)).toBeGreaterThan(50);
  });
});

describe('a path that is shortened in steps', () => {
  it('is the one that is left when all its segments are looked at together', () => {
    const segment = fc.constantFrom('a', 'b', '.', '..', '', 'c:d');
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 12 }), fc.boolean(), (segments, absolute) => {
        const text = (absolute ? '/' : '') + segments.join('/');
        expect(finish(normalizePath(text))).toBe(shortest(text));
      }),
    );
    const long = `/${'keep/./gone/..//'.repeat(100_000)}end/`;
    expect(finish(normalizePath(long))).toBe(`/${'keep/'.repeat(100_000)}end`);
  });
});

/** The same, said once more: with all segments at hand. */
function shortest(text: string): string {
  if (text === '' || text.startsWith('//') || /^[a-z][a-z0-9+.-]*:/i.test(text)) return text;
  const kept: string[] = [];
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..' && kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else kept.push(segment);
  }
  if (text.startsWith('/')) return `/${kept.join('/')}`;
  if (/^[a-z][a-z0-9+.-]*:/i.test(kept[0] ?? '')) return text;
  return kept.length === 0 ? '.' : kept.join('/');
}
