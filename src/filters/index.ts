import { namedArguments } from '../arguments/compile.ts';
import type { Filter } from '../pipeline/filter.ts';
import { selectSignatures } from '../signatures/signatures.ts';
import { answerLimits } from './answer-limits.ts';
import { argumentRules } from './arguments.ts';
import { authorize } from './authorize.ts';
import { capabilities } from './capabilities.ts';
import { correlate } from './correlate.ts';
import { definitions } from './definitions.ts';
import type { FilterDeps } from './deps.ts';
import { flow } from './flow.ts';
import { frameLimits } from './frame-limits.ts';
import { createHandleKit } from './handle-kit.ts';
import { handles } from './handles.ts';
import { limits } from './limits.ts';
import { listLimits } from './list-limits.ts';
import { createOutstanding } from './outstanding.ts';
import { protocol } from './protocol.ts';
import { quarantine } from './quarantine.ts';
import { recall } from './recall.ts';
import { results } from './results.ts';
import { reviewed } from './reviewed.ts';
import { schema } from './schema.ts';
import { createSealer } from './seal.ts';
import { session } from './session.ts';
import { sessionLimits } from './session-limits.ts';
import { shareMemory } from './share-memory.ts';
import { shed } from './shed.ts';
import { signatures } from './signatures.ts';
import { createTaskBook } from './task-book.ts';
import { timeouts } from './timeouts.ts';
import { visibility } from './visibility.ts';

export type { FilterDeps, FilterEvent } from './deps.ts';

/**
 * THE LIST: what this gateway enforces, in this order for frames to the upstream, reversed for frames to the client.
 *
 * Nothing may change a frame's meaning after `authorize`: the decision is on what will be sent.
 */
export function createFilters(deps: FilterDeps): readonly Filter[] {
  const { options } = deps;
  const own = createOutstanding(options.memory, deps.monotonic);
  const ownTasks = createTaskBook();
  const shared = shareMemory(deps, own, ownTasks);
  const outstanding = shared?.requests.outstanding ?? own;
  const tasks = shared?.tasks.book ?? ownTasks;
  const limit = limits({ store: deps.limits, fields: options.rateLimitFields, report: deps.report });
  return [
    protocol(options.revisions, deps.refreshCatalog, deps.pins),
    shed(deps.overload),
    frameLimits(options.frames),
    limit.early,
    session(deps.sessions, createSealer(deps.keys, 'event-id')),
    correlate({
      outstanding,
      memory: options.memory,
      state: options.requestState,
      shared,
      sealer: createSealer(deps.keys, 'request-state'),
      now: deps.now,
      monotonic: deps.monotonic,
    }),
    // Last but for ids towards the client: every other check sees what the server really said.
    results({ outstanding, tasks, redactor: deps.redactor }),
    quarantine({
      book: deps.pins,
      refreshCatalog: deps.refreshCatalog,
      maxAge: options.definitions.maxAge,
    }),
    argumentRules(deps.lookups, deps.refreshCatalog),
    capabilities(outstanding),
    authorize(outstanding, deps.resources, deps.disclosures),
    handles(
      createHandleKit({ keys: deps.keys, options: options.handles, outstanding, book: tasks, now: deps.now }),
    ),
    schema({
      book: deps.schemas,
      outstanding,
      tasks,
      refreshCatalog: deps.refreshCatalog,
      namedArguments,
      maxAge: options.definitions.maxAge,
    }),
    flow({
      outstanding,
      principals: deps.flowPrincipals,
      monotonic: deps.monotonic,
      key: deps.keys[0]!,
      canaries: deps.canaries,
      shared: shared?.holds,
      approvals: deps.approvals,
    }),
    reviewed({ book: deps.pins, outstanding }),
    visibility(outstanding),
    definitions({ book: deps.pins, outstanding }),
    // Towards the client before all that learns from lists.
    listLimits(options.lists, outstanding, deps.report),
    timeouts(),
    sessionLimits({ limits: options.sessions, report: deps.report, monotonic: deps.monotonic }),
    // What an earlier check refuses holds no place, and what is counted is what will be sent.
    limit.late,
    signatures(selectSignatures(options.signatures.enabled)),
    // Where several processes serve: brings what the others know, before anything is judged by it.
    ...(shared === undefined
      ? []
      : [recall({ outstanding, requests: shared.requests, book: tasks, tasks: shared.tasks })]),
    answerLimits(options.frames),
  ];
}
