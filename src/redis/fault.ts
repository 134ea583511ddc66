import { StoreFault } from '../limits/store-fault.ts';

/** What a script of the gateway says of a value that it did not write. */
export const strangeValue = 'SALLYPORTVALUE';

/**
 * The fault behind what the client threw or the server answered. The first word of an error of the server is its code
 * (`WRONGTYPE`, `OOM`, `READONLY`, `LOADING`, `BUSY`, `NOPERM`, `MOVED`); the rest may quote commands and keys and is
 * cut short.
 */
export function faultOf(error: unknown): StoreFault {
  if (error instanceof StoreFault) return error;
  const text = error instanceof Error ? error.message : String(error);
  const foreign = text.includes('WRONGTYPE') || text.includes(strangeValue);
  return foreign
    ? new StoreFault('key', 'a key of the store holds what the gateway did not write', { cause: error })
    : new StoreFault('lost', text.slice(0, 200), { cause: error });
}
