import { amountByTool, amountFromArguments, type CompiledAmount, fixedAmount, plainCost } from './amount.ts';
import type { LimitDocument } from './limit-document.ts';
import type { CompiledLimit } from './model.ts';

/** Thousandths: what the sums of amounts are kept in. */
const thousandths = 1000;

/** Compiles one entry of `limits:`, but for what it matches. */
export function compileLimit(
  document: LimitDocument,
  mode: 'enforce' | 'shadow',
  location: string,
): CompiledLimit {
  const { name, per, rate, concurrency, quota, sum, most, onStoreLoss, match } = document;
  return {
    name,
    per: [...new Set(per)],
    roles: match.roles === undefined ? undefined : new Set(match.roles),
    // Without a burst, a whole period's count may come at once: a rate of 30/min refuses nobody who makes 30 calls.
    ...(rate === undefined ? {} : { rate: { ...rate, burst: document.burst ?? rate.count } }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(quota === undefined ? {} : { quota: { period: quota.period, most: quota.count * thousandths } }),
    ...(sum === undefined
      ? {}
      : {
          sum: {
            period: sum.period,
            most: Math.round(most! * thousandths),
            amount: amountFromArguments(sum.amount, 0),
          },
        }),
    cost: costOf(document.cost),
    onStoreLoss,
    mode,
    location,
  };
}

function costOf(cost: LimitDocument['cost']): CompiledAmount {
  if (cost === undefined) return plainCost;
  if (typeof cost === 'number') return fixedAmount(cost);
  // A call that the arguments make free could be made without end, and nothing would be known of it beforehand.
  if (typeof cost === 'string') return amountFromArguments(cost, thousandths);
  return amountByTool(cost);
}
