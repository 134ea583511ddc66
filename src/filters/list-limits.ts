import { replaceFrame } from '../mcp/encode.ts';
import type { Frame, ResultFrame } from '../mcp/frame.ts';
import { addFinding, type Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, replace, type Verdict } from '../pipeline/filter.ts';
import { boundTools } from '../pipeline/list-bounds.ts';
import { type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { FilterEvent } from './deps.ts';
import type { ListLimits } from './options.ts';
import type { Asked, Outstanding } from './outstanding.ts';

/**
 * Holds lists of tools to a number of tools over all pages, and tools to a size of schemas. What is beyond is taken out
 * before anything is learnt from the list, and where the number is reached the list ends. How many came before is told
 * by the cursor that the client brings back: nothing is remembered.
 */
export function listLimits(
  limits: ListLimits,
  outstanding: Outstanding,
  report: (event: FilterEvent) => void,
): Filter {
  return {
    name: 'list-limits',
    toClient(frame: Frame, exchange: Exchange): Verdict {
      if (frame.kind !== 'result') return pass;
      const asked = outstanding.find(frame.id, exchange);
      if (asked === undefined) return drop('answer-unasked');
      if (asked.row.list?.kind !== 'tool') return pass;
      const entries = own(frame.result, asked.row.list.member);
      // What is no list is refused where lists are filtered.
      if (!Array.isArray(entries)) return pass;
      return boundPage(frame, entries, asked, exchange);
    },
  };

  function boundPage(
    frame: ResultFrame,
    entries: readonly JsonValue[],
    { opened, row }: Asked,
    exchange: Exchange,
  ): Verdict {
    const before = opened?.listed ?? 0;
    const { kept, beyond, tooLarge } = boundTools(entries, before, frame.bytes.length, limits);
    const listed = before + entries.length;
    if (opened !== undefined) opened.listedNow = listed;
    for (const name of tooLarge) note('schema-bytes', name.slice(0, longestPath), 1, exchange);
    if (beyond > 0) note('tools-per-list', undefined, beyond, exchange);
    const isOver = listed >= limits.tools && own(frame.result, 'nextCursor') !== undefined;
    if (isOver && beyond === 0) note('tools-per-list', undefined, 1, exchange);
    if (kept.length === entries.length && !isOver) return pass;
    const { nextCursor, ...rest } = frame.result;
    const result: JsonObject = isOver || nextCursor === undefined ? rest : { ...rest, nextCursor };
    return replace(replaceFrame(frame, { ...frame.value, result: { ...result, [row.list!.member]: kept } }));
  }

  function note(
    bound: 'schema-bytes' | 'tools-per-list',
    path: string | undefined,
    count: number,
    exchange: Exchange,
  ): void {
    report({ kind: 'bound', bound, upstream: exchange.upstream });
    addFinding(exchange, {
      check: 'schema',
      effect: 'stripped',
      rule: undefined,
      path,
      detail: bound,
      count,
    });
  }
}

/** As findings have. */
const longestPath = 256;
