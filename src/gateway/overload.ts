import type { GatewayError } from '../errors.ts';
import type { Overload } from '../filters/shed.ts';
import type { Principal } from '../identity/principal.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Pressure } from '../observe/standing-metrics.ts';
import { AdmissionQueue } from '../overload/admission-queue.ts';
import { KnownCallers } from '../overload/known-callers.ts';
import type { OverloadOptions } from '../overload/options.ts';
import { type Shed, Shedder } from '../overload/shedder.ts';
import { watchOverload } from '../overload/watch.ts';
import type { Unread } from '../pipeline/arrival.ts';
import { evidenceOf } from '../pipeline/evidence-of.ts';
import {
  type Caller,
  createOverloaded,
  type Entrance,
  type Excess,
  type Load,
  type Place,
} from '../pipeline/load.ts';
import type { Recorder } from '../pipeline/outcome.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { type Priority, priorityOf } from '../policy/priority.ts';
import { ShedRecords } from './shed-records.ts';

/** What decides on what is shed, as metrics, the gate and the filters see it. */
export interface Shedding {
  readonly measures: Pressure;
  load(deps: LoadDependencies): Load;
  filter(metrics: Metrics): Overload;
  /** As of {@link Load}, for listeners: lets all in until there is one. */
  readonly entrance: Entrance;
  /** Measures no more, and writes the records that wait. */
  stop(): void;
}

export interface LoadDependencies {
  readonly metrics: Metrics;
  readonly recorder: Recorder;
  readonly apiKeyHeader: string;
  /** The policy in force now. */
  policy(): CompiledPolicy;
  /** Milliseconds since the epoch. */
  now(): number;
}

export function createShedding(options: OverloadOptions): Shedding {
  const queue = new AdmissionQueue({ clock: () => performance.now(), afterThisTurn: setImmediate });
  const shedder = new Shedder(options, Math.random, queue);
  const stop = watchOverload(shedder);
  let records: ShedRecords | undefined;
  let load: Load | undefined;
  return {
    measures: shedder,
    entrance: {
      turnsAway: (arrival) => load?.turnsAway(arrival) ?? 'bound',
      takeTurn(arrival, bytes, begin) {
        if (load !== undefined) return load.takeTurn(arrival, bytes, begin);
        begin();
        return undefined;
      },
    },
    stop() {
      stop();
      records?.flush();
    },
    load(deps) {
      records = new ShedRecords(deps.recorder, deps.now);
      load = createLoad(shedder, queue, records, deps);
      return load;
    },
    filter: (metrics) => ({
      // Strangers were asked before, at the gate.
      sheds: (kind) => shedder.sheds(kind, 'callers'),
      retryAfter: () => shedder.retryAfter(),
      onShed: (kind, upstream) => metrics.shed(kind, upstream),
    }),
  };
}

/** A caller as it was found to be, as long as that policy is in force. */
interface Worth {
  readonly principal: Principal;
  readonly priority: Priority;
  readonly policy: CompiledPolicy;
}

function createLoad(
  shedder: Shedder,
  queue: AdmissionQueue,
  records: ShedRecords,
  deps: LoadDependencies,
): Load {
  const { metrics } = deps;
  const overloaded = createOverloaded(shedder);
  const callers = new KnownCallers<Worth>();

  const refusal = (excess: Excess, what: Shed, { upstream }: Unread) => {
    metrics.shed(what, upstream);
    return overloaded(excess);
  };

  function unread(
    arrival: Unread,
    principal: Principal | undefined,
    excess: Excess,
    what: Shed,
  ): GatewayError {
    shedder.turnAway();
    const error = refusal(excess, what, arrival);
    records.refused(arrival, principal, error);
    return error;
  }

  const shedKind = ({ verb }: Unread, priority: 'low' | 'normal') =>
    // A GET opens a stream, and no frame need be decoded to know it.
    verb === 'GET' ? 'session' : (`call-${priority}` as const);

  function knownAs(arrival: Unread): Worth | undefined {
    if (!callers.knows(arrival.peer)) return undefined;
    // Time and body play no part in who it is.
    const evidence = evidenceOf(arrival, deps.apiKeyHeader, 0);
    const worth = evidence === undefined ? undefined : callers.worthOf(arrival.peer, evidence);
    return worth?.policy === deps.policy() ? worth : undefined;
  }

  function note(caller: Caller, priority: Priority): void {
    const { principal, policy, arrival } = caller;
    const evidence = evidenceOf(arrival, deps.apiKeyHeader, 0);
    if (evidence === undefined) return;
    const { authorization, apiKey } = evidence;
    callers.note(arrival.peer, { authorization, apiKey, worth: { principal, priority, policy } });
  }

  function isShed(caller: Caller): ReturnType<typeof shedKind> | undefined {
    // Who comes first is asked of those who wait, too.
    const isCalm = shedder.level === 0;
    if (isCalm && queue.waiting === 0) return undefined;
    const priority = priorityOf(caller.principal, caller.policy);
    note(caller, priority);
    if (isCalm || priority === 'high') return undefined;
    const kind = shedKind(caller.arrival, priority);
    return shedder.sheds(kind, 'strangers') ? kind : undefined;
  }

  function enter(): Place {
    let isIn = true;
    let caller: string | undefined;
    shedder.enter();
    const leave = (): void => {
      if (!isIn) return;
      isIn = false;
      shedder.leave();
      if (caller !== undefined) shedder.release(caller);
    };
    const refused = (excess: Excess, what: Shed, arrival: Unread) => {
      leave();
      return refusal(excess, what, arrival);
    };
    return {
      admit(about) {
        const { arrival, asked, principal } = about;
        if (asked === 'nothing' && shedder.isBeyond)
          return refused('as much as may be is under way', 'in-flight', arrival);
        const shed = asked === 'caller' ? undefined : isShed(about);
        if (shed !== undefined) return refused('shed: a call of this priority', shed, arrival);
        if (!shedder.hold(principal.id))
          return refused('as much as one caller may have is under way', 'share', arrival);
        caller = principal.id;
        return undefined;
      },
      park: leave,
      unpark() {
        isIn = true;
        shedder.comeBack();
        if (caller !== undefined) shedder.holdAgain(caller);
      },
      leave,
    };
  }

  return {
    turnsAway(arrival) {
      if (shedder.full) return unread(arrival, undefined, 'as much as may be is under way', 'in-flight');
      if (arrival.letIn === true) return 'caller';
      if (shedder.isCalm) return 'bound';
      const known = knownAs(arrival);
      // Those behind him in line do not count: strangers who fill it keep no caller out.
      if (shedder.lineIsFull(known?.priority ?? 'unknown'))
        return unread(arrival, known?.principal, 'as much as may be is under way', 'in-flight');
      if (known === undefined) return 'bound';
      const { priority, principal } = known;
      if (priority === 'high') return 'caller';
      const kind = shedKind(arrival, priority);
      if (!shedder.sheds(kind, 'callers')) return 'caller';
      return unread(arrival, principal, 'shed: a call of this priority', kind);
    },
    takeTurn(arrival, bytes, begin) {
      // Who it is matters only where there is a line.
      const rank = queue.isOpen ? 'unknown' : (knownAs(arrival)?.priority ?? 'unknown');
      return queue.enter(rank, bytes, begin);
    },
    enter,
  };
}
