import { describe, expect, it } from 'vitest';
import type { Arrival } from '../../src/pipeline/arrival.ts';
import { createOverloaded, mayFree } from '../../src/pipeline/load.ts';

function arrival(verb: Arrival['verb'], body: unknown = ''): Arrival {
  return {
    verb,
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    upstream: 'u',
    rawHeaders: [],
    peer: { address: '127.0.0.1', port: 1, tls: undefined },
  };
}

describe('what passes in an overload, because it frees something', () => {
  for (const [name, one] of [
    ['the end of a session', arrival('DELETE')],
    [
      'a cancellation',
      arrival('POST', {
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { requestId: 1, reason: 'x' },
      }),
    ],
    [
      'the answer to a question',
      arrival('POST', { jsonrpc: '2.0', id: 7, result: { action: 'accept', content: { a: 1 } } }),
    ],
    ['a refused question', arrival('POST', { jsonrpc: '2.0', id: 7, error: { code: -1, message: 'no' } })],
  ] as const) {
    it(name, () => expect(mayFree(one)).toBe(true));
  }

  for (const [name, one] of [
    ['a call', arrival('POST', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'a' } })],
    ['a new stream', arrival('GET')],
    [
      'what is too large to be one',
      arrival('POST', {
        jsonrpc: '2.0',
        method: 'notifications/cancelled',
        params: { reason: 'x'.repeat(4096) },
      }),
    ],
  ] as const) {
    it(`not ${name}`, () => expect(mayFree(one)).toBe(false));
  }
});

describe('the error of an overload', () => {
  it('is made once for each number of seconds, so that a flood of refusals looks at no stack', () => {
    let seconds = 1;
    const overloaded = createOverloaded({ retryAfter: () => seconds } as never);
    const first = overloaded('as much as may be is under way');
    expect(first).toMatchObject({ code: 'overloaded', headers: { 'retry-after': '1' } });
    expect(overloaded('as much as may be is under way')).toBe(first);
    expect(overloaded('shed: a call of this priority')).not.toBe(first);
    seconds = 2;
    expect(overloaded('as much as may be is under way')).toMatchObject({ headers: { 'retry-after': '2' } });
  });
});
