import { describe, expect, it } from 'vitest';
import { explain, formatExplanation } from '../../src/policy/explain.ts';
import { priorityOf } from '../../src/policy/priority.ts';
import { policyOf } from './support/build.ts';

const text = `
version: 1
roles:
  batch: { priority: low, allow: [{ tools: [a] }] }
  user: { allow: [{ tools: [a] }] }
  oncall: { priority: high }
bindings:
  - { roles: [batch], to: [{ apiKey: nightly }] }
  - { roles: [user], to: [{ apiKey: alice }] }
  - { roles: [batch, user], to: [{ apiKey: both }] }
  - { roles: [user, oncall], to: [{ apiKey: carol }] }
`;

const subject = (name: string, roles?: readonly string[]) => ({
  id: `apikey:${name}`,
  credentials: [{ kind: 'apiKey' as const, name, ...(roles === undefined ? {} : { roles }) }],
});

describe('the priority of a caller', () => {
  const policy = policyOf(text);
  for (const [name, expected] of [
    ['nightly', 'low'],
    ['alice', 'normal'],
    ['both', 'normal'],
    ['carol', 'high'],
    ['a-stranger', 'low'],
  ] as const) {
    it(`is ${expected} for ${name}`, () => expect(priorityOf(subject(name), policy)).toBe(expected));
  }

  it('comes with roles of the key file too', () => {
    expect(priorityOf(subject('key', ['oncall']), policy)).toBe('high');
  });

  it('stands in an explanation where it is not the normal one', () => {
    const ask = (name: string) =>
      explain(
        {
          subject: subject(name),
          action: 'call',
          resource: { upstream: 'u', kind: 'tool', name: 'a' },
          context: { arguments: {}, address: '127.0.0.1', time: 0 },
        },
        policy,
      );
    expect(ask('carol').roles).toMatchObject([{ role: 'user' }, { role: 'oncall', priority: 'high' }]);
    expect(ask('carol').roles[0]).not.toHaveProperty('priority');
    expect(formatExplanation(ask('nightly'))).toContain(':4), priority low');
  });

  it('is one of three words', () => {
    expect(() => policyOf(text.replace('priority: low', 'priority: highest'))).toThrow(/priority/);
  });
});
