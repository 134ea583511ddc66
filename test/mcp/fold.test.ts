import { describe, expect, it } from 'vitest';
import { decodeFrame, defaultDecodeLimits } from '../../src/mcp/decode.ts';
import { foldKey } from '../../src/mcp/fold.ts';
import type { Direction } from '../../src/mcp/frame.ts';

/** Every spelling that some parser, somewhere, has matched to the plain one. */
function disguisesOf(key: string): readonly string[] {
  const upperFirst = key.charAt(0).toUpperCase() + key.slice(1);
  const wide = [...key]
    .map((c) => (/[!-~]/.test(c) ? String.fromCodePoint(c.charCodeAt(0) + 0xfee0) : c))
    .join('');
  const bold = [...key]
    .map((c) => (/[a-z]/.test(c) ? String.fromCodePoint(0x1d41a + c.charCodeAt(0) - 97) : c))
    .join('');
  const variants = [
    upperFirst,
    key.toUpperCase(),
    key.toLowerCase(),
    wide,
    bold,
    key.replace('s', '\u017f'),
    key.replace('k', '\u212a'),
    key.replace('K', '\u212a'),
    key.replace('i', '\u0131'),
    `${key}\0`,
    `\0${key}`,
    `${key}\0suffix`,
    `${key} `,
    ` ${key}`,
    `${key}\u200b`,
    `\ufeff${key}`,
    `${key.slice(0, 1)}\u00ad${key.slice(1)}`,
    `${key}\u034f`,
    `${'\0'.repeat(500)}${key}`,
  ];
  return [...new Set(variants)].filter((variant) => variant !== key);
}

function codeOf(message: string, direction: Direction = 'toUpstream'): string {
  const decoded = decodeFrame(Buffer.from(message), defaultDecodeLimits, direction);
  return decoded.ok ? 'accepted' : decoded.failure.code;
}

const request = (params: object): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
const result = (value: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, result: value });

describe('a key that looks like a protocol key but is not spelt like it is refused', () => {
  for (const key of ['jsonrpc', 'id', 'method', 'params', 'result', 'error']) {
    it(`envelope: ${key}`, () => {
      for (const disguise of disguisesOf(key)) {
        const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', [disguise]: 1 });
        expect([disguise, codeOf(message)]).toEqual([disguise, 'json-ambiguous-key']);
      }
    });
  }

  for (const key of [
    'name',
    'arguments',
    'uri',
    '_meta',
    'requestState',
    'inputResponses',
    'taskId',
    'ref',
    'task',
    'cursor',
    'notifications',
    'progressToken',
    'protocolVersion',
  ]) {
    it(`params: ${key}`, () => {
      for (const disguise of disguisesOf(key)) {
        expect([disguise, codeOf(request({ name: 'x', [disguise]: 'y' }))]).toEqual([
          disguise,
          'json-ambiguous-key',
        ]);
      }
    });
  }

  const places: readonly (readonly [string, string, (key: string) => object])[] = [
    ['_meta', 'io.modelcontextprotocol/protocolVersion', (key) => ({ _meta: { [key]: 'x' } })],
    ['_meta', 'progressToken', (key) => ({ _meta: { [key]: 'x' } })],
    ['ref', 'name', (key) => ({ ref: { type: 'ref/prompt', [key]: 'x' } })],
    ['ref', 'type', (key) => ({ ref: { [key]: 'x' } })],
    ['argument', 'value', (key) => ({ argument: { [key]: 'x' } })],
    ['context', 'arguments', (key) => ({ context: { [key]: {} } })],
    ['task', 'ttl', (key) => ({ task: { [key]: 1 } })],
    ['notifications', 'resourceSubscriptions', (key) => ({ notifications: { [key]: [] } })],
    ['an entry of inputResponses', 'action', (key) => ({ inputResponses: { q1: { [key]: 'accept' } } })],
    ['capabilities', 'sampling', (key) => ({ capabilities: { [key]: {} } })],
    [
      'clientCapabilities',
      'elicitation',
      (key) => ({ _meta: { 'io.modelcontextprotocol/clientCapabilities': { [key]: {} } } }),
    ],
    ['a capability', 'url', (key) => ({ capabilities: { elicitation: { [key]: {} } } })],
  ];
  it.each(places)('%s: %s', (_place, key, params) => {
    expect(codeOf(request(params(key)))).toBe('accepted');
    for (const disguise of disguisesOf(key)) {
      expect([disguise, codeOf(request(params(disguise)))]).toEqual([disguise, 'json-ambiguous-key']);
    }
  });

  const results: readonly (readonly [string, string, (key: string) => object])[] = [
    ['result', 'tools', (key) => ({ [key]: [] })],
    ['result', 'resultType', (key) => ({ [key]: 'complete' })],
    ['result', 'inputRequests', (key) => ({ [key]: {} })],
    ['result._meta', 'io.modelcontextprotocol/subscriptionId', (key) => ({ _meta: { [key]: 1 } })],
    ['an entry of a list', 'name', (key) => ({ tools: [{ name: 'a' }, { [key]: 'b' }] })],
    ['an item of contents', 'uri', (key) => ({ contents: [{ [key]: 'file:///x' }] })],
    ['an entry of inputRequests', 'method', (key) => ({ inputRequests: { q: { [key]: 'roots/list' } } })],
    [
      'params of an input request',
      'url',
      (key) => ({ inputRequests: { q: { method: 'x', params: { [key]: 'y' } } } }),
    ],
  ];
  it.each(results)('%s: %s', (_place, key, value) => {
    expect(codeOf(result(value(key)), 'toClient')).toBe('accepted');
    for (const disguise of disguisesOf(key)) {
      expect([disguise, codeOf(result(value(disguise)), 'toClient')]).toEqual([
        disguise,
        'json-ambiguous-key',
      ]);
    }
  });

  it('error', () => {
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x', Code: 2 } });
    expect(codeOf(message, 'toClient')).toBe('json-ambiguous-key');
  });
});

describe('folding', () => {
  it.each([
    ['Name', 'name'],
    ['param\u017f', 'params'],
    ['tas\u212aId', 'taskid'],
    ['stra\u00dfe', 'strasse'],
    ['\ufb01le', 'file'],
    ['\uff4eame', 'name'],
    ['na\0me', 'name'],
    ['n\u00e4me', 'n\u00e4me'],
  ])('%j folds to %j', (key, folded) => {
    expect(foldKey(key)).toBe(folded);
  });

  it('leaves vendor keys and words that are merely similar alone', () => {
    for (const key of [
      'names',
      'nam',
      'example.com/Name',
      'com.example/progressToken',
      'n\u00e4me',
      'X'.repeat(5000),
    ]) {
      expect(codeOf(request({ name: 'x', [key]: 1, _meta: { [key]: 1 } }))).toBe('accepted');
    }
  });
});
