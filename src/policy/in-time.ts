import type { InTime } from './model.ts';
import { type TrialDocument, toTrial } from './trial.ts';

/**
 * A rule of a section that filters read by its `mode`: made once as it is written, and once as it is when its trial is
 * over, so that nobody who reads the mode has to know of the time.
 */
export function compileInTime<T>(
  document: TrialDocument,
  compile: (mode: 'enforce' | 'shadow') => T,
): InTime<T> {
  const { shadow, until } = toTrial(document);
  const rule = compile(shadow ? 'shadow' : 'enforce');
  const ends = shadow && until !== Number.POSITIVE_INFINITY;
  return { rule, later: ends ? { until, rule: compile('enforce') } : undefined };
}

/** @param time milliseconds since the epoch */
export function inForce<T>({ rule, later }: InTime<T>, time: number): T {
  return later !== undefined && time >= later.until ? later.rule : rule;
}

export function mapInTime<T, R>({ rule, later }: InTime<T>, map: (rule: T) => R): InTime<R> {
  return {
    rule: map(rule),
    later: later === undefined ? undefined : { until: later.until, rule: map(later.rule) },
  };
}
