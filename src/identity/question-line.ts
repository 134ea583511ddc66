/** A line in front of an issuer. */
export interface QuestionLine {
  /** @returns whether there was a place; who has one must {@link leave} */
  enter(known: boolean): Promise<boolean>;
  leave(): void;
}

/**
 * Lets `most` in at one time. `waiting` of those who are known wait for it, and as many of those who are not; the rest is
 * turned away. Whoever is known goes first: strangers can make up as many tokens as they like, and must not keep those
 * out whose tokens were good a moment ago.
 */
export function createQuestionLine(most: number, waiting: number): QuestionLine {
  const queues = { known: [] as (() => void)[], strangers: [] as (() => void)[] };
  let inside = 0;
  return {
    enter(known) {
      if (inside < most) {
        inside += 1;
        return Promise.resolve(true);
      }
      const queue = known ? queues.known : queues.strangers;
      if (queue.length >= waiting) return Promise.resolve(false);
      return new Promise((resolve) => queue.push(() => resolve(true)));
    },
    leave() {
      // Whoever waits takes the place over: the number inside stays.
      const next = queues.known.shift() ?? queues.strangers.shift();
      if (next === undefined) inside -= 1;
      else next();
    },
  };
}
