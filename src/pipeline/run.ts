import { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from './exchange.ts';
import type { Filter, Verdict } from './filter.ts';

/** Where a frame stands after the filters of its direction. */
export type Passage =
  | { readonly kind: 'go'; readonly frame: Frame }
  | { readonly kind: 'reject'; readonly error: GatewayError; readonly filter: string }
  | { readonly kind: 'drop'; readonly reason: string };

/** Runs a frame from the client through the list, first to last. */
export function runToUpstream(
  filters: readonly Filter[],
  frame: Frame,
  exchange: Exchange,
): Passage | Promise<Passage> {
  return advance(filters, 0, 1, 'toUpstream', frame, exchange);
}

/** Runs a frame from the upstream through the list, last to first. */
export function runToClient(
  filters: readonly Filter[],
  frame: Frame,
  exchange: Exchange,
): Passage | Promise<Passage> {
  return advance(filters, filters.length - 1, -1, 'toClient', frame, exchange);
}

/**
 * Calls every filter's `end`, even where one throws: a release that is skipped would hold a concurrency slot for ever.
 *
 * @returns what was thrown, for the log
 */
export function endAll(filters: readonly Filter[], exchange: Exchange): readonly unknown[] {
  let thrown: unknown[] | undefined;
  for (const filter of filters) {
    if (filter.end === undefined) continue;
    try {
      filter.end(exchange);
    } catch (cause) {
      thrown ??= [];
      thrown.push(cause);
    }
  }
  return thrown ?? none;
}

const none: readonly unknown[] = Object.freeze([]);

/**
 * Synchronous as long as the filters are: a promise is paid for only from the first filter on that gives one.
 */
function advance(
  filters: readonly Filter[],
  from: number,
  step: 1 | -1,
  side: 'toUpstream' | 'toClient',
  frame: Frame,
  exchange: Exchange,
): Passage | Promise<Passage> {
  let current = frame;
  for (let index = from; index >= 0 && index < filters.length; index += step) {
    const filter = filters[index]!;
    if (filter[side] === undefined) continue;
    let verdict: Verdict | Promise<Verdict>;
    try {
      verdict = filter[side](current, exchange);
    } catch (cause) {
      return { kind: 'reject', error: new GatewayError('internal', { cause }), filter: filter.name };
    }
    if (verdict instanceof Promise) {
      return verdict.then(
        (settled) => {
          const passage = apply(settled, current, filter);
          return passage.kind === 'go'
            ? advance(filters, index + step, step, side, passage.frame, exchange)
            : passage;
        },
        (cause): Passage => ({
          kind: 'reject',
          error: new GatewayError('internal', { cause }),
          filter: filter.name,
        }),
      );
    }
    if (verdict.kind === 'pass') continue;
    if (verdict.kind !== 'replace') return apply(verdict, current, filter);
    current = verdict.frame;
  }
  return { kind: 'go', frame: current };
}

function apply(verdict: Verdict, frame: Frame, filter: Filter): Passage {
  switch (verdict.kind) {
    case 'pass':
      return { kind: 'go', frame };
    case 'replace':
      return { kind: 'go', frame: verdict.frame };
    case 'reject':
      return { kind: 'reject', error: verdict.error, filter: filter.name };
    case 'drop':
      return { kind: 'drop', reason: verdict.reason };
    default:
      // A filter written without types answered nonsense: that is a broken check, and a broken check refuses.
      return {
        kind: 'reject',
        error: new GatewayError('internal', { cause: verdict satisfies never }),
        filter: filter.name,
      };
  }
}
