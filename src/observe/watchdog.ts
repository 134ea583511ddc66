/** Calls back where something that was begun shows no progress for too long. */
export class Watchdog {
  readonly #patience: number;
  readonly #bark: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param patience milliseconds without progress */
  constructor(patience: number, bark: () => void) {
    this.#patience = patience;
    this.#bark = bark;
  }

  /** Something began, or got on: the time runs from now. */
  feed(): void {
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#bark();
      }, this.#patience);
      this.#timer.unref();
    } else {
      this.#timer.refresh();
    }
  }

  /** Nothing is under way any more. */
  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
