import { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import type { CompiledLimit } from '../policy/model.ts';
import type { FilterEvent } from './deps.ts';
import { limitsOf } from './limit-keys.ts';

/**
 * Enforces how many exchanges may run at once. Last in the list: what an earlier check refuses never holds a place.
 * A place is given back when its exchange ends, whatever ended it.
 *
 * @param maximum keys that are counted at the same time; when all are in use a new one is refused
 */
export function concurrency(maximum: number, report: (event: FilterEvent) => void): Filter {
  const running = new Map<string, number>();
  const taken = new WeakMap<Exchange, readonly string[]>();
  return {
    name: 'concurrency',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      // Notifications and answers are gone as soon as they are accepted: only what waits for the upstream holds a place.
      if (frame.kind !== 'request' && frame.kind !== 'stream-open') return pass;
      const counted = limitsOf(frame, exchange, hasConcurrency);
      if (counted.length === 0) return pass;
      let fresh = 0;
      for (const { limit, key } of counted) {
        const now = running.get(key) ?? 0;
        if (now === 0) fresh += 1;
        if (!exchange.facts.limits.includes(limit.name)) exchange.facts.limits.push(limit.name);
        if (now < limit.concurrency!) continue;
        if (limit.mode === 'enforce') {
          exchange.facts.limitedBy = limit.name;
          return reject(new GatewayError('concurrency-limited', { data: { limit: limit.name } }));
        }
        report({ kind: 'shadow-limit', limit: limit.name, upstream: exchange.upstream });
      }
      if (running.size + fresh > maximum) {
        report({ kind: 'limit-store-full', limit: counted[0]!.limit.name, upstream: exchange.upstream });
        return reject(new GatewayError('overloaded'));
      }
      for (const { key } of counted) running.set(key, (running.get(key) ?? 0) + 1);
      taken.set(
        exchange,
        counted.map(({ key }) => key),
      );
      return pass;
    },
    end(exchange: Exchange): void {
      const keys = taken.get(exchange);
      if (keys === undefined) return;
      // Forgotten first, so that a second call could not give back what somebody else has taken since.
      taken.delete(exchange);
      for (const key of keys) {
        const left = (running.get(key) ?? 1) - 1;
        if (left <= 0) running.delete(key);
        else running.set(key, left);
      }
    },
  };
}

function hasConcurrency(limit: CompiledLimit): boolean {
  return limit.concurrency !== undefined;
}
