import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/document/parse-document.ts';
import { policyDocument } from '../../src/policy/document.ts';
import { fillerFor, imagineTargets, instancesOf } from '../../src/policy/imagine-targets.ts';

function allowing(rules: string) {
  const text = `version: 1\nroles: { r: { allow: [${rules}] } }`;
  const parsed = parseDocument({ file: 'a.yaml', text }, policyDocument);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value;
}

const namesOf = (kind: string, rules: string) => [
  ...new Set(
    imagineTargets([allowing(rules)])
      .filter((target) => target.kind === kind && !target.implied)
      .map(({ name }) => name),
  ),
];

describe('the word that stands for a wildcard', () => {
  it.each([
    ['tools: [a]', 'anything'],
    ['tools: [anything]', 'anything2'],
    ['tools: [anything, anything2]', 'anything3'],
  ])('is one that the policies do not hold: { %s }', (rule, word) => {
    expect(fillerFor([allowing(`{ ${rule} }`)])).toBe(word);
  });
});

describe('imagined targets', () => {
  it('are every action on one of each kind, and a listing, where policies name none', () => {
    const on = { upstream: 'anything-else', implied: false };
    const [name, uri] = ['anything-else', 'anything-else:///anything'];
    expect(imagineTargets([])).toEqual([
      { ...on, kind: 'tool', name, action: 'call' },
      { ...on, kind: 'resource', name: uri, action: 'read' },
      { ...on, kind: 'resource', name: uri, action: 'subscribe' },
      { ...on, kind: 'resource', name: uri, action: 'complete' },
      { ...on, kind: 'resource', name: uri, action: 'ask' },
      { ...on, kind: 'prompt', name, action: 'get' },
      { ...on, kind: 'prompt', name, action: 'complete' },
      { ...on, kind: 'method', name, action: 'use' },
      { ...on, kind: 'method', name, action: 'ask' },
      { ...on, kind: 'method', name: 'tools/list', action: 'use', implied: true },
    ]);
  });

  it('are on each upstream that is named, that exists, and that is neither', () => {
    const targets = imagineTargets([allowing('{ tools: [a], upstreams: [one, "two-*"] }')], ['three']);
    expect([...new Set(targets.map(({ upstream }) => upstream))]).toEqual([
      'three',
      'one',
      'two-anything',
      'anything-else',
    ]);
  });

  it.each<[string, string, string, readonly string[]]>([
    ['an exact name', 'tool', '{ tools: [a] }', ['a', 'anything-else']],
    ['one of a pattern', 'tool', '{ tools: ["get_*"] }', ['get_anything', 'anything-else']],
    [
      'one with every wildcard filled',
      'tool',
      '{ tools: ["a*b*c"] }',
      ['aanythingbanythingc', 'anything-else'],
    ],
    [
      'what two patterns share',
      'tool',
      '{ tools: ["get_*", "*_secret"] }',
      ['get_anything', 'anything_secret', 'get_anything_secret', 'anything-else'],
    ],
    [
      'nothing between patterns that share nothing',
      'tool',
      '{ tools: ["get_*", "set_*"] }',
      ['get_anything', 'set_anything', 'anything-else'],
    ],
    [
      'a resource at one level and at two',
      'resource',
      '{ resources: ["file:///**"] }',
      ['file:///anything', 'file:///anything/anything', 'anything-else:///anything'],
    ],
    [
      'a resource at one level',
      'resource',
      '{ resources: ["file:///*"] }',
      ['file:///anything', 'anything-else:///anything'],
    ],
  ])('are %s', (_title, kind, rules, names) => {
    expect(namesOf(kind, rules)).toEqual(names);
  });
});

describe('names that a pattern matches', () => {
  it.each<[string, '/' | '.' | undefined, readonly string[]]>([
    ['a', '/', ['a']],
    ['a/*', '/', ['a/x']],
    ['a/**', '/', ['a/x', 'a/x/x']],
    ['a/*/**', '/', ['a/x/x', 'a/x/x/x']],
    ['**.a', '.', ['x.a', 'x.x.a']],
    ['a**', undefined, ['ax']],
    ['a*b*', undefined, ['axbx']],
  ])('%s with the separator %s: %j', (pattern, separator, names) => {
    expect(instancesOf(pattern, separator, 'x')).toEqual(names);
  });
});
