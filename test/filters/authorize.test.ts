import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/mcp/frame.ts';
import {
  call,
  down,
  type ExchangeShape,
  frameOf,
  makeExchange,
  makeGate,
  modernCall,
  modernExchange,
  note,
  passed,
  policyOf,
  principal,
  resultOf,
  told,
  up,
} from './support.ts';

const policy = policyOf(`
version: 1
roles:
  analyst:
    allow:
      - { id: limited, tools: [query], when: { args: { limit: { max: 10 } } } }
      - { id: look, tools: ["look_*"], audit: arguments }
      - { resources: ["file:///reports/**"] }
      - { prompts: [summarise] }
      - { methods: [subscriptions/listen, sampling/createMessage, tasks/get] }
    deny:
      - { id: never, tools: [look_away] }
      - { methods: [roots/list] }
bindings:
  - { roles: [analyst], to: [{ apiKey: alice }] }
`);

const tool = (name: string, args: object = {}) => call('tools/call', { name, arguments: args });

async function judged(request: Frame, shape: ExchangeShape = {}) {
  const exchange = makeExchange({ request, policy, ...shape });
  return { exchange, answer: told(await up(makeGate().filter('authorize'), exchange)) };
}

describe('a frame of a client', () => {
  test.each<[string, Frame, unknown]>([
    ['an allowed tool', tool('query', { limit: 5 }), 'pass'],
    [
      'a refused argument',
      tool('query', { limit: 11 }),
      { code: 'arguments-refused', rule: 'limited', condition: 'args.limit.max' },
    ],
    ['a tool that nobody names', tool('drop'), 'denied'],
    ['a tool that a rule denies', tool('look_away'), 'denied'],
    ['an allowed resource', call('resources/read', { uri: 'file:///reports/q1' }), 'pass'],
    ['a resource elsewhere', call('resources/read', { uri: 'file:///payroll' }), 'denied'],
    ['an allowed prompt', call('prompts/get', { name: 'summarise' }), 'pass'],
    [
      'completion of a prompt that may not be used',
      call('completion/complete', { ref: { type: 'ref/prompt', name: 'other' } }),
      'denied',
    ],
    ['a list', call('tools/list'), 'pass'],
    ['initialize', call('initialize', {}), 'pass'],
    ['a method that needs an allow', call('logging/setLevel', { level: 'debug' }), 'denied'],
    ['a method that has one', call('tasks/get', { taskId: 't' }), 'pass'],
    ['housekeeping', note('notifications/initialized'), 'pass'],
    ['a stream', { kind: 'stream-open', lastEventId: undefined }, 'pass'],
    ['the end of a session', { kind: 'session-end' }, 'pass'],
    ['an answer that was asked for', frameOf({ jsonrpc: '2.0', id: 1, result: {} }), 'pass'],
  ])('%s', async (_what, request, expected) => {
    expect((await judged(request)).answer).toEqual(expected);
  });

  test('of somebody who may use nothing here goes nowhere, whatever it is', async () => {
    const all: readonly Frame[] = [
      tool('query'),
      call('tools/list'),
      call('ping'),
      call('initialize', {}),
      note('notifications/initialized'),
      note('notifications/cancelled', { requestId: 1 }),
      note('notifications/roots/list_changed'),
      { kind: 'stream-open', lastEventId: undefined },
      { kind: 'session-end' },
    ];
    for (const request of all)
      expect((await judged(request, { principal: principal('bob') })).answer).toBe('denied');
  });

  test('with many targets needs an allow for each of them', async () => {
    const listen = (uris: readonly string[]) =>
      modernCall('subscriptions/listen', { notifications: { resourceSubscriptions: uris } });
    const shape = { revision: '2026-07-28' } as const;
    expect((await judged(listen(['file:///reports/a']), shape)).answer).toBe('pass');
    const { answer, exchange } = await judged(listen(['file:///reports/a', 'file:///payroll']), shape);
    expect(answer).toBe('denied');
    expect(exchange.facts.target).toEqual({ kind: 'resource', name: 'file:///payroll' });
    expect(exchange.facts.decision).toMatchObject({ effect: 'deny' });
  });

  test('with a hidden target among refused ones is answered as the hidden one', async () => {
    const inside = policyOf(`
version: 1
roles:
  reader:
    allow:
      - { id: inside, resources: ["file:///reports/**"], when: { network: { in: ["10.0.0.0/8"] } } }
      - { methods: [subscriptions/listen] }
bindings: [{ roles: [reader], to: [{ any: true }] }]
`);
    const listen = (uris: readonly string[]) =>
      judged(modernCall('subscriptions/listen', { notifications: { resourceSubscriptions: uris } }), {
        revision: '2026-07-28',
        policy: inside,
      });
    const [seen, hidden] = ['file:///reports/a', 'file:///payroll'];
    expect((await listen([seen])).answer).toMatchObject({ code: 'arguments-refused', rule: 'inside' });
    for (const uris of [
      [seen, hidden],
      [hidden, seen],
    ]) {
      const { answer, exchange } = await listen(uris);
      expect(answer).toBe('denied');
      expect(exchange.facts.target).toEqual({ kind: 'resource', name: hidden });
    }
  });

  test('leaves its decision and its target for the record', async () => {
    const { exchange } = await judged(tool('look_up'));
    expect(exchange.facts.target).toEqual({ kind: 'tool', name: 'look_up' });
    expect(exchange.facts.decision).toMatchObject({ effect: 'allow', obligations: { auditArguments: true } });
    expect(exchange.facts.decision?.reasons[0].rule).toBe('look');
  });
});

describe('a question of the server', () => {
  const ask = (method: string) => frameOf({ jsonrpc: '2.0', id: 1, method, params: {} }, 'toClient');

  test.each([
    ['sampling/createMessage', 'pass'],
    ['elicitation/create', 'denied'],
    ['roots/list', 'denied'],
    ['ping', 'pass'],
    ['tools/list', 'method-unknown'],
  ])('%s: %s', async (method, expected) => {
    const exchange = makeExchange({ request: tool('query'), policy });
    expect(told(await down(makeGate().filter('authorize'), exchange, ask(method)))).toBe(expected);
    if (expected === 'denied') expect(exchange.facts.questions[0]?.decision.effect).toBe('deny');
  });

  test('has no place in 2026-07-28', async () => {
    const exchange = modernExchange(modernCall('tools/list'), { policy });
    expect(told(await down(makeGate().filter('authorize'), exchange, ask('sampling/createMessage')))).toBe(
      'drop server-request',
    );
  });
});

describe('an answer', () => {
  /** The verdict of `authorize` on a result to a request that went out. */
  async function onResult(request: Frame, result: object, modern = true) {
    const gate = makeGate();
    const exchange = modern ? modernExchange(request, { policy }) : makeExchange({ request, policy });
    const sent = passed(await up(gate.filter('correlate'), exchange), request, 'request');
    return told(await down(gate.filter('authorize'), exchange, resultOf(sent.id, result)));
  }
  const modernTool = modernCall('tools/call', { name: 'query' });
  const asks = (...methods: unknown[]) => ({
    resultType: 'input_required',
    inputRequests: Object.fromEntries(methods.map((method, index) => [`q${index}`, { method }])),
  });

  test('may ask what the server may ask, and is refused whole where one question may not be', async () => {
    expect(await onResult(modernTool, asks('sampling/createMessage'))).toBe('pass');
    for (const methods of [
      ['elicitation/create'],
      ['sampling/createMessage', 'roots/list'],
      ['sampling/createMessage', 'tools/call'],
      ['constructor'],
      [undefined],
      [7],
    ]) {
      expect(await onResult(modernTool, asks(...methods))).toBe('result-refused');
    }
    for (const inputRequests of [[], 'x', null, { q: 'x' }, { q: null }]) {
      expect(await onResult(modernTool, { resultType: 'complete', inputRequests })).toBe('result-refused');
    }
  });

  test('may bring other resources only if they may be read', async () => {
    const read = call('resources/read', { uri: 'file:///reports/a' });
    const contents = (...uris: unknown[]) => ({ contents: uris.map((uri) => ({ uri, text: 'x' })) });
    expect(await onResult(read, contents('file:///reports/a', 'file:///reports/b'), false)).toBe('pass');
    expect(await onResult(read, contents('file:///reports/a', 'file:///payroll'), false)).toBe(
      'result-refused',
    );
    for (const uri of ['file:///reports/../payroll', 'file:///reports/%2e%2e/payroll', 7, undefined]) {
      expect(await onResult(read, contents(uri), false)).toBe('upstream-invalid');
    }
    expect(await onResult(read, { contents: 'x' }, false)).toBe('upstream-invalid');
  });

  test('to a question that nobody asked ends here', async () => {
    const exchange = makeExchange({ request: tool('query'), policy });
    expect(told(await down(makeGate().filter('authorize'), exchange, resultOf(1, {})))).toBe(
      'drop answer-unasked',
    );
  });

  test('does not elicit by way of an error', async () => {
    const error = frameOf(
      { jsonrpc: '2.0', id: 1, error: { code: -32042, message: 'x', data: {} } },
      'toClient',
    );
    const exchange = makeExchange({ request: tool('query'), policy });
    expect(told(await down(makeGate().filter('authorize'), exchange, error))).toBe('result-refused');
  });
});

test('an update of a resource is relayed only where it may be subscribed to', async () => {
  const exchange = makeExchange({ request: { kind: 'stream-open', lastEventId: undefined }, policy });
  const updated = (uri: unknown) => note('notifications/resources/updated', { uri }, 'toClient');
  const authorize = makeGate().filter('authorize');
  expect(told(await down(authorize, exchange, updated('file:///reports/a')))).toBe('pass');
  expect(told(await down(authorize, exchange, updated('file:///payroll')))).toBe('denied');
  expect(told(await down(authorize, exchange, updated('file:///reports/../payroll')))).toBe(
    'upstream-invalid',
  );
  expect(told(await down(authorize, exchange, updated(undefined)))).toBe('upstream-invalid');
});

test('a task that ends with questions is held back where they may not be asked', async () => {
  const exchange = modernExchange(modernCall('tools/list'), { policy });
  const tasks = (method: string) =>
    note('notifications/tasks', { taskId: 't', inputRequests: { q: { method } } }, 'toClient');
  const authorize = makeGate().filter('authorize');
  expect(told(await down(authorize, exchange, tasks('sampling/createMessage')))).toBe('pass');
  expect(told(await down(authorize, exchange, tasks('roots/list')))).toBe('result-refused');
});
