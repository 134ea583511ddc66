import { describe, expect, it } from 'vitest';
import { binds } from '../../src/config/bind-checks.ts';

/** What is said of a listener, and of an admin port beside it. */
const found = (listener: string, admin: string) =>
  binds({ listeners: [{ bind: listener }], admin: { bind: admin } }).map(({ at, message }) => ({
    at,
    message,
  }));

describe('two addresses to listen on', () => {
  // What Linux says of each pair: EADDRINUSE.
  it.each([
    ['0.0.0.0:1', '127.0.0.1:1'],
    ['0.0.0.0:1', '[::]:1'],
    ['127.0.0.1:1', '[::]:1'],
    ['[::1]:1', '[::]:1'],
    ['[::1]:1', '[0:0:0:0:0:0:0:1]:1'],
    ['localhost:1', '[::]:1'],
    ['localhost:1', 'LOCALHOST:1'],
  ])('%s and %s cannot both be had, whichever comes first', (one, other) => {
    for (const [first, second] of [
      [one, other],
      [other, one],
    ] as const) {
      expect(found(first, second)).toEqual([
        {
          at: ['admin', 'bind'],
          message: `another listener is bound to ${first}, which takes this address too`,
        },
      ]);
    }
  });

  it('twice the same cannot be had either', () => {
    expect(found('127.0.0.1:1', '127.0.0.1:1')).toEqual([
      { at: ['admin', 'bind'], message: 'another listener is bound to this address' },
    ]);
  });

  it.each([
    ['0.0.0.0:1', '127.0.0.1:2'],
    ['0.0.0.0:1', '[::1]:1'],
    ['127.0.0.1:1', '127.0.0.2:1'],
    ['127.0.0.1:1', '[::1]:1'],
    ['[::]:0', '127.0.0.1:0'],
    ['127.0.0.1:0', '127.0.0.1:0'],
    ['localhost:1', '127.0.0.2:1'],
  ])('%s and %s can', (one, other) => {
    expect([...found(one, other), ...found(other, one)]).toEqual([]);
  });
});
