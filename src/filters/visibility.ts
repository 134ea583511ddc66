import { GatewayError } from '../errors.ts';
import { replaceFrameSteps } from '../mcp/encode-steps.ts';
import type { Frame, ResultFrame } from '../mcp/frame.ts';
import { type ListColumn, resourceName, resourceTemplateName } from '../mcp/methods.ts';
import { isName } from '../mcp/text.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, replace, type Verdict } from '../pipeline/filter.ts';
import { learnInstructions, learnTools } from '../pipeline/learn-tools.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { finish, finishInTurns, type Steps, stepSize } from '../values/steps.ts';
import { maySee } from './may-see.ts';
import type { Outstanding } from './outstanding.ts';

/**
 * Takes out of lists what the principal may not see, page by page: order and `nextCursor` stay, also where a page
 * becomes empty, since only a missing cursor ends a list (2026-07-28, server/utilities/pagination). Lists may depend
 * on who asks (server/tools), and such a page is nobody else's: it becomes private to caches.
 *
 * The whole list feeds the upstream's catalog first, and so does what the server says of itself to models.
 */
export function visibility(outstanding: Outstanding): Filter {
  return {
    name: 'visibility',
    toClient(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      if (frame.kind !== 'result') return pass;
      const asked = outstanding.find(frame.id, exchange);
      if (asked === undefined) return drop('answer-unasked');
      const { row } = asked;
      if (row.instructs) learnInstructions(exchange.catalog, frame.result);
      if (row.list === undefined) {
        return exchange.era === 'modern' && row.contents !== undefined
          ? inTurns(frame, privately(frame))
          : pass;
      }
      const member = own(frame.result, row.list.member);
      if (!Array.isArray(member)) {
        return reject(new GatewayError('upstream-invalid', { cause: `no list of ${row.list.member}` }));
      }
      return inTurns(frame, filterList(frame, member, row.list, exchange));
    },
  };
}

function inTurns(frame: ResultFrame, steps: Steps<Verdict>): Verdict | Promise<Verdict> {
  return frame.bytes.length > stepSize ? finishInTurns(steps) : finish(steps);
}

function* filterList(
  frame: ResultFrame,
  entries: readonly JsonValue[],
  list: ListColumn,
  exchange: Exchange,
): Steps<Verdict> {
  const tools = list.kind === 'tool' ? learnTools(exchange.catalog, entries) : undefined;
  yield;
  const prompts: string[] = [];
  const kept: JsonValue[] = [];
  for (const entry of entries) {
    const name = isJsonObject(entry) ? own(entry, list.key) : undefined;
    // Without a name there is nothing to decide on.
    if (typeof name !== 'string' || !isJsonObject(entry)) continue;
    if (list.kind === 'prompt') prompts.push(name);
    // 2026-07-28, basic/transports/streamable-http: tools whose header annotations break the rules must be dropped, or
    // headers and body could disagree.
    if (exchange.era === 'modern' && tools !== undefined) {
      if (tools.get(entry)?.mirroredArguments === undefined) continue;
    }
    if (isListed(name, list, exchange)) kept.push(entry);
  }
  exchange.catalog.learnPrompts(prompts);
  const changed: JsonObject = kept.length === entries.length ? {} : { [list.member]: kept };
  yield;
  if (exchange.era === 'modern') return yield* privately(frame, changed);
  return kept.length === entries.length ? pass : yield* withResult(frame, changed);
}

function isListed(name: string, list: ListColumn, exchange: Exchange): boolean {
  const target = targetName(name, list);
  if (target === undefined) return false;
  return maySee({ kind: list.kind, name: target, action: list.action }, exchange);
}

/** Undefined where a call could not name this target either. */
function targetName(name: string, list: ListColumn): string | undefined {
  if (list.kind !== 'resource') return isName(name) ? name : undefined;
  const uri = list.key === 'uriTemplate' ? resourceTemplateName(name) : resourceName(name);
  return uri.ok ? uri.value : undefined;
}

function* privately(frame: ResultFrame, changed: JsonObject = {}): Steps<Verdict> {
  if (own(frame.result, 'cacheScope') === 'private' && Object.keys(changed).length === 0) return pass;
  return yield* withResult(frame, { ...changed, cacheScope: 'private' });
}

function* withResult(frame: ResultFrame, changed: JsonObject): Steps<Verdict> {
  const result = { ...frame.result, ...changed };
  return replace(yield* replaceFrameSteps(frame, { ...frame.value, result }));
}
