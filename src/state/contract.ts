/**
 * What several processes of one gateway must know together, beside limits: that a proof was used, that a question was
 * asked. Small values, each with an end.
 *
 * Keys may hold names in the clear; a store outside this process gets a MAC of them, and values sealed.
 */

/** Whose keys these are: no user of the store sees another's. */
export const stateSpaces = ['dpop', 'question', 'task', 'request', 'hold'] as const;

export type StateSpace = (typeof stateSpaces)[number];

export interface SharedState {
  /**
   * Adds a key that must be new.
   *
   * @param ttlMs milliseconds until the key may be forgotten
   * @param agoMs milliseconds since the earliest moment at which it may have been added before. Default 0
   * @returns `new`; `known`; `forgotten` where the memory was emptied after that moment; `full` where no room is left for
   *   it, or nobody can be asked. The caller takes none but `new`
   */
  once(space: StateSpace, key: string, ttlMs: number, agoMs?: number): Once | Promise<Once>;
  /** Remembers a value, in place of an earlier one. @returns false where it could not be kept */
  put(space: StateSpace, key: string, value: string, ttlMs: number): boolean | Promise<boolean>;
  /** @returns undefined where nothing is known, or nobody can be asked */
  get(space: StateSpace, key: string): string | undefined | Promise<string | undefined>;
  /**
   * As `get`, for those to whom it is not the same that nothing is known and that nobody can tell.
   *
   * @param keptMs milliseconds for which it would be kept: a memory that was emptied less long ago, while this process
   *   ran, cannot say that nothing was there. Default 0
   */
  look(space: StateSpace, key: string, keptMs?: number): Looked | Promise<Looked>;
  /** Reads and forgets in one step: of several that take, one gets the value. */
  take(space: StateSpace, key: string): string | undefined | Promise<string | undefined>;
  forget(space: StateSpace, key: string): void;
  /** Whether other processes see what is put here. */
  readonly shared: boolean;
  close(): Promise<void> | void;
}

export type Once = 'new' | 'known' | 'forgotten' | 'full';

export type Looked = { readonly value: string | undefined } | 'lost';
