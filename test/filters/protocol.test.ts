import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/mcp/frame.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import {
  call,
  down,
  type ExchangeShape,
  frameOf,
  makeExchange,
  makeGate,
  modernCall,
  modernExchange,
  modernMeta,
  note,
  resultOf,
  told,
  up,
} from './support.ts';

const protocol = (options: object = {}) => makeGate(options).filter('protocol');
const legacy = async (request: Frame, shape: ExchangeShape = {}, options: object = {}) =>
  told(await up(protocol(options), makeExchange({ request, ...shape })));
const modern = async (request: Frame, shape: ExchangeShape = {}, options: object = {}) =>
  told(await up(protocol(options), modernExchange(request, shape)));

describe('a method', () => {
  test.each([
    'no/such',
    'constructor',
    '__proto__',
    'Tools/call',
    'tools/Call',
    'sampling/createMessage',
    'server/discover',
  ])('%j is unknown to a legacy client', async (method) => {
    expect(await legacy(call(method, {}))).toBe('method-unknown');
  });

  test('is known by revision and kind', async () => {
    expect(await legacy(call('tasks/list'), { revision: '2025-11-25' })).toBe('pass');
    expect(await legacy(call('tasks/list'), { revision: '2025-06-18' })).toBe('method-unknown');
    expect(await modern(modernCall('ping'))).toBe('method-unknown');
    expect(await modern(modernCall('server/discover'))).toBe('pass');
    expect(await legacy(note('tools/list'))).toBe('drop notification-unknown');
    expect(await legacy(call('notifications/initialized'))).toBe('method-unknown');
    expect(await legacy(note('notifications/initialized'))).toBe('pass');
  });

  test.each([
    ['tools/call', {}],
    ['tools/call', { name: 7 }],
    ['tools/call', { name: 'x', arguments: [] }],
    ['tools/call', { name: 'x', _meta: { progressToken: { a: 1 } } }],
    ['tools/call', { name: 'x', _meta: { progressToken: null } }],
    ['tools/list', { cursor: 7 }],
    ['resources/read', { uri: 'file:///a/../b' }],
  ])('%s with %j has the wrong shape', async (method, params) => {
    expect(await legacy(call(method, params))).toBe('frame-params-invalid');
  });
});

describe('2026-07-28', () => {
  test.each<[string, Frame, unknown]>([
    ['an answer', frameOf({ jsonrpc: '2.0', id: 1, result: {} }), 'answer-unexpected'],
    ['an error', frameOf({ jsonrpc: '2.0', id: 1, error: { code: 1, message: '' } }), 'answer-unexpected'],
    ['GET', { kind: 'stream-open', lastEventId: undefined }, 'http-method'],
    ['DELETE', { kind: 'session-end' }, 'http-method'],
  ])('has no place for %s of a client', async (_what, request, expected) => {
    expect(await modern(request)).toBe(expected);
  });

  test('needs its keys in _meta', async () => {
    const { 'io.modelcontextprotocol/clientCapabilities': _, ...noCapabilities } = modernMeta;
    const { 'io.modelcontextprotocol/protocolVersion': __, ...noVersion } = modernMeta;
    const listed = { ...modernMeta, 'io.modelcontextprotocol/clientCapabilities': [] };
    for (const _meta of [noCapabilities, noVersion, listed, {}]) {
      expect(await modern(call('tools/list', { _meta }))).toBe('meta-missing');
    }
    expect(await modern(call('tools/list'))).toBe('meta-missing');
  });

  test('is refused where it is not served, with the revisions that are', async () => {
    const refused = (supported: readonly string[], requested: string) => ({
      code: 'revision-unsupported',
      supported,
      requested,
    });
    const _meta = { ...modernMeta, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    expect(
      await modern(call('tools/list', { _meta }), { headers: { 'mcp-protocol-version': '2099-01-01' } }),
    ).toEqual(refused(['2026-07-28'], '2099-01-01'));
    expect(await modern(modernCall('tools/list'), {}, { revisions: ['2025-11-25'] })).toEqual(
      refused([], '2026-07-28'),
    );
    expect(await legacy(call('tools/list'), {}, { revisions: ['2026-07-28'] })).toEqual(
      refused(['2026-07-28'], '2025-11-25'),
    );
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ['another method', { 'mcp-method': 'tools/list' }],
    ['another name', { 'mcp-name': 'other' }],
    ['another case', { 'mcp-name': 'Query' }],
    ['another version', { 'mcp-protocol-version': '2025-11-25' }],
  ])('refuses headers that say %s than the body', async (_what, headers) => {
    expect(await modern(modernCall('tools/call', { name: 'query' }), { headers })).toBe('header-mismatch');
  });
});

describe('headers that mirror arguments', () => {
  const queryTool = {
    name: 'query',
    mirroredArguments: new Map([['region', ['region']]]),
    definition: { name: 'query' },
  };
  const request = modernCall('tools/call', { name: 'query', arguments: { region: 'eu', size: 3 } });
  const known = () => {
    const catalog = createCatalog();
    catalog.learnTools([queryTool]);
    return catalog;
  };

  test('are compared, and made anew from the body', async () => {
    const exchange = modernExchange(request, { catalog: known(), headers: { 'mcp-param-region': 'eu' } });
    expect(told(await up(protocol(), exchange))).toBe('pass');
    expect(exchange.facts.mirroredHeaders).toEqual(['mcp-name', 'query', 'mcp-param-region', 'eu']);
    for (const value of ['us', 'EU', '']) {
      const headers = { 'mcp-param-region': value };
      expect(await modern(request, { catalog: known(), headers })).toBe('header-mismatch');
    }
    expect(await modern(request, { catalog: known() })).toBe('header-mismatch');
  });

  test('of a tool that nobody has listed are refused, after one look at the list', async () => {
    let looks = 0;
    const gate = makeGate(
      {},
      {
        refreshCatalog: async () => {
          looks += 1;
          return 'failed';
        },
      },
    );
    const exchange = modernExchange(request, { headers: { 'mcp-param-region': 'eu' } });
    expect(told(await up(gate.filter('protocol'), exchange))).toBe('header-mismatch');
    expect(looks).toBe(1);
    expect(told(await up(gate.filter('protocol'), modernExchange(request)))).toBe('pass');
    expect(looks).toBe(1);
  });

  test('are compared with what that look has found', async () => {
    const verdictFor = async (value: string) => {
      const catalog = createCatalog();
      const refreshCatalog = async () => {
        catalog.learnTools([queryTool]);
        return 'learnt' as const;
      };
      const exchange = modernExchange(request, { catalog, headers: { 'mcp-param-region': value } });
      return told(await up(makeGate({}, { refreshCatalog }).filter('protocol'), exchange));
    };
    expect(await verdictFor('eu')).toBe('pass');
    expect(await verdictFor('us')).toBe('header-mismatch');
  });

  test('and mirror nothing are forwarded, once the list has been looked at', async () => {
    const headers = { 'mcp-param-region': 'eu', 'mcp-param-extra': 'x' };
    const exchange = modernExchange(request, { catalog: known(), headers });
    expect(told(await up(protocol(), exchange))).toBe('pass');
    expect(exchange.facts.mirroredHeaders).toEqual([
      'mcp-name',
      'query',
      'mcp-param-region',
      'eu',
      'mcp-param-extra',
      'x',
    ]);
  });
});

describe('towards the client', () => {
  const ask = (method: string) => frameOf({ jsonrpc: '2.0', id: 1, method }, 'toClient');
  const seen = async (frame: Frame, request: Frame = call('tools/list'), shape: ExchangeShape = {}) =>
    told(await down(protocol(), makeExchange({ request, ...shape }), frame));
  const seenModern = async (frame: Frame, request: Frame = modernCall('tools/list')) =>
    told(await down(protocol(), modernExchange(request), frame));

  test('questions exist by revision', async () => {
    expect(await seen(ask('roots/list'))).toBe('pass');
    expect(await seen(ask('tools/list'))).toBe('method-unknown');
    expect(await seen(ask('elicitation/create'), undefined, { revision: '2025-03-26' })).toBe(
      'method-unknown',
    );
    expect(await seenModern(ask('roots/list'))).toBe('drop server-request');
  });

  test('unknown notifications end here, and log messages that nobody asked for', async () => {
    expect(await seen(note('notifications/invented', {}, 'toClient'))).toBe('drop notification-unknown');
    const message = note('notifications/message', { level: 'info', data: 'x' }, 'toClient');
    expect(await seen(message)).toBe('pass');
    expect(await seenModern(message)).toBe('drop notification-unasked');
    const _meta = { ...modernMeta, 'io.modelcontextprotocol/logLevel': 'info' };
    expect(await seenModern(message, call('tools/list', { _meta }))).toBe('pass');
  });

  test('a result has a type that this request may bring', async () => {
    const tool = modernCall('tools/call', { name: 'x' });
    const capabilities = { extensions: { 'io.modelcontextprotocol/tasks': {} } };
    const _meta = { ...modernMeta, 'io.modelcontextprotocol/clientCapabilities': capabilities };
    const withTasks = call('tools/call', { name: 'x', _meta });
    const typed = (resultType: unknown) => resultOf(1, { resultType });
    expect(await seenModern(typed(undefined), tool)).toBe('pass');
    expect(await seenModern(typed('complete'), tool)).toBe('pass');
    expect(await seenModern(typed('input_required'), tool)).toBe('pass');
    expect(await seenModern(typed('input_required'))).toBe('upstream-invalid');
    expect(await seenModern(typed('task'), tool)).toBe('upstream-invalid');
    expect(await seenModern(typed('task'), withTasks)).toBe('pass');
    for (const other of ['Complete', 'other', null, 7]) {
      expect(await seenModern(typed(other), tool)).toBe('upstream-invalid');
    }
    expect(await seen(typed('other'))).toBe('pass');
  });

  test('initialize settles on a revision that is spoken here', async () => {
    const initialize = call('initialize', { protocolVersion: '2025-11-25' });
    expect(await seen(resultOf(1, { protocolVersion: '2025-06-18' }), initialize)).toBe('pass');
    for (const protocolVersion of ['2026-07-28', '2024-10-07', undefined]) {
      expect(await seen(resultOf(1, { protocolVersion }), initialize)).toBe('upstream-invalid');
    }
    const strict = protocol({ revisions: ['2025-11-25'] });
    const settled = (protocolVersion: string) =>
      down(strict, makeExchange({ request: initialize }), resultOf(1, { protocolVersion }));
    expect(told(await settled('2025-11-25'))).toBe('pass');
    expect(told(await settled('2025-06-18'))).toBe('upstream-invalid');
  });
});
