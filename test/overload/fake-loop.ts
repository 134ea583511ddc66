import { AdmissionQueue } from '../../src/overload/admission-queue.ts';

/** Turns of an event loop whose clock goes on only where somebody works. */
export class FakeLoop {
  now = 1000;
  readonly queue: AdmissionQueue;
  #immediates: (() => void)[] = [];

  constructor() {
    this.queue = new AdmissionQueue({
      clock: () => this.now,
      afterThisTurn: (run) => {
        this.#immediates.push(run);
      },
    });
  }

  /** Whether it would go on without anything that comes. */
  get isIdle(): boolean {
    return this.#immediates.length === 0;
  }

  work(ms: number): void {
    this.now += ms;
  }

  /** One turn: reads what has come, and then calls what was to be called after that, as Node does: what they ask for is the next turn's. */
  turn(read: () => void = () => undefined): void {
    read();
    const due = this.#immediates;
    this.#immediates = [];
    for (const run of due) run();
  }

  /** Turns until nobody waits. @throws where that takes more than so many */
  finish(most = 10_000): void {
    for (let turns = 0; !this.isIdle; turns += 1) {
      if (turns > most) throw new Error('it does not come to an end');
      this.turn();
    }
  }
}
