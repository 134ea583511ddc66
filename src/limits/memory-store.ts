import { type CalendarWindow, ForwardClock, type Period, windowAt } from './calendar.ts';
import {
  type Claim,
  type Left,
  type LimitStore,
  type Measure,
  type Refused,
  type StoreEvent,
  type Taken,
  unit,
} from './contract.ts';
import { createCountTable } from './count-table.ts';
import { askGcra, type RateMeasure } from './gcra.ts';
import { createPlaces } from './places.ts';
import { tellsMore } from './worst.ts';

export interface MemoryStoreOptions {
  /** Keys of rates. */
  readonly rateKeys: number;
  /** Keys of quotas and budgets. */
  readonly quotaKeys: number;
  /** Keys of places. */
  readonly concurrencyKeys: number;
}

/** A store that answers at once. */
export interface MemoryStore extends LimitStore {
  take(claims: readonly Claim[], holder: string, nowUs: number, time: number): Taken;
}

/** What one window holds of one key. */
interface Spent {
  readonly window: CalendarWindow;
  readonly amount: number;
}

/** What a claim would leave behind. */
type Judged =
  | {
      readonly admit: true;
      /** Of a rate: the theoretical arrival time to keep. */
      readonly tat: number;
      /** Of a window. */
      readonly spent: Spent | undefined;
      readonly left: Left | undefined;
    }
  | { readonly admit: false; readonly retryAfterMs: number | undefined };

type Admitted = Extract<Judged, { admit: true }>;
type WindowMeasure = Extract<Measure, { kind: 'window' }>;

const kinds = ['rate', 'window', 'places'] as const;
const placeFree: Judged = Object.freeze({ admit: true, tat: 0, spent: undefined, left: undefined });
const placesTaken: Judged = Object.freeze({ admit: false, retryAfterMs: undefined });

/**
 * Counts in the memory of this process. Synchronous, exact, bounded: where no room is left for a new key, and no count
 * in the table has become worthless, the call is refused rather than counted under nobody.
 */
export function createMemoryStore(
  options: MemoryStoreOptions,
  report: (event: StoreEvent) => void,
): MemoryStore {
  const clock = new ForwardClock();
  let latestUs = Number.NEGATIVE_INFINITY;
  let latest = Number.NEGATIVE_INFINITY;
  const tats = createCountTable<number>(options.rateKeys, (tat) => tat <= latestUs);
  const windows = createCountTable<Spent>(
    options.quotaKeys,
    ({ window, amount }) => window.end <= latest || amount === 0,
  );
  const places = createPlaces(options.concurrencyKeys);
  const tables = { rate: tats, window: windows, places };

  const current = new Map<Period, CalendarWindow>();
  /** One object for all keys that count in a window. The clock never goes back, so that what has not ended is current. */
  const currentWindow = (period: Period, time: number): CalendarWindow => {
    const known = current.get(period);
    if (known !== undefined && time < known.end) return known;
    const window = windowAt(period, time);
    current.set(period, window);
    return window;
  };

  const judgeRate = (claim: Claim, measure: RateMeasure, nowUs: number): Judged => {
    const answer = askGcra(tats.get(claim.key), nowUs, measure, claim.amount);
    if (!answer.admit) return answer;
    const ahead = answer.tat - nowUs;
    const full = measure.toleranceUs + measure.costUs;
    const left = {
      claim,
      remaining: Math.max(0, Math.floor((full - ahead) / measure.costUs)),
      resetMs: Math.ceil(ahead / 1000),
    };
    return { admit: true, tat: answer.tat, spent: undefined, left };
  };
  const judgeWindow = (claim: Claim, { period, most }: WindowMeasure, time: number): Judged => {
    const { key, amount } = claim;
    const window = currentWindow(period, time);
    const known = windows.get(key);
    const before = known !== undefined && known.window.index === window.index ? known.amount : 0;
    const after = before + amount;
    const resetMs = window.end - time;
    if (amount > 0 && after > most)
      return { admit: false, retryAfterMs: amount > most ? undefined : resetMs };
    const left = { claim, remaining: Math.max(0, Math.floor((most - after) / unit)), resetMs };
    return { admit: true, tat: 0, spent: { window, amount: after }, left };
  };
  const judge = (claim: Claim, holder: string, nowUs: number, time: number): Judged => {
    const { measure } = claim;
    switch (measure.kind) {
      case 'rate':
        return judgeRate(claim, measure, nowUs);
      case 'window':
        return judgeWindow(claim, measure, time);
      case 'places':
        return places.isFree(claim.key, measure.most, holder) ? placeFree : placesTaken;
    }
  };
  const charge = ({ measure, key, owner }: Claim, judged: Admitted, holder: string): void => {
    switch (measure.kind) {
      case 'rate':
        tats.set(key, judged.tat, owner);
        return;
      case 'window':
        windows.set(key, judged.spent!, owner);
        return;
      case 'places':
        places.hold(key, holder);
        return;
    }
  };
  /** The claim that there is no room for; undefined where there is room for all. */
  const crowdedOut = (claims: readonly Claim[]): Claim | undefined => {
    for (const kind of kinds) {
      // Mostly there is room whether they are known or not.
      if (tables[kind].hasRoomForAny(claims.length)) continue;
      const these = claims.filter(({ measure }) => measure.kind === kind);
      const keys = these.map(({ key }) => key);
      if (these.length > 0 && !tables[kind].hasRoom(keys, these[0]!.owner)) return these[0];
    }
    return undefined;
  };

  return {
    peek(claims, nowUs, wallTime) {
      const time = clock.at(wallTime, nowUs);
      let worst: Refused | undefined;
      for (const claim of claims) {
        if (!claim.enforced || claim.measure.kind === 'places') continue;
        const judged = judge(claim, '', nowUs, time);
        if (judged.admit) continue;
        const refused = { claim, retryAfterMs: judged.retryAfterMs };
        if (worst === undefined || tellsMore(refused, worst)) worst = refused;
      }
      return worst;
    },
    take(claims, holder, nowUs, wallTime) {
      latestUs = Math.max(latestUs, nowUs);
      const time = clock.at(wallTime, nowUs);
      latest = Math.max(latest, time);
      const refused: Refused[] = [];
      const shadow: Refused[] = [];
      let tried = false;
      const judgements: Judged[] = [];
      for (const claim of claims) {
        const judged = judge(claim, holder, nowUs, time);
        judgements.push(judged);
        if (!claim.enforced) tried = true;
        if (judged.admit) continue;
        (claim.enforced ? refused : shadow).push({ claim, retryAfterMs: judged.retryAfterMs });
      }
      if (refused.length > 0) return { ok: false, refused, shadow };
      const crowded = crowdedOut(tried ? claims.filter(({ enforced }) => enforced) : claims);
      if (crowded !== undefined) {
        report({ kind: 'full', limit: crowded.limit });
        return { ok: false, unavailable: 'full', limit: crowded.limit };
      }
      const left: Left[] = [];
      const held: Claim[] = [];
      const settle = (claim: Claim, judged: Judged): void => {
        if (!judged.admit) return;
        charge(claim, judged, holder);
        if (claim.measure.kind === 'places') held.push(claim);
        if (claim.enforced && judged.left !== undefined) left.push(judged.left);
      };
      // Enforced ones first: they have been promised the room.
      for (let at = 0; at < claims.length; at += 1) {
        if (claims[at]!.enforced) settle(claims[at]!, judgements[at]!);
      }
      for (let at = 0; tried && at < claims.length; at += 1) {
        const claim = claims[at]!;
        if (claim.enforced || !judgements[at]!.admit) continue;
        if (crowdedOut([claim]) === undefined) settle(claim, judgements[at]!);
        else report({ kind: 'full', limit: claim.limit });
      }
      return { ok: true, shadow, left, held };
    },
    release(held, holder) {
      for (const { key } of held) places.giveBack(key, holder);
    },
    get size() {
      return tats.size + windows.size + places.size;
    },
    close() {},
  };
}
