import { formatPath, type SchemaFault } from './fault.ts';

/** What the schema said of one object or list so far. Kept only where something asks. */
export interface Evaluated {
  /** Members that a subschema names: by `properties` or `patternProperties`. */
  readonly names: Set<string>;
  /** A subschema constrains all other members too. */
  rest: boolean;
  /** A subschema lets all other members be. */
  open: boolean;
  /** The alternative that holds is an object of any shape. */
  free: boolean;
  /** Entries from the start that a subschema looked at. */
  items: number;
  /** Entries that `contains` found. */
  readonly found: Set<number>;
}

export function nothingEvaluated(): Evaluated {
  return { names: new Set(), rest: false, open: false, free: false, items: 0, found: new Set() };
}

export function mergeEvaluated(into: Evaluated, from: Evaluated): void {
  for (const name of from.names) into.names.add(name);
  into.rest ||= from.rest;
  into.open ||= from.open;
  into.free ||= from.free;
  into.items = Math.max(into.items, from.items);
  for (const index of from.found) into.found.add(index);
}

/** Thrown where judging has cost all that it may. */
export const spent: unique symbol = Symbol('spent');

/** One judging of one value: what it may still cost, where it is, and what it found first. */
export class Run {
  private left: number;
  private readonly path: (string | number)[] = [];
  /** Inside something whose failure is no fault yet: an alternative, a condition. */
  private trials = 0;
  fault: SchemaFault | undefined;
  /** Names beyond the schema that are let through; undefined where unknown names are not looked for. */
  named: ReadonlySet<string> | undefined;
  /** The first name that nothing in the schema names. */
  unknown: string | undefined;

  constructor(steps: number, named?: ReadonlySet<string>) {
    this.left = steps;
    this.named = named;
  }

  charge(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw spent;
  }

  /** Always false, so that a check can end with it. The first fault counts. */
  fail(keyword: string, member?: string): false {
    if (this.trials === 0 && this.fault === undefined) {
      this.fault = { path: formatPath(member === undefined ? this.path : [...this.path, member]), keyword };
    }
    return false;
  }

  enter(step: string | number): void {
    this.path.push(step);
  }

  leave(): void {
    this.path.pop();
  }

  /** Whether something holds, without a fault where it does not. */
  attempt(holds: () => boolean): boolean {
    this.trials += 1;
    const held = holds();
    this.trials -= 1;
    return held;
  }

  /** As {@link attempt}, and without looking for unknown names: a condition asks what a value is, not what it may be. */
  ask(holds: () => boolean): boolean {
    const { named } = this;
    this.named = undefined;
    const held = this.attempt(holds);
    this.named = named;
    return held;
  }

  /** Whether a name that the schema does not know is let through all the same. Notes it where it is not. */
  letsThrough(name: string): boolean {
    const steps = [...this.path, name];
    if (this.named?.has(this.path.length === 0 ? name : formatPath(steps))) return true;
    if (this.named?.has(formatPath(steps).replace(/\[\d+\]/g, '[*]'))) return true;
    this.unknown ??= formatPath(steps);
    return false;
  }
}
