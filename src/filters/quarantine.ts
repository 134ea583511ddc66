import { GatewayError } from '../errors.ts';
import type { Frame } from '../mcp/frame.ts';
import { methodRow, targetsOf } from '../mcp/methods.ts';
import type { PinBook } from '../pins/standing.ts';
import { addFinding, type Exchange } from '../pipeline/exchange.ts';
import { type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import { maySee } from './may-see.ts';

export interface QuarantineDeps {
  readonly book: PinBook;
  /** Has the gateway list the tools of an upstream, which feeds the book. Coalesced and cooled down; never rejects. */
  refreshCatalog(upstream: string): Promise<unknown>;
  /** Milliseconds after which a look at an upstream's list is too old. */
  readonly maxAge: number;
}

/**
 * A tool whose definition nobody approved does not exist: a call of it is answered with the very bytes of an unknown
 * one. Compares what the upstream listed last; a tool that was in no list yet makes the gateway list once, and is
 * unknown where it is in none.
 *
 * A list may be old: whatever a server says without being asked, and otherwise every `maxAge`, makes the gateway look
 * again. Between two looks a changed tool is not noticed.
 */
export function quarantine(deps: QuarantineDeps): Filter {
  const { book } = deps;
  return {
    name: 'quarantine',
    toUpstream(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      const tool = toolOf(frame, exchange);
      if (tool === undefined) return pass;
      if (!book.pinning) return judge(tool, exchange);
      const { upstream, catalog, startedAt } = exchange;
      const { stale, readAt } = catalog.freshness;
      const isUnknown = stale || book.lookUp(upstream, tool) === undefined;
      const isOld = readAt === undefined || startedAt - readAt > deps.maxAge;
      if (!isUnknown && !isOld) return judge(tool, exchange);
      // What the caller may not see must not make the gateway look: `authorize` refuses it like everything unknown.
      if (!maySee({ kind: 'tool', name: tool, action: 'call' }, exchange)) return pass;
      if (isUnknown) return deps.refreshCatalog(upstream).then(() => judge(tool, exchange));
      const verdict = judge(tool, exchange);
      // Not waited for: a slow list must not slow every call. What it finds holds from then on.
      void deps.refreshCatalog(upstream);
      return verdict;
    },
  };

  function judge(tool: string, exchange: Exchange): Verdict {
    const standing = book.lookUp(exchange.upstream, tool);
    if (standing === 'approved' || (standing === undefined && !book.pinning)) return pass;
    // What the caller may not see, `authorize` refuses, and in its own words: these would tell that it is there.
    if (!maySee({ kind: 'tool', name: tool, action: 'call' }, exchange)) return pass;
    exchange.facts.target = { kind: 'tool', name: tool };
    addFinding(exchange, {
      check: 'pins',
      effect: 'refused',
      rule: undefined,
      path: tool,
      detail: standing === undefined ? 'definition-unlisted' : `definition-${standing}`,
    });
    return reject(
      new GatewayError('denied', { cause: `the tool's definition is ${standing ?? 'unlisted'}` }),
    );
  }
}

function toolOf(frame: Frame, exchange: Exchange): string | undefined {
  if (frame.kind !== 'request') return undefined;
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
  if (row === undefined || !row.targets.includes('tool')) return undefined;
  const targets = targetsOf(row, frame.params);
  return targets.ok ? targets.value.find(({ kind }) => kind === 'tool')?.name : undefined;
}
