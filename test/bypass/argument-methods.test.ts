import { beforeAll, describe, expect, it } from 'vitest';
import { initialize, legacy, modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Arena, postModern, startArena } from './arena.ts';
import { policyWithRules, argumentsRefused as refusal } from './argument-calls.ts';

const policy = policyWithRules(`
  - id: flat
    match: { tools: ["t*"] }
    args:
      n: { int: { max: 10 }, required: true }
  - id: overlap
    match: { tools: ["*x"] }
    args:
      n: { int: { min: 5 } }
  - id: tried
    mode: shadow
    match: { tools: ["*"] }
    args: { n: { set: 1 }, m: { drop: true } }
  - id: nested
    match: { tools: [nested] }
    args:
      "edits[*].path": { id: {}, required: true }
      "options.depth": { int: { max: 3 } }
      "options.deep.place": { enum: [here], required: true }
      "argv[0]": { enum: [ls] }
  - id: style
    match: { prompts: ["*"] }
    args: { style: { enum: [short, long] }, pin: { secret: { maxLength: 8 } } }
`);

let arena: Arena;
let session: Readonly<Record<string, string>>;
beforeAll(async () => {
  arena = await startArena({ policy });
  const opened = await post(arena.url, initialize('2025-03-26'));
  session = {
    'mcp-session-id': opened.headers['mcp-session-id']!,
    'mcp-protocol-version': '2025-03-26',
  };
});

type Params = Readonly<Record<string, unknown>>;

describe('other ways to bring arguments', () => {
  const call = (id: number, name: string, args: Params) =>
    legacy('tools/call', { name, arguments: args }, id);

  for (const [name, batch, through] of [
    ['a bad call first', [call(1, 't', { n: 99 }), call(2, 't', { n: 1 })], 1],
    ['a bad call last', [call(1, 't', { n: 1 }), call(2, 'tx', { n: 4 })], 1],
    ['two bad calls', [call(1, 't', { N: 1 }), call(2, 'nested', {})], 0],
    [
      'a bad prompt',
      [legacy('prompts/get', { name: 'p', arguments: { style: 'x' } }, 1), call(2, 't', { n: 2 })],
      1,
    ],
  ] as const) {
    it(`should NOT bypass in a batch: ${name}`, async () => {
      const { seen, value } = await arena.observe(() => post(arena.url, batch, { headers: session }));
      const calls = seen.flatMap(({ messages }) => messages).filter(({ method }) => method === 'tools/call');
      expect(calls).toHaveLength(through);
      for (const { params } of calls) expect((params!['arguments'] as { n: number }).n).toBeLessThan(3);
      expect(value.body.toString().match(/arguments-refused/g)).toHaveLength(2 - through);
    });
  }

  const eras: Readonly<Record<string, (method: string, params: Params) => Promise<RawAnswer>>> = {
    legacy: (method, params) => post(arena.url, legacy(method, params)),
    modern: (method, params) => postModern(arena, modern(method, params)),
  };
  const ref = { type: 'ref/prompt', name: 'p' };
  for (const [era, ask] of Object.entries(eras)) {
    for (const [name, method, params] of [
      ['a prompt', 'prompts/get', { name: 'p', arguments: { style: 'loud' } }],
      ['a prompt, sibling', 'prompts/get', { name: 'p', arguments: { style: 'short', Style: 'loud' } }],
      ['a completion', 'completion/complete', { ref, argument: { name: 'style', value: 'loud' } }],
      ['a completion, sibling', 'completion/complete', { ref, argument: { name: 'STYLE', value: 'short' } }],
      [
        'a completion, unseen',
        'completion/complete',
        { ref, argument: { name: 'style\u200b', value: 'short' } },
      ],
      [
        'what was filled in',
        'completion/complete',
        { ref, argument: { name: 'x', value: '' }, context: { arguments: { style: 'loud' } } },
      ],
      [
        'a sibling of what was filled in',
        'completion/complete',
        { ref, argument: { name: 'style', value: 'short' }, context: { arguments: { sTyle: 'loud' } } },
      ],
      [
        'twice',
        'completion/complete',
        { ref, argument: { name: 'style', value: 'short' }, context: { arguments: { style: 'loud' } } },
      ],
    ] as const) {
      it(`should NOT bypass, ${era}: ${name}`, () => arena.refused(() => ask(method, params), refusal));
    }
    it(`should NOT bypass, ${era}: a completion that is misshapen`, async () => {
      for (const more of [
        { argument: { name: 'style', Name: 'x', value: 'loud' } },
        { argument: [{ name: 'style', value: 'loud' }] },
        { argument: { name: ['style'], value: 'loud' } },
        { argument: { name: 'x', value: '' }, context: [{ arguments: { style: 'loud' } }] },
        { argument: { name: 'x', value: '' }, context: { arguments: [{ style: 'loud' }] } },
        { argument: { name: 'x', value: '' }, context: { Arguments: { style: 'loud' } } },
        { argument: { name: 'x', value: '' }, Context: { arguments: { style: 'loud' } } },
        { argument: { name: 'x', value: '', Name: 'style', Value: 'loud' } },
      ]) {
        const { seen, value } = await arena.observe(() => ask('completion/complete', { ref, ...more }));
        expect(seen, JSON.stringify(more)).toEqual([]);
        expect(value.json(), JSON.stringify(more)).toHaveProperty('error');
      }
    });
    it(`arrives, ${era}: prompts and completions that fit`, async () => {
      for (const [method, params] of [
        ['prompts/get', { name: 'p', arguments: { style: 'short' } }],
        ['completion/complete', { ref, argument: { name: 'style', value: 'long' } }],
        [
          'completion/complete',
          { ref, argument: { name: 'x', value: 'y' }, context: { arguments: { style: 'long' } } },
        ],
      ] as const) {
        const { seen } = await arena.observe(() => ask(method, params));
        expect(seen).toHaveLength(1);
      }
    });
  }

  it('should NOT bypass when a call is sent again with answers', async () => {
    arena.recorder.on('tools/call', ({ id }) => ({
      kind: 'json',
      body: {
        jsonrpc: '2.0',
        id,
        result: {
          resultType: 'input_required',
          inputRequests: {
            confirm: {
              method: 'elicitation/create',
              params: { mode: 'form', message: 'Sure?', requestedSchema: { type: 'object' } },
            },
          },
        },
      },
    }));
    const ask = (params: Params) =>
      postModern(
        arena,
        modern('tools/call', { name: 't', ...params }, { capabilities: { elicitation: {} } }),
      );
    const state = async () => {
      const answer = await ask({ arguments: { n: 1 } });
      return answer.json<{ result: { requestState: string } }>().result.requestState;
    };
    const inputResponses = { confirm: { action: 'accept', content: {} } };
    const states = [await state(), await state(), await state(), await state()];
    arena.recorder.on('tools/call', undefined);
    for (const [at, args] of [{ n: 99 }, { n: 1, N: 99 }, {}].entries()) {
      await arena.observe(async () => {
        const before = arena.seen().length;
        const answer = await ask({ arguments: args, inputResponses, requestState: states[at] });
        expect(answer.json()).toHaveProperty('error');
        expect(arena.seen()).toHaveLength(before);
      });
    }
    const { seen } = await arena.observe(() =>
      ask({ arguments: { n: 1 }, inputResponses, requestState: states[3] }),
    );
    expect(seen).toHaveLength(1);
  });
});
