import { describe, expect, it } from 'vitest';
import { judgeCall } from '../../src/policy/judge-call.ts';
import { policyOf, type Question, requestOf } from './support/build.ts';

const policy = policyOf(`version: 1
roles:
  r:
    allow:
      - { tools: [query], when: { args: { limit: { max: 50 } } } }
      - { tools: [find, plain], prompts: [ask], resources: ["file:///**"], methods: ["*"] }
bindings: [{ roles: r, to: { any: true } }]
arguments:
  - { id: capped, match: { tools: [query, hidden] }, args: { limit: { int: { min: 0 }, clamp: { max: 60 }, default: 10 } } }
  - { id: needed, match: { upstreams: u }, args: { table: { id: {} } } }
`);
const judge = (question: Question) => judgeCall(requestOf(question), policy);

describe('a call is judged', () => {
  it('by what its arguments become, not by what they were', () => {
    expect(judge({ tool: 'query', args: {} })).toMatchObject({
      effect: 'allow',
      content: {
        rules: [{ id: 'capped' }, { id: 'needed' }],
        judgement: { args: { limit: 10 }, fault: undefined },
      },
    });
    // 60 is what is left of it, and 50 is what the role allows.
    expect(judge({ tool: 'query', args: { limit: 1000 } })).toMatchObject({
      effect: 'deny',
      decision: { effect: 'deny', reasons: [{ code: 'condition-failed' }] },
      content: { judgement: { args: { limit: 60 } } },
    });
    expect(judge({ tool: 'query' })).toMatchObject({
      effect: 'allow',
      content: { judgement: { args: { limit: 10 } } },
    });
  });

  it('by its arguments as they are where nothing is rewritten', () => {
    expect(judge({ tool: 'query', args: { limit: 5 } })).toMatchObject({
      effect: 'allow',
      content: { judgement: { args: { limit: 5 }, rewrites: [] } },
    });
  });

  it('as refused where its arguments are, although roles allow it', () => {
    const judged = judge({ tool: 'find', args: { table: 'a; b' } });
    expect(judged).toMatchObject({
      effect: 'deny',
      decision: { effect: 'allow' },
      content: { judgement: { fault: { rule: 'needed', path: 'table' } } },
    });
    expect(judge({ tool: 'find', args: { table: 'a' } })).toMatchObject({ effect: 'allow' });
  });

  it('by roles alone where no entry of `arguments:` is about it', () => {
    expect(judge({ tool: 'plain', upstream: 'v', args: { table: 'a; b' } })).toEqual({
      effect: 'allow',
      decision: expect.objectContaining({ effect: 'allow' }),
    });
  });

  it('not by its arguments where the caller may not see it', () => {
    const judged = judge({ tool: 'hidden', args: { limit: 'no number' } });
    expect(judged).toMatchObject({
      effect: 'deny',
      decision: { visible: false, reasons: [{ code: 'no-rule' }] },
    });
    expect(judged).not.toHaveProperty('content');
  });

  it('by entries of `arguments:` only where it brings arguments', () => {
    for (const question of [
      { resource: 'file:///a' },
      { resource: 'file:///a', action: 'subscribe' },
      { resource: 'file:///a', action: 'complete' },
      { method: 'logging/setLevel' },
      { tool: 'find', action: 'complete' },
      { tool: 'find', action: 'get' },
      { prompt: 'ask', action: 'call' },
    ] as const) {
      expect(judge(question), JSON.stringify(question)).not.toHaveProperty('content');
    }
    expect(judge({ prompt: 'ask', args: {} })).toMatchObject({ content: { rules: [{ id: 'needed' }] } });
  });
});

it('a call is judged at its time, and for its caller', () => {
  const dated = policyOf(`version: 1
roles: { r: { allow: [{ tools: t }, { tools: soon, mode: shadow, until: 2026-06-30 }] } }
bindings: [{ roles: r, to: { any: true } }]
arguments:
  - id: own
    match: { tools: [t, soon] }
    args: { n: { int: {} } }
    relations: [{ id: who, that: "principal.id == 'someone'", message: for someone only }]
`);
  const at = (tool: string, day: string, id = 'someone') => {
    const request = requestOf({ tool, args: { n: 1 }, time: Date.parse(day) });
    return judgeCall({ ...request, subject: { ...request.subject, id } }, dated);
  };
  expect(at('t', '2026-01-01')).toMatchObject({
    effect: 'allow',
    content: { judgement: { fault: undefined } },
  });
  expect(at('t', '2026-01-01', 'other')).toMatchObject({
    effect: 'deny',
    content: { judgement: { fault: { role: 'relation' } } },
  });
  expect(at('soon', '2026-01-01')).not.toHaveProperty('content');
  expect(at('soon', '2026-07-01')).toMatchObject({ effect: 'allow', content: { rules: [{ id: 'own' }] } });
});

describe('completion is judged', () => {
  const limited = policyOf(`version: 1
roles: { r: { allow: [{ prompts: [ask, bare], when: { args: { table: { equals: a, optional: true } } } }] } }
bindings: [{ roles: r, to: { any: true } }]
arguments:
  - { id: both, match: { prompts: ask }, args: { table: { id: {} }, other: { id: {} } } }
`);
  const complete = (prompt: string, args: Record<string, unknown>) =>
    judgeCall(requestOf({ prompt, action: 'complete', args }), limited);

  it('by the arguments that are there already, and not by those that are not', () => {
    expect(complete('ask', { table: 'b' })).toMatchObject({
      effect: 'allow',
      content: { judgement: { fault: undefined } },
    });
    expect(complete('ask', { table: 'b; c' })).toMatchObject({
      effect: 'deny',
      content: { judgement: { fault: { path: 'table' } } },
    });
  });

  it('without conditions on arguments, as it is no call yet', () => {
    expect(complete('bare', { table: 'b' }).effect).toBe('allow');
    const get = judgeCall(requestOf({ prompt: 'bare', args: { table: 'b' } }), limited);
    expect(get.effect).toBe('deny');
  });
});
