import type { Comprehension, Evaluate, Node } from './node.ts';
import type { Tally } from './to-cel.ts';

/**
 * What one test may do inside of `all`, `exists`, `map` and their kin, in node evaluations, more where texts or lists
 * are long. 100,000, because that many take some ten milliseconds, and a list of a thousand under twenty operators a
 * fifth of them.
 */
const mostWork = 100_000;

/** Texts and lists beyond so many units cost their multiple: the work on them is linear. */
const unit = 1_024;

/** What a round that fails costs beside: errors are a hundred times as dear as what works. */
const failure = 500;

const exhausted = new RangeError('the expression takes too many steps');

/**
 * Bounds the work of one test. Loops within loops over a stranger's lists would otherwise multiply.
 *
 * One evaluation at a time: tests are synchronous.
 */
export class Meter {
  #left = 0;
  #largest = 0;
  #hasLoops = false;

  start(tally: Tally): void {
    this.#left = mostWork;
    this.#largest = tally.largest;
  }

  /** A test that ran out is unknown, also where `||` or a quantifier swallowed the error. */
  get exhausted(): boolean {
    return this.#left < 0;
  }

  /** Whether any loop is charged here: what has none takes a few steps, whatever its values are. */
  get hasLoops(): boolean {
    return this.#hasLoops;
  }

  /** Has all rounds of a loop paid for before its first. @param weight nodes that a round evaluates */
  chargeLoop(loop: Node, weight: number): void {
    this.#hasLoops = true;
    const { iterable, step } = loop.args as Comprehension;
    const charged: Evaluate = (run, self, context) => {
      const items = run.run(iterable, context);
      this.spend(sizeOf(items) * weight * (1 + Math.floor(this.#largest / unit)));
      return self.handle!(items, self.args, run, context);
    };
    loop.setMeta('evaluate', charged);
    const round = step.meta.evaluate;
    const watched: Evaluate = (run, self, context) => {
      try {
        return round(run, self, context);
      } catch (error) {
        this.spend(failure);
        throw error;
      }
    };
    step.setMeta('evaluate', watched);
  }

  /** Notes the size of what a node makes: texts and lists can grow beyond what came in. */
  weighResult(node: Node): void {
    const evaluate = node.meta.evaluate;
    const weighed: Evaluate = (run, self, context) => {
      const result = evaluate(run, self, context);
      if (typeof result === 'string' || Array.isArray(result)) {
        if (result.length > this.#largest) this.#largest = result.length;
        this.spend(Math.floor(result.length / unit));
      }
      return result;
    };
    node.setMeta('evaluate', weighed);
  }

  /** @throws RangeError where nothing is left */
  readonly spend = (work: number): void => {
    this.#left -= work;
    if (this.#left < 0) throw exhausted;
  };
}

function sizeOf(items: unknown): number {
  if (Array.isArray(items)) return items.length;
  if (items instanceof Map) return items.size;
  return typeof items === 'object' && items !== null ? Object.keys(items).length : 0;
}
