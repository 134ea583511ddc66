import { describe, expect, it } from 'vitest';
import { authorize } from '../../src/filters/authorize.ts';
import { disclosureSchema } from '../../src/filters/options.ts';
import { createOutstanding } from '../../src/filters/outstanding.ts';
import type { CompiledPolicy } from '../../src/policy/compile.ts';
import { decideCounting } from '../../src/policy/decide.ts';
import { call, makeExchange, makeGate, policyOf, principal, told, up } from './support.ts';

const policy = policyOf(`
version: 1
roles:
  caller:
    allow:
      - { id: echoing, tools: [echo], when: { args: { count: { max: 10 } } } }
      - { tools: ["list_*", forbidden, guarded] }
    deny:
      - { id: never, tools: [forbidden, "forbidden_*"] }
  other: { allow: [{ tools: [theirs] }] }
bindings: [{ roles: caller, to: { any: true } }]
acl:
  - { id: guard, tool: guarded, allow: [] }
`);
const contact = 'https://wiki.example/access';
const disclosures = new Map([['open', { mode: 'explained' as const, contact }]]);
const { memory } = makeGate().deps.options;
const filter = authorize(
  createOutstanding(memory, () => 0),
  undefined,
  disclosures,
);

async function answer(tool: string, args: object, upstream: string) {
  const request = call('tools/call', { name: tool, arguments: args });
  return told(await up(filter, makeExchange({ request, policy, upstream })));
}

describe('a denial', () => {
  it.each(['forbidden', 'forbidden_x', 'guarded', 'theirs', 'invented'])(
    'of %s says nothing where nothing is disclosed',
    async (tool) => {
      expect(await answer(tool, {}, 'warehouse')).toBe('denied');
    },
  );

  it.each([
    ['forbidden', { why: 'denied-by-rule', rule: 'never' }],
    ['guarded', { why: 'denied-by-acl', rule: 'guard' }],
    ['theirs', { why: 'no-rule' }],
    ['invented', { why: 'no-rule' }],
    // Policy speaks of the pattern: whether the server has such a tool is nowhere in the answer.
    ['forbidden_x', { why: 'denied-by-rule', rule: 'never' }],
    ['forbidden_invented', { why: 'denied-by-rule', rule: 'never' }],
  ])('of %s says why and whom to ask where denials are explained', async (tool, expected) => {
    expect(await answer(tool, {}, 'open')).toEqual({ code: 'denied', contact, ...expected });
  });

  it('of arguments says which condition in both, and whom to ask in one', async () => {
    const refused = { code: 'arguments-refused', rule: 'echoing', condition: 'args.count.max' };
    expect(await answer('echo', { count: 11 }, 'warehouse')).toEqual(refused);
    expect(await answer('echo', { count: 11 }, 'open')).toEqual({
      ...refused,
      why: 'condition-failed',
      contact,
    });
  });
});

describe('a hidden target takes as much work as an invented one', () => {
  const subject = { id: principal().id, credentials: principal().credentials };
  const workOf = (compiled: CompiledPolicy, name: string) => {
    const { decision, tally } = decideCounting(
      {
        subject,
        action: 'call',
        resource: { upstream: 'u', kind: 'tool', name },
        context: { arguments: {}, address: '127.0.0.1', time: 0 },
      },
      compiled,
    );
    expect(decision).toMatchObject({ effect: 'deny', visible: false });
    return tally;
  };

  it('where no rule of the caller names it', () => {
    expect(workOf(policy, 'theirs')).toEqual(workOf(policy, 'invents'));
  });

  it('but for the rules that deny it, however many others there are', () => {
    const many = Array.from({ length: 2_000 }, (_, index) => `{ tools: [tool_${index}, "set_${index}_*"] }`);
    const wide = policyOf(`
version: 1
roles: { r: { allow: [${many}], deny: [{ tools: secret }] } }
bindings: [{ roles: r, to: { any: true } }]
`);
    const [hidden, invented] = [workOf(wide, 'secret'), workOf(wide, 'invent')];
    expect(hidden.patterns).toBe(invented.patterns);
    expect(hidden.rules - invented.rules).toBe(1);
  });

  it('in the filters: both are decided on once, and nobody is asked', async () => {
    const works: { asked: number; decisions: number }[] = [];
    for (const name of ['forbidden', 'guarded', 'theirs', 'invented']) {
      let asked = 0;
      let decisions = 0;
      const gate = makeGate(
        {},
        {
          refreshCatalog: () => {
            asked += 1;
            return Promise.resolve('failed');
          },
        },
      );
      const exchange = makeExchange({ request: call('tools/call', { name, arguments: {} }), policy });
      const watched = new Proxy(exchange, {
        get(target, key) {
          if (key === 'policy') decisions += 1;
          return Reflect.get(target, key) as unknown;
        },
      });
      let frame = exchange.request;
      let answer: unknown;
      for (const filter of gate.filters) {
        const verdict = await up(filter, watched, frame);
        if (verdict.kind === 'replace') frame = verdict.frame;
        else if (verdict.kind !== 'pass') answer ??= told(verdict);
        if (answer !== undefined) break;
      }
      expect(answer).toBe('denied');
      works.push({ asked, decisions });
    }
    expect(new Set(works.map((work) => JSON.stringify(work))).size).toBe(1);
    expect(works[0]!.asked).toBe(0);
  });
});

describe('disclosure:', () => {
  it('is hidden, or explained with somebody to ask', () => {
    expect(disclosureSchema.parse(undefined)).toEqual({ mode: 'hidden' });
    expect(disclosureSchema.parse('hidden')).toEqual({ mode: 'hidden' });
    const explained = { mode: 'explained', contact: 'Ask ops@acme.example' };
    expect(disclosureSchema.parse(explained)).toEqual(explained);
  });

  it.each([
    ['explained'],
    [{ mode: 'explained' }],
    [{ mode: 'explained', contact: '' }],
    [{ mode: 'explained', contact: 'a\nb' }],
    [{ mode: 'explained', contact: 'x'.repeat(501) }],
    [{ mode: 'hidden', contact: 'x' }],
    [{ contact: 'x' }],
    [true],
  ])('is not %j', (value) => {
    expect(disclosureSchema.safeParse(value).success).toBe(false);
  });
});
