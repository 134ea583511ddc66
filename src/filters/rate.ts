import { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import type { CompiledLimit } from '../policy/model.ts';
import type { FilterEvent } from './deps.ts';
import { askGcra, type GcraRate, gcraRate } from './gcra.ts';
import { type CountedLimit, limitsOf } from './limit-keys.ts';
import { namesHidden } from './may-see.ts';
import { createRateStore } from './rate-store.ts';

/**
 * Enforces the policy's rates on every frame of a client. All limits that count a frame must agree before any of them
 * is charged; where several refuse, the one with the longest wait is told.
 *
 * @param maximum keys that are remembered; see rate-store.ts for what happens when they are all in use
 */
export function rate(maximum: number, report: (event: FilterEvent) => void): Filter {
  const store = createRateStore(maximum);
  const rates = new WeakMap<CompiledLimit, GcraRate>();
  return {
    name: 'rate',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      const counted = limitsOf(frame, exchange, hasRate);
      if (counted.length === 0) return pass;
      const nowUs = Math.floor(exchange.startedAt * 1000);
      const charges: { readonly key: string; readonly tat: number }[] = [];
      let refusedBy: { readonly limit: string; readonly retryAfterMs: number } | undefined;
      const keys: string[] = [];
      for (const counting of counted) {
        const { limit } = counting;
        const rate = rateOf(rates, limit);
        // A reload that changes a rate starts it anew: a TAT is only meaningful under the rate that made it.
        const key = `${rate.cost} ${rate.tolerance} ${counting.key}`;
        keys.push(key);
        const answer = askGcra(store.get(key), nowUs, rate);
        if (answer.admit) {
          charges.push({ key, tat: answer.tat });
        } else if (limit.mode === 'shadow') {
          report({ kind: 'shadow-limit', limit: limit.name, upstream: exchange.upstream });
        } else if (refusedBy === undefined || answer.retryAfterMs > refusedBy.retryAfterMs) {
          refusedBy = { limit: limit.name, retryAfterMs: answer.retryAfterMs };
        }
      }
      if (refusedBy === undefined && !store.hasRoom(keys, nowUs)) {
        report({ kind: 'limit-store-full', limit: counted[0]!.limit.name, upstream: exchange.upstream });
        if (counted.some(({ limit }) => limit.mode === 'enforce'))
          return reject(new GatewayError('overloaded'));
        return pass;
      }
      note(counted, exchange);
      if (refusedBy !== undefined) {
        exchange.facts.limitedBy = refusedBy.limit;
        // A limit that names what the caller may not see would show by its own words that it exists.
        if (namesHidden(frame, exchange)) return reject(new GatewayError('denied', { cause: 'a limit' }));
        return reject(new GatewayError('rate-limited', { data: refusedBy }));
      }
      for (const { key, tat } of charges) store.set(key, tat);
      return pass;
    },
  };
}

function hasRate(limit: CompiledLimit): boolean {
  return limit.rate !== undefined;
}

function rateOf(rates: WeakMap<CompiledLimit, GcraRate>, limit: CompiledLimit): GcraRate {
  let rate = rates.get(limit);
  if (rate === undefined) {
    const { count, periodMs, burst } = limit.rate!;
    rate = gcraRate(count, periodMs, burst);
    rates.set(limit, rate);
  }
  return rate;
}

function note(counted: readonly CountedLimit[], exchange: Exchange): void {
  for (const { limit } of counted) {
    if (!exchange.facts.limits.includes(limit.name)) exchange.facts.limits.push(limit.name);
  }
}
