import { describe, expect, it } from 'vitest';
import type { AccessRequest } from '../../src/policy/access-request.ts';
import { decide } from '../../src/policy/decide.ts';
import { ask, oneRole, policyOf, requestOf } from './support/build.ts';

/** What every request that is none gets: no reason that says more, and nothing to keep. */
const refused = {
  effect: 'deny',
  reasons: [{ code: 'no-rule', rule: undefined, location: undefined }],
  visible: false,
  obligations: { auditArguments: false },
};
const everything = oneRole('[{ tools: "*" }, { resources: "**" }, { prompts: "*" }, { methods: "*" }]');
const oneTool = oneRole('[{ tools: t }]');

const list = requestOf({ method: 'tools/list', implied: true });
const call = requestOf({ tool: 't' });
const about = (base: AccessRequest, resource: object): AccessRequest => ({
  ...base,
  resource: { ...base.resource, ...resource },
});

describe('a request that breaks its own type is denied', () => {
  const noTexts: readonly unknown[] = [undefined, null, 5, true, [], ['t'], {}, { length: 1 }, Symbol('t')];
  for (const base of [list, call]) {
    for (const value of noTexts) {
      const shown = `${base.resource.kind}, ${typeof value} ${JSON.stringify(value)}`;
      it(`by its name: ${shown}`, () => {
        expect(decide(about(base, { name: value }), oneTool)).toEqual(refused);
        expect(decide(about(base, { name: value }), everything)).toEqual(refused);
      });
      it(`by its upstream: ${shown}`, () => {
        expect(decide(about(base, { upstream: value }), oneTool)).toEqual(refused);
        expect(decide(about(base, { upstream: value }), everything)).toEqual(refused);
      });
    }
  }

  it.each([
    '',
    'Call',
    'CALL',
    'call ',
    'write',
    '*',
    'constructor',
    '__proto__',
    undefined,
    null,
    1,
    ['call'],
  ])('by its action: %j', (action) => {
    expect(decide({ ...call, action: action as 'call' }, everything)).toEqual(refused);
  });

  it('by a member that throws when it is read', () => {
    const throwing = {
      ...call,
      get context(): never {
        throw new Error('not to be read');
      },
    };
    expect(decide(throwing, everything)).toEqual(refused);
  });
});

it('a name that is too long is denied without a reason of its own', () => {
  expect(ask(everything, { resource: 'x'.repeat(8193) })).toEqual(refused);
});

it('a caller without roles is refused like that, and nothing is kept of its arguments', () => {
  const policy = policyOf(
    'version: 1\nroles: { r: { allow: [{ tools: "*", audit: arguments }] } }\nbindings: []',
  );
  expect(ask(policy, { tool: 't' })).toEqual({
    ...refused,
    reasons: [{ ...refused.reasons[0], code: 'no-role' }],
  });
});

it('each action that there is can be allowed', () => {
  for (const action of ['call', 'read', 'subscribe', 'get', 'complete', 'use', 'ask'] as const) {
    expect(ask(everything, { method: 'm', action }).effect, action).toBe('allow');
  }
});
