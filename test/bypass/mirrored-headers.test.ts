import { beforeAll, describe, expect, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Arena, expectHonestCall, startArena } from './arena.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await startArena();
  arena.recorder.on('tools/list', ({ id }) => ({
    kind: 'json',
    body: {
      jsonrpc: '2.0',
      id,
      result: {
        resultType: 'complete',
        ttlMs: 0,
        cacheScope: 'private',
        tools: [
          {
            name: 'allowed',
            inputSchema: {
              type: 'object',
              properties: {
                region: { type: 'string', 'x-mcp-header': 'Region' },
                count: { type: 'integer', 'x-mcp-header': 'Count' },
                dry: { type: 'boolean', 'x-mcp-header': 'Dry' },
              },
            },
          },
        ],
      },
    },
  }));
});

const call = (args: Readonly<Record<string, unknown>> = {}) =>
  modern('tools/call', { name: 'allowed', arguments: args });
const sentinel = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`;
const mismatch = { status: 400, rpc: -32020, reason: 'header-mismatch' } as const;
const withId = { ...mismatch, id: 1 } as const;

describe('a header that says something else than the body', () => {
  const { headers, body } = call();
  const disguises: readonly (readonly [string, Readonly<Record<string, string | undefined>>])[] = [
    ['another method', { 'mcp-method': 'tools/list' }],
    ['a method in another case', { 'mcp-method': 'Tools/Call' }],
    ['a method with a slash behind', { 'mcp-method': 'tools/call/' }],
    ['two methods in one', { 'mcp-method': 'tools/call,tools/list' }],
    ['the method as a sentinel', { 'mcp-method': sentinel('tools/call') }],
    ['no method', { 'mcp-method': undefined }],
    ['another name', { 'mcp-name': 'forbidden' }],
    ['a name in another case', { 'mcp-name': 'Allowed' }],
    ['two names in one', { 'mcp-name': 'allowed, allowed' }],
    ['a name in quotes', { 'mcp-name': '"allowed"' }],
    ['a percent-encoded name', { 'mcp-name': '%61llowed' }],
    ['another name in a sentinel', { 'mcp-name': sentinel('forbidden') }],
    ['a sentinel in a sentinel', { 'mcp-name': sentinel(sentinel('allowed')) }],
    ['an upper-case sentinel', { 'mcp-name': sentinel('allowed').replace('base64', 'BASE64') }],
    ['a MIME sentinel', { 'mcp-name': `=?utf-8?b?${Buffer.from('allowed').toString('base64')}?=` }],
    ['no name', { 'mcp-name': undefined }],
    ['an older version', { 'mcp-protocol-version': '2025-11-25' }],
    ['the oldest version', { 'mcp-protocol-version': '2024-11-05' }],
    ['a version that does not exist', { 'mcp-protocol-version': '2026-07-29' }],
    ['two versions', { 'mcp-protocol-version': '2026-07-28,2025-11-25' }],
    ['no version', { 'mcp-protocol-version': undefined }],
  ];
  for (const [name, changed] of disguises) {
    it(`should NOT bypass: ${name}`, async () => {
      const bent = Object.entries({ ...headers, ...changed }).flatMap(([key, value]) =>
        value === undefined ? [] : [key, value],
      );
      await arena.refused(() => post(arena.url, body, { headers: bent }), withId);
    });
  }

  const malformed = [
    ['a sentinel without padding', '=?base64?YWxsb3dlZA?='],
    ['a sentinel with spare bits', '=?base64?YWxsb3dlZB==?='],
    ['a sentinel in the URL alphabet', '=?base64?YWxs_3dlZA==?='],
    ['a sentinel with blanks', '=?base64?YWxs b3dlZA==?='],
    ['a sentinel that is not UTF-8', '=?base64?/w==?='],
    ['a letter beyond ASCII', 'allow\xe9d'],
  ] as const;
  for (const [name, value] of malformed) {
    it(`should NOT bypass: ${name}`, () =>
      arena.refused(() => post(arena.url, body, { headers: { ...headers, 'mcp-name': value } }), mismatch));
  }

  const repeated = { status: 400, rpc: -32600, reason: 'header-invalid' } as const;
  for (const [name, value] of [
    ['mcp-method', 'tools/call'],
    ['mcp-method', 'tools/list'],
    ['mcp-name', 'allowed'],
    ['mcp-name', 'forbidden'],
    ['mcp-protocol-version', '2026-07-28'],
    ['mcp-protocol-version', '2025-11-25'],
    ['mcp-session-id', 'x'],
  ] as const) {
    for (const spelling of [name, name.toUpperCase()]) {
      it(`should NOT bypass: ${spelling}: ${value} beside the honest one, in either order`, async () => {
        const list = Object.entries({ ...headers, 'mcp-session-id': 'y' }).flat();
        await arena.refused(() => post(arena.url, body, { headers: [...list, spelling, value] }), repeated);
        await arena.refused(() => post(arena.url, body, { headers: [spelling, value, ...list] }), repeated);
      });
    }
  }

  it('white space around a value is not part of it', async () => {
    const { value } = await arena.observe(() =>
      post(arena.url, body, { headers: { ...headers, 'mcp-name': ' \tallowed \t' } }),
    );
    expect(value.status).toBe(200);
  });
});

describe('a header that mirrors an argument', () => {
  const args = { region: 'eu', count: 42, dry: true };
  const honest = { 'mcp-param-region': 'eu', 'mcp-param-count': '42', 'mcp-param-dry': 'true' };
  const disguises: readonly (readonly [string, object, Readonly<Record<string, string | undefined>>])[] = [
    ['another text', args, { ...honest, 'mcp-param-region': 'us' }],
    ['another case', args, { ...honest, 'mcp-param-region': 'EU' }],
    ['another text in a sentinel', args, { ...honest, 'mcp-param-region': sentinel('us') }],
    ['another number', args, { ...honest, 'mcp-param-count': '43' }],
    ['the number in hexadecimal', args, { ...honest, 'mcp-param-count': '0x2a' }],
    ['the number with an exponent', args, { ...honest, 'mcp-param-count': '42e0' }],
    ['the number with a sign', args, { ...honest, 'mcp-param-count': '+42' }],
    ['a fraction', args, { ...honest, 'mcp-param-count': '42.5' }],
    ['another truth', args, { ...honest, 'mcp-param-dry': 'false' }],
    ['a truth in another case', args, { ...honest, 'mcp-param-dry': 'True' }],
    ['a truth as a number', args, { ...honest, 'mcp-param-dry': '1' }],
    ['a missing header', args, { ...honest, 'mcp-param-region': undefined }],
    ['a header without its argument', { count: 42, dry: true }, honest],
    ['a header for a null', { ...args, region: null }, honest],
    ['a header for a list', { ...args, region: ['eu'] }, honest],
    ['a header for an object', { ...args, region: { eu: 1 } }, honest],
    ['a header for a number as text', { ...args, count: '43' }, honest],
    ['beyond 2^53', { ...args, count: 1 }, { ...honest, 'mcp-param-count': '9007199254740993' }],
  ];
  for (const [name, given, params] of disguises) {
    it(`should NOT bypass: ${name}`, async () => {
      const { headers, body } = call(given as Readonly<Record<string, unknown>>);
      const bent = Object.entries({ ...headers, ...params }).flatMap(([key, value]) =>
        value === undefined ? [] : [key, value],
      );
      await arena.refused(() => post(arena.url, body, { headers: bent }), withId);
    });
  }
  it('should NOT bypass: two integers that are one as doubles', async () => {
    const { headers, body } = call({ ...args, count: 'N' });
    const text = JSON.stringify(body).replace('"N"', '9007199254740993');
    const bent = { ...headers, ...honest, 'mcp-param-count': '9007199254740992' };
    await arena.refused(() => post(arena.url, text, { headers: bent }), withId);
  });
  it('should NOT bypass: a repeated one', async () => {
    const { headers, body } = call(args);
    const list = [...Object.entries({ ...headers, ...honest }).flat(), 'Mcp-Param-REGION', 'us'];
    await arena.refused(() => post(arena.url, body, { headers: list }), {
      status: 400,
      rpc: -32600,
      reason: 'header-invalid',
    });
  });

  it('goes up as the gateway makes it from the body', async () => {
    const { headers, body } = call(args);
    const bent = { ...headers, ...honest, 'mcp-param-region': sentinel('eu'), 'mcp-param-count': '42.0' };
    const { value, seen } = await arena.observe(() => post(arena.url, body, { headers: bent }));
    expect(value.status).toBe(200);
    expect(seen[0]!.headers).toMatchObject({
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'allowed',
      ...honest,
    });
  });
});

describe('headers of 2026-07-28 on a legacy call', () => {
  it('decide nothing and go nowhere', async () => {
    const headers = { 'mcp-method': 'ping', 'mcp-name': 'allowed', 'mcp-param-region': 'eu' };
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'forbidden' } };
    await arena.refused(() => post(arena.url, body, { headers }), {
      status: 200,
      rpc: 4030,
      reason: 'denied',
      id: 1,
    });
    const { seen } = await arena.observe(() =>
      post(
        arena.url,
        { ...body, params: { name: 'allowed' } },
        { headers: { ...headers, 'mcp-name': 'forbidden' } },
      ),
    );
    expect(Object.keys(seen[0]!.headers).filter((name) => name.startsWith('mcp-'))).toEqual([]);
  });
});

it('honest calls pass beside all this', async () => {
  arena.recorder.on('tools/list', undefined);
  await expectHonestCall(arena);
});
