import type { Exchange } from '../pipeline/exchange.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { MemoryLimits } from './options.ts';
import { OwnedMap } from './owned-map.ts';
import { ownerOf } from './task-book.ts';

/**
 * Elicitations by URL that a server put to a client (2025-11-25), by the server's id. It tells the end of one by that id
 * alone, to whoever listens: only the client that was asked is told.
 */
export interface Elicitations {
  /** Params of a question, or the data of an error that asks to open URLs. */
  learn(carrier: JsonValue | undefined, exchange: Exchange): void;
  /** Whether this client was asked. Once: what is over does not end again. */
  take(id: JsonValue | undefined, exchange: Exchange): boolean;
  readonly size: number;
}

/** UTF-16 units of an id. 512: fourteen times a UUID. */
export const longestElicitationId = 512;

/**
 * Of one client and server: times as many as may be open in one session. When there are too many, the oldest is
 * forgotten: its end is not told, and clients must not rely on that anyway.
 */
const sessionsPerOwner = 16;

/** @param learnt told of each, for other processes */
export function createElicitations(
  limits: Pick<MemoryLimits, 'questions' | 'questionsPerSession' | 'questionAge'>,
  monotonic: () => number,
  learnt: (owner: string, id: string) => void = () => undefined,
): Elicitations {
  /** When each is forgotten. */
  const open = new OwnedMap<number>(limits.questions, limits.questionsPerSession * sessionsPerOwner);

  const learnOne = (params: JsonObject, exchange: Exchange): void => {
    const id = own(params, 'elicitationId');
    if (typeof id !== 'string' || id.length > longestElicitationId) return;
    open.set(ownerOf(exchange), id, monotonic() + limits.questionAge);
    learnt(ownerOf(exchange), id);
  };
  return {
    learn(carrier, exchange) {
      if (!isJsonObject(carrier)) return;
      learnOne(carrier, exchange);
      const several = own(carrier, 'elicitations');
      if (!Array.isArray(several)) return;
      for (const params of several as readonly JsonValue[]) {
        if (isJsonObject(params)) learnOne(params, exchange);
      }
    },
    take(id, exchange) {
      if (typeof id !== 'string' || id.length > longestElicitationId) return false;
      const expiresAt = open.get(ownerOf(exchange), id);
      open.delete(ownerOf(exchange), id);
      return expiresAt !== undefined && expiresAt > monotonic();
    },
    get size() {
      return open.size;
    },
  };
}
