import type { JsonObject } from '../values/json.ts';
import { definitionHash, hashOf } from './canonical.ts';
import { type Difference, diffDefinitions, diffTexts, formatDifferences } from './difference.ts';
import { addTrusted, createFirstUse } from './first-use.ts';
import type { PinnedUpstream } from './lock.ts';
import { createLookAlikes, type LookAlikes } from './look-alikes.ts';
import type { PinBook, PinBookDeps, Standing } from './standing.ts';

export type { PinBook, PinBookDeps, PinEvent, SeenTool, Standing } from './standing.ts';

/** Names of one upstream that are remembered beside the pinned ones, as many as its catalog has. Others are held back. */
const mostNames = 2000;

/** Lines of one event: it ends in logs, which an upstream must not fill. */
const mostDetails = 60;

interface Seen {
  hash: string;
  state: 'listed' | 'ambiguous' | 'vanished';
  /** What was told last. */
  told: string;
}

/** What servers were seen to offer, against what was approved. A call costs two look-ups. */
export function createPinBook(deps: PinBookDeps): PinBook {
  const { options, report } = deps;
  let { lock } = deps;
  const seen = new Map<string, Map<string, Seen>>();
  const toldOfTexts = new Map<string, string>();
  const firstUse = createFirstUse();
  let names = indexNames();

  return {
    pinning: lock !== undefined,
    see,
    listed,
    standing(upstream, name, definition) {
      const entry = seen.get(upstream)?.get(name);
      return judge(upstream, name, definitionHash(definition), entry);
    },
    lookUp(upstream, name) {
      const entry = seen.get(upstream)?.get(name);
      return entry === undefined ? undefined : judge(upstream, name, entry.hash, entry);
    },
    instructions,
    reviewed: (upstream, name) =>
      options.reviewedDescriptions ? pinnedOf(upstream)?.tools.get(name)?.reviewed : undefined,
    replace(next) {
      lock = next;
      names = indexNames();
    },
  };

  function indexNames(): LookAlikes {
    const index = createLookAlikes(options.unique);
    for (const [upstream, { tools }] of lock?.upstreams ?? [])
      for (const name of tools.keys()) index.add(upstream, name);
    for (const [upstream, entries] of seen) for (const name of entries.keys()) index.add(upstream, name);
    return index;
  }

  function seenAt(upstream: string): Map<string, Seen> {
    let entries = seen.get(upstream);
    if (entries === undefined) {
      entries = new Map();
      seen.set(upstream, entries);
    }
    return entries;
  }

  function pinnedOf(upstream: string): PinnedUpstream | undefined {
    return lock?.upstreams.get(upstream) ?? firstUse.of(upstream);
  }

  function isMeeting(upstream: string): boolean {
    return options.firstUse && lock !== undefined && !lock.upstreams.has(upstream);
  }

  /** @param entry undefined where there are too many names to remember this one */
  function judge(upstream: string, name: string, hash: string, entry: Seen | undefined): Standing {
    if (entry?.state === 'ambiguous') return 'ambiguous';
    const pinned = pinnedOf(upstream)?.tools.get(name);
    if (pinned !== undefined) {
      if (entry?.state === 'vanished') return 'vanished';
      return pinned.hash === hash ? 'approved' : 'changed';
    }
    // A name that there is no room to compare with others must not pass for one that is unlike them.
    const alike = entry === undefined || names.has(upstream, name);
    if (alike && options.lookAlikes === 'quarantine') return 'look-alike';
    return lock === undefined ? 'approved' : 'new';
  }

  function see(upstream: string, tools: readonly { name: string; definition: JsonObject }[]): void {
    const hashes = new Map<string, string>();
    const twice = new Set<string>();
    for (const { name, definition } of tools) {
      const hash = definitionHash(definition);
      const before = hashes.get(name);
      if (before !== undefined && before !== hash) twice.add(name);
      hashes.set(name, hash);
    }
    // All names first: of two that look alike neither may pass because it came first.
    for (const [name, hash] of hashes)
      remember(upstream, name, hash, twice.has(name) ? 'ambiguous' : 'listed');
    const entries = seenAt(upstream);
    for (const { name, definition } of tools) {
      const entry = entries.get(name);
      if (entry === undefined) continue;
      if (isMeeting(upstream) && entry.state === 'listed' && !names.has(upstream, name))
        firstUse.trustTool(upstream, name, definition);
      tell(upstream, name, entry, definition);
    }
  }

  function remember(upstream: string, name: string, hash: string, state: Seen['state']): void {
    const entries = seenAt(upstream);
    const known = entries.get(name);
    if (known !== undefined) {
      known.hash = hash;
      known.state = state;
      return;
    }
    if (entries.size >= mostNames && !pinnedOf(upstream)?.tools.has(name)) return;
    entries.set(name, { hash, state, told: '' });
    names.add(upstream, name);
  }

  function listed(upstream: string, all: ReadonlySet<string>): void {
    if (isMeeting(upstream) && lock !== undefined) {
      const trusted = firstUse.met(upstream);
      lock = addTrusted(lock, upstream, trusted);
      deps.trusted?.(upstream, trusted);
    }
    const entries = seenAt(upstream);
    const pinned = pinnedOf(upstream)?.tools;
    for (const name of entries.keys()) {
      if (all.has(name) || pinned?.has(name)) continue;
      // Gone for good: it neither takes room nor looks like another one any more.
      entries.delete(name);
      names.remove(upstream, name);
    }
    for (const [name, { hash }] of pinned ?? []) {
      if (all.has(name)) continue;
      remember(upstream, name, hash, 'vanished');
      tell(upstream, name, entries.get(name)!, undefined);
    }
  }

  function tell(upstream: string, name: string, entry: Seen, definition: JsonObject | undefined): void {
    const standing = judge(upstream, name, entry.hash, entry);
    const quarantined = standing !== 'approved';
    // Approved by nobody, merely let pass.
    const alerted = !quarantined && lock === undefined && names.has(upstream, name);
    const what = alerted ? 'look-alike' : standing;
    const told = `${what} ${entry.hash}`;
    if (entry.told === told) return;
    entry.told = told;
    if (what === 'approved') return;
    const pinned = pinnedOf(upstream)?.tools.get(name);
    const differences =
      pinned === undefined || definition === undefined ? [] : diffDefinitions(pinned.definition, definition);
    report({
      upstream,
      tool: name,
      standing: what,
      quarantined,
      hash: what === 'vanished' ? undefined : entry.hash,
      pinned: pinned?.hash,
      details: what === 'look-alike' ? names.of(upstream, name) : linesOf(differences),
    });
  }

  function instructions(upstream: string, text: string | undefined): string | undefined {
    if (lock === undefined) return text;
    if (isMeeting(upstream)) firstUse.trustText(upstream, text);
    else {
      const late = firstUse.lateText(upstream, text);
      if (late !== undefined && lock.upstreams.get(upstream)?.instructions === undefined) {
        const trusted: PinnedUpstream = { instructions: late, tools: new Map() };
        lock = addTrusted(lock, upstream, trusted);
        deps.trusted?.(upstream, trusted);
      }
    }
    const pinned = pinnedOf(upstream)?.instructions;
    const hash = text === undefined ? undefined : hashOf(text);
    const known = hash === pinned?.hash;
    const told = known ? '' : (hash ?? 'vanished');
    if ((toldOfTexts.get(upstream) ?? '') !== told) {
      toldOfTexts.set(upstream, told);
      if (!known) {
        report({
          upstream,
          tool: undefined,
          standing: hash === undefined ? 'vanished' : pinned === undefined ? 'new' : 'changed',
          quarantined: hash !== undefined,
          hash,
          pinned: pinned?.hash,
          details: linesOf(diffTexts('instructions', pinned?.text, text)),
        });
      }
    }
    if (known || text === undefined) return text;
    return pinned?.text;
  }
}

function linesOf(differences: readonly Difference[]): readonly string[] {
  const lines = formatDifferences(differences);
  if (lines.length <= mostDetails) return lines;
  return [...lines.slice(0, mostDetails), `\u2026 and ${lines.length - mostDetails} more lines`];
}
