import type { JsonObject } from '../values/json.ts';

/**
 * What an upstream's own lists said last. Bounded. Written from lists before they are filtered, and by the gateway's
 * own look at the list (learn-tools.ts, for both); read where only known names may appear (metric labels), where headers
 * mirror arguments, and by checks of definitions and of calls against them.
 */
export interface Catalog {
  /** Undefined where the tool has not been seen in a list. */
  tool(name: string): CatalogTool | undefined;
  hasPrompt(name: string): boolean;
  /** All tools, the one that was seen longest ago first. */
  tools(): Iterable<CatalogTool>;
  /** What the server last said of itself to models; undefined where nothing was heard. */
  instructions(): string | undefined;
  learnTools(tools: Iterable<CatalogTool>): void;
  learnPrompts(names: Iterable<string>): void;
  learnInstructions(text: string): void;
  /** How well the gateway knows the list of tools by its own looks. */
  readonly freshness: Freshness;
}

export interface Freshness {
  /** When the gateway itself last read the whole list: monotonic milliseconds. Undefined before it ever did. */
  readAt: number | undefined;
  /** The upstream said since then that its list changed. */
  stale: boolean;
}

export interface CatalogTool {
  readonly name: string;
  /**
   * `x-mcp-header` annotations: header suffix in lower case -> path of property names to the argument. Undefined where
   * they break the rules: modern clients must not call such a tool (2026-07-28, server/tools).
   */
  readonly mirroredArguments: ReadonlyMap<string, readonly string[]> | undefined;
  /** The entry of the list as the server wrote it. The same object as long as the server writes the same. */
  readonly definition: JsonObject;
}
