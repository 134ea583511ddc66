import type { JsonObject } from '../values/json.ts';
import type { PinLock, PinnedUpstream, Reviewed } from './lock.ts';
import type { PinsOptions } from './options.ts';

/** Why a tool is used, or is not: all but `approved` are hidden, and calls are answered as if there were no such tool. */
export type Standing =
  | 'approved'
  /** Not in the lock file. */
  | 'new'
  /** In the lock file with another definition. */
  | 'changed'
  /** In the lock file, and no longer in the list of the server. */
  | 'vanished'
  /** The server lists it twice, with two definitions: nobody can say which of them a call means. */
  | 'ambiguous'
  /** Its name can be taken for another one, and nobody approved it. */
  | 'look-alike';

export interface SeenTool {
  readonly name: string;
  /** As the server gave it. Must not be changed afterwards: its hash is remembered. */
  readonly definition: JsonObject;
}

/** Something about definitions that operators should know. Each is told once, until it is another. */
export interface PinEvent {
  readonly upstream: string;
  /** Undefined where it is about the server's instructions. */
  readonly tool: string | undefined;
  readonly standing: Exclude<Standing, 'approved'>;
  /** Whether it is held back; look-alikes may merely be told of. */
  readonly quarantined: boolean;
  /** Hash of what the server says now; undefined where it says nothing. */
  readonly hash: string | undefined;
  /** Hash of what was approved; undefined where nothing was. */
  readonly pinned: string | undefined;
  /** What differs, as lines; names that look alike. Bounded, everything that is not seen is escaped. */
  readonly details: readonly string[];
}

export interface PinBook {
  /** Whether there is a lock at all. Without one, only look-alikes are held back. */
  readonly pinning: boolean;
  /** Takes in what a server listed: one page, or all of it. */
  see(upstream: string, tools: readonly SeenTool[]): void;
  /** The list was seen to its end, with these names: what was pinned and is not among them has vanished. */
  listed(upstream: string, names: ReadonlySet<string>): void;
  /** How this definition stands. */
  standing(upstream: string, name: string, definition: JsonObject): Standing;
  /** How what was listed last under this name stands; undefined where nothing was. */
  lookUp(upstream: string, name: string): Standing | undefined;
  /** The instructions that clients may read in place of these; undefined for none. */
  instructions(upstream: string, text: string | undefined): string | undefined;
  /** What clients are told in place of the server's title and description. */
  reviewed(upstream: string, name: string): Reviewed | undefined;
  /** A lock that was read anew takes force at once. */
  replace(lock: PinLock): void;
}

export interface PinBookDeps {
  /** Undefined: nothing is pinned. */
  readonly lock: PinLock | undefined;
  readonly options: Pick<PinsOptions, 'firstUse' | 'lookAlikes' | 'unique' | 'reviewedDescriptions'>;
  report(event: PinEvent): void;
  /**
   * With `firstUse`: what an upstream without an entry offered when it was first listed, to be written down. Called a
   * second time where its instructions are read only later.
   */
  trusted?(upstream: string, pinned: PinnedUpstream): void;
}
