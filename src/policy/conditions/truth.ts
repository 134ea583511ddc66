/** What a condition says: it holds, it does not, or it cannot be evaluated. */
export type Truth = 'true' | 'false' | 'unknown';

/** All must hold. One that certainly does not settles it, whatever cannot be evaluated beside it. */
export function every<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  let truth: Truth = 'true';
  for (const item of items) {
    const one = test(item);
    if (one === 'false') return 'false';
    if (one === 'unknown') truth = 'unknown';
  }
  return truth;
}

/** One must hold. */
export function some<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  let truth: Truth = 'false';
  for (const item of items) {
    const one = test(item);
    if (one === 'true') return 'true';
    if (one === 'unknown') truth = 'unknown';
  }
  return truth;
}

export function truthOf(holds: boolean): Truth {
  return holds ? 'true' : 'false';
}
