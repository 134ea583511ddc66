import { describe, expect, it } from 'vitest';
import { lintPolicy } from '../../src/policy/lint/lint.ts';

const duplicatesIn = (text: string) =>
  lintPolicy([{ file: 'a.yaml', text: `version: 1\n${text}` }], { now: 0 })
    .filter(({ code }) => code === 'duplicate')
    .map(({ line, message }) => `${line}: ${message}`);

const role = (one: string, other: string) =>
  `roles:\n  r:\n    allow:\n      - ${one}\n      - ${other}\nbindings: [{ roles: r, to: { any: true } }]\n`;

describe('a rule that is written twice', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['the same', '{ tools: [a] }', '{ tools: [a] }', ['6: says the same as a.yaml:5']],
    [
      'another name and description',
      '{ id: x, tools: [a] }',
      '{ id: y, description: z, tools: [a] }',
      ['6: says the same as a.yaml:5'],
    ],
    [
      'another order of its members',
      '{ tools: [a], upstreams: [u] }',
      '{ upstreams: [u], tools: [a] }',
      ['6: says the same as a.yaml:5'],
    ],
    [
      'another order of its conditions',
      '{ tools: [a], when: { args: { x: { max: 1 }, y: { max: 2 }, z: { max: 3 } } } }',
      '{ tools: [a], when: { args: { z: { max: 3 }, y: { max: 2 }, x: { max: 1 } } } }',
      ['6: says the same as a.yaml:5'],
    ],
    ['another tool', '{ tools: [a] }', '{ tools: [b] }', []],
    ['another order of its tools', '{ tools: [a, b] }', '{ tools: [b, a] }', []],
  ])('is found at its second place: %s', (_title, one, other, found) => {
    expect(duplicatesIn(role(one, other))).toEqual(found);
  });

  it('is found as often as it comes back, each time like the first', () => {
    const text = role('{ tools: [a] }', '{ tools: [a] }\n      - { tools: [a] }');
    expect(duplicatesIn(text)).toEqual(['6: says the same as a.yaml:5', '7: says the same as a.yaml:5']);
  });

  it('is found among bindings', () => {
    const text =
      'roles: { r: { allow: [{ tools: [a] }] } }\nbindings:\n  - { roles: r, to: { apiKey: k } }\n  - { to: { apiKey: k }, roles: r }\n';
    expect(duplicatesIn(text)).toEqual(['5: says the same as a.yaml:4']);
  });
});
