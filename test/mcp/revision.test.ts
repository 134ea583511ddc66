import { describe, expect, it } from 'vitest';
import { decodeFrame, defaultDecodeLimits } from '../../src/mcp/decode.ts';
import type { Frame } from '../../src/mcp/frame.ts';
import type { ProtocolHeaders } from '../../src/mcp/headers.ts';
import { classifyEra, eraOf, isRevision, revisions } from '../../src/mcp/revision.ts';

const versionKey = 'io.modelcontextprotocol/protocolVersion';
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';

function message(value: object): Frame {
  const decoded = decodeFrame(
    Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...value })),
    defaultDecodeLimits,
    'toUpstream',
  );
  if (!decoded.ok) throw new Error(decoded.failure.detail);
  return decoded.value;
}

const modern = (
  method: string,
  version: unknown = '2026-07-28',
  rest: object = { [capabilitiesKey]: {} },
): Frame => message({ id: 1, method, params: { _meta: { [versionKey]: version, ...rest } } });
const legacy = (method: string, params?: object): Frame =>
  message({ id: 1, method, ...(params === undefined ? {} : { params }) });
const note = (params?: object): Frame =>
  message({ method: 'notifications/cancelled', ...(params === undefined ? {} : { params }) });

function classify(frame: Frame, headers: Partial<ProtocolHeaders> = {}): string {
  const found = classifyEra(frame, { params: new Map(), ...headers });
  return 'code' in found ? found.code : `${found.era} ${found.revision}`;
}

describe('the body decides the era, headers only agree', () => {
  const now = { version: '2026-07-28' };
  const cases: readonly (readonly [string, Frame, Partial<ProtocolHeaders>, string])[] = [
    ['a modern body with its header', modern('tools/list'), now, 'modern 2026-07-28'],
    [
      'a modern body without header (refused later, as missing)',
      modern('tools/list'),
      {},
      'modern 2026-07-28',
    ],
    [
      'a modern body with a legacy header',
      modern('tools/list'),
      { version: '2025-11-25' },
      'header-mismatch',
    ],
    ['a modern body with an unknown header', modern('tools/list'), { version: 'x' }, 'header-mismatch'],
    [
      'a modern body with another method header',
      modern('tools/list'),
      { ...now, method: 'ping' },
      'header-mismatch',
    ],
    [
      'a modern body with a method header of other case',
      modern('tools/list'),
      { ...now, method: 'Tools/List' },
      'header-mismatch',
    ],
    ['a modern initialize', modern('initialize'), now, 'modern 2026-07-28'],
    [
      'a legacy version in _meta',
      modern('tools/list', '2025-11-25'),
      { version: '2025-11-25' },
      'revision-unsupported',
    ],
    [
      'an unknown version in _meta',
      modern('tools/list', '2099-01-01'),
      { version: '2099-01-01' },
      'revision-unsupported',
    ],
    ['mismatch comes before unsupported', modern('tools/list', '2099-01-01'), now, 'header-mismatch'],
    ['a version that is no string', modern('tools/list', 20260728), now, 'meta-missing'],
    ['a null version', modern('tools/list', null), now, 'meta-missing'],
    ['no capabilities', modern('tools/list', '2026-07-28', {}), now, 'meta-missing'],
    [
      'capabilities that are no object',
      modern('tools/list', '2026-07-28', { [capabilitiesKey]: [] }),
      now,
      'meta-missing',
    ],
    ['a modern notification', note({ _meta: { [versionKey]: '2026-07-28' } }), now, 'modern 2026-07-28'],
    ['initialize', legacy('initialize', { protocolVersion: '2025-06-18' }), {}, 'legacy 2025-06-18'],
    [
      'initialize that asks for a modern revision',
      legacy('initialize', { protocolVersion: '2026-07-28' }),
      {},
      'legacy undefined',
    ],
    [
      'initialize that asks for an unknown one',
      legacy('initialize', { protocolVersion: '2024-10-07' }),
      {},
      'legacy undefined',
    ],
    [
      'initialize with a modern header',
      legacy('initialize', { protocolVersion: '2025-06-18' }),
      now,
      'header-mismatch',
    ],
    ['a modern header without key', legacy('tools/list'), now, 'meta-missing'],
    ['a modern header with a _meta without key', legacy('tools/list', { _meta: {} }), now, 'meta-missing'],
    ['a notification with a modern header without key', note(), now, 'meta-missing'],
    ['no header, no key', legacy('tools/list'), {}, 'legacy undefined'],
    ['a legacy header', legacy('tools/list'), { version: '2025-06-18' }, 'legacy 2025-06-18'],
    ['an unknown header', legacy('tools/list'), { version: '2024-10-07' }, 'revision-unsupported'],
    ['a header called constructor', legacy('tools/list'), { version: 'constructor' }, 'revision-unsupported'],
    ['a posted result', message({ id: 1, result: {} }), { version: '2025-11-25' }, 'legacy 2025-11-25'],
    ['a posted error', message({ id: 1, error: { code: 1, message: '' } }), {}, 'legacy undefined'],
    ['a posted result with a modern header', message({ id: 1, result: {} }), now, 'frame-invalid'],
    [
      'a posted result with a key inside',
      message({ id: 1, result: { _meta: { [versionKey]: '2026-07-28' } } }),
      {},
      'legacy undefined',
    ],
    ['GET', { kind: 'stream-open', lastEventId: undefined }, { version: '2025-03-26' }, 'legacy 2025-03-26'],
    ['GET with a modern header', { kind: 'stream-open', lastEventId: undefined }, now, 'http-method'],
    ['DELETE', { kind: 'session-end' }, {}, 'legacy undefined'],
    ['DELETE with a modern header', { kind: 'session-end' }, now, 'http-method'],
  ];
  it.each(cases)('%s', (_name, frame, headers, outcome) => {
    expect(classify(frame, headers)).toBe(outcome);
  });

  it('a key outside params._meta does not make a message modern', () => {
    expect(classify(legacy('tools/call', { [versionKey]: '2026-07-28', name: 'x' }))).toBe(
      'legacy undefined',
    );
    const inArguments = { name: 'x', arguments: { _meta: { [versionKey]: '2026-07-28' } } };
    expect(classify(legacy('tools/call', inArguments))).toBe('legacy undefined');
  });

  it('tells an unsupported client what is supported, and gives the id', () => {
    const found = classifyEra(modern('tools/list', '2099-01-01'), { params: new Map() });
    expect(found).toMatchObject({
      code: 'revision-unsupported',
      id: 1,
      data: { supported: ['2026-07-28'], requested: '2099-01-01' },
    });
    const long = classifyEra(modern('tools/list', 'x'.repeat(200)), { params: new Map() });
    expect('data' in long && long.data).toEqual({ supported: ['2026-07-28'] });
  });
});

it('knows five revisions', () => {
  expect(revisions).toEqual(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28']);
  expect(revisions.map(eraOf)).toEqual(['legacy', 'legacy', 'legacy', 'legacy', 'modern']);
  for (const other of ['2024-10-07', 'constructor', '', undefined, null, 5])
    expect(isRevision(other)).toBe(false);
});
