import type { JsonObject } from '../values/json.ts';
import { canonicalJson, definitionHash, hashOf } from './canonical.ts';
import type { PinLock, PinnedText, PinnedTool, PinnedUpstream } from './lock.ts';

/** Upstreams that are met for the first time, from the first page of their list to its last. */
export interface FirstUse {
  /** What is trusted of an upstream that is being met; undefined where none is. */
  of(upstream: string): PinnedUpstream | undefined;
  /** The first definition of a name counts, as long as there is room. */
  trustTool(upstream: string, name: string, definition: JsonObject): void;
  /** @returns whether these are the first that it gave */
  trustText(upstream: string, text: string | undefined): boolean;
  /** The list was read to its end: what was not trusted until now is new from now on. */
  met(upstream: string): PinnedUpstream;
  /** Instructions that are read only after the list. Undefined where it is too late, or where there are none. */
  lateText(upstream: string, text: string | undefined): PinnedText | undefined;
}

/** Characters of definitions that one upstream is trusted with: half of what a lock file may have in all. */
const mostText = 4 * 1024 * 1024;

interface Meeting {
  size: number;
  instructions: PinnedText | undefined;
  readText: boolean;
  readonly tools: Map<string, PinnedTool>;
}

export function createFirstUse(): FirstUse {
  const meetings = new Map<string, Meeting>();
  const withoutText = new Set<string>();

  const meeting = (upstream: string): Meeting => {
    let found = meetings.get(upstream);
    if (found === undefined) {
      found = { size: 0, instructions: undefined, readText: false, tools: new Map() };
      meetings.set(upstream, found);
    }
    return found;
  };

  return {
    of: (upstream) => meetings.get(upstream),
    /** The first definition of a name counts, as long as there is room. */
    trustTool(upstream, name, definition) {
      const found = meeting(upstream);
      if (found.tools.has(name)) return;
      found.size += canonicalJson(definition).length;
      if (found.size <= mostText) found.tools.set(name, { hash: definitionHash(definition), definition });
    },
    trustText(upstream, text) {
      const found = meeting(upstream);
      if (found.readText) return false;
      found.readText = true;
      found.instructions = text === undefined ? undefined : { hash: hashOf(text), text };
      return true;
    },
    met(upstream) {
      const { instructions, tools, readText } = meeting(upstream);
      meetings.delete(upstream);
      if (!readText) withoutText.add(upstream);
      return { instructions, tools };
    },
    lateText(upstream, text) {
      if (!withoutText.delete(upstream) || text === undefined) return undefined;
      return { hash: hashOf(text), text };
    },
  };
}

/** A lock with what was trusted added to it. What the lock says already is never changed. */
export function addTrusted(lock: PinLock, upstream: string, trusted: PinnedUpstream): PinLock {
  const known = lock.upstreams.get(upstream);
  const entry: PinnedUpstream =
    known === undefined
      ? trusted
      : {
          instructions: known.instructions ?? trusted.instructions,
          tools: new Map([...trusted.tools, ...known.tools]),
        };
  return { upstreams: new Map(lock.upstreams).set(upstream, entry) };
}
