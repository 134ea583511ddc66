import { expect, it } from 'vitest';
import type { AccessRequest } from '../../src/policy/access-request.ts';
import { decideCounting } from '../../src/policy/decide.ts';
import { policyOf } from './support/build.ts';
import { callerCredential, hits, widePolicy } from './support/wide-policy.ts';

/** Work is counted, not timed: patterns tried and rules looked at. */

function workOf(rules: number): readonly { readonly effect: string; readonly work: number }[] {
  const policy = policyOf(widePolicy(rules));
  const subject = { id: 'caller', credentials: [callerCredential] };
  return hits.map(({ kind, name, action }) => {
    const request: AccessRequest = {
      subject,
      action,
      resource: { upstream: 'warehouse', kind, name },
      context: { arguments: { limit: 5, mode: 'a' }, address: '127.0.0.1', time: 0 },
    };
    const { decision, tally } = decideCounting(request, policy);
    return { effect: decision.effect, work: tally.patterns + tally.rules };
  });
}

it('a decision with many rules looks at as few as one with ten', () => {
  const ten = workOf(10);
  expect(ten.map(({ effect }) => effect)).toEqual(['allow', 'allow', 'allow', 'allow', 'allow', 'deny']);
  for (const rules of [100, 1000, 10_000]) {
    const many = workOf(rules);
    for (const [index, { effect, work }] of many.entries()) {
      expect(effect).toBe(ten[index]!.effect);
      expect(work, `${hits[index]!.name} with ${rules} rules`).toBeLessThanOrEqual(2 * ten[index]!.work);
    }
  }
});

it('counts what it looks at', () => {
  const [exact, prefix, , , , nothing] = workOf(10);
  expect(exact!.work).toBe(1);
  expect(prefix!.work).toBe(2);
  expect(nothing!.work).toBe(0);
});

it('an implied method asks one rule, however many there are', () => {
  const policy = policyOf(widePolicy(10_000));
  const request: AccessRequest = {
    subject: { id: 'caller', credentials: [callerCredential] },
    action: 'use',
    resource: { upstream: 'warehouse', kind: 'method', name: 'tools/list', implied: true },
    context: { address: '127.0.0.1', time: 0 },
  };
  expect(decideCounting(request, policy)).toMatchObject({
    decision: { effect: 'allow', reasons: [{ code: 'implied' }] },
    tally: { patterns: 0, rules: 0 },
  });
});

it('roles are looked up once for a subject', () => {
  const policy = policyOf(widePolicy(10));
  let reads = 0;
  const subject = {
    id: 'caller',
    get credentials() {
      reads += 1;
      return [callerCredential];
    },
  };
  for (let i = 0; i < 10; i++) {
    decideCounting(
      {
        subject,
        action: 'call',
        resource: { upstream: 'warehouse', kind: 'tool', name: 'tool_0' },
        context: { address: '127.0.0.1', time: 0 },
      },
      policy,
    );
    if (i === 0) expect(reads).toBeGreaterThan(0);
    if (i === 0) reads = 0;
  }
  expect(reads).toBe(0);
});
