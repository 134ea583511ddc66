import type { Filter } from '../pipeline/filter.ts';
import { answerLimits } from './answer-limits.ts';
import { authorize } from './authorize.ts';
import { concurrency } from './concurrency.ts';
import { correlate } from './correlate.ts';
import type { FilterDeps } from './deps.ts';
import { frameLimits } from './frame-limits.ts';
import { createOutstanding } from './outstanding.ts';
import { protocol } from './protocol.ts';
import { rate } from './rate.ts';
import { createSealer } from './seal.ts';
import { session } from './session.ts';
import { visibility } from './visibility.ts';

export type { FilterDeps, FilterEvent } from './deps.ts';

/**
 * THE LIST: what this gateway enforces, in this order for frames to the upstream, reversed for frames to the client.
 *
 * Nothing may change a frame's meaning after `authorize`: the decision is on what will be sent.
 */
export function createFilters(deps: FilterDeps): readonly Filter[] {
  const { options } = deps;
  const outstanding = createOutstanding(options.memory, deps.monotonic);
  return [
    protocol(options.revisions, deps.refreshCatalog),
    frameLimits(options.frames),
    rate(options.memory.rateKeys, deps.report),
    session(deps.sessions, createSealer(deps.keys, 'event-id')),
    correlate({
      outstanding,
      memory: options.memory,
      state: options.requestState,
      sealer: createSealer(deps.keys, 'request-state'),
      now: deps.now,
      monotonic: deps.monotonic,
    }),
    authorize(outstanding),
    visibility(outstanding),
    concurrency(options.memory.concurrencyKeys, deps.report),
    answerLimits(options.frames),
  ];
}
