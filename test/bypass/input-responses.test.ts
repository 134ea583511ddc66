import { beforeAll, describe, expect, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post, type RawAnswer } from '../support/raw-client.ts';
import { type Arena, expectHonestCall, legacyCall, startArena } from './arena.ts';

const policy = `
version: 1
roles:
  caller:
    allow:
      - tools: [allowed, other]
      - prompts: [allowed]
      - resources: ["file:///public/**"]
      - { methods: [elicitation/create], actions: [ask] }
bindings:
  - roles: [caller]
    to: { any: true }
`;

let arena: Arena;
let tls: Awaited<ReturnType<Arena['gate']['as']>>;
let mallory: typeof tls;
beforeAll(async () => {
  arena = await startArena({ policy, door: 'mtls', also: ['x'] });
  tls = await arena.gate.as('alice');
  mallory = await arena.gate.as('mallory');
});

const answers = { confirm: { action: 'accept', content: { ok: true } } };

function ask(
  params: Readonly<Record<string, unknown>>,
  options: { tls?: typeof tls; method?: string; upstream?: string } = {},
): Promise<RawAnswer> {
  const { headers, body } = modern(
    options.method ?? 'tools/call',
    { name: 'allowed', ...params },
    {
      capabilities: { elicitation: {} },
    },
  );
  return post(arena.gate.url(options.upstream ?? 'w'), body, { headers, tls: options.tls ?? tls });
}

/** Has the upstream ask alice to confirm, and gives back the state that she holds. */
async function question(requestState?: string): Promise<string> {
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
        ...(requestState === undefined ? {} : { requestState }),
      },
    },
  }));
  const answer = await ask({});
  arena.recorder.on('tools/call', undefined);
  const { result } = answer.json<{ result: { resultType: string; requestState: string } }>();
  expect(result.resultType).toBe('input_required');
  return result.requestState;
}

const unknown = { status: 400, rpc: -32602, reason: 'state-unknown', id: 1 } as const;

describe('an answer to a question that was not asked', () => {
  const disguises: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['answers without a state', { inputResponses: answers }],
    ['no answers without a state', { inputResponses: {} }],
    ['an invented state', { requestState: 'state' }],
    ['an empty state', { requestState: '' }],
    ['an invented state with answers', { requestState: 'eyJhIjoxfQ', inputResponses: answers }],
    ['a state of base64 zeros', { requestState: 'A'.repeat(200), inputResponses: answers }],
    ['a very long state', { requestState: 'A'.repeat(100_000) }],
  ];
  for (const [name, params] of disguises) {
    it(`should NOT bypass: ${name}`, () => arena.refused(() => ask(params), unknown));
    it(`should NOT bypass in the session era: ${name}`, () =>
      arena.refused(() => post(arena.url, legacyCall('allowed', params).body, { tls }), unknown));
  }
  for (const [name, params] of [
    ['answers that are a list', { inputResponses: [answers] }],
    ['answers that are null', { inputResponses: null }],
    ['a state that is an object', { requestState: { a: 1 } }],
    ['a state that is null', { requestState: null }],
  ] as const) {
    it(`should NOT bypass: ${name}`, () =>
      arena.refused(() => ask(params), { ...unknown, reason: 'frame-params-invalid' }));
  }
  for (const method of ['tools/list', 'completion/complete', 'server/discover']) {
    it(`should NOT bypass: by way of ${method}`, () =>
      arena.refused(
        () =>
          ask(
            {
              inputResponses: answers,
              ref: { type: 'ref/prompt', name: 'allowed' },
              argument: { name: 'a', value: '' },
            },
            { method },
          ),
        unknown,
      ));
  }
});

describe('the state of one question, shown for something else', () => {
  const elsewhere: readonly (readonly [string, (requestState: string) => Promise<RawAnswer>])[] = [
    [
      'by another principal',
      (requestState) => ask({ requestState, inputResponses: answers }, { tls: mallory }),
    ],
    ['for another tool', (requestState) => ask({ name: 'other', requestState, inputResponses: answers })],
    ['for a prompt of the same name', (requestState) => ask({ requestState }, { method: 'prompts/get' })],
    [
      'at another upstream',
      (requestState) => ask({ requestState, inputResponses: answers }, { upstream: 'x' }),
    ],
    [
      'with an answer to another question',
      (requestState) => ask({ requestState, inputResponses: { ...answers, pay: { action: 'accept' } } }),
    ],
    [
      'with an answer under a prototype name',
      (requestState) => ask({ requestState, inputResponses: { constructor: { action: 'accept' } } }),
    ],
    ['cut short', (requestState) => ask({ requestState: requestState.slice(0, -1) })],
    ['made longer', (requestState) => ask({ requestState: `${requestState}A` })],
    ['with padding', (requestState) => ask({ requestState: `${requestState}=` })],
    ['with a changed letter', (requestState) => ask({ requestState: flip(requestState, 40) })],
    ['with a changed version', (requestState) => ask({ requestState: flip(requestState, 0) })],
    ['with a blank behind it', (requestState) => ask({ requestState: `${requestState} ` })],
    ['twice in one', (requestState) => ask({ requestState: requestState + requestState })],
    [
      'in the session era',
      (requestState) => post(arena.url, legacyCall('allowed', { requestState }).body, { tls }),
    ],
  ];
  for (const [name, attempt] of elsewhere) {
    it(`should NOT bypass: ${name}`, async () => {
      const requestState = await question('upstream-state');
      await arena.refused(() => attempt(requestState), unknown);
    });
  }

  it('nothing else opens as a state: no session id', async () => {
    const opened = await post(
      arena.url,
      {
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'a', version: '1' } },
      },
      { tls },
    );
    const requestState = opened.headers['mcp-session-id']!;
    await arena.refused(() => ask({ requestState }), unknown);
  });

  it('the client never holds the state of the upstream, and the upstream gets its own back', async () => {
    const requestState = await question('upstream-state');
    expect(requestState).not.toContain('upstream-state');
    expect(Buffer.from(requestState, 'base64url').toString('latin1')).not.toContain('upstream-state');
    const { seen } = await arena.observe(() => ask({ requestState, inputResponses: answers }));
    expect(seen[0]!.messages[0]!.params).toMatchObject({
      requestState: 'upstream-state',
      inputResponses: answers,
    });
  });

  it('policy judges the retry anew', async () => {
    const requestState = await question();
    await arena.gate.setPolicy(policy.replace('[allowed, other]', '[other]'));
    await arena.refused(() => ask({ requestState, inputResponses: answers }), {
      status: 200,
      rpc: 4030,
      reason: 'denied',
      id: 1,
    });
    await arena.gate.setPolicy(policy);
  });
});

function flip(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}

it('honest calls pass beside all this', () => expectHonestCall(arena, tls));
