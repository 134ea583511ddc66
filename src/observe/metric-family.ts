/** What a metric is called, means, and is broken down by: documented from here. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** What the numbers of several workers are as one. Default: their sum. */
  readonly aggregate?: 'sum' | 'min' | 'max';
}

/** One exported number. */
export interface MetricSample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** A number that the hot path increments: a plain property, no labels to look up. */
export interface Cell {
  value: number;
}

/** Stands for every label value that is not known, or came after the bound was reached. */
export const other = '_other';

type Branch<T> = Map<string, Branch<T> | T>;

/**
 * The numbers of one metric, one per combination of label values, at most `most` of them: beyond, all share the
 * combination in which each label is `_other`. Names that peers choose must never decide how much memory is used.
 */
export class Family<T> {
  readonly definition: MetricDefinition;
  readonly #create: () => T;
  readonly #most: number;
  readonly #root: Branch<T> = new Map();
  readonly #entries: { readonly labels: Readonly<Record<string, string>>; readonly cell: T }[] = [];
  #overflow: T | undefined;
  #overflows = 0;

  constructor(definition: MetricDefinition, create: () => T, most = 2000) {
    this.definition = definition;
    this.#create = create;
    this.#most = most;
  }

  /** How often a new combination was turned away. */
  get overflows(): number {
    return this.#overflows;
  }

  get entries(): readonly { readonly labels: Readonly<Record<string, string>>; readonly cell: T }[] {
    return this.#entries;
  }

  /** The cell of these values if it exists already; makes none. */
  peek(...values: readonly string[]): T | undefined {
    let at: Branch<T> | T | undefined = this.#root;
    for (let i = 0; i < values.length; i += 1) {
      at = (at as Branch<T>).get(values[i] as string);
      if (at === undefined) return undefined;
    }
    return at as T;
  }

  /** The cell of these values, in the order of the definition's labels. */
  cell(...values: readonly string[]): T {
    return this.peek(...values) ?? this.#add(values);
  }

  #add(values: readonly string[]): T {
    if (this.#entries.length >= this.#most) {
      this.#overflows += 1;
      this.#overflow ??= this.#enter(values.map(() => other));
      return this.#overflow;
    }
    return this.#enter(values);
  }

  #enter(values: readonly string[]): T {
    const existing = this.peek(...values);
    if (existing !== undefined) return existing;
    const cell = this.#create();
    let at: Branch<T> = this.#root;
    const labels: Record<string, string> = {};
    this.definition.labels.forEach((label, index) => {
      const value = values[index] ?? other;
      labels[label] = value;
      if (index === values.length - 1) {
        at.set(value, cell);
        return;
      }
      let next = at.get(value) as Branch<T> | undefined;
      if (next === undefined) {
        next = new Map();
        at.set(value, next);
      }
      at = next;
    });
    this.#entries.push({ labels, cell });
    return cell;
  }
}

/** Cumulative counts of a distribution. */
export class Distribution {
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at += 1;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += value;
  }

  samples(name: string, labels: Readonly<Record<string, string>>): MetricSample[] {
    const samples: MetricSample[] = [];
    let total = 0;
    for (let i = 0; i <= this.#bounds.length; i += 1) {
      total += this.#counts[i] as number;
      const le = this.#bounds[i] ?? '+Inf';
      samples.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: total });
    }
    samples.push({ metricName: `${name}_sum`, labels, value: this.#sum });
    samples.push({ metricName: `${name}_count`, labels, value: total });
    return samples;
  }
}
