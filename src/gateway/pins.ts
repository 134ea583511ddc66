import { changePinsFile, readPinsFile, replacePinsFile } from '../config/pins-file.ts';
import { formatProblem } from '../document/problems.ts';
import { isName } from '../mcp/text.ts';
import { createPinBook } from '../pins/book.ts';
import { addTrusted } from '../pins/first-use.ts';
import { formatLock } from '../pins/format-lock.ts';
import { emptyLock, type PinLock, type PinnedUpstream } from '../pins/lock.ts';
import { type PinsOptions, pinsOptions } from '../pins/options.ts';
import { parseLock } from '../pins/parse-lock.ts';
import type { PinBook, PinEvent } from '../pins/standing.ts';
import type { Catalog } from '../pipeline/catalog.ts';
import type { RefreshOutcome } from '../pipeline/refresh-catalog.ts';

export interface Pins {
  readonly options: PinsOptions;
  readonly book: PinBook;
  /**
   * A catalog that tells the book what it learns while the gateway itself looks at a list. For the refresher: what
   * clients list reaches the book through the filter `definitions`, before anything is taken out or replaced, and their
   * exchanges are better off with the catalog itself.
   */
  watch(upstream: string, catalog: Catalog): Catalog;
  /** The same refresher, after which the book knows what the whole list was. Rests on {@link watch}. */
  settle(refresh: Refresh, catalogOf: (upstream: string) => Catalog | undefined): Refresh;
  /** Reads the lock file again. @throws Error where it is wrong: the last good one stays in force */
  reload(): Promise<void>;
  /** Resolves once everything that was trusted on first use is written, or has failed to be. */
  written(): Promise<void>;
}

export interface PinsDeps {
  report(event: PinEvent): void;
  /** What was trusted on first use could not be written: it holds until the process ends. */
  failed(upstream: string, cause: unknown): void;
}

type Refresh = (upstream: string) => Promise<RefreshOutcome>;

/** Names on all pages of one look. A longer list says nothing of what has vanished: none is as long as that. */
const mostNames = 10_000;

/** Attempts to write beside somebody else who writes and holds no lock, such as an editor. */
const attempts = 5;

/**
 * Opens the book of what may be offered.
 *
 * @param options undefined: nothing is pinned, and names that look alike are held back
 * @throws Error with file and line where the lock file is wrong, or missing without `firstUse`
 */
export async function openPins(options: PinsOptions | undefined, deps: PinsDeps): Promise<Pins> {
  const settled = options ?? pinsOptions.parse({});
  const { file } = settled;
  /** What the look that is under way has listed so far. */
  const looking = new Map<string, Set<string>>();
  const heard = new Set<string>();
  let writing: Promise<void> = Promise.resolve();
  let toWrite = 0;
  const book = createPinBook({
    lock: file === undefined ? undefined : await readLock(file, settled.firstUse),
    options: settled,
    report: deps.report,
    trusted(upstream, pinned) {
      if (file === undefined) return;
      toWrite += 1;
      writing = writing
        .then(() => changePinsFile(file, () => keep(file, upstream, pinned)))
        .then((kept) => {
          // Another worker may have been first, and been told something else: what the file says holds for all. Not while
          // the file still lacks what was trusted here.
          if (toWrite === 1) book.replace(kept);
        })
        .catch((cause: unknown) => deps.failed(upstream, cause))
        .finally(() => {
          toWrite -= 1;
        });
    },
  });
  return {
    options: settled,
    book,
    watch: (upstream, catalog) => ({
      ...catalog,
      learnTools(tools) {
        const learnt = [...tools];
        catalog.learnTools(learnt);
        const names = looking.get(upstream);
        if (names === undefined) return;
        book.see(upstream, learnt);
        for (const { name } of learnt) if (isName(name) && names.size <= mostNames) names.add(name);
      },
      learnInstructions(text) {
        catalog.learnInstructions(text);
        if (!looking.has(upstream)) return;
        heard.add(upstream);
        book.instructions(upstream, text);
      },
    }),
    settle(refresh, catalogOf) {
      const settledAt = new Map<string, number>();
      return async (upstream) => {
        if (!looking.has(upstream)) looking.set(upstream, new Set());
        const outcome = await refresh(upstream);
        const readAt = catalogOf(upstream)?.freshness.readAt;
        // Within its cool-down the refresher gives back what it found before, and nothing was listed since.
        if (outcome === 'learnt' && readAt !== undefined && settledAt.get(upstream) !== readAt) {
          settledAt.set(upstream, readAt);
          // The server was asked what it says of itself: what it says only later is another thing.
          if (!heard.has(upstream)) book.instructions(upstream, undefined);
          const names = looking.get(upstream);
          if (names !== undefined && names.size <= mostNames) book.listed(upstream, names);
        }
        looking.delete(upstream);
        heard.delete(upstream);
        return outcome;
      };
    },
    async reload() {
      if (file !== undefined) book.replace(await readLock(file, settled.firstUse));
    },
    written: () => writing,
  };
}

async function readLock(file: string, firstUse: boolean): Promise<PinLock> {
  const source = await readPinsFile(file);
  if (source === undefined) {
    if (firstUse) return emptyLock;
    throw new Error(`${file}: there is no lock file; \`sallyport pin init\` writes one`);
  }
  const parsed = parseLock(source);
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('; '));
  return parsed.lock;
}

/**
 * Adds what was trusted to the file as it is now: what it says already stays, whoever wrote it.
 *
 * @returns what the file says then
 */
async function keep(file: string, upstream: string, pinned: PinnedUpstream): Promise<PinLock> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const source = await readPinsFile(file);
    const parsed = source === undefined ? { ok: true as const, lock: emptyLock } : parseLock(source);
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('; '));
    const merged = addTrusted(parsed.lock, upstream, pinned);
    const text = formatLock(merged);
    // What the reader of this file would refuse must not make all of it unreadable.
    const readable = parseLock({ file, text });
    if (!readable.ok) throw new Error(readable.problems.map(formatProblem).join('; '));
    if (await replacePinsFile(file, text, source?.text)) return merged;
  }
  throw new Error(`${file}: somebody else keeps writing it`);
}
