import type { Claim, LimitStore, Measure, OnStoreLoss, Refused, StoreEvent, Taken } from './contract.ts';
import { StoreFault } from './store-fault.ts';

/** A store that others share, and that may be gone. */
export interface SharedCounts extends LimitStore {
  /** As told by LimitStore, but rejects with a StoreFault where the store gave no answer that counts. */
  take(claims: readonly Claim[], holder: string, nowUs: number, time: number): Taken | Promise<Taken>;
  /** Resolves where the store could answer `take` now. */
  probe(): Promise<void>;
}

/** Time, so that tests can hold it. */
export interface Timers {
  /** @returns takes it back */
  after(milliseconds: number, run: () => void): () => void;
  /** Once what has arrived at the sockets of this process has been read. */
  onceRead(run: () => void): void;
}

export interface StoreLossOptions {
  /** Milliseconds after which a call is decided without the store. */
  readonly timeout: number;
  /** Processes that are expected to share the store. */
  readonly replicas: number;
}

export interface StoreLossDependencies {
  readonly shared: SharedCounts;
  /** Counts in this process while the store is lost. */
  readonly local: LimitStore;
  readonly monotonic: () => number;
  readonly timers: Timers;
  readonly report: (event: StoreEvent) => void;
  /** A key holds what the gateway did not write: that one limit is decided without the store. */
  readonly onStrangeKey: (cause: unknown) => void;
  /** How long the store took to answer, in milliseconds. */
  readonly onAnswer?: (milliseconds: number) => void;
}

export interface GuardedStore extends LimitStore {
  /** False while limits are decided without the shared store. */
  readonly isUp: boolean;
}

/** Three late answers in a row: one alone may be a hiccup of the network. An error counts at once. */
const lateAnswers = 3;
/** Half a second: found again well within a second, and nothing that a server in trouble would notice. */
const probePauseMs = 500;
/**
 * A store that is lost again so soon after its return is probed half as often each time, down to every 4 s: one that
 * comes and goes is of no use, and each time is a line in the log.
 */
const soonMs = 10_000;
const longestProbePauseMs = 4000;

/**
 * Stands in front of a shared store. Decides within `timeout`, whatever the store does, each limit by its `onStoreLoss`:
 *
 * - `local`: counted in this process, with its part of the limit (see {@link partOf})
 * - `deny`: the call is refused, before anything else is counted
 * - `allow`: not counted
 *
 * Once it is lost the store is not asked by calls any more, only by one probe at a time; it is used again as soon as a
 * probe is answered in time.
 *
 * What was counted in this process stays counted here when the store is back: one that comes and goes gives nobody a fresh
 * part each time.
 *
 * What a late answer has charged stays charged: a limit may then have counted a call twice, never not at all. Places that
 * it took are given back.
 */
export function createStoreLoss(options: StoreLossOptions, deps: StoreLossDependencies): GuardedStore {
  const { shared, local, monotonic, timers, report } = deps;
  const parts = new WeakMap<Measure, Measure>();
  /** Places that were taken in this process, by holder and key. Bounded by the local store. */
  const heldHere = new Set<string>();
  let lostAt: number | undefined;
  let backAt = Number.NEGATIVE_INFINITY;
  let pauseMs = probePauseMs;
  let late = 0;
  let closed = false;
  let stopProbe = (): void => {};

  const partFor = (measure: Measure): Measure => {
    let part = parts.get(measure);
    if (part === undefined) {
      part = partOf(measure, options.replicas);
      parts.set(measure, part);
    }
    return part;
  };

  function lose(cause: unknown): void {
    if (lostAt !== undefined || closed) return;
    lostAt = monotonic();
    pauseMs = lostAt - backAt < soonMs ? Math.min(longestProbePauseMs, pauseMs * 2) : probePauseMs;
    report({ kind: 'store-lost', cause });
    stopProbe = timers.after(pauseMs, probe);
  }

  function probe(): void {
    const begun = monotonic();
    const again = (): void => {
      if (!closed) stopProbe = timers.after(pauseMs, probe);
    };
    shared.probe().then(() => {
      if (closed || lostAt === undefined) return;
      // An answer that a call would not have waited for is none.
      if (monotonic() - begun > options.timeout) return again();
      backAt = monotonic();
      const lostMs = backAt - lostAt;
      lostAt = undefined;
      late = 0;
      report({ kind: 'store-back', lostMs });
    }, again);
  }

  function failed(cause: unknown): void {
    if (cause instanceof StoreFault && cause.kind === 'key') deps.onStrangeKey(cause);
    else lose(cause);
  }

  function decideWithout(
    claims: readonly Claim[],
    holder: string,
    nowUs: number,
    time: number,
  ): Taken | Promise<Taken> {
    const by = (how: OnStoreLoss, limit: string): void =>
      report({ kind: 'decided-without-store', limit, by: how });
    const denied = claims.find(({ enforced, onStoreLoss }) => enforced && onStoreLoss === 'deny');
    if (denied !== undefined) {
      by('deny', denied.limit);
      return { ok: false, unavailable: 'lost', limit: denied.limit };
    }
    const originals = new Map<Claim, Claim>();
    for (const claim of claims) {
      by(claim.onStoreLoss, claim.limit);
      if (claim.onStoreLoss === 'local') originals.set({ ...claim, measure: partFor(claim.measure) }, claim);
    }
    if (originals.size === 0) return { ok: true, shadow: [], left: [], held: [] };
    const asOriginal = <T extends { readonly claim: Claim }>(about: T): T => ({
      ...about,
      claim: originals.get(about.claim) ?? about.claim,
    });
    const translate = (taken: Taken): Taken => {
      if (taken.ok) {
        for (const { key } of taken.held) heldHere.add(`${holder} ${key}`);
        return {
          ok: true,
          shadow: taken.shadow.map(asOriginal),
          left: taken.left.map(asOriginal),
          held: taken.held.map((claim) => originals.get(claim) ?? claim),
        };
      }
      if ('unavailable' in taken) return taken;
      return { ok: false, refused: taken.refused.map(asOriginal), shadow: taken.shadow.map(asOriginal) };
    };
    const taken = local.take([...originals.keys()], holder, nowUs, time);
    return taken instanceof Promise ? taken.then(translate) : translate(taken);
  }

  function take(
    claims: readonly Claim[],
    holder: string,
    nowUs: number,
    time: number,
  ): Taken | Promise<Taken> {
    if (claims.length === 0) return { ok: true, shadow: [], left: [], held: [] };
    if (lostAt !== undefined) return decideWithout(claims, holder, nowUs, time);
    const begun = monotonic();
    const answer = shared.take(claims, holder, nowUs, time);
    if (!(answer instanceof Promise)) return answer;
    return new Promise((resolve) => {
      let decided = false;
      const without = (cause: unknown): void => {
        decided = true;
        failed(cause);
        resolve(decideWithout(claims, holder, nowUs, time));
      };
      const cancel = timers.after(options.timeout, () => {
        // Where this process itself was busy the answer may be there already, unread.
        timers.onceRead(() => {
          if (decided) return;
          decided = true;
          late += 1;
          if (late >= lateAnswers) lose(new StoreFault('lost', 'no answer in time'));
          resolve(decideWithout(claims, holder, nowUs, time));
        });
      });
      answer.then(
        (taken) => {
          if (decided) {
            if (taken.ok && taken.held.length > 0) shared.release(taken.held, holder);
            return;
          }
          cancel();
          if (!taken.ok && 'unavailable' in taken && taken.unavailable === 'lost') {
            without(new StoreFault('lost', 'the store cannot count'));
            return;
          }
          decided = true;
          late = 0;
          resolve(taken);
          deps.onAnswer?.(monotonic() - begun);
        },
        (cause: unknown) => {
          if (decided) return;
          cancel();
          without(cause);
        },
      );
    });
  }

  return {
    get isUp() {
      return lostAt === undefined;
    },
    peek(claims, nowUs, time): Refused | undefined {
      if (lostAt === undefined) return shared.peek(claims, nowUs, time);
      const counted = claims.filter(({ onStoreLoss }) => onStoreLoss === 'local');
      const parted = counted.map((claim) => ({ ...claim, measure: partFor(claim.measure) }));
      const refused = local.peek(parted, nowUs, time);
      return refused === undefined
        ? undefined
        : { ...refused, claim: counted[parted.indexOf(refused.claim)] ?? refused.claim };
    },
    take,
    release(held, holder) {
      const here: Claim[] = [];
      const there: Claim[] = [];
      for (const claim of held) (heldHere.delete(`${holder} ${claim.key}`) ? here : there).push(claim);
      if (here.length > 0) local.release(here, holder);
      if (there.length > 0) shared.release(there, holder);
    },
    get size() {
      return shared.size + local.size;
    },
    async close() {
      closed = true;
      stopProbe();
      await shared.close();
      await local.close();
    },
  };
}

/**
 * The part of a limit that one of so many processes may admit alone. Never nothing: a rate goes on at its part of the
 * speed with at least one unit of burst, a window has at least one unit, and there is at least one place. Limits that are
 * smaller than the number of processes are therefore exceeded, by one unit for each process.
 */
export function partOf(measure: Measure, replicas: number): Measure {
  if (replicas <= 1) return measure;
  switch (measure.kind) {
    case 'rate': {
      const burst = Math.round(measure.toleranceUs / measure.costUs) + 1;
      const costUs = measure.costUs * replicas;
      return { kind: 'rate', costUs, toleranceUs: costUs * (Math.max(1, Math.floor(burst / replicas)) - 1) };
    }
    case 'window':
      return {
        ...measure,
        most: Math.max(Math.min(1000, measure.most), Math.floor(measure.most / replicas)),
      };
    case 'places':
      return {
        kind: 'places',
        most: Math.max(Math.min(1, measure.most), Math.floor(measure.most / replicas)),
      };
  }
}
