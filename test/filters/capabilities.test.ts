import { expect, test } from 'vitest';
import type { Frame } from '../../src/mcp/frame.ts';
import type { CompiledPolicy } from '../../src/policy/compile.ts';
import {
  call,
  down,
  frameOf,
  makeExchange,
  makeGate,
  modernExchange,
  modernMeta,
  note,
  openPolicy,
  passed,
  policyOf,
  resultOf,
  told,
  up,
} from './support.ts';

const allowing = (methods: string): CompiledPolicy =>
  policyOf(`
version: 1
roles:
  caller:
    allow:
      - tools: [job]
${methods === '' ? '' : `      - methods: ${methods}`}
bindings:
  - { roles: [caller], to: [{ any: true }] }
`);

const tasks = 'io.modelcontextprotocol/tasks';
const ui = 'io.modelcontextprotocol/ui';
const declared = { sampling: {}, extensions: { [tasks]: {}, [ui]: { a: 1 } }, experimental: { x: {} } };

const modernRequest = (capabilities: object): Frame =>
  frameOf({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name: 'job',
      _meta: { ...modernMeta, 'io.modelcontextprotocol/clientCapabilities': capabilities },
    },
  });

const kept: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['', [], []],
  [`["${ui}"]`, [ui], []],
  [`["${tasks}", x]`, [tasks], ['x']],
  ['[tasks/get]', [tasks], []],
  ['[tasks/update]', [tasks], []],
  ['[skills/list]', [], []],
  ['["**"]', [tasks, ui], ['x']],
];

for (const [methods, extensions, experimental] of kept) {
  test(`a client declares upstream only what policy names: ${methods}`, async () => {
    const policy = allowing(methods);
    const filter = makeGate().filter('capabilities');
    const request = modernRequest(declared);
    const exchange = modernExchange(request, { policy });
    const sent = passed(await up(filter, exchange), request, 'request');
    const meta = sent.params!['_meta'] as Record<string, Record<string, object>>;
    const left = meta['io.modelcontextprotocol/clientCapabilities']!;
    expect(Object.keys(left['extensions']!)).toEqual(extensions);
    expect(Object.keys(left['experimental']!)).toEqual(experimental);
    expect(left['sampling']).toEqual({});

    const old = call('initialize', { protocolVersion: '2025-11-25', capabilities: declared, clientInfo: {} });
    const begun = passed(await up(filter, makeExchange({ request: old, policy })), old, 'request');
    const given = begun.params!['capabilities'] as Record<string, object>;
    expect(Object.keys(given['extensions']!)).toEqual(extensions);
    expect(Object.keys(given['experimental']!)).toEqual(experimental);
  });
}

test('what needs no change goes on as it came', async () => {
  const filter = makeGate().filter('capabilities');
  for (const request of [modernRequest({}), modernRequest({ sampling: {}, extensions: {} }), call('ping')]) {
    const exchange = modernExchange(request, { policy: allowing('') });
    expect(told(await up(filter, exchange))).toBe('pass');
  }
  const open = modernExchange(modernRequest(declared), { policy: openPolicy });
  expect(told(await up(filter, open))).toBe('pass');
});

const offered = {
  tools: {},
  logging: {},
  tasks: { list: {} },
  extensions: { [ui]: {} },
  experimental: { x: {} },
};

for (const [methods, revision, left] of [
  ['', '2025-11-25', { tools: {}, extensions: {}, experimental: {} }],
  ['[logging/setLevel]', '2025-11-25', { tools: {}, logging: {}, extensions: {}, experimental: {} }],
  ['[tasks/cancel]', '2025-11-25', { tools: {}, tasks: { list: {} }, extensions: {}, experimental: {} }],
  [`["${ui}"]`, '2025-11-25', { tools: {}, extensions: { [ui]: {} }, experimental: {} }],
  ['["**"]', '2025-11-25', offered],
  // These revisions have no such methods: what the word means there is the server's own business.
  ['', '2026-07-28', { tools: {}, logging: {}, extensions: {}, experimental: {} }],
] as const) {
  test(`a server offers only what the caller may use (${revision}): ${methods}`, async () => {
    const gate = makeGate();
    const modern = revision === '2026-07-28';
    const request = modern
      ? frameOf({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: modernMeta } })
      : call('initialize', { protocolVersion: revision, capabilities: {}, clientInfo: {} });
    const exchange = (modern ? modernExchange : makeExchangeOf)(request, { policy: allowing(methods) });
    const sent = passed(await up(gate.filter('correlate'), exchange), request, 'request');
    const frame = resultOf(sent.id, { capabilities: offered, protocolVersion: revision });
    const got = passed(await down(gate.filter('capabilities'), exchange, frame), frame, 'result');
    expect(got.result['capabilities']).toEqual(left);
  });
}

function makeExchangeOf(request: Frame, shape: object) {
  return makeExchange({ request, ...shape });
}

test('a call does not become a task for a caller who may not use tasks', async () => {
  for (const [methods, outcome] of [
    ['', 'result-refused'],
    ['[tasks/get]', 'pass'],
    [`["${tasks}"]`, 'pass'],
  ] as const) {
    const gate = makeGate();
    const request = modernRequest(declared);
    const exchange = modernExchange(request, { policy: allowing(methods) });
    const sent = passed(await up(gate.filter('correlate'), exchange), request, 'request');
    const frame = resultOf(sent.id, { resultType: 'task', taskId: 't', status: 'working' });
    expect([methods, told(await down(gate.filter('capabilities'), exchange, frame))]).toEqual([
      methods,
      outcome,
    ]);
  }
});

test('extensions that are no object are none, however a lenient reader would take them', async () => {
  const filter = makeGate().filter('capabilities');
  const policy = allowing(`["${ui}"]`);
  for (const names of [[tasks], tasks, true, null, [{ [tasks]: {} }]]) {
    const request = modernRequest({ sampling: {}, extensions: names, experimental: names });
    const sent = passed(await up(filter, modernExchange(request, { policy })), request, 'request');
    const meta = sent.params!['_meta'] as Record<string, object>;
    expect(meta['io.modelcontextprotocol/clientCapabilities']).toEqual({ sampling: {} });
  }
});

test('what is declared in `_meta` is judged in every message that has it', async () => {
  const filter = makeGate().filter('capabilities');
  const policy = allowing('');
  const _meta = { 'io.modelcontextprotocol/clientCapabilities': declared };
  const said = [call('tools/call', { name: 'job', _meta }), note('notifications/progress', { _meta })];
  for (const frame of said) {
    for (const exchange of [makeExchange({ policy, request: frame }), modernExchange(frame, { policy })]) {
      const verdict = await up(filter, exchange);
      expect(verdict.kind).toBe('replace');
      expect(verdict.kind === 'replace' && JSON.stringify(verdict.frame)).not.toContain(tasks);
    }
  }
});

const logLevel = 'io.modelcontextprotocol/logLevel';

for (const [level, allowed] of [
  ['error', true],
  ['debug', false],
  ['Error', false],
  [7, false],
  [null, false],
] as const) {
  test(`the server’s log from a level on is asked for as logging/setLevel is: ${level}`, async () => {
    const policy = allowing(`[logging/setLevel]
        when: { args: { level: { oneOf: [error] } } }`);
    const filter = makeGate().filter('capabilities');
    const request = frameOf({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'job', _meta: { ...modernMeta, [logLevel]: level } },
    });
    const exchange = modernExchange(request, { policy });
    const sent = passed(await up(filter, exchange), request, 'request');
    expect((sent.params!['_meta'] as Record<string, unknown>)[logLevel]).toBe(allowed ? level : undefined);
    // Nor is what comes all the same.
    const logged = note('notifications/message', { level: 'debug', data: 'x' }, 'toClient');
    expect(told(await down(filter, exchange, logged))).toBe(allowed ? 'pass' : 'drop notification-unasked');
  });
}
