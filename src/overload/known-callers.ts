/** What a caller showed of itself in a request, and what it was found to be worth. */
export interface KnownCaller<Worth> {
  readonly authorization: string | undefined;
  readonly apiKey: string | undefined;
  readonly worth: Worth;
}

/** 8 KiB, because no credential of an honest caller is longer, and one is held for each open connection. */
const longestCredential = 8192;

/**
 * Remembers of each connection who was identified on it last, so that the next request of the same caller can be judged
 * without identifying it again.
 *
 * A connection may bring many callers: what comes from a proxy does. So a request counts as the caller's only if it shows
 * the very credentials that were found to be its own on this very connection (whose certificate does not change); any other
 * is identified first. Holds one caller for each connection, and goes with it.
 */
export class KnownCallers<Worth> {
  readonly #byConnection = new WeakMap<object, KnownCaller<Worth>>();

  note(connection: object, caller: KnownCaller<Worth>): void {
    const length = (caller.authorization?.length ?? 0) + (caller.apiKey?.length ?? 0);
    if (length <= longestCredential) this.#byConnection.set(connection, caller);
  }

  /** What the caller of a request is worth; undefined where it is not the one that is known. */
  worthOf(
    connection: object,
    shown: Pick<KnownCaller<Worth>, 'authorization' | 'apiKey'>,
  ): Worth | undefined {
    const known = this.#byConnection.get(connection);
    return known !== undefined && known.authorization === shown.authorization && known.apiKey === shown.apiKey
      ? known.worth
      : undefined;
  }

  /** Whether anything is known of a connection: what is not need not be read for its credentials. */
  knows(connection: object): boolean {
    return this.#byConnection.has(connection);
  }
}
