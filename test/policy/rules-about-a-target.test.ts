import { describe, expect, it } from 'vitest';
import { parseDocument } from '../../src/document/parse-document.ts';
import { policyDocument } from '../../src/policy/document.ts';
import { RuleTexts } from '../../src/policy/rule-texts.ts';
import { policyOf, type Question, requestOf } from './support/build.ts';

const noon = Date.UTC(2026, 0, 1, 12);

function about(text: string, question: Question, filesOf = text) {
  const parsed = parseDocument({ file: 'a.yaml', text: filesOf }, policyDocument);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const files = [{ file: 'a.yaml', document: parsed.value, locate: parsed.locate }];
  return new RuleTexts({ policy: policyOf(text), files }).about(requestOf({ time: noon, ...question }));
}

const allowing = (rules: string, more = '') =>
  `version: 1\nroles: { r: { allow: [${rules}] } }\nbindings: [{ roles: r, to: { any: true } }]\n${more}`;
const plain = {
  effect: 'allow',
  conditional: false,
  passing: false,
  holds: true,
  text: 'allow always',
  acl: false,
};

describe('rules about a target', () => {
  it.each<[string, string, object]>([
    ['without conditions', '{ id: x, description: y, tools: [a], upstreams: [u] }', plain],
    [
      'on the request',
      '{ tools: [a], when: { network: [10.0.0.0/8] } }',
      {
        ...plain,
        conditional: true,
        passing: true,
        holds: false,
        text: 'allow {"when":{"network":{"in":["10.0.0.0/8"]}}}',
      },
    ],
    [
      'on the caller, which cannot be known',
      '{ tools: [a], when: { claims: { team: x } } }',
      { ...plain, conditional: true, holds: false, text: 'allow {"when":{"claims":{"team":"x"}}}' },
    ],
  ])('are told with what they are conditional on: %s', (_title, rule, told) => {
    expect(about(allowing(rule), { tool: 'a' })).toEqual({ rules: [told], isProtected: false });
  });

  it.each<[string, string, Question]>([
    ['other upstreams', '{ tools: [a], upstreams: [v] }', { tool: 'a' }],
    ['other tools', '{ tools: [b] }', { tool: 'a' }],
    ['other actions', '{ prompts: [p], actions: [get] }', { prompt: 'p', action: 'complete' }],
    ['what is only tried out', '{ tools: [a], mode: shadow }', { tool: 'a' }],
  ])('are none that are about %s', (_title, rule, question) => {
    expect(about(allowing(rule), question)).toEqual({ rules: [], isProtected: false });
  });

  it('are the entries of an object that protects it, apart from those of roles', () => {
    const acl =
      'acl: [{ tool: a, allow: [{ roles: [r] }], deny: [{ roles: [r], when: { network: [10.0.0.0/8] } }] }]';
    const { rules, isProtected } = about(allowing('{ tools: [a] }', acl), { tool: 'a' });
    expect(isProtected).toBe(true);
    expect(rules.map(({ acl, text }) => [acl, text])).toEqual([
      [false, 'allow always'],
      [true, 'allow always'],
      [true, 'deny {"when":{"network":{"in":["10.0.0.0/8"]}}}'],
    ]);
  });

  it.each([
    ['is tried out', 'mode: shadow, '],
    ['protects another upstream', 'upstreams: [v], '],
  ])('are none of an object that %s', (_title, more) => {
    const acl = `acl: [{ tool: a, ${more}allow: [{ roles: [r] }] }]`;
    expect(about(allowing('{ tools: [a] }', acl), { tool: 'a' })).toEqual({
      rules: [plain],
      isProtected: false,
    });
  });

  it('are told only with the files that hold them', () => {
    expect(() => about(allowing('{ tools: [a] }'), { tool: 'a' }, 'version: 1')).toThrow(
      new TypeError('roles.r.allow[0] (a.yaml:2) is not in the files compared'),
    );
  });
});
