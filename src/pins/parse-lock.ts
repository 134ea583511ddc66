import { type DocumentSource, parseDocument } from '../document/parse-document.ts';
import { formatPath, type Problem } from '../document/problems.ts';
import { own } from '../values/json.ts';
import { hashOf } from './canonical.ts';
import type { PinLock, PinnedUpstream } from './lock.ts';
import { lockSchema } from './lock-options.ts';

export type ParsedLock =
  | { readonly ok: true; readonly lock: PinLock }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads a lock file, or says all that is wrong with it.
 *
 * Every hash must be that of the definition beside it: a reviewer reads the definition, the gateway compares the hash,
 * and a file in which the two disagree would pin what nobody read.
 */
export function parseLock(source: DocumentSource): ParsedLock {
  const parsed = parseDocument(source, lockSchema, { exactNumbers: true });
  if (!parsed.ok) return parsed;
  const problems: Problem[] = [];
  const problem = (path: readonly string[], message: string): void => {
    problems.push({ ...parsed.locate(path), path: formatPath(path), message });
  };
  const upstreams = new Map<string, PinnedUpstream>();
  for (const [name, { instructions, tools }] of Object.entries(parsed.value.upstreams)) {
    const at = ['upstreams', name];
    if (instructions !== undefined && hashOf(instructions.text) !== instructions.hash) {
      problem([...at, 'instructions', 'hash'], mismatch(hashOf(instructions.text)));
    }
    for (const [tool, pinned] of Object.entries(tools)) {
      const where = [...at, 'tools', tool];
      const hash = hashOf(pinned.definition);
      if (hash !== pinned.hash) problem([...where, 'hash'], mismatch(hash));
      if (own(pinned.definition, 'name') !== tool) {
        problem([...where, 'definition', 'name'], 'the definition has another name than its entry');
      }
    }
    upstreams.set(name, { instructions, tools: new Map(Object.entries(tools)) });
  }
  return problems.length === 0 ? { ok: true, lock: { upstreams } } : { ok: false, problems };
}

function mismatch(hash: string): string {
  return `is not the hash of what stands beside it, which is ${hash}; \`pin approve\` writes both`;
}
