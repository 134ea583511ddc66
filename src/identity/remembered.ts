/** How long something is believed that an issuer publishes. */
export interface RememberOptions {
  /** Milliseconds after which it is looked at again, while what is known serves on. */
  readonly refreshInterval: number;
  /** Least milliseconds between the beginnings of two looks. */
  readonly cooldown: number;
  /** Milliseconds after which what could not be confirmed is no longer believed. */
  readonly maxStale: number;
}

/** Something that an issuer publishes, as it was last seen. The clock is the caller's. */
export interface Remembered<Value> {
  /** What may be believed at `time`; undefined where there is nothing, or it is too old. Never waits. */
  current(time: number): Value | undefined;
  /** As `current`, but looks first where there is nothing, or it is older than the interval. */
  fresh(time: number): Promise<Value | undefined>;
  /** Looks. Calls at the same time share one look, and calls within the cool-down of the last one change nothing. */
  refresh(time: number): Promise<void>;
  /** Looks now. @throws Error when that fails; what was known then stays */
  reload(): Promise<void>;
  close(): void;
}

/**
 * Remembers what `load` finds. Nothing is loaded before somebody asks.
 *
 * @param load gives back `previous` itself where nothing changed: whoever compares then sees the same object
 */
export function remember<Value extends object>(
  options: RememberOptions,
  load: (about: {
    readonly time: number;
    readonly signal: AbortSignal;
    readonly previous: Value | undefined;
  }) => Promise<Value>,
): Remembered<Value> {
  const closing = new AbortController();
  let known: { readonly value: Value; readonly at: number } | undefined;
  let lastAttempt: number | undefined;
  let lastTime = 0;
  let running: Promise<void> | undefined;

  function look(time: number): Promise<void> {
    running ??= loadOnce(time).finally(() => {
      running = undefined;
    });
    return running;
  }

  async function loadOnce(time: number): Promise<void> {
    lastAttempt = time;
    const value = await load({ time, signal: closing.signal, previous: known?.value });
    known = { value, at: time };
  }

  function refresh(time: number): Promise<void> {
    lastTime = time;
    if (running === undefined && lastAttempt !== undefined) {
      const elapsed = time - lastAttempt;
      // A clock that was set back must not stop looks until it has caught up.
      if (elapsed >= 0 && elapsed < options.cooldown) return Promise.resolve();
    }
    // The failure is not the caller's: it finds nothing, and says so.
    return look(time).catch(() => {});
  }

  function isDue(time: number): boolean {
    return known === undefined || time - known.at >= options.refreshInterval || time < known.at;
  }

  function believed(time: number): Value | undefined {
    return known !== undefined && time - known.at < options.maxStale ? known.value : undefined;
  }

  return {
    current(time) {
      lastTime = time;
      if (known !== undefined && isDue(time)) void refresh(time);
      return believed(time);
    },
    async fresh(time) {
      if (isDue(time)) await refresh(time);
      return believed(time);
    },
    refresh,
    async reload() {
      // One that is under way may have been answered before what this one is for.
      await running?.catch(() => {});
      await look(lastTime);
    },
    close() {
      closing.abort();
    },
  };
}
