import { describe, expect, it } from 'vitest';
import { type ErrorCode, errorTable, GatewayError } from '../../src/errors.ts';
import type { Progress } from '../../src/upstream/failure.ts';
import { retryOf } from '../../src/upstream/retry.ts';

const codes = Object.keys(errorTable) as ErrorCode[];
const stages: readonly Progress[] = ['unsent', 'sent', 'answered'];
const connectTimeout = new GatewayError('upstream-timeout', {
  cause: Object.assign(new Error(), { code: 'UND_ERR_CONNECT_TIMEOUT' }),
});

describe('a call is made once more', () => {
  it('elsewhere, where no connection came about', () => {
    for (const error of [new GatewayError('upstream-unreachable'), connectTimeout]) {
      for (const repeatable of [true, false]) {
        const failed = { error, progress: 'unsent', repeatable, others: true } as const;
        expect(retryOf({ ...failed, bound: false })).toEqual({ where: 'elsewhere', why: 'connect' });
        expect(retryOf({ ...failed, bound: true })).toBeUndefined();
        expect(retryOf({ ...failed, bound: false, others: false })).toBeUndefined();
      }
    }
  });

  it('where a list or read lost its connection before the answer', () => {
    const failed = {
      error: new GatewayError('upstream-closed'),
      progress: 'sent',
      repeatable: true,
    } as const;
    expect(retryOf({ ...failed, bound: false, others: true })).toEqual({ where: 'elsewhere', why: 'reread' });
    expect(retryOf({ ...failed, bound: true, others: true })).toEqual({ where: 'here', why: 'reread' });
    expect(retryOf({ ...failed, bound: false, others: false })).toEqual({ where: 'here', why: 'reread' });
  });

  it('and in no other case', () => {
    for (const code of codes) {
      for (const progress of stages) {
        for (const repeatable of [true, false]) {
          const retry = retryOf({
            error: new GatewayError(code),
            progress,
            repeatable,
            bound: false,
            others: true,
          });
          const may =
            (code === 'upstream-unreachable' && progress === 'unsent') ||
            (code === 'upstream-closed' && progress === 'sent' && repeatable);
          expect([code, progress, repeatable, retry !== undefined]).toEqual([
            code,
            progress,
            repeatable,
            may,
          ]);
        }
      }
    }
    // It was written, so it may have been done.
    for (const progress of ['sent', 'answered'] as const) {
      expect(
        retryOf({ error: connectTimeout, progress, repeatable: true, bound: false, others: true }),
      ).toBeUndefined();
    }
  });
});
