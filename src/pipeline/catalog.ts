/**
 * What an upstream's own lists said last. Bounded. Written by the visibility filter, from lists before they are
 * filtered; read where only known names may appear (metric labels) and where headers mirror arguments.
 */
export interface Catalog {
  /** Undefined where the tool has not been seen in a list. */
  tool(name: string): CatalogTool | undefined;
  hasPrompt(name: string): boolean;
  learnTools(tools: Iterable<CatalogTool>): void;
  learnPrompts(names: Iterable<string>): void;
}

export interface CatalogTool {
  readonly name: string;
  /** `x-mcp-header` annotations: header suffix in lower case -> path of property names to the argument. */
  readonly mirroredArguments: ReadonlyMap<string, readonly string[]>;
}
