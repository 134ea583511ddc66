/**
 * What several processes of one gateway must know together, beside limits: that a proof was used, that a question was
 * asked. Small values, each with an end.
 *
 * Keys may hold names in the clear; a store outside this process gets a MAC of them, and values sealed.
 */

/** Whose keys these are: no user of the store sees another's. */
export type StateSpace = 'dpop' | 'question' | 'task' | 'request' | 'hold';

export interface SharedState {
  /**
   * Adds a key that must be new.
   *
   * @param ttlMs milliseconds until the key may be forgotten
   * @returns `new`; `known`; `full` where no room is left for it, or nobody can be asked: the caller refuses
   */
  once(space: StateSpace, key: string, ttlMs: number): Once | Promise<Once>;
  /** Remembers a value, in place of an earlier one. @returns false where it could not be kept */
  put(space: StateSpace, key: string, value: string, ttlMs: number): boolean | Promise<boolean>;
  /** @returns undefined where nothing is known, or nobody can be asked */
  get(space: StateSpace, key: string): string | undefined | Promise<string | undefined>;
  /** As `get`, for those to whom it is not the same that nothing is known and that nobody can be asked. */
  look(space: StateSpace, key: string): Looked | Promise<Looked>;
  /** Reads and forgets in one step: of several that take, one gets the value. */
  take(space: StateSpace, key: string): string | undefined | Promise<string | undefined>;
  forget(space: StateSpace, key: string): void;
  /** Whether other processes see what is put here. */
  readonly shared: boolean;
  close(): Promise<void> | void;
}

export type Once = 'new' | 'known' | 'full';

export type Looked = { readonly value: string | undefined } | 'lost';
