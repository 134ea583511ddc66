import { isName } from '../mcp/text.ts';
import type { Catalog, CatalogTool, Freshness } from './catalog.ts';
import { digestOf } from './definition-digest.ts';

export interface CatalogLimits {
  /** Tools, and prompts. 2,000: far more than a model can be shown. */
  readonly entries: number;
  /** Bytes of one tool's definition as JSON. 512 KiB: two schemas of the largest size that is enforced. */
  readonly definitionBytes: number;
  /** Bytes of all definitions together. 16 MiB: 8 KiB for each of 2,000 tools, where 2 KiB is usual. */
  readonly totalBytes: number;
  /** Characters of the server's instructions; a longer text is cut. */
  readonly instructions: number;
}

export const defaultCatalogLimits: CatalogLimits = Object.freeze({
  entries: 2000,
  definitionBytes: 512 * 1024,
  totalBytes: 16 * 1024 * 1024,
  instructions: 64 * 1024,
});

interface Known {
  readonly tool: CatalogTool;
  readonly digest: string;
  readonly bytes: number;
}

/**
 * An empty catalog for one upstream.
 *
 * Bounded in entries and bytes. When full, the entry that was seen longest ago is forgotten: a list that grows without
 * end may cost recall of old names, never memory. A definition that is too large by itself is not remembered, and
 * neither is what it was before.
 *
 * @param learnt told of each tool that is new, or whose definition is another than before
 */
export function createCatalog(
  limits: Partial<CatalogLimits> = {},
  learnt: (tool: CatalogTool) => void = () => undefined,
): Catalog {
  const {
    entries,
    definitionBytes,
    totalBytes,
    instructions: longest,
  } = { ...defaultCatalogLimits, ...limits };
  const tools = new Map<string, Known>();
  const prompts = new Map<string, true>();
  const freshness: Freshness = { readAt: undefined, stale: false };
  let instructions: string | undefined;
  let bytes = 0;

  const forget = (name: string): void => {
    bytes -= tools.get(name)?.bytes ?? 0;
    tools.delete(name);
  };
  const learnTool = (tool: CatalogTool): void => {
    // What is no name cannot be called, and may be of any length.
    if (!isName(tool.name)) return;
    const { digest, bytes: size } = digestOf(tool.definition);
    const before = tools.get(tool.name);
    forget(tool.name);
    if (size > definitionBytes) return;
    const isNew = before?.digest !== digest;
    // The old object where nothing changed: what was compiled for it stands.
    tools.set(tool.name, isNew ? { tool, digest, bytes: size } : before);
    bytes += size;
    while (tools.size > entries || bytes > totalBytes) forget(tools.keys().next().value!);
    if (isNew) learnt(tool);
  };

  return {
    freshness,
    tool: (name) => tools.get(name)?.tool,
    hasPrompt: (name) => prompts.has(name),
    *tools() {
      for (const { tool } of tools.values()) yield tool;
    },
    instructions: () => instructions,
    learnTools(seen) {
      for (const tool of seen) learnTool(tool);
    },
    learnPrompts(names) {
      for (const name of names) {
        if (!isName(name)) continue;
        // Taken out first, so that the map's order is the order in which names were last seen.
        prompts.delete(name);
        prompts.set(name, true);
        if (prompts.size > entries) prompts.delete(prompts.keys().next().value!);
      }
    },
    learnInstructions(text) {
      instructions = text.slice(0, longest);
    },
  };
}
