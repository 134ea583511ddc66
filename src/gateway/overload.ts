import type { Overload } from '../filters/shed.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { OverloadOptions } from '../overload/options.ts';
import { Shedder } from '../overload/shedder.ts';
import { watchOverload } from '../overload/watch.ts';
import type { Load } from '../pipeline/load.ts';
import { priorityOf } from '../policy/priority.ts';

/** What decides on what is shed, as metrics, the gate and the filters see it. */
export interface Shedding {
  readonly measures: { readonly level: number; readonly delayMs: number; readonly underWay: number };
  load(metrics: Metrics): Load;
  filter(metrics: Metrics): Overload;
  /** Measures no more. */
  stop(): void;
}

export function createShedding(options: OverloadOptions): Shedding {
  const shedder = new Shedder(options, Math.random, () => performance.now());
  const stop = watchOverload(shedder);
  const retryAfter = (): number => shedder.retryAfter();
  return {
    measures: shedder,
    stop,
    load: (metrics) => ({
      enter: () => shedder.enter(),
      leave: () => shedder.leave(),
      park: () => shedder.leave(),
      unpark: () => shedder.comeBack(),
      isFull({ upstream }) {
        if (!shedder.full) return false;
        shedder.turnAway();
        metrics.shed('in-flight', upstream);
        return true;
      },
      sheds(principal, policy, { upstream, verb }) {
        const priority = shedder.level === 0 ? 'high' : priorityOf(principal, policy);
        if (priority === 'high') return false;
        // A GET opens a stream, and no frame need be decoded to know it.
        const kind = verb === 'GET' ? 'session' : (`call-${priority}` as const);
        if (!shedder.sheds(kind)) return false;
        metrics.shed(kind, upstream);
        return true;
      },
      retryAfter,
    }),
    filter: (metrics) => ({
      sheds: (kind) => shedder.sheds(kind),
      retryAfter,
      onShed: (kind, upstream) => metrics.shed(kind, upstream),
    }),
  };
}
