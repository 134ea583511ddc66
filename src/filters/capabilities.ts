import { GatewayError } from '../errors.ts';
import { replaceFrame } from '../mcp/encode.ts';
import type { Frame, RequestFrame } from '../mcp/frame.ts';
import { extensionMethods, methodRow, tasksExtension } from '../mcp/methods.ts';
import { clientCapabilitiesKey } from '../mcp/revision.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, replace, type Verdict } from '../pipeline/filter.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { maySee } from './may-see.ts';
import type { Outstanding } from './outstanding.ts';

/**
 * Two sides agree on nothing that policy does not know of. An extension, and an experimental capability, is one where
 * `methods:` names it, or a method that it brings; any other is taken out of what either side declares. Of a server's
 * own capabilities those are taken out whose every method the caller may not use.
 */
export function capabilities(outstanding: Outstanding): Filter {
  return {
    name: 'capabilities',
    toUpstream(frame: Frame, exchange: Exchange): Verdict {
      if (frame.kind !== 'request' || frame.params === undefined) return pass;
      return exchange.era === 'modern'
        ? judgeModern(frame, frame.params, exchange)
        : judgeInitialize(frame, exchange);
    },
    toClient(frame: Frame, exchange: Exchange): Verdict {
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

function judgeModern(frame: RequestFrame, params: JsonObject, exchange: Exchange): Verdict {
  const meta = own(params, '_meta');
  const declared = isJsonObject(meta) ? own(meta, clientCapabilitiesKey) : undefined;
  if (!isJsonObject(meta) || !isJsonObject(declared)) return pass;
  const left = allowedOnly(declared, exchange);
  if (left === declared) return pass;
  return withParams(frame, { ...params, _meta: { ...meta, [clientCapabilitiesKey]: left } });
}

function judgeInitialize(frame: RequestFrame, exchange: Exchange): Verdict {
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', 'request');
  const declared = row?.instructs === true ? own(frame.params ?? {}, 'capabilities') : undefined;
  if (!isJsonObject(declared)) return pass;
  const left = allowedOnly(declared, exchange);
  return left === declared ? pass : withParams(frame, { ...frame.params, capabilities: left });
}

function withParams(frame: RequestFrame, params: JsonObject): Verdict {
  return replace(replaceFrame(frame, { ...frame.value, params }));
}

/** The same object where nothing is taken out. */
function allowedOnly(declared: JsonObject, exchange: Exchange): JsonObject {
  let left = declared;
  for (const member of ['extensions', 'experimental']) {
    const names = own(declared, member);
    if (!isJsonObject(names)) continue;
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
