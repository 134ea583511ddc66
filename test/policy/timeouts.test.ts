import { describe, expect, it } from 'vitest';
import { compilePolicy } from '../../src/policy/compile.ts';
import { timeoutFor } from '../../src/policy/content.ts';

const compile = (timeouts: string, roles = '') => {
  const compiled = compilePolicy([{ file: 'p.yaml', text: `version: 1\n${roles}\ntimeouts:\n${timeouts}` }]);
  if (!compiled.ok) throw new Error(compiled.problems.map(({ message }) => message).join('; '));
  return compiled.policy;
};
const subject = { id: 'apikey:alice', credentials: [], expiresAt: undefined };
const about = (name: string, upstream = 'w', kind: 'tool' | 'resource' | 'prompt' = 'tool') => ({
  upstream,
  kind,
  name,
  subject,
});

describe('timeouts of a policy', () => {
  it('are matched by tools, prompts, resources and upstreams, and the shortest holds', () => {
    const policy = compile(`
  - { id: reports, match: { tools: [report_*] }, total: 5m }
  - { id: there, match: { tools: [report_*], upstreams: [far] }, total: 2m }
  - { id: files, match: { resources: ["file:///**"] }, total: 10s }
  - { match: { prompts: [p] }, total: 1s }`);
    expect(timeoutFor(policy, about('report_a'))).toEqual({ id: 'reports', total: 300_000 });
    expect(timeoutFor(policy, about('report_a', 'far'))?.id).toBe('there');
    expect(timeoutFor(policy, about('file:///x', 'w', 'resource'))?.total).toBe(10_000);
    expect(timeoutFor(policy, about('p', 'w', 'prompt'))).toEqual({ id: 'timeouts[3]', total: 1000 });
    expect(timeoutFor(policy, about('other'))).toBeUndefined();
  });

  it('of roles are for callers that have them', () => {
    const policy = compile(
      '  - { match: { tools: ["*"], roles: [slow] }, total: 5m }',
      'roles: { slow: { allow: [{ tools: ["*"] }] } }\nbindings: [{ roles: [slow], to: [{ apiKey: bob }] }]',
    );
    expect(timeoutFor(policy, about('a'))).toBeUndefined();
  });

  it.each([
    ['no time', '- { match: {} }', 'total'],
    ['a time too short', '- { match: {}, total: 1ms }', 'must be at least 100ms'],
    ['a time too long', '- { match: {}, total: 48h }', 'must be at most 86400000ms'],
    [
      'a role that nobody defines',
      '- { match: { roles: [nobody] }, total: 1s }',
      'is not defined in any file',
    ],
    [
      'an id twice',
      '- { id: a, match: {}, total: 1s }\n  - { id: a, match: {}, total: 1s }',
      'already defined',
    ],
  ])('are refused with %s', (_, text, problem) => {
    const compiled = compilePolicy([{ file: 'p.yaml', text: `version: 1\ntimeouts:\n  ${text}` }]);
    expect(JSON.stringify(compiled.ok ? [] : compiled.problems)).toContain(problem);
  });
});
