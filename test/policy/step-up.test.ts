import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessRequest, Subject, SubjectCredential } from '../../src/policy/access-request.ts';
import { decide } from '../../src/policy/decide.ts';
import { scopesFor, stepUp } from '../../src/policy/step-up.ts';
import { policyOf, type Question, requestOf } from './support/build.ts';

const issuer = 'https://idp.example';
const policy = policyOf(`
version: 1
roles:
  reader: { allow: [{ tools: [read, list], when: { args: { n: { optional: true, max: 3 } } } }] }
  writer: { allow: [{ tools: [write] }] }
  admin: { allow: [{ tools: "*" }], deny: [{ tools: [list] }] }
  staff: { allow: [{ tools: [memo] }], deny: [{ tools: [never] }] }
bindings:
  - { roles: reader, to: { token: { issuer: "${issuer}" } } }
  - { roles: writer, to: [{ token: { issuer: "${issuer}", scopes: [w, x] } }, { token: { issuer: "${issuer}", scopes: [wide] } }] }
  - { roles: admin, to: { token: { issuer: "${issuer}", scopes: [root, w, x, y] } } }
  - { roles: staff, to: { token: { issuer: "${issuer}", subject: staff, scopes: [s] } } }
scopes:
  - { id: reading, match: { tools: [read] }, scopes: [r1, r2] }
  - { match: { tools: [write] }, scopes: [audit] }
  - { match: { tools: [write], roles: admin }, scopes: [sudo] }
  - { match: { tools: [read] }, scopes: [later], mode: shadow, until: "2026-06-30" }
implies: { all-r: [r1, r2] }
`);

function by(scopes: readonly string[], subject = 'alice'): Subject {
  return { id: subject, credentials: [{ kind: 'token', issuer, subject, scopes, claims: {} }] };
}

function asks(subject: Subject, ...questions: readonly Question[]): readonly AccessRequest[] {
  return questions.map((question) => ({ ...requestOf(question), subject }));
}

const after = Date.parse('2026-07-01T00:00:00Z');

describe('stepUp', () => {
  it('finds out once what roles a caller would have, however many of its requests are refused', () => {
    const names = Array.from({ length: 8 }, (_, n) => n);
    const wide = policyOf(`
version: 1
roles:
${names.map((n) => `  r${n}: { allow: [{ tools: ["t${n}"] }] }`).join('\n')}
bindings:
${names.map((n) => `  - { roles: r${n}, to: { token: { issuer: "${issuer}", scopes: [s${n}] } } }`).join('\n')}
`);
    let looks = 0;
    const token = { kind: 'token' as const, issuer, subject: 'alice', scopes: [] };
    const credential = Object.defineProperty(token, 'claims', {
      enumerable: true,
      get() {
        looks += 1;
        return {};
      },
    }) as unknown as SubjectCredential;
    const alice: Subject = { id: 'alice', credentials: [credential] };
    const ask = (name: string) => stepUp(asks(alice, { tool: name }), wide);
    expect(ask('unheard-of')).toBeUndefined();
    const once = looks;
    expect(once).toBeGreaterThan(100);
    for (let n = 0; n < 100; n++) expect(ask(`unheard-of-${n}`)).toBeUndefined();
    expect(looks).toBe(once);
    // What is remembered is of this caller alone, and gives the same answers.
    expect(ask('t3')).toEqual(['s3']);
    expect(stepUp(asks(by(['s1']), { tool: 't3' }), wide)).toEqual(['s1', 's3']);
    expect(ask('t5')).toEqual(['s5']);
  });

  const rows: readonly (readonly [
    string,
    readonly string[],
    readonly Question[],
    readonly string[] | undefined,
  ])[] = [
    ['what an entry asks for', [], [{ tool: 'read' }], ['r1', 'r2']],
    ['held scopes come first, in their order', ['z', 'r2', 'a'], [{ tool: 'read' }], ['z', 'r2', 'a', 'r1']],
    ['nothing where all is allowed', ['r1', 'r2'], [{ tool: 'read' }], undefined],
    ['nothing where an implied scope does', ['all-r'], [{ tool: 'read' }], undefined],
    [
      'another role, where one refuses the arguments',
      [],
      [{ tool: 'read', args: { n: 9 } }],
      ['r1', 'r2', 'root', 'w', 'x', 'y'],
    ],
    ['nothing where every role refuses', [], [{ tool: 'list', args: { n: 9 } }], undefined],
    ['the smaller way through bindings', [], [{ tool: 'write' }], ['audit', 'wide']],
    ['what a binding lacks, not what it asks', ['w', 'x'], [{ tool: 'write' }], ['w', 'x', 'audit']],
    ['several targets at once', ['r1'], [{ tool: 'read' }, { tool: 'write' }], ['r1', 'audit', 'r2', 'wide']],
    ['nothing where one of them stays refused', [], [{ tool: 'read' }, { method: 'no/such' }], undefined],
    ['nothing for a target of nobody', [], [{ method: 'no/such' }], undefined],
    ['nothing for another one’s binding', [], [{ tool: 'memo', upstream: 'u' }], ['root', 'w', 'x', 'y']],
    ['nothing for no request', [], [], undefined],
    ['what is enforced by then', ['r1', 'r2'], [{ tool: 'read', time: after }], ['r1', 'r2', 'later']],
  ];
  it.each(rows)('%s', (_, held, questions, expected) => {
    expect(stepUp(asks(by(held), ...questions), policy)).toEqual(expected);
  });

  it('finds no way through a role whose denies close it again', () => {
    const closed = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t }], deny: [{ tools: t }] }, base: { allow: [{ tools: o }] } }
bindings:
  - { roles: r, to: { token: { issuer: "${issuer}", scopes: [s] } } }
  - { roles: base, to: { token: { issuer: "${issuer}" } } }
`);
    expect(stepUp(asks(by([]), { tool: 't' }), closed)).toBeUndefined();
  });

  it('is nothing for callers without a token, or with two', () => {
    const none: Subject = { id: 'key', credentials: [{ kind: 'apiKey', name: 'k' }] };
    expect(stepUp(asks(none, { tool: 'read' }), policy)).toBeUndefined();
    const [one] = by([]).credentials;
    const two: Subject = { id: 'two', credentials: [one!, { ...one! }] };
    expect(stepUp(asks(two, { tool: 'read' }), policy)).toBeUndefined();
  });

  it('answers for one caller only', () => {
    const requests = [...asks(by([]), { tool: 'read' }), ...asks(by([]), { tool: 'read' })];
    expect(stepUp(requests, policy)).toBeUndefined();
  });

  it('answers an invented name as an existing one that stays hidden', () => {
    for (const tool of ['never', 'invented', 'NEVER']) {
      const hidden = policyOf(`
version: 1
roles: { base: { allow: [{ tools: o }] }, other: { allow: [{ tools: never }] } }
bindings:
  - { roles: base, to: { token: { issuer: "${issuer}" } } }
  - { roles: other, to: { token: { issuer: "${issuer}", subject: bob, scopes: [s] } } }
scopes: [{ match: { tools: never }, scopes: t }]
`);
      expect(stepUp(asks(by([]), { tool }), hidden), tool).toBeUndefined();
    }
  });

  it('tells the first in alphabetical order of ways that are as short, however the policy writes them', () => {
    const ways = [['b'], ['a', 'c'], ['d', 'a'], ['c'], ['z']];
    for (const order of [ways, [...ways].reverse()]) {
      const many = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t }] } }
bindings: [${order.map((scopes) => `{ roles: r, to: { token: { issuer: "${issuer}", scopes: [${scopes}] } } }`).join(', ')}]
`);
      expect(stepUp(asks(by(['held']), { tool: 't' }), many)).toEqual(['held', 'b']);
    }
    const pairs = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t }] } }
bindings: [{ roles: r, to: [{ token: { issuer: "${issuer}", scopes: [d, a] } }, { token: { issuer: "${issuer}", scopes: [c, b] } }] }]
`);
    expect(stepUp(asks(by([]), { tool: 't' }), pairs)).toEqual(['a', 'd']);
  });

  it('joins what several bindings ask for, where one alone does not do', () => {
    const joined = policyOf(`
version: 1
roles: { one: { allow: [{ tools: a }] }, two: { allow: [{ tools: b }] } }
bindings:
  - { roles: two, to: { token: { issuer: "${issuer}", scopes: [s2, shared] } } }
  - { roles: one, to: { token: { issuer: "${issuer}", scopes: [s1, shared] } } }
scopes: [{ match: { tools: [b], roles: one }, scopes: [extra] }]
`);
    expect(stepUp(asks(by([]), { tool: 'a' }), joined)).toEqual(['s1', 'shared']);
    expect(stepUp(asks(by([]), { tool: 'a' }, { tool: 'b' }), joined)).toEqual([
      'extra',
      's1',
      's2',
      'shared',
    ]);
    expect(stepUp(asks(by(['s1', 'shared']), { tool: 'b' }), joined)).toEqual([
      's1',
      'shared',
      'extra',
      's2',
    ]);
  });

  it('raises the token and leaves the other credentials of the caller as they are', () => {
    const both = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t }] }, k: { allow: [{ tools: o }], deny: [{ tools: t }] } }
bindings:
  - { roles: r, to: { token: { issuer: "${issuer}", scopes: [s] } } }
  - { roles: k, to: { apiKey: k } }
`);
    const [one] = by([]).credentials;
    const plain: Subject = { id: 'p', credentials: [{ kind: 'apiKey', name: 'other' }, one!] };
    expect(stepUp(asks(plain, { tool: 't' }), both)).toEqual(['s']);
    const keyed: Subject = { id: 'p', credentials: [{ kind: 'apiKey', name: 'k' }, one!] };
    expect(stepUp(asks(keyed, { tool: 't' }), both)).toBeUndefined();
  });

  it('asks for more than 1024 decisions of nobody: what would need them is told no way', () => {
    const small = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t }] } }
bindings: [{ roles: r, to: { any: true } }]
scopes: [{ match: { tools: t }, scopes: s }]
`);
    const many = (count: number) => asks(by([]), ...Array.from({ length: count }, () => ({ tool: 't' })));
    // Each request is decided three times: as it is, as the first start, and with the scope.
    expect(stepUp(many(300), small)).toEqual(['s']);
    expect(stepUp(many(1_100), small)).toBeUndefined();
  });

  it('does a bounded amount of work, and gives the same answer each time', () => {
    const names = Array.from({ length: 200 }, (_, index) => `s${String(index).padStart(3, '0')}`);
    const wide = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t }] } }
bindings: [${names.map((name) => `{ roles: r, to: { token: { issuer: "${issuer}", subject: "x*", scopes: [${name}, end] } } }`).join(', ')}]
scopes: [{ match: { tools: t }, scopes: more }]
`);
    let decisions = 0;
    const subject = by([], 'xavier');
    const counting = asks(subject, ...Array.from({ length: 300 }, () => ({ tool: 't' }))).map((request) => ({
      ...request,
      get resource() {
        decisions += 1;
        return request.resource;
      },
    }));
    const first = stepUp(counting, wide);
    // Each decision reads the resource a few times, and each copy of a request once.
    expect(decisions).toBeLessThan(10 * 1_024);
    expect(stepUp(asks(subject, { tool: 't' }), wide)).toEqual(['end', 'more', 's000']);
    expect(first === undefined || first.join() === 'end,more,s000').toBe(true);
  });

  it('tells only scopes that open everything, and none that are not needed', () => {
    const scope = fc.constantFrom('a', 'b', 'c', 'd');
    const list = fc.uniqueArray(scope, { minLength: 1, maxLength: 3 });
    const tool = fc.constantFrom('t0', 't1', 't2');
    const arbitrary = fc.record({
      roles: fc.tuple(
        ...[0, 1, 2].map(() =>
          fc.record({
            allow: fc.array(
              tool.map((name) => ({ tools: [name] })),
              { maxLength: 2 },
            ),
            deny: fc.array(
              tool.map((name) => ({ tools: [name] })),
              { maxLength: 1 },
            ),
          }),
        ),
      ),
      bindings: fc.array(
        fc.record({ role: fc.constantFrom('r0', 'r1', 'r2'), scopes: fc.option(list, { nil: undefined }) }),
        { minLength: 1, maxLength: 4 },
      ),
      scopes: fc.array(fc.record({ match: fc.record({ tools: tool.map((name) => [name]) }), scopes: list }), {
        maxLength: 3,
      }),
      held: fc.uniqueArray(scope, { maxLength: 2 }),
      asked: fc.uniqueArray(tool, { minLength: 1, maxLength: 2 }),
    });
    let told = 0;
    fc.assert(
      fc.property(arbitrary, ({ roles, bindings, scopes, held, asked }) => {
        const compiled = policyOf(
          JSON.stringify({
            version: 1,
            roles: Object.fromEntries(roles.map((role, index) => [`r${index}`, role])),
            bindings: bindings.map((one) => ({
              roles: one.role,
              to: { token: { issuer, ...(one.scopes === undefined ? {} : { scopes: one.scopes }) } },
            })),
            scopes,
          }),
        );
        const questions = asked.map((name) => ({ tool: name }));
        const allowedWith = (list: readonly string[]) =>
          asks(by(list), ...questions).every((request) => decide(request, compiled).effect === 'allow');
        // Every superset of what is held, the smallest first: an answer found by trying all of them.
        const others = (['a', 'b', 'c', 'd'] as const).filter((one) => !held.includes(one));
        const ways = Array.from({ length: 1 << others.length }, (_, bits) =>
          others.filter((_, index) => (bits >> index) & 1),
        )
          .filter((extra) => allowedWith([...held, ...extra]))
          .sort((a, b) => a.length - b.length || (a.join(' ') < b.join(' ') ? -1 : 1));
        const best = ways[0];
        const answer = stepUp(asks(by(held), ...questions), compiled);
        if (best === undefined || best.length === 0) expect(answer).toBeUndefined();
        else {
          told += 1;
          expect(answer).toEqual([...held, ...best]);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(told).toBeGreaterThan(50);
  });
});

describe('scopesFor', () => {
  const stranger: Subject = { id: '', credentials: [] };

  it('lists what entries ask of anybody, in order, each once', () => {
    const requests = asks(stranger, { tool: 'read' }, { tool: 'write' }, { tool: 'read' });
    expect(scopesFor(requests, policy)).toEqual(['r1', 'r2', 'audit']);
    expect(scopesFor(asks(stranger, { tool: 'memo' }), policy)).toEqual([]);
  });

  it('lists an entry on trial once it is enforced', () => {
    expect(scopesFor(asks(stranger, { tool: 'read', time: after }), policy)).toEqual(['r1', 'r2', 'later']);
  });
});

/** Types are checked: a token credential without optional members is one. */
const plain: SubjectCredential = { kind: 'token', issuer, subject: 's', scopes: [], claims: {} };
it('takes a token that nobody bound for a bearer token', () => {
  const bound = policyOf(`
version: 1
roles: { r: { allow: [{ tools: t }] } }
bindings: [{ roles: r, to: { token: { issuer: "${issuer}", bound: dpop, scopes: [s] } } }]
`);
  expect(stepUp(asks({ id: 's', credentials: [plain] }, { tool: 't' }), bound)).toBeUndefined();
});
