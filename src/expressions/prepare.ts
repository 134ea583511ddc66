import {
  createMatches,
  macros,
  ownFunctions,
  plainFunctions,
  requireComparable,
  requirePossibleMember,
  type Stand,
  typeNames,
} from './functions.ts';
import type { Meter } from './meter.ts';
import type { Comprehension, Evaluate, Node } from './node.ts';
import { mixingArithmetic } from './number-arithmetic.ts';
import { memberOf, noReads, type Reads } from './reads.ts';

/** Loops within loops. 2 lets every element of one list be compared with every one of another. */
const deepestLoops = 2;

/** An expression that is valid CEL, but not one that this gateway evaluates. */
export class Unsuitable extends Error {}

/**
 * Walks a checked expression once: finds out what it reads, refuses what it may not use, puts this room's functions
 * into their places, and has its loops counted.
 *
 * @param options.more functions that this expression may use beside those of all
 * @param options.mixesNumbers whether arithmetic takes numbers of all kinds
 * @throws Unsuitable
 */
export function prepare(
  root: Node,
  variables: readonly string[],
  meter: Meter,
  options: PrepareOptions = {},
): ReadonlyMap<string, Reads> {
  const reads = new Map(variables.map((name) => [name, noReads()]));
  new Walk(reads, meter, options).visit(root, []);
  return reads;
}

export interface PrepareOptions {
  readonly more?: ReadonlyMap<string, Stand> | undefined;
  readonly mixesNumbers?: boolean;
}

class Walk {
  readonly #reads: ReadonlyMap<string, Reads>;
  readonly #meter: Meter;
  readonly #more: ReadonlyMap<string, Stand>;
  readonly #mixesNumbers: boolean;
  #loops = 0;

  constructor(reads: ReadonlyMap<string, Reads>, meter: Meter, options: PrepareOptions) {
    this.#reads = reads;
    this.#meter = meter;
    this.#more = options.more ?? new Map();
    this.#mixesNumbers = options.mixesNumbers === true;
  }

  /**
   * @param bound iteration variables in scope: they hide the variables of the same name
   * @returns how many nodes there are, without the rounds of loops inside
   */
  visit(node: Node, bound: readonly string[]): number {
    switch (node.op) {
      case 'value':
        if (node.args instanceof Uint8Array) throw new Unsuitable('bytes are not supported');
        return 1;
      case 'id':
      case '.':
      case '[]':
        return this.#access(node, bound);
      case 'call':
      case 'rcall':
        return this.#call(node, bound);
      case 'map':
        return this.#all((node.args as readonly (readonly [Node, Node])[]).flat(), bound);
      case '!_':
      case '-_':
        return 1 + this.visit(node.args as Node, bound);
      case 'accuPush':
        return 1 + this.visit(node.args as Node, bound);
      case 'accuValue':
      case 'accuInc':
        return 1;
      case '+':
        if (this.#mixesNumbers) mixNumbers(node);
        this.#meter.weighResult(node);
        return this.#all(node.args as readonly Node[], bound);
      case '==':
      case '!=':
        guard(node, requireComparable);
        return this.#all(node.args as readonly Node[], bound);
      case 'in':
        guard(node, requirePossibleMember);
        return this.#all(node.args as readonly Node[], bound);
      case 'list':
      case '?:':
      case '||':
      case '&&':
      case '<':
      case '<=':
      case '>':
      case '>=':
      case '%':
        return this.#all(node.args as readonly Node[], bound);
      case '-':
      case '*':
      case '/':
        if (this.#mixesNumbers) mixNumbers(node);
        return this.#all(node.args as readonly Node[], bound);
      default:
        throw new Unsuitable(`${JSON.stringify(node.op)} is not supported`);
    }
  }

  #all(nodes: readonly Node[], bound: readonly string[]): number {
    return nodes.reduce((count, node) => count + this.visit(node, bound), 1);
  }

  /** A name, or members of one by fixed keys: only those are read. A key that is computed reads the whole. */
  #access(node: Node, bound: readonly string[]): number {
    const keys: string[] = [];
    let at = node;
    let count = 1;
    while (at.op === '.' || at.op === '[]') {
      const [left, right] = at.args as readonly [Node, string | Node];
      const key = typeof right === 'string' ? right : right.op === 'value' ? right.args : undefined;
      if (typeof right !== 'string') count += this.visit(right, bound);
      if (typeof key === 'string') keys.unshift(key);
      else keys.length = 0;
      count += 1;
      at = left;
    }
    if (at.op !== 'id') return count + this.visit(at, bound);
    const name = at.args as string;
    if (bound.includes(name)) return count;
    const variable = this.#reads.get(name);
    if (variable === undefined) {
      if (typeNames.has(name)) return count;
      throw new Unsuitable(`${name} is not supported`);
    }
    keys.reduce(memberOf, variable).whole = true;
    return count;
  }

  #call(node: Node, bound: readonly string[]): number {
    const isMethod = node.op === 'rcall';
    const parts = node.args as readonly [string, Node, readonly Node[]] | readonly [string, readonly Node[]];
    const name = parts[0];
    const values = isMethod
      ? [parts[1] as Node, ...(parts[2] as readonly Node[])]
      : (parts[1] as readonly Node[]);
    if (node.meta.alternate !== undefined || node.meta.macro !== undefined) {
      if (!macros.has(name)) throw new Unsuitable(`${name} is not supported`);
      return name === 'has' ? this.#has(node, values[0]!, bound) : this.#loop(node.meta.alternate!, bound);
    }
    const signature = `${name}/${values.length}`;
    if (signature === 'matches/2') {
      substitute(node, [values[0]!], matchesOf(values[1]!), this.#meter);
      return 1 + this.visit(values[0]!, bound);
    }
    const stand = ownFunctions.get(signature) ?? this.#more.get(signature);
    if (stand !== undefined) substitute(node, values, stand, this.#meter);
    else if (!plainFunctions.has(signature)) throw new Unsuitable(`${name}() is not supported`);
    this.#meter.weighResult(node);
    return this.#all(values, bound);
  }

  #loop(node: Node, bound: readonly string[]): number {
    const loop = node.args as Comprehension;
    const outside = this.visit(loop.iterable, bound);
    this.#loops += 1;
    if (this.#loops > deepestLoops) throw new Unsuitable('loops are nested too deeply');
    this.#meter.chargeLoop(node, this.visit(loop.step, [...bound, loop.iterVarName]));
    this.#loops -= 1;
    return outside;
  }

  /** Asks for the member and not for its value: whether a member is there can be said however large it is. */
  #has(node: Node, selection: Node, bound: readonly string[]): number {
    const names: string[] = [];
    let root = selection;
    while (root.op === '.') {
      const [left, name] = root.args as readonly [Node, string];
      names.unshift(name);
      root = left;
    }
    const variable = root.args as string;
    if (!bound.includes(variable)) {
      const reads = this.#reads.get(variable);
      if (reads === undefined) throw new Unsuitable(`${variable} is not supported`);
      names.reduce(memberOf, reads);
    }
    const last = names.pop()!;
    const evaluate: Evaluate = (run, _node, context) => {
      let value = run.run(root, context);
      for (const name of names) {
        if (!holds(value, name)) throw new TypeError('no such member');
        value = value instanceof Map ? value.get(name) : (value as Record<string, unknown>)[name];
      }
      return holds(value, last);
    };
    node.setMeta('macro', {
      evaluate: (run: never, _macro: never, context: unknown) => evaluate(run, node, context),
    });
    return 1 + names.length;
  }
}

/** @throws TypeError where the value can have no members */
function holds(value: unknown, name: string): boolean {
  if (value instanceof Map) return value.has(name);
  // An object that the expression itself spells out.
  if (typeof value === 'object' && value?.constructor === Object) return Object.hasOwn(value, name);
  throw new TypeError('not an object');
}

/** Looks at both sides of an operator before the package does. */
function guard(node: Node, require: (left: unknown, right: unknown) => void): void {
  const [left, right] = node.args as readonly [Node, Node];
  const evaluate: Evaluate = (run, self, context) => {
    const a = run.run(left, context);
    const b = run.run(right, context);
    require(a, b);
    return self.handle!(a, b, self, run);
  };
  node.setMeta('evaluate', evaluate);
}

/** Does arithmetic on numbers by the functions of this room; whatever else the operator takes stays with the package. */
function mixNumbers(node: Node): void {
  const [left, right] = node.args as readonly [Node, Node];
  const calculate = mixingArithmetic.get(node.op)!;
  const evaluate: Evaluate = (run, self, context) => {
    const a = run.run(left, context);
    const b = run.run(right, context);
    return isNumber(a) && isNumber(b) ? calculate(a, b) : self.handle!(a, b, self, run);
  };
  node.setMeta('evaluate', evaluate);
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function substitute(node: Node, values: readonly Node[], stand: Stand, meter: Meter): void {
  const evaluate: Evaluate = (run, _node, context) =>
    stand(
      values.map((value) => run.run(value, context)),
      meter.spend,
    );
  node.setMeta('evaluate', evaluate);
}

function matchesOf(pattern: Node): Stand {
  if (pattern.op !== 'value' || typeof pattern.args !== 'string') {
    throw new Unsuitable('matches() takes a fixed pattern');
  }
  const stand = createMatches(pattern.args);
  if (stand === undefined)
    throw new Unsuitable('matches() takes a regular expression of RE2, at most 1024 long');
  return stand;
}
