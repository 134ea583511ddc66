import type { Claim, Left, Refused, StoreEvent, Taken } from '../limits/contract.ts';
import { createDenialCache } from '../limits/denial-cache.ts';
import { StoreFault } from '../limits/store-fault.ts';
import type { SharedCounts } from '../limits/store-loss.ts';
import { type Line, LineLost } from './line.ts';

/** A refusal, with the place of its claim in what was asked: claims travel once. */
interface SentRefusal {
  readonly at: number;
  readonly retryAfterMs: number | undefined;
}

type SentLeft = Omit<Left, 'claim'> & { readonly at: number };

/** What the primary answers to `limits.take`. */
export type SentTaken =
  | {
      readonly ok: true;
      readonly shadow: readonly SentRefusal[];
      readonly left: readonly SentLeft[];
      readonly held: readonly number[];
    }
  | { readonly ok: false; readonly refused: readonly SentRefusal[]; readonly shadow: readonly SentRefusal[] }
  | { readonly ok: false; readonly unavailable: 'full' | 'lost'; readonly limit: string };

export interface IpcLimitStoreDeps {
  readonly line: Line;
  /** Milliseconds to wait for the primary. */
  readonly timeoutMs: number;
  report(event: StoreEvent): void;
}

/** 10,000 callers may flood at once: a few megabytes. Beyond them the primary is asked. */
const mostRemembered = 10_000;

/**
 * Limits as the primary counts them, for one of its workers. What refused a moment ago and must refuse still is
 * remembered here, so that one caller's flood does not become a flood of questions to the primary.
 *
 * `take` rejects with a StoreFault where the primary does not answer; limits/store-loss.ts stands in front of it.
 */
export function createIpcLimitStore({ line, timeoutMs, report }: IpcLimitStoreDeps): SharedCounts {
  const denials = createDenialCache(mostRemembered);

  const known = (claims: readonly Claim[], nowUs: number): Refused | undefined => {
    for (const claim of claims) {
      const refused = claim.enforced ? denials.find(claim, nowUs) : undefined;
      if (refused !== undefined) return refused;
    }
    return undefined;
  };

  async function ask(claims: readonly Claim[], holder: string, askedAtUs: number): Promise<Taken> {
    let sent: SentTaken;
    try {
      sent = (await line.ask('limits.take', [claims, holder], timeoutMs)) as SentTaken;
    } catch (cause) {
      // It may have been charged all the same: nobody here will give back what nobody here knows of.
      const wasSent = cause instanceof LineLost && (cause.why === 'timeout' || cause.why === 'failed');
      if (wasSent && claims.some(({ measure }) => measure.kind === 'places'))
        line.tell('limits.release', [holder]);
      throw new StoreFault('lost', 'the primary does not answer', { cause });
    }
    const taken = received(sent, claims);
    if ('unavailable' in taken) {
      if (taken.unavailable === 'full') report({ kind: 'full', limit: taken.limit });
      return taken;
    }
    if (taken.ok) return taken;
    for (const { claim, retryAfterMs } of taken.refused) {
      // The primary rounded up to whole milliseconds: less than one of them too long.
      if (retryAfterMs !== undefined) denials.note(claim, (retryAfterMs - 1) * 1000, askedAtUs);
    }
    return taken;
  }

  return {
    peek: known,
    take(claims, holder, nowUs) {
      if (claims.length === 0) return { ok: true, shadow: [], left: [], held: [] };
      const refused = known(claims, nowUs);
      if (refused !== undefined) return { ok: false, refused: [refused], shadow: [] };
      return ask(claims, holder, nowUs);
    },
    release(held, holder) {
      if (held.length > 0) line.tell('limits.release', [holder]);
    },
    async probe() {
      await line.ask('limits.probe', undefined, timeoutMs).catch((cause: unknown) => {
        throw new StoreFault('lost', 'the primary does not answer', { cause });
      });
    },
    get size() {
      return denials.size;
    },
    close: () => undefined,
  };
}

function received(sent: SentTaken, claims: readonly Claim[]): Taken {
  const refusal = ({ at, retryAfterMs }: SentRefusal): Refused => ({ claim: claims[at]!, retryAfterMs });
  if ('unavailable' in sent) return sent;
  const shadow = sent.shadow.map(refusal);
  if (!sent.ok) return { ok: false, refused: sent.refused.map(refusal), shadow };
  return {
    ok: true,
    shadow,
    left: sent.left.map(({ at, ...rest }) => ({ ...rest, claim: claims[at]! })),
    held: sent.held.map((at) => claims[at]!),
  };
}
