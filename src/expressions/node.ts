/**
 * A node of the parser's tree, as far as this room looks at it. The package exports less: it is pinned to one version,
 * and the tests of this room fail where another would differ.
 */
export interface Node {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly meta: {
    /** What a macro expanded to. */
    readonly alternate?: Node;
    readonly macro?: object;
    readonly evaluate: Evaluate;
  };
  /**
   * Of a checked node: does it, once its operands are evaluated. Of a binary operator `(left, right, node, run)`, of a
   * loop `(items, loop, run, context)`.
   */
  readonly handle?: (...operands: readonly unknown[]) => unknown;
  setMeta(key: string, value: unknown): Node;
}

/** Evaluates nodes, and finds variables, while one evaluation runs. Opaque. */
export interface Run {
  run(node: Node, context: unknown): unknown;
}

export type Evaluate = (run: Run, node: Node, context: unknown) => unknown;

/** What `all`, `exists`, `map` and their kin expand to. */
export interface Comprehension {
  readonly iterable: Node;
  readonly iterVarName: string;
  readonly init: Node;
  readonly step: Node;
}
