import { replaceFrame } from '../mcp/encode.ts';
import { replaceFrameSteps } from '../mcp/encode-steps.ts';
import type { Frame, ResultFrame } from '../mcp/frame.ts';
import { methodRow } from '../mcp/methods.ts';
import { isName } from '../mcp/text.ts';
import { createListings } from '../pins/listings.ts';
import { seenTools } from '../pins/seen-tools.ts';
import type { PinBook } from '../pins/standing.ts';
import { addFinding, type Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, replace, type Verdict } from '../pipeline/filter.ts';
import { readDefinitions } from '../pipeline/learn-tools.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { finish, finishInTurns, type Steps, stepSize } from '../values/steps.ts';
import type { Asked, Outstanding } from './outstanding.ts';

export interface DefinitionsDeps {
  readonly book: PinBook;
  readonly outstanding: Outstanding;
}

/**
 * Compares every list of tools with what was approved, whole pages before anything is filtered out of them: what
 * differs is taken out, and told. A server's instructions that nobody approved do not reach the client: the approved
 * ones stand in their place, where there are any.
 */
export function definitions({ book, outstanding }: DefinitionsDeps): Filter {
  const listings = createListings();
  return {
    name: 'definitions',
    toClient(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      if (frame.kind === 'notification') {
        const row = methodRow(frame.method, exchange.revision, 'toClient', 'notification');
        // The next call waits until the gateway has looked at the list itself.
        if (row?.announces === 'tools') exchange.catalog.freshness.stale = true;
        return pass;
      }
      if (frame.kind !== 'result') return pass;
      const asked = outstanding.find(frame.id, exchange);
      if (asked === undefined) return drop('answer-unasked');
      if (asked.row.instructs) return judgeInstructions(frame, exchange);
      if (asked.row.list?.kind !== 'tool') return pass;
      const steps = judgeTools(frame, exchange, outstanding.of(exchange) === asked ? asked : undefined);
      return frame.bytes.length > stepSize ? finishInTurns(steps) : finish(steps);
    },
  };

  /** @param asked the request of this very exchange, whose cursor is known; undefined where another one is answered */
  function* judgeTools(frame: ResultFrame, exchange: Exchange, asked: Asked | undefined): Steps<Verdict> {
    const { upstream } = exchange;
    const entries = own(frame.result, 'tools');
    // What is no list is refused where lists are filtered; what is no name can be neither listed nor called.
    if (!Array.isArray(entries)) return pass;
    if (frame.bytes.length > stepSize) yield* readDefinitions(entries as readonly JsonValue[]);
    const tools = seenTools(frame.result).filter(({ name }) => isName(name));
    book.see(upstream, tools);
    if (asked !== undefined)
      noteListing(
        frame,
        asked,
        exchange,
        tools.map(({ name }) => name),
      );
    const names = new Map(tools.map(({ name, definition }) => [definition, name]));
    let changed = false;
    const kept: JsonValue[] = [];
    for (const entry of entries as readonly JsonValue[]) {
      const name = isJsonObject(entry) ? names.get(entry) : undefined;
      if (name === undefined || !isJsonObject(entry)) {
        changed = true;
        continue;
      }
      const standing = book.standing(upstream, name, entry);
      if (standing === 'approved') {
        kept.push(entry);
        continue;
      }
      changed = true;
      const detail = `definition-${standing}`;
      addFinding(exchange, { check: 'pins', effect: 'refused', rule: undefined, path: name, detail });
    }
    if (!changed) return pass;
    const result = { ...frame.result, tools: kept };
    return replace(yield* replaceFrameSteps(frame, { ...frame.value, result }));
  }

  function noteListing(
    frame: ResultFrame,
    { opened }: Asked,
    exchange: Exchange,
    names: readonly string[],
  ): void {
    const { request, upstream, facts, principal } = exchange;
    if (request.kind !== 'request') return;
    const params = request.params ?? {};
    // A server may take further params for a wish to see less: what it then leaves out has not vanished.
    if (Object.keys(params).some((key) => key !== 'cursor' && key !== '_meta')) return;
    // The client holds a handle; the page that came before gave the server's own cursor.
    const cursor = opened === undefined ? own(params, 'cursor') : opened.cursor;
    const nextCursor = own(frame.result, 'nextCursor');
    if (!isTextOrAbsent(cursor) || !isTextOrAbsent(nextCursor)) return;
    const reader = JSON.stringify([upstream, principal.id, facts.session?.key]);
    const all = listings({ reader, cursor, nextCursor, names });
    if (all !== undefined) book.listed(upstream, all);
  }

  function judgeInstructions(frame: ResultFrame, exchange: Exchange): Verdict {
    const given = own(frame.result, 'instructions');
    const text = book.instructions(exchange.upstream, typeof given === 'string' ? given : undefined);
    if (!book.pinning || text === given) return pass;
    addFinding(exchange, {
      check: 'pins',
      effect: text === undefined ? 'stripped' : 'rewritten',
      rule: undefined,
      path: 'instructions',
      detail: 'instructions-changed',
    });
    const { instructions: _, ...rest } = frame.result;
    return withResult(frame, text === undefined ? rest : { ...rest, instructions: text });
  }
}

function withResult(frame: ResultFrame, result: JsonObject): Verdict {
  return replace(replaceFrame(frame, { ...frame.value, result }));
}

function isTextOrAbsent(value: JsonValue | undefined): value is string | undefined {
  return value === undefined || typeof value === 'string';
}
