import { replaceFrame } from '../mcp/encode.ts';
import type { Frame } from '../mcp/frame.ts';
import type { PinBook } from '../pins/standing.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, replace, type Verdict } from '../pipeline/filter.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { Outstanding } from './outstanding.ts';

export interface ReviewedDeps {
  readonly book: PinBook;
  readonly outstanding: Outstanding;
}

/**
 * Gives clients the reviewer's title and description of a tool in place of the server's own. Last of all that looks at
 * lists: every check, and the catalog, has seen the definition as the server wrote it.
 */
export function reviewed({ book, outstanding }: ReviewedDeps): Filter {
  return {
    name: 'reviewed',
    toClient(frame: Frame, exchange: Exchange): Verdict {
      if (frame.kind !== 'result') return pass;
      const asked = outstanding.find(frame.id, exchange);
      if (asked === undefined) return drop('answer-unasked');
      const tools = asked.row.list?.kind === 'tool' ? own(frame.result, 'tools') : undefined;
      if (!Array.isArray(tools)) return pass;
      let changed = false;
      const shown = (tools as readonly JsonValue[]).map((entry) => {
        const name = isJsonObject(entry) ? own(entry, 'name') : undefined;
        const words = typeof name === 'string' ? book.reviewed(exchange.upstream, name) : undefined;
        if (words === undefined || !isJsonObject(entry)) return entry;
        changed = true;
        return withWords(entry, words);
      });
      if (!changed) return pass;
      const result = { ...frame.result, tools: shown };
      return replace(replaceFrame(frame, { ...frame.value, result }));
    },
  };
}

function withWords(
  definition: JsonObject,
  { title, description }: NonNullable<ReturnType<PinBook['reviewed']>>,
): JsonObject {
  return {
    ...definition,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
  };
}
