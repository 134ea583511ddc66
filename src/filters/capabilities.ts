import { GatewayError } from '../errors.ts';
import { replaceFrame } from '../mcp/encode.ts';
import type { Frame, NotificationFrame, RequestFrame } from '../mcp/frame.ts';
import { extensionMethods, methodRow, tasksExtension } from '../mcp/methods.ts';
import { clientCapabilitiesKey } from '../mcp/revision.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, replace, type Verdict } from '../pipeline/filter.ts';
import { requestOf } from '../pipeline/requests-of.ts';
import { decide } from '../policy/decide.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { askerOf } from './judge-questions.ts';
import { maySee } from './may-see.ts';
import type { Outstanding } from './outstanding.ts';

const logLevelKey = 'io.modelcontextprotocol/logLevel';
const logMessage = 'notifications/message';

/**
 * Two sides agree on nothing that policy does not know of. An extension, and an experimental capability, is one where
 * `methods:` names it, or a method that it brings; any other is taken out of what either side declares. Of a server's
 * own capabilities those are taken out whose every method the caller may not use. A server's log is one of what policy
 * decides on, however it is asked for.
 */
export function capabilities(outstanding: Outstanding): Filter {
  /** Exchanges whose wish for the server's log was taken out. */
  const silent = new WeakSet<Exchange>();
  return {
    name: 'capabilities',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      if ((frame.kind !== 'request' && frame.kind !== 'notification') || frame.params === undefined)
        return pass;
      const judged = judgeInitialize(frame, judgeMeta(frame.params, exchange), exchange);
      if (judged === frame.params) return pass;
      if (hasLogLevel(frame.params) && !hasLogLevel(judged)) silent.add(exchange);
      return replace(replaceFrame(frame, { ...frame.value, params: judged }));
    },
    toClient(frame: Frame, exchange: Exchange): Verdict {
      // Honest servers do not say what they were not asked for.
      if (frame.kind === 'notification' && frame.method === logMessage && silent.has(exchange)) {
        return drop('notification-unasked');
      }
      if (frame.kind !== 'result') return pass;
      const asked = outstanding.find(frame.id, exchange);
      if (asked === undefined) return drop('answer-unasked');
      if (own(frame.result, 'resultType') === 'task' && !mayExtend(tasksExtension, exchange)) {
        return reject(new GatewayError('result-refused', { cause: 'policy does not allow tasks' }));
      }
      // What tells of the server to models tells of its capabilities too: the two methods that begin everything.
      const declared = asked.row.instructs === true ? own(frame.result, 'capabilities') : undefined;
      if (!isJsonObject(declared)) return pass;
      const left = withoutUnusable(allowedOnly(declared, exchange), exchange);
      if (left === declared) return pass;
      return replace(
        replaceFrame(frame, { ...frame.value, result: { ...frame.result, capabilities: left } }),
      );
    },
  };
}

/**
 * `_meta` of the messages of 2026-07-28: what the client declares, and from which level on it wants the server's log,
 * which is what `logging/setLevel` asked before. In both eras: a server that speaks both may look there in both.
 */
function judgeMeta(params: JsonObject, exchange: Exchange): JsonObject {
  const meta = own(params, '_meta');
  if (!isJsonObject(meta)) return params;
  let left = meta;
  const declared = own(meta, clientCapabilitiesKey);
  if (isJsonObject(declared)) {
    const allowed = allowedOnly(declared, exchange);
    if (allowed !== declared) left = { ...left, [clientCapabilitiesKey]: allowed };
  }
  const level = own(meta, logLevelKey);
  if (level !== undefined && !mayLog(level, exchange)) {
    const { [logLevelKey]: _, ...rest } = left;
    left = rest;
  }
  return left === meta ? params : { ...params, _meta: left };
}

function hasLogLevel(params: JsonObject): boolean {
  const meta = own(params, '_meta');
  return isJsonObject(meta) && own(meta, logLevelKey) !== undefined;
}

function mayLog(level: JsonValue, exchange: Exchange): boolean {
  const target = { kind: 'method', name: 'logging/setLevel', action: 'use', arguments: { level } } as const;
  return decide(requestOf(target, false, askerOf(exchange)), exchange.policy).effect === 'allow';
}

function judgeInitialize(
  frame: RequestFrame | NotificationFrame,
  params: JsonObject,
  exchange: Exchange,
): JsonObject {
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
  const declared = row?.instructs === true ? own(params, 'capabilities') : undefined;
  if (!isJsonObject(declared)) return params;
  const left = allowedOnly(declared, exchange);
  return left === declared ? params : { ...params, capabilities: left };
}

/** The same object where nothing is taken out. */
function allowedOnly(declared: JsonObject, exchange: Exchange): JsonObject {
  let left = declared;
  for (const member of ['extensions', 'experimental']) {
    const names = own(declared, member);
    if (names === undefined) continue;
    if (!isJsonObject(names)) {
      // Not the shape that the protocol gives it, and a lenient reader might take it for names all the same.
      const { [member]: _, ...rest } = left;
      left = rest;
      continue;
    }
    const kept = Object.entries(names).filter(([name]) => mayExtend(name, exchange));
    if (kept.length === Object.keys(names).length) continue;
    left = { ...left, [member]: Object.fromEntries(kept) as Record<string, JsonValue> };
  }
  return left;
}

function mayExtend(name: string, exchange: Exchange): boolean {
  return mayUse(name, exchange) || extensionMethods(name).some((method) => mayUse(method, exchange));
}

function mayUse(method: string, exchange: Exchange): boolean {
  return maySee({ kind: 'method', name: method, action: 'use' }, exchange);
}

/** A server's capability -> the methods that it is for, where those are decided on by their names alone. */
const brought: ReadonlyMap<string, readonly string[]> = new Map([
  ['logging', ['logging/setLevel']],
  ['tasks', ['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel']],
]);

function withoutUnusable(declared: JsonObject, exchange: Exchange): JsonObject {
  let left = declared;
  for (const [capability, names] of brought) {
    if (own(declared, capability) === undefined) continue;
    const known = names.filter(
      (name) => methodRow(name, exchange.revision, 'toUpstream', 'request') !== undefined,
    );
    if (known.length === 0 || known.some((name) => mayUse(name, exchange))) continue;
    const { [capability]: _, ...rest } = left;
    left = rest;
  }
  return left;
}
