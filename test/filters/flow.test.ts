import { describe, expect, test } from 'vitest';
import { type FlowDeps, flow } from '../../src/filters/flow.ts';
import { createOutstanding } from '../../src/filters/outstanding.ts';
import { CanaryBook } from '../../src/flows/canaries.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import {
  call,
  down,
  frameOf,
  makeExchange,
  modernCall,
  modernExchange,
  note,
  policyOf,
  principal,
  resultOf,
  told,
  up,
} from './support.ts';

const open = `
version: 1
roles:
  everything:
    allow:
      - { tools: ["*"], resources: ["**"], prompts: ["*"], methods: ["**"] }
bindings:
  - { roles: [everything], to: [{ any: true }] }
tools:
  - { match: { tools: [fetch, both], resources: ["https://**"] }, untrusted: true }
  - { match: { tools: [send, both] }, egress: true }
`;

function policy(flows = '') {
  return policyOf(`${open}${flows}`);
}

function gate(overrides: Partial<FlowDeps> = {}) {
  const clock = { at: 1_000 };
  const outstanding = createOutstanding(
    { requests: 100, requestsPerSession: 10, lateAnswers: 1_000 },
    () => clock.at,
  );
  const filter = flow({
    outstanding,
    principals: 100,
    monotonic: () => clock.at,
    key: Buffer.alloc(32, 1),
    canaries: () => new CanaryBook([]),
    approvals: undefined,
    ...overrides,
  });
  return { clock, filter, outstanding };
}

const tool = (name: string, args: object = {}, id = 1) =>
  modernCall('tools/call', { name, arguments: args }, id);

interface Shape {
  readonly policy?: Exchange['policy'];
  readonly session?: string;
  readonly who?: string;
  readonly upstream?: string;
  readonly trace?: string;
}

function exchangeOf(name: string, shape: Shape = {}, args: object = {}): Exchange {
  const legacy = shape.session !== undefined;
  const exchange = (legacy ? makeExchange : modernExchange)(
    ...((legacy
      ? [{ request: call('tools/call', { name, arguments: args }), ...about(shape) }]
      : [tool(name, args), about(shape)]) as [never, never]),
  );
  if (shape.session !== undefined) {
    exchange.facts.session = { key: shape.session, upstreamId: 'u', revision: '2025-11-25' };
  }
  return shape.trace === undefined
    ? { ...exchange, traceId: exchange.id }
    : { ...exchange, traceId: shape.trace };
}

function about(shape: Shape) {
  return {
    policy: shape.policy ?? policy(),
    principal: principal(shape.who ?? 'alice'),
    ...(shape.upstream === undefined ? {} : { upstream: shape.upstream }),
  };
}

async function fetched(filter: ReturnType<typeof flow>, shape: Shape = {}): Promise<void> {
  const exchange = exchangeOf('fetch', shape);
  expect(told(await up(filter, exchange))).toBe('pass');
  expect(told(await down(filter, exchange, resultOf(1, { content: [] })))).toBe('pass');
}

async function sends(filter: ReturnType<typeof flow>, shape: Shape = {}, args: object = {}) {
  const exchange = exchangeOf('send', shape, args);
  const answer = told(await up(filter, exchange));
  return { answer, findings: exchange.facts.findings };
}

const held = (rule: string, retryAfterMs: number) => ({ code: 'flow-refused', rule, retryAfterMs });

describe('egress after untrusted content', () => {
  test('is refused for ten minutes where no rule says otherwise', async () => {
    const { filter, clock } = gate();
    expect((await sends(filter)).answer).toBe('pass');
    await fetched(filter);
    expect(await sends(filter)).toEqual({
      answer: held('flows.default', 600_000),
      findings: [
        { check: 'flow', effect: 'refused', rule: 'flows.default', path: undefined, detail: 'held' },
      ],
    });
    clock.at += 599_999;
    expect((await sends(filter)).answer).toEqual(held('flows.default', 1));
    clock.at += 1;
    expect((await sends(filter)).answer).toBe('pass');
  });

  test('is refused on other servers too, and to nobody else', async () => {
    const { filter } = gate();
    await fetched(filter, { upstream: 'web' });
    expect((await sends(filter, { upstream: 'mail' })).answer).toMatchObject({ code: 'flow-refused' });
    expect((await sends(filter, { who: 'bob' })).answer).toBe('pass');
  });

  test('leaves alone what is not marked', async () => {
    const { filter } = gate();
    await fetched(filter);
    const exchange = exchangeOf('query');
    expect(told(await up(filter, exchange))).toBe('pass');
    expect(told(await down(filter, exchange, resultOf(1, {})))).toBe('pass');
  });

  test('is not refused by what was only asked for', async () => {
    const { filter } = gate();
    expect(told(await up(filter, exchangeOf('fetch')))).toBe('pass');
    expect((await sends(filter)).answer).toBe('pass');
  });

  test('counts all that comes back: progress, log messages, errors, questions', async () => {
    const frames = [
      note('notifications/progress', { progressToken: 1, progress: 1, message: 'x' }, 'toClient'),
      note('notifications/message', { level: 'info', data: 'x' }, 'toClient'),
      frameOf({ jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x' } }, 'toClient'),
      frameOf({ jsonrpc: '2.0', id: 1, method: 'elicitation/create', params: {} }, 'toClient'),
    ];
    for (const frame of frames) {
      const { filter } = gate();
      await down(filter, exchangeOf('fetch'), frame);
      expect((await sends(filter)).answer).toMatchObject({ code: 'flow-refused' });
    }
  });

  test('counts resources that are read, and answers that a resumed stream brings', async () => {
    const read = gate();
    const request = modernCall('resources/read', { uri: 'https://example.com/a' });
    await down(read.filter, modernExchange(request, { policy: policy() }), resultOf(1, { contents: [] }));
    expect((await sends(read.filter)).answer).toMatchObject({ code: 'flow-refused' });

    const resumed = gate();
    const first = exchangeOf('fetch', { session: 's' });
    const asked = resumed.outstanding.ask(first, {
      clientId: 1,
      row: (await import('../../src/mcp/methods.ts')).methodRow(
        'tools/call',
        '2025-11-25',
        'toUpstream',
        'request',
      )!,
      target: 'fetch',
      progressToken: undefined,
    });
    if (typeof asked === 'string') throw new Error(asked);
    resumed.outstanding.end(first, true);
    const stream = makeExchange({
      request: { kind: 'stream-open', lastEventId: undefined },
      policy: policy(),
    });
    stream.facts.session = first.facts.session;
    await down(resumed.filter, stream, resultOf(asked.gatewayId, {}));
    expect((await sends(resumed.filter, { session: 's' })).answer).toMatchObject({ code: 'flow-refused' });
  });

  test('counts what a task brings, whatever tool began it', async () => {
    const { filter } = gate();
    const request = modernCall('tasks/get', { taskId: 't' });
    await down(filter, modernExchange(request, { policy: policy() }), resultOf(1, {}));
    expect((await sends(filter)).answer).toMatchObject({ code: 'flow-refused' });
  });

  test('holds back a tool with both marks from its second call on', async () => {
    const { filter } = gate();
    const first = exchangeOf('both');
    expect(told(await up(filter, first))).toBe('pass');
    await down(filter, first, resultOf(1, {}));
    expect(told(await up(filter, exchangeOf('both')))).toMatchObject({ code: 'flow-refused' });
  });
});

describe('flow rules', () => {
  const rule = (text: string) => policy(`flows:\n  - ${text}\n`);

  test('per session hold the session, and the principal where there is none', async () => {
    const shape = { policy: rule('{ per: session, hold: 1m }') };
    const { filter } = gate();
    await fetched(filter, { ...shape, session: 's1' });
    expect((await sends(filter, { ...shape, session: 's1' })).answer).toEqual(held('flows[0]', 60_000));
    expect((await sends(filter, { ...shape, session: 's2' })).answer).toBe('pass');
    expect((await sends(filter, shape)).answer).toEqual(held('flows[0]', 60_000));
  });

  test('per trace hold the trace, and whoever names none', async () => {
    const shape = { policy: rule('{ per: trace, hold: 1m }') };
    const { filter } = gate();
    await fetched(filter, { ...shape, trace: 'a'.repeat(32) });
    expect((await sends(filter, { ...shape, trace: 'a'.repeat(32) })).answer).toEqual(
      held('flows[0]', 60_000),
    );
    expect((await sends(filter, { ...shape, trace: 'b'.repeat(32) })).answer).toBe('pass');
    expect((await sends(filter, shape)).answer).toEqual(held('flows[0]', 60_000));
  });

  test('in shadow refuse nothing and say so', async () => {
    const shape = { policy: rule('{ per: principal, mode: shadow }') };
    const { filter } = gate();
    await fetched(filter, shape);
    const { answer, findings } = await sends(filter, shape);
    expect(answer).toBe('pass');
    expect(findings).toMatchObject([{ effect: 'would-refuse', rule: 'flows[0]', detail: 'held' }]);
  });

  test('that do not reach the caller leave the default in force', async () => {
    const shape = { policy: rule('{ per: principal, hold: 1s, match: { upstreams: [elsewhere] } }') };
    const { filter } = gate();
    await fetched(filter, shape);
    expect((await sends(filter, shape)).answer).toEqual(held('flows.default', 600_000));
  });

  test('deny before they let approve', async () => {
    const flows =
      'flows:\n  - { per: principal, hold: 1h, effect: approve }\n  - { per: principal, hold: 1m }\n';
    const shape = { policy: policy(flows) };
    const taken: string[] = [];
    const { filter } = gate({ approvals: { take: async (ticket) => taken.push(ticket) > 0 } });
    await fetched(filter, shape);
    expect((await sends(filter, shape)).answer).toEqual(held('flows[1]', 60_000));
    expect(taken).toEqual([]);
  });
});

describe('approval', () => {
  const shape = { policy: policy('flows:\n  - { per: principal, effect: approve }\n') };

  test('lets one call pass, and no other', async () => {
    const approved = new Set<string>();
    const { filter } = gate({ approvals: { take: async (ticket) => approved.delete(ticket) } });
    await fetched(filter, shape);
    const first = await sends(filter, shape, { to: 'a' });
    expect(first.answer).toEqual({
      ...held('flows[0]', 600_000),
      approval: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const { approval } = first.answer as { approval: string };
    expect(first.findings).toMatchObject([{ effect: 'refused', detail: `approval ${approval}` }]);
    approved.add(approval);
    expect((await sends(filter, shape, { to: 'b' })).answer).toMatchObject({ code: 'flow-refused' });
    expect((await sends(filter, { ...shape, upstream: 'else' }, { to: 'a' })).answer).toMatchObject({
      code: 'flow-refused',
    });
    const passed = await sends(filter, shape, { to: 'a' });
    expect(passed.answer).toBe('pass');
    expect(passed.findings).toMatchObject([
      { effect: 'alert', rule: 'flows[0]', detail: `approved ${approval}` },
    ]);
    expect((await sends(filter, shape, { to: 'a' })).answer).toMatchObject({ code: 'flow-refused' });
  });

  test('cannot be had where it is not configured', async () => {
    const { filter } = gate();
    await fetched(filter, shape);
    expect((await sends(filter, shape)).answer).toEqual(held('flows[0]', 600_000));
  });
});

describe('canaries', () => {
  const value = 'canary-value-1';
  const book = (results: 'alert' | 'refuse') => ({
    canaries: () => new CanaryBook([{ name: 'ledger', value, results }]),
  });

  test('never go to a server, in whatever frame', async () => {
    const { filter } = gate(book('alert'));
    const frames = [
      call('tools/call', { name: 'query', arguments: { a: [value] } }),
      call('resources/read', { uri: `file:///${value}` }),
      note('notifications/cancelled', { reason: value }),
      frameOf({ jsonrpc: '2.0', id: 1, result: { content: { text: value } } }, 'toUpstream'),
      frameOf({ jsonrpc: '2.0', id: 1, error: { code: 1, message: value } }, 'toUpstream'),
    ];
    for (const frame of frames) {
      const exchange = makeExchange({ request: frame });
      expect(told(await up(filter, exchange))).toBe('content-refused');
      expect(exchange.facts.findings).toMatchObject([
        { check: 'flow', effect: 'refused', rule: 'canaries.ledger', detail: 'canary' },
      ]);
      expect(JSON.stringify(exchange.facts.findings)).not.toContain(value);
    }
    expect(told(await up(filter, makeExchange({ request: { kind: 'session-end' } })))).toBe('pass');
  });

  test('that come back are noted, or refused by choice', async () => {
    for (const [results, answer, effect] of [
      ['alert', 'pass', 'alert'],
      ['refuse', 'content-refused', 'refused'],
    ] as const) {
      const { filter } = gate(book(results));
      const exchange = makeExchange({ request: call('tools/call', { name: 'query' }) });
      expect(
        told(await down(filter, exchange, resultOf(1, { content: [{ type: 'text', text: value }] }))),
      ).toBe(answer);
      expect(exchange.facts.findings).toMatchObject([
        { effect, rule: 'canaries.ledger', path: 'result.content[0].text' },
      ]);
    }
  });
});
