import { GatewayError } from '../errors.ts';
import type { LimitStore, Refused, Taken } from '../limits/contract.ts';
import { tellsMore } from '../limits/worst.ts';
import type { Frame } from '../mcp/frame.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import type { FilterEvent } from './deps.ts';
import { claimsOf, type LimitClaim, type Reckoning, reckon } from './limit-claims.ts';
import { namesHidden } from './may-see.ts';
import { fieldsOfLeft, fieldsOfRefusal } from './rate-limit-fields.ts';

export interface LimitDeps {
  readonly store: LimitStore;
  /** Whether answers tell callers what is left of their own limits. */
  readonly fields: boolean;
  report(event: FilterEvent): void;
}

/** What became of the limits of one exchange. */
interface Course {
  /** The limits that count the frame as it was seen last. */
  reckoning: Reckoning;
  /** `foreseen`: not taken yet, and charged at the end as a frame that was refused. `settled`: nothing is left to charge. */
  stage: 'foreseen' | 'taking' | 'settled';
  held: Extract<Taken, { ok: true }>['held'];
  /** The exchange ended while the store was still being asked. */
  ended: boolean;
}

/**
 * The policy's limits, in two places of the list.
 *
 * `early` refuses what is known here and now to be refused, before anything is worked out for it. `late`, after all that
 * may refuse or rewrite, takes everything that the call counts for in one step, by what will be sent. A frame that
 * something in between refused is charged its rates and quotas when its exchange ends, so that trying costs what calling
 * costs: each exchange is charged once at most.
 */
export function limits(deps: LimitDeps): { readonly early: Filter; readonly late: Filter } {
  const courses = new WeakMap<Exchange, Course>();
  const { store } = deps;

  const early: Filter = {
    name: 'limits-early',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      const reckoning = reckon(frame, exchange);
      if (reckoning.limits.length === 0) return pass;
      const course: Course = { reckoning, stage: 'foreseen', held: none, ended: false };
      courses.set(exchange, course);
      note(reckoning, exchange);
      const { claims } = claimsOf(reckoning, 'least');
      const refused = store.peek(claims, nowUsOf(exchange), exchange.time);
      if (refused === undefined) return pass;
      course.stage = 'settled';
      return refuse(worstToTell(refused, reckoning, exchange), claims, reckoning, frame, exchange);
    },
  };

  const late: Filter = {
    name: 'limits',
    toUpstream(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      const known = courses.get(exchange);
      const reckoning = reckon(frame, exchange, known?.reckoning);
      if (reckoning.limits.length === 0) return pass;
      const course = known ?? { reckoning, stage: 'foreseen', held: none, ended: false };
      if (known === undefined) courses.set(exchange, course);
      if (known?.reckoning !== reckoning) {
        course.reckoning = reckoning;
        note(reckoning, exchange);
      }
      const { claims, unmeasured } = claimsOf(reckoning, 'judged');
      for (const { name, mode } of unmeasured) {
        if (mode === 'enforce') {
          exchange.facts.limitedBy = name;
          return reject(new GatewayError('cost-unknown', { data: { limit: name } }));
        }
        deps.report({ kind: 'shadow-limit', limit: name, upstream: exchange.upstream });
      }
      if (claims.length === 0) {
        course.stage = 'settled';
        return pass;
      }
      course.stage = 'taking';
      const taking = store.take(claims, exchange.id, nowUsOf(exchange), exchange.time);
      if (!(taking instanceof Promise)) return settle(taking, course, claims, frame, exchange);
      return taking.then((taken) => settle(taken, course, claims, frame, exchange));
    },
    end(exchange: Exchange): void {
      const course = courses.get(exchange);
      if (course === undefined) return;
      // Forgotten first, so that a second call could not give back what somebody else has taken since.
      courses.delete(exchange);
      course.ended = true;
      if (course.held.length > 0) store.release(course.held, exchange.id);
      if (course.stage === 'foreseen') chargeRefused(course.reckoning, exchange);
    },
  };
  return { early, late };

  function settle(
    taken: Taken,
    course: Course,
    claims: readonly LimitClaim[],
    frame: Frame,
    exchange: Exchange,
  ): Verdict {
    course.stage = 'settled';
    if (course.ended) {
      // Nobody is left to give the places back later.
      if (taken.ok && taken.held.length > 0) store.release(taken.held, exchange.id);
      return reject(
        new GatewayError('internal', { cause: 'the exchange ended before its limits were taken' }),
      );
    }
    if ('unavailable' in taken) return refuseUncounted(taken, exchange);
    if (taken.shadow.length > 0) reportShadow(taken.shadow, exchange);
    if (!taken.ok) return refuse(worstOf(taken.refused), claims, course.reckoning, frame, exchange);
    course.held = taken.held;
    if (deps.fields) Object.assign(exchange.facts.replyHeaders, fieldsOfLeft(taken.left, claims));
    return pass;
  }

  function reportShadow(shadow: readonly Refused[], { upstream }: Exchange): void {
    const told = new Set(shadow.map(({ claim }) => claim.limit));
    for (const limit of told) deps.report({ kind: 'shadow-limit', limit, upstream });
  }

  /**
   * What the least that a frame can cost is refused for ends sooner than what the frame does cost, and its budgets have
   * times of their own: a caller who comes back when it was told to must not be refused once more.
   */
  function worstToTell(refused: Refused, reckoning: Reckoning, exchange: Exchange): Refused {
    const { claims } = claimsOf(reckoning, 'told');
    const worst = store.peek(claims, nowUsOf(exchange), exchange.time);
    // What is too dear as it came may still be cut to what fits.
    return worst?.retryAfterMs === undefined || !tellsMore(worst, refused) ? refused : worst;
  }

  function refuse(
    refused: Refused,
    claims: readonly LimitClaim[],
    { targets }: Reckoning,
    frame: Frame,
    exchange: Exchange,
  ): Verdict {
    const { claim, retryAfterMs } = refused;
    const { limit } = claim;
    exchange.facts.limitedBy = limit;
    // Nothing has been decided about the target yet where this is early; the record tells what was asked for all the same.
    const [target, ...others] = targets;
    if (target !== undefined && others.length === 0) {
      exchange.facts.target ??= { kind: target.kind, name: target.name };
    }
    // A limit that names what the caller may not see would show by its own words that it exists.
    if (namesHidden(frame, exchange)) return reject(new GatewayError('denied', { cause: 'a limit' }));
    const headers = {
      ...(deps.fields ? fieldsOfRefusal(refused, claims) : {}),
      // Only what has no id is answered 429; an answer of 200 has nothing to be retried.
      ...(retryAfterMs === undefined || frame.kind === 'request'
        ? {}
        : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1000))) }),
    };
    return reject(
      new GatewayError(codeOf(refused), {
        data: { limit, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) },
        headers,
      }),
    );
  }

  function refuseUncounted(taken: Extract<Taken, { unavailable: string }>, exchange: Exchange): Verdict {
    const { limit, unavailable } = taken;
    exchange.facts.limitedBy = limit;
    if (unavailable === 'lost') return reject(new GatewayError('limits-unavailable'));
    deps.report({ kind: 'limit-store-full', limit, upstream: exchange.upstream });
    return reject(new GatewayError('overloaded', { cause: 'no room for the counts of a limit' }));
  }

  /** Nobody waits for this, and nobody is told: the frame was refused for another reason. */
  function chargeRefused(known: Reckoning, exchange: Exchange): void {
    const take = (claims: readonly LimitClaim[]) =>
      store.take(claims, exchange.id, nowUsOf(exchange), exchange.time);
    const reckoning = reckon(exchange.request, exchange, known);
    const { claims } = claimsOf(reckoning, 'refused');
    if (claims.length === 0) return;
    // What does not fit whole is charged the least, or the dearest tries would be free.
    const chargeLeast = (taken: Taken): void => {
      if ('unavailable' in taken || taken.shadow.length === 0) return;
      const over = new Set(taken.shadow.map(({ claim }) => claim.key));
      const least = claimsOf(reckoning, 'least').claims;
      const again = least
        .filter(
          ({ key, amount }) => over.has(key) && claims.some((one) => one.key === key && one.amount > amount),
        )
        .map((claim) => ({ ...claim, enforced: false }));
      if (again.length > 0) void take(again);
    };
    const taking = take(claims);
    if (taking instanceof Promise) void taking.then(chargeLeast);
    else chargeLeast(taking);
  }
}

function nowUsOf(exchange: Exchange): number {
  return Math.floor(exchange.startedAt * 1000);
}

const none: readonly never[] = Object.freeze([]);

function note({ limits }: Reckoning, exchange: Exchange): void {
  const known = exchange.facts.limits;
  for (const { name } of limits) if (!known.includes(name)) known.push(name);
}

function worstOf(refused: readonly Refused[]): Refused {
  return refused.reduce((worst, one) => (tellsMore(one, worst) ? one : worst));
}

function codeOf({ claim, retryAfterMs }: Refused) {
  switch (claim.measure.kind) {
    case 'places':
      return 'concurrency-limited';
    case 'rate':
      return retryAfterMs === undefined ? 'cost-too-high' : 'rate-limited';
    case 'window':
      return retryAfterMs === undefined ? 'cost-too-high' : 'quota-exhausted';
  }
}
