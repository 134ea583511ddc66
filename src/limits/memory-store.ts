import { type CalendarWindow, ForwardClock, type Period, windowAt } from './calendar.ts';
import {
  type Claim,
  type Left,
  type LimitStore,
  type Refused,
  type StoreEvent,
  type Taken,
  unit,
} from './contract.ts';
import { createCountTable } from './count-table.ts';
import { askGcra } from './gcra.ts';
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
  | { readonly admit: true; readonly left: Left | undefined; charge(): void }
  | { readonly admit: false; readonly retryAfterMs: number | undefined };

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

  const current = new Map<Period, CalendarWindow>();
  /** One object for all keys that count in a window. The clock never goes back, so that what has not ended is current. */
  const currentWindow = (period: Period, time: number): CalendarWindow => {
    const known = current.get(period);
    if (known !== undefined && time < known.end) return known;
    const window = windowAt(period, time);
    current.set(period, window);
    return window;
  };

  const judgeRate = (claim: Claim, nowUs: number): Judged => {
    const { measure, key, amount } = claim;
    if (measure.kind !== 'rate') throw new TypeError('not a rate');
    const answer = askGcra(tats.get(key), nowUs, measure, amount);
    if (!answer.admit) return answer;
    const ahead = answer.tat - nowUs;
    const full = measure.toleranceUs + measure.costUs;
    return {
      admit: true,
      left: {
        claim,
        remaining: Math.max(0, Math.floor((full - ahead) / measure.costUs)),
        resetMs: Math.ceil(ahead / 1000),
      },
      charge: () => tats.set(key, answer.tat),
    };
  };
  const judgeWindow = (claim: Claim, time: number): Judged => {
    const { measure, key, amount } = claim;
    if (measure.kind !== 'window') throw new TypeError('not a window');
    const window = currentWindow(measure.period, time);
    const known = windows.get(key);
    const before = known !== undefined && known.window.index === window.index ? known.amount : 0;
    const after = before + amount;
    if (amount > 0 && after > measure.most) {
      return { admit: false, retryAfterMs: amount > measure.most ? undefined : window.end - time };
    }
    return {
      admit: true,
      left: {
        claim,
        remaining: Math.max(0, Math.floor((measure.most - after) / unit)),
        resetMs: window.end - time,
      },
      charge: () => windows.set(key, { window, amount: after }),
    };
  };
  const judge = (claim: Claim, holder: string, nowUs: number, time: number): Judged => {
    switch (claim.measure.kind) {
      case 'rate':
        return judgeRate(claim, nowUs);
      case 'window':
        return judgeWindow(claim, time);
      case 'places':
        return places.isFree(claim.key, claim.measure.most, holder)
          ? { admit: true, left: undefined, charge: () => places.hold(claim.key, holder) }
          : { admit: false, retryAfterMs: undefined };
    }
  };
  const hasRoom = (claims: readonly Claim[]): boolean =>
    tats.hasRoom(keysOf(claims, 'rate')) &&
    windows.hasRoom(keysOf(claims, 'window')) &&
    places.hasRoom(keysOf(claims, 'places'));

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
      const admitted: { readonly claim: Claim; readonly judged: Extract<Judged, { admit: true }> }[] = [];
      for (const claim of claims) {
        const judged = judge(claim, holder, nowUs, time);
        if (judged.admit) admitted.push({ claim, judged });
        else (claim.enforced ? refused : shadow).push({ claim, retryAfterMs: judged.retryAfterMs });
      }
      if (refused.length > 0) return { ok: false, refused, shadow };
      const enforced = claims.filter((claim) => claim.enforced);
      if (!hasRoom(enforced)) {
        const limit = enforced[0]!.limit;
        report({ kind: 'full', limit });
        return { ok: false, unavailable: 'full', limit };
      }
      const left: Left[] = [];
      const held: Claim[] = [];
      // Enforced ones first: they have been promised the room.
      for (const { claim, judged } of [
        ...admitted.filter(({ claim }) => claim.enforced),
        ...admitted.filter(({ claim }) => !claim.enforced),
      ]) {
        if (!claim.enforced && !hasRoom([claim])) {
          report({ kind: 'full', limit: claim.limit });
          continue;
        }
        judged.charge();
        if (claim.measure.kind === 'places') held.push(claim);
        if (claim.enforced && judged.left !== undefined) left.push(judged.left);
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

function keysOf(claims: readonly Claim[], kind: Claim['measure']['kind']): readonly string[] {
  return claims.filter(({ measure }) => measure.kind === kind).map(({ key }) => key);
}
