/** The last eighth of what there is, because one caller needs little of it and every other one needs some. */
const keptFromOne = 1 / 8;

/** @returns how many of so many places one caller cannot take. 0 where there are few. */
export function spareOf(places: number): number {
  return Math.floor(places * keptFromOne);
}

/**
 * What all calls of one kind share: how many there are, and how many there may be. One caller may know a call that hangs,
 * and make it until nothing is left: the last places are for others.
 *
 * Holds exactly the callers that have calls under way.
 */
export class Lane {
  readonly most: number;
  readonly #mostOfOne: number;
  readonly #byCaller = new Map<string, number>();
  #busy = 0;

  constructor(most: number) {
    this.most = most;
    this.#mostOfOne = most - spareOf(most);
  }

  get busy(): number {
    return this.#busy;
  }

  /** Calls of one caller; of nobody in particular there are none. */
  of(caller: string | undefined): number {
    return caller === undefined ? 0 : (this.#byCaller.get(caller) ?? 0);
  }

  hasRoom(caller: string | undefined): boolean {
    return this.#busy < this.most && this.of(caller) < this.#mostOfOne;
  }

  enter(caller: string | undefined): void {
    this.#busy += 1;
    if (caller !== undefined) this.#byCaller.set(caller, this.of(caller) + 1);
  }

  /** Once for each that entered. */
  leave(caller: string | undefined): void {
    this.#busy -= 1;
    if (caller === undefined) return;
    const left = this.of(caller) - 1;
    if (left > 0) this.#byCaller.set(caller, left);
    else this.#byCaller.delete(caller);
  }
}
