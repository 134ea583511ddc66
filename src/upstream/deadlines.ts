/** Something that can run out of time. */
export interface Expiring {
  /** Called at every tick with the monotonic time in milliseconds. */
  checkTime(now: number): void;
}

/** 50ms: fine beside time-outs of seconds, and twenty wake-ups a second cost nothing. */
export const defaultResolutionMs = 50;

/**
 * One timer for all calls of an upstream, in place of two or three per call.
 *
 * A time-out is never early, and late by up to two ticks. The timer runs only while something waits, and never
 * keeps the process alive. Bounded by its users: the calls that it holds are capped where they begin.
 */
export class Deadlines {
  readonly #resolutionMs: number;
  readonly #entries = new Set<Expiring>();
  #timer: NodeJS.Timeout | undefined;
  #lastTick = 0;

  constructor(resolutionMs: number) {
    this.#resolutionMs = resolutionMs;
  }

  add(entry: Expiring): void {
    this.#entries.add(entry);
    if (this.#timer === undefined) {
      this.#lastTick = performance.now();
      this.#timer = setInterval(() => this.#tick(), this.#resolutionMs);
      this.#timer.unref();
    }
  }

  delete(entry: Expiring): void {
    // The timer stays until a tick finds nothing to do: starting one for every call is what this class avoids.
    this.#entries.delete(entry);
  }

  #tick(): void {
    if (this.#entries.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const now = performance.now();
    const stalled = now - this.#lastTick > 10 * this.#resolutionMs;
    this.#lastTick = now;
    if (stalled) {
      // Timers run before sockets are read. After a stall of this process the answers may be waiting unread:
      // judging now would blame the upstream for it.
      return;
    }
    for (const entry of this.#entries) {
      entry.checkTime(now);
    }
  }
}
