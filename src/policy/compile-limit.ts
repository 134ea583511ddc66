import type { LimitDocument } from './document.ts';
import type { CompiledLimit } from './model.ts';

/** Compiles one entry of `limits:`, but for what it matches. */
export function compileLimit(
  document: LimitDocument,
  mode: 'enforce' | 'shadow',
  location: string,
): CompiledLimit {
  const { name, per, rate, concurrency } = document;
  return {
    name,
    per: [...new Set(per)],
    // Without a burst, a whole period's count may come at once: a rate of 30/min refuses nobody who makes 30 calls.
    ...(rate === undefined ? {} : { rate: { ...rate, burst: document.burst ?? rate.count } }),
    ...(concurrency === undefined ? {} : { concurrency }),
    mode,
    location,
  };
}
