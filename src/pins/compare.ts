import { writeYaml } from '../document/write-yaml.ts';
import type { JsonObject } from '../values/json.ts';
import { hashOf } from './canonical.ts';
import { diffDefinitions, diffTexts, formatDifferences } from './difference.ts';
import type { Offer, PinLock } from './lock.ts';
import { createLookAlikes } from './look-alikes.ts';
import { visible } from './visible.ts';

/** How one thing that an upstream offers compares with the lock. */
export interface Comparison {
  readonly upstream: string;
  /** Undefined for the instructions. */
  readonly tool: string | undefined;
  readonly standing: 'new' | 'changed' | 'vanished';
  /** Lines for a reader. */
  readonly details: readonly string[];
}

/** Everything in which an upstream's whole offer differs from the lock, by name, instructions first. */
export function compareOffer(lock: PinLock, upstream: string, offer: Offer): readonly Comparison[] {
  const pinned = lock.upstreams.get(upstream);
  const found: Comparison[] = [];
  const old = pinned?.instructions?.text;
  if (old !== offer.instructions) {
    const standing = old === undefined ? 'new' : offer.instructions === undefined ? 'vanished' : 'changed';
    const details = formatDifferences(diffTexts('instructions', old, offer.instructions));
    found.push({ upstream, tool: undefined, standing, details });
  }
  const names = new Set([...(pinned?.tools.keys() ?? []), ...offer.tools.keys()]);
  for (const tool of [...names].sort()) {
    const known = pinned?.tools.get(tool);
    const definition = offer.tools.get(tool);
    if (definition === undefined) found.push({ upstream, tool, standing: 'vanished', details: [] });
    else if (known === undefined) {
      found.push({ upstream, tool, standing: 'new', details: whole(definition) });
    } else if (known.hash !== hashOf(definition)) {
      const details = formatDifferences(diffDefinitions(known.definition, definition));
      found.push({ upstream, tool, standing: 'changed', details });
    }
  }
  return found;
}

/** Lines of a new definition that are shown; the lock file shows all of them. */
const mostLines = 200;
const longestLine = 2000;

function whole(definition: JsonObject): readonly string[] {
  const lines = writeYaml(definition)
    .trimEnd()
    .split('\n')
    .map((line) => (line.length > longestLine ? visible(line, longestLine) : line));
  if (lines.length <= mostLines) return lines;
  return [...lines.slice(0, mostLines), `\u2026 and ${lines.length - mostLines} more lines`];
}

/** Names in a lock that can be taken for one another, as sentences: whoever approves both should know. */
export function lookAlikesIn(lock: PinLock, unique: boolean): readonly string[] {
  const index = createLookAlikes(unique);
  for (const [upstream, { tools }] of lock.upstreams)
    for (const name of tools.keys()) index.add(upstream, name);
  const found: string[] = [];
  for (const [upstream, { tools }] of lock.upstreams) {
    for (const name of tools.keys()) {
      const others = index.of(upstream, name);
      if (others.length > 0) found.push(`${upstream}/${name} can be taken for ${others.join(', ')}`);
    }
  }
  return found.sort();
}
