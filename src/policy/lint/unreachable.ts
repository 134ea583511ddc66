import type { LimitDocument } from '../limit-document.ts';
import { compilePattern } from '../pattern.ts';
import { coversUpstream } from '../scope.ts';
import { type Lint, warn } from './warning.ts';

const dayMs = 86_400_000;
/** The longest and the shortest that a window of the calendar can be. */
const longestMs = { hour: dayMs / 24, day: dayMs, month: 31 * dayMs };
const shortestMs = { hour: dayMs / 24, day: dayMs, month: 28 * dayMs };

/** Rates, quotas and places of one limit, of which one can never refuse because another bound is always first. */
export const unreachableLimits: Lint = function* (files, { atOnce }) {
  for (const file of files) {
    for (const [index, limit] of file.document.limits.entries()) {
      const at = (key: string) => ['limits', index, key];
      const { rate, quota, concurrency } = limit;
      if (rate !== undefined && quota !== undefined) {
        const burst = limit.burst ?? rate.count;
        const perMs = rate.count / rate.periodMs;
        if (burst + perMs * longestMs[quota.period] <= quota.count) {
          const message = `the rate never lets so many through in one ${quota.period}: the quota never refuses`;
          yield warn(file, at('quota'), 'limit-unreachable', message);
        }
        // The end of one window and the beginning of the next may come at once, both with a whole quota.
        if (burst >= 2 * quota.count && perMs * shortestMs[quota.period] >= quota.count) {
          const message = `the quota is used up before as much can come as the rate allows: the rate never refuses`;
          yield warn(file, at('rate'), 'limit-unreachable', message);
        }
      }
      if (concurrency === undefined || atOnce === undefined || mayHoldStreams(limit)) continue;
      const isOfOneCaller = limit.per.includes('principal');
      const most = isOfOneCaller ? atOnce.perCaller : atOnce.all;
      if (concurrency <= most) continue;
      const whose = isOfOneCaller ? 'of one caller, by "inFlight" and "share"' : 'in all, by "inFlight"';
      const message = `"overload" of the gateway file refuses more than ${most} calls ${whose}: this is never reached`;
      yield warn(file, at('concurrency'), 'limit-unreachable', message);
    }
  }
};

/** Open streams hold places of limits, and are no calls under way. */
function mayHoldStreams({ match }: LimitDocument): boolean {
  const { tools, prompts, resources, methods } = match;
  return resources !== undefined || methods !== undefined || (tools ?? prompts) === undefined;
}

/** `timeouts:` that no upstream grants in full. */
export const cappedTimeouts: Lint = function* (files, { longest }) {
  if (longest === undefined) return;
  for (const file of files) {
    for (const [index, { match, total }] of file.document.timeouts.entries()) {
      const patterns = match.upstreams?.map((text) => compilePattern(text, undefined));
      const meant = [...longest].filter(([name]) => coversUpstream(patterns, name));
      if (meant.length === 0 || meant.some(([, most]) => total <= most)) continue;
      const names = meant.map(([name, most]) => `"${name}" ${most / 1000}s`).join(', ');
      const message = `is more than \`timeouts.longest\` of every upstream that it is about: ${names}`;
      yield warn(file, ['timeouts', index, 'total'], 'timeout-capped', message);
    }
  }
};
