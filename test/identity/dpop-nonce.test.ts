import { describe, expect, test } from 'vitest';
import { createDpopNonces } from '../../src/identity/dpop-nonce.ts';

const key = Buffer.alloc(32, 1);
const window = 60_000;

describe('nonces', () => {
  test('are good in their window and the next, and not before or after', () => {
    const nonces = createDpopNonces([key], window);
    const nonce = nonces.issue(10 * window);
    for (const time of [10 * window, 11 * window - 1, 11 * window, 12 * window - 1]) {
      expect(nonces.isFresh(nonce, time)).toBe(true);
    }
    for (const time of [0, 10 * window - 1, 12 * window, 100 * window]) {
      expect(nonces.isFresh(nonce, time)).toBe(false);
    }
  });

  test('are believed by whoever has the key, also once another one makes them', () => {
    const [old, next] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const nonce = createDpopNonces([old], window).issue(0);
    expect(createDpopNonces([next, old], window).isFresh(nonce, 0)).toBe(true);
    expect(createDpopNonces([next], window).isFresh(nonce, 0)).toBe(false);
  });

  test('cannot be made up', () => {
    const nonces = createDpopNonces([key], window);
    const nonce = nonces.issue(0);
    for (const made of [
      '',
      nonce.slice(1),
      `${nonce}A`,
      `${nonce}=`,
      `${nonce}\n`,
      `.${nonce}`,
      `${nonce.slice(0, -1)}${nonce.endsWith('A') ? 'E' : 'A'}`,
      nonce.toUpperCase(),
      'A'.repeat(43),
      '*'.repeat(43),
      undefined,
      null,
      0,
      [nonce],
      { nonce },
    ]) {
      expect(nonces.isFresh(made, 0)).toBe(false);
    }
  });

  test('are the same in every release: replicas of two releases share a key during an update', () => {
    expect(createDpopNonces([key], window).issue(10 * window)).toBe(
      'dP2IGBvkMJmPc9976h1vPfv4151ODuUMaa2LY6MjaD0',
    );
  });

  test('need a key', () => {
    expect(() => createDpopNonces([], window)).toThrow('Nonces need a key');
  });
});
