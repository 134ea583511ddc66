import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SubjectCredential } from '../../src/policy/access-request.ts';
import { argumentRulesFor, flowRulesFor, resultRulesFor } from '../../src/policy/content.ts';
import { decide, isVisible } from '../../src/policy/decide.ts';
import { explain } from '../../src/policy/explain.ts';
import { limitsFor } from '../../src/policy/limits.ts';
import { ask, policyOf, problemsOf, type Question, requestOf } from './support/build.ts';

const lastDay = Date.parse('2026-06-30T23:59:59.999Z');
const ended = Date.parse('2026-07-01T00:00:00Z');
const trial = 'mode: shadow, until: 2026-06-30';
const key: SubjectCredential = { kind: 'apiKey', name: 'k' };
const bare: SubjectCredential = { kind: 'token', issuer: 'i', subject: 's', scopes: [], claims: {} };

const policy = policyOf(`
version: 1
roles:
  r:
    allow:
      - { tools: [open, shut, kept, scoped, "acl_*"] }
      - { tools: [soon], ${trial} }
    deny:
      - { tools: [shut], ${trial} }
  late: { allow: [{ tools: [early], upstreams: [other], ${trial} }] }
bindings:
  - { roles: r, to: { any: true } }
  - { roles: late, to: { apiKey: late } }
acl:
  - { tool: kept, ${trial}, allow: [{ roles: late }] }
  - { tool: acl_entry, allow: [{ roles: r }], deny: [{ roles: r, ${trial} }] }
  - { tool: acl_both, mode: shadow, until: 2026-06-01, deny: [{ roles: r, ${trial} }], allow: [{ roles: r }] }
scopes:
  - { match: { tools: scoped }, scopes: a, ${trial} }
limits:
  - { name: l, match: { tools: open }, per: principal, rate: 1/min, ${trial} }
  - { name: m, match: { tools: open }, per: principal, rate: 1/min, mode: shadow }
arguments:
  - { id: a, match: { tools: open }, args: { p: { path: { within: /w } } }, ${trial} }
  - { id: b, match: { tools: open }, args: { q: { path: { within: /w } } } }
results:
  - { id: c, match: { tools: open }, maxBytes: 1KiB, ${trial} }
flows:
  - { id: d, per: principal, hold: 1m, effect: deny, ${trial} }
`);

const at = (time: number, question: Question) => ask(policy, { credentials: [key], ...question, time });

describe('a trial', () => {
  const rows: readonly (readonly [string, Question, 'allow' | 'deny', 'allow' | 'deny'])[] = [
    ['of a deny rule', { tool: 'shut' }, 'allow', 'deny'],
    ['of an allow rule', { tool: 'soon' }, 'deny', 'allow'],
    ['of a protected object', { tool: 'kept' }, 'allow', 'deny'],
    ['of an entry', { tool: 'acl_entry' }, 'allow', 'deny'],
    ['of an entry in an object', { tool: 'acl_both' }, 'allow', 'deny'],
    ['of scopes', { tool: 'scoped', credentials: [bare] }, 'allow', 'deny'],
    [
      'of the only rule on an upstream',
      {
        method: 'tools/list',
        implied: true,
        upstream: 'other',
        credentials: [{ kind: 'apiKey', name: 'late' }],
      },
      'allow',
      'allow',
    ],
  ];
  it.each(rows)('%s ends when its last day does, in UTC', (_, question, during, after) => {
    const before = at(lastDay, question);
    expect(before.effect).toBe(during);
    if (during !== after) expect(before.shadow?.effect).toBe(after);
    expect(at(0, question).effect).toBe(during);
    const then = at(ended, question);
    expect(then.effect).toBe(after);
    expect(then.shadow).toBeUndefined();
    for (const time of [lastDay, ended]) {
      const request = requestOf({ credentials: [key], ...question, time });
      expect(isVisible(request, policy)).toBe(decide(request, policy).visible);
    }
  });

  it('of the only rule that a caller has brings implied methods with its end', () => {
    const one = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t, ${trial} }] } }
bindings: [{ roles: r, to: { any: true } }]
`);
    const list = { method: 'tools/list', implied: true };
    expect(ask(one, { ...list, time: lastDay })).toMatchObject({
      effect: 'deny',
      shadow: { effect: 'allow' },
    });
    expect(ask(one, { ...list, time: ended }).effect).toBe('allow');
  });

  it('of an object lasts as long as the longer of its own and its entry', () => {
    const middle = Date.parse('2026-06-15T00:00:00Z');
    expect(at(middle, { tool: 'acl_both' })).toMatchObject({ effect: 'allow', shadow: { effect: 'deny' } });
    expect(at(middle, { tool: 'acl_both' }).reasons[0].rule).toBe('acl[2].allow[0]');
  });

  it('may end at a time of day, with its offset', () => {
    const timed = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t }], deny: [{ tools: t, mode: shadow, until: "2026-06-30T18:00:00+02:00" }] } }
bindings: [{ roles: r, to: { any: true } }]
`);
    const end = Date.parse('2026-06-30T16:00:00Z');
    expect(ask(timed, { tool: 't', time: end - 1 }).effect).toBe('allow');
    expect(ask(timed, { tool: 't', time: end }).effect).toBe('deny');
  });

  it('needs a time: a request without one is denied', () => {
    for (const time of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      'now' as unknown as number,
      undefined as never,
    ]) {
      const request = requestOf({ tool: 'open', credentials: [key] });
      const broken = { ...request, context: { ...request.context, time } };
      expect(decide(broken, policy)).toMatchObject({ effect: 'deny', visible: false });
    }
  });

  it('of limits, arguments, results and flows ends at the same time', () => {
    const about = {
      upstream: 'u',
      kind: 'tool' as const,
      name: 'open',
      subject: { id: 'x', credentials: [key] },
    };
    const modes = (time: number) => ({
      limits: limitsFor(policy, { ...about, method: 'tools/call', time }).map(({ mode }) => mode),
      arguments: argumentRulesFor(policy, { ...about, time }).map(({ mode }) => mode),
      results: resultRulesFor(policy, { ...about, time }).map(({ mode }) => mode),
      flows: flowRulesFor(policy, { ...about, time }).map(({ mode }) => mode),
    });
    expect(modes(lastDay)).toEqual({
      limits: ['shadow', 'shadow'],
      arguments: ['shadow', 'enforce'],
      results: ['shadow'],
      flows: ['shadow'],
    });
    expect(modes(ended)).toEqual({
      limits: ['enforce', 'shadow'],
      arguments: ['enforce', 'enforce'],
      results: ['enforce'],
      flows: ['enforce'],
    });
    // Filters remember what they worked out for a list: it has to be the same list each time.
    const only = () => resultRulesFor(policy, { ...about, time: ended });
    expect(only()).toBe(only());
  });

  it('is explained as it is at the time of the request', () => {
    const shadow = (time: number) =>
      explain(requestOf({ tool: 'shut', credentials: [key], time }), policy).rules.map((rule) => rule.shadow);
    expect(shadow(lastDay)).toEqual([false, true]);
    expect(shadow(ended)).toEqual([false, false]);
  });

  it('is at any time either as without it, or as enforced', () => {
    const text = (mode: string) => `
version: 1
roles:
  r: { allow: [{ tools: [a, b] }, { tools: c, ${mode} }], deny: [{ tools: b, when: { args: { n: { max: 3 } } }, ${mode} }] }
bindings: [{ roles: r, to: { any: true } }]
acl: [{ tool: a, ${mode}, allow: [] }]
scopes: [{ match: { tools: [a, c] }, scopes: s, ${mode} }]
`;
    const [dated, endless, plain] = [trial, 'mode: shadow', 'mode: enforce'].map((mode) =>
      policyOf(text(mode)),
    );
    const question = fc.record({
      tool: fc.constantFrom('a', 'b', 'c', 'd'),
      args: fc.record({ n: fc.integer({ min: 0, max: 6 }) }),
      credentials: fc.constantFrom([key], [bare]),
      time: fc.constantFrom(0, lastDay, ended, ended + 1e10),
    });
    fc.assert(
      fc.property(question, (asked) => {
        expect(ask(dated!, asked)).toEqual(ask(asked.time < ended ? endless! : plain!, asked));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the end of a trial', () => {
  const rule = (more: string) => `version: 1\nroles: { r: { allow: [{ tools: t, ${more} }] } }\n`;
  it.each([
    ['without a trial', 'until: 2026-06-30'],
    ['of what is enforced', 'mode: enforce, until: 2026-06-30'],
    ['on a day that there is not', 'mode: shadow, until: 2026-02-30'],
    ['on no day', 'mode: shadow, until: soon'],
    ['as a number', 'mode: shadow, until: 20260630'],
    ['without an offset', 'mode: shadow, until: "2026-06-30T18:00:00"'],
    ['with words around', 'mode: shadow, until: "by 2026-06-30"'],
    ['as people write it elsewhere', 'mode: shadow, until: 30.06.2026'],
    ['of nothing', 'mode: shadow, until: null'],
  ])('%s is a problem', (_, more) => {
    expect(problemsOf(rule(more))).toHaveLength(1);
  });

  it('is a problem in every section that knows no trial around it', () => {
    const until = 'until: 2026-06-30';
    for (const text of [
      `acl: [{ tool: t, ${until} }]`,
      `acl: [{ tool: t, mode: shadow, allow: [{ roles: r, ${until} }] }]`,
      `limits: [{ name: l, match: { tools: t }, per: principal, rate: 1/s, ${until} }]`,
      `arguments: [{ match: {}, args: { a: { text: {} } }, ${until} }]`,
      `results: [{ match: {}, maxBytes: 1KiB, ${until} }]`,
      `flows: [{ per: principal, hold: 1m, effect: deny, ${until} }]`,
      `scopes: [{ match: {}, scopes: a, ${until} }]`,
    ]) {
      const problems = problemsOf(`version: 1\nroles: { r: { allow: [{ tools: t }] } }\n${text}\n`);
      expect(problems, text).toHaveLength(1);
      expect(problems[0]).toContain('"until" needs "mode: shadow" beside it');
    }
  });
});
