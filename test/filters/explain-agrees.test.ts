import fc from 'fast-check';
import { expect, test } from 'vitest';
import { argumentRules } from '../../src/filters/arguments.ts';
import { runToUpstream } from '../../src/pipeline/run.ts';
import { judgeCall } from '../../src/policy/judge-call.ts';
import { call, makeExchange, makeGate, policyOf, principal } from './support.ts';

const policy = policyOf(`
version: 1
roles:
  caller:
    allow:
      - { id: few, tools: [query], when: { args: { limit: { max: 50 } } } }
      - { tools: [find, other] }
    deny:
      - { id: not-all, tools: [find], when: { args: { table: { equals: all } } } }
bindings:
  - { roles: [caller], to: [{ any: true }] }
arguments:
  - { id: limits, match: { tools: [query, hidden] }, args: { limit: { int: { min: 0 }, clamp: { max: 60 }, default: 10 } } }
  - { id: tables, match: {}, args: { table: { id: {}, normalize: [trim] } } }
  - { id: filled, match: { tools: [find] }, args: { note: { drop: true }, "options.depth": { set: 2 } } }
  - { id: tried, mode: shadow, match: {}, args: { limit: { forbidden: true } } }
  - { id: related, match: { tools: [other] }, relations: ["has(args.limit) && args.limit < 5"] }
`);

const other = fc.constantFrom(null, true, '', 'a;b', { depth: 9 });
const args = fc
  .tuple(
    fc.record(
      {
        limit: fc.oneof({ weight: 3, arbitrary: fc.integer({ min: -5, max: 80 }) }, fc.constant(55), other),
        table: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('users', ' users ', 'all') }, other),
        note: other,
        options: other,
        x: other,
      },
      { requiredKeys: [], noNullPrototype: true },
    ),
    fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, fc.constant({ Limit: 1 })),
  )
  .map(([named, sibling]) => ({ ...named, ...sibling }));

test('what explain and decision tables say of a call is what the filters do with it', async () => {
  const filters = [argumentRules(noLookups(), async () => {}), makeGate().filter('authorize')];
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('query', 'find', 'other', 'hidden', 'unknown'),
      fc.option(args, { nil: undefined, freq: 8 }),
      async (name, given) => {
        const request = call('tools/call', given === undefined ? { name } : { name, arguments: given });
        const exchange = makeExchange({ request, policy });
        const course = await runToUpstream(filters, request, exchange);
        const told = judgeCall(
          {
            subject: principal(),
            action: 'call',
            resource: { upstream: exchange.upstream, kind: 'tool', name },
            context: { arguments: given, address: exchange.peer.address, time: exchange.time },
          },
          policy,
        );
        expect(course.kind === 'go' ? 'allow' : 'deny').toBe(told.effect);
        const fault = told.content?.judgement.fault;
        if (course.kind === 'go') {
          const { frame } = course;
          const params = frame.kind === 'request' ? frame.params : undefined;
          expect(params?.['arguments'] ?? {}).toEqual(told.content?.judgement.args ?? given ?? {});
        } else if (course.kind === 'reject' && fault !== undefined) {
          expect(course.error.data).toMatchObject({ rule: fault.rule, path: fault.path, role: fault.role });
        }
        const shadow = exchange.facts.findings.filter(({ effect }) => effect === 'would-refuse');
        expect(shadow.map(({ rule }) => rule)).toEqual(
          (told.content?.judgement.wouldRefuse ?? []).map(({ rule }) => rule),
        );
        const what = fault === undefined ? told.decision.reasons[0].code : 'arguments-refused';
        seen.set(what, (seen.get(what) ?? 0) + 1);
      },
    ),
    { numRuns: 1000 },
  );
  expect([...seen.keys()].sort()).toEqual([
    'allowed',
    'arguments-refused',
    'condition-failed',
    'denied-by-rule',
    'no-rule',
  ]);
});

function noLookups() {
  const nobody = () => Promise.reject(new Error('nobody asks'));
  return { realPath: nobody, addresses: nobody };
}
