import type { Measure } from '../limits/contract.ts';
import { gcraRate } from '../limits/gcra.ts';
import type { CompiledLimit } from '../policy/model.ts';
import { partText } from './limit-keys.ts';

/** One way in which a limit counts, whatever the call is. */
export interface PlannedMeasure {
  readonly what: 'rate' | 'quota' | 'sum' | 'places';
  readonly measure: Measure;
  /** How its keys begin: with what is counted, and how. */
  readonly prefix: string;
}

/** What a limit asks of whoever counts, as far as it can be said before any call. */
export interface LimitPlan {
  readonly rate: PlannedMeasure | undefined;
  readonly quota: PlannedMeasure | undefined;
  readonly sum: PlannedMeasure | undefined;
  readonly places: PlannedMeasure | undefined;
}

const plans = new WeakMap<CompiledLimit, LimitPlan>();

/** Worked out once for each limit. */
export function planOf(limit: CompiledLimit): LimitPlan {
  let plan = plans.get(limit);
  if (plan === undefined) {
    plan = makePlan(limit);
    plans.set(limit, plan);
  }
  return plan;
}

function makePlan(limit: CompiledLimit): LimitPlan {
  const { rate, quota, sum, concurrency } = limit;
  const planned = (what: PlannedMeasure['what'], measure: Measure): PlannedMeasure => ({
    what,
    measure,
    prefix: [what, limit.name, limit.per.join(','), ...shapeOf(measure)].map(partText).join(''),
  });
  return {
    rate: rate === undefined ? undefined : planned('rate', gcraRate(rate.count, rate.periodMs, rate.burst)),
    quota: quota === undefined ? undefined : planned('quota', { kind: 'window', ...quota }),
    sum:
      sum === undefined ? undefined : planned('sum', { kind: 'window', period: sum.period, most: sum.most }),
    places: concurrency === undefined ? undefined : planned('places', { kind: 'places', most: concurrency }),
  };
}

/** What makes a count of another: a reload that changes a rate or a period starts it anew, for it meant something else. */
function shapeOf(measure: Measure): readonly string[] {
  switch (measure.kind) {
    case 'rate':
      return [String(measure.costUs), String(measure.toleranceUs)];
    case 'window':
      return [measure.period];
    case 'places':
      return [];
  }
}
