import { isName } from '../mcp/text.ts';
import type { Catalog, CatalogTool } from './catalog.ts';

/** Entries of each kind: far more tools than a model can be shown, and about a megabyte of names per upstream. */
export const defaultCatalogSize = 4096;

/**
 * An empty catalog for one upstream.
 *
 * @param maximum tools, and prompts, that are remembered. When full, the one whose list entry was seen longest ago is
 *   forgotten: a list that grows without end may cost recall of old names, never memory.
 */
export function createCatalog(maximum: number = defaultCatalogSize): Catalog {
  const tools = new Map<string, CatalogTool>();
  const prompts = new Map<string, true>();
  return {
    tool: (name) => tools.get(name),
    hasPrompt: (name) => prompts.has(name),
    learnTools(learnt) {
      for (const tool of learnt) remember(tools, tool.name, tool, maximum);
    },
    learnPrompts(names) {
      for (const name of names) remember(prompts, name, true, maximum);
    },
  };
}

function remember<T>(known: Map<string, T>, name: string, value: T, maximum: number): void {
  // What is no name cannot be called, and may be of any length.
  if (!isName(name)) return;
  // Taken out first, so that the map's order is the order in which names were last seen.
  known.delete(name);
  known.set(name, value);
  if (known.size <= maximum) return;
  const oldest = known.keys().next();
  if (!oldest.done) known.delete(oldest.value);
}
