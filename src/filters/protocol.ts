import { GatewayError } from '../errors.ts';
import type { Frame, NotificationFrame, RequestFrame, RequestId, ResultFrame } from '../mcp/frame.ts';
import { checkMirroredHeaders, mirrorHeaders } from '../mcp/headers.ts';
import { type MethodRow, methodRow, targetsOf, tasksExtension } from '../mcp/methods.ts';
import {
  clientCapabilitiesKey,
  eraOf,
  isRevision,
  protocolVersionKey,
  type Revision,
} from '../mcp/revision.ts';
import type { PinBook } from '../pins/standing.ts';
import type { Exchange } from '../pipeline/exchange.ts';
import { drop, type Filter, pass, reject, type Verdict } from '../pipeline/filter.ts';
import { isJsonObject, type JsonObject, own } from '../values/json.ts';
import { maySee } from './may-see.ts';

const logLevelKey = 'io.modelcontextprotocol/logLevel';

/**
 * Holds both sides to the protocol revision: which messages exist in which direction, the shape of what checks rely
 * on, and, in 2026-07-28, that headers say what the body says. First in the list: the others rest on it.
 *
 * @param served revisions that configuration allows
 * @param refreshCatalog asks an upstream for its tools, once, where headers name arguments of a tool not yet known
 * @param book tells which tools are held back
 */
export function protocol(
  served: readonly string[],
  refreshCatalog: (upstream: string) => Promise<unknown>,
  book: Pick<PinBook, 'pinning' | 'lookUp'>,
): Filter {
  const modernServed = served.filter((revision) => isRevision(revision) && eraOf(revision) === 'modern');
  return {
    name: 'protocol',
    toUpstream(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
      if (exchange.era === 'modern') return judgeModern(frame, exchange);
      if (!served.includes(exchange.revision)) return unsupported(exchange.revision, served);
      if (frame.kind !== 'request' && frame.kind !== 'notification') return pass;
      return judgeMethod(frame, exchange) ?? pass;
    },
    toClient(frame: Frame, exchange: Exchange): Verdict {
      switch (frame.kind) {
        case 'request':
          // 2026-07-28 has no requests of servers: nobody could answer.
          if (exchange.era === 'modern') return drop('server-request');
          if (methodRow(frame.method, exchange.revision, 'toClient', 'request') !== undefined) return pass;
          return reject(new GatewayError('method-unknown'));
        case 'notification':
          return judgeNotice(frame, exchange);
        case 'result':
          return judgeResult(frame, exchange, served);
        default:
          return pass;
      }
    },
  };

  function judgeModern(frame: Frame, exchange: Exchange): Verdict | Promise<Verdict> {
    switch (frame.kind) {
      case 'result':
      case 'error':
        // Answers ride inside retried requests in this revision.
        return reject(new GatewayError('answer-unexpected'));
      case 'stream-open':
      case 'session-end':
        return reject(new GatewayError('http-method', { headers: { allow: 'POST' } }));
      default: {
        const refused = judgeMeta(frame, exchange) ?? judgeMethod(frame, exchange);
        if (refused !== undefined) return refused;
        const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind)!;
        return judgeHeaders(frame, row, exchange);
      }
    }
  }

  function judgeMeta(frame: RequestFrame | NotificationFrame, exchange: Exchange): Verdict | undefined {
    const meta = frame.params === undefined ? undefined : own(frame.params, '_meta');
    const version = isJsonObject(meta) ? own(meta, protocolVersionKey) : undefined;
    if (frame.kind === 'request' || version !== undefined) {
      if (typeof version !== 'string') return reject(new GatewayError('meta-missing'));
      const { version: header } = exchange.headers;
      if (header !== undefined && header !== version) return reject(new GatewayError('header-mismatch'));
    }
    if (frame.kind === 'request') {
      const capabilities = isJsonObject(meta) ? own(meta, clientCapabilitiesKey) : undefined;
      if (!isJsonObject(capabilities)) return reject(new GatewayError('meta-missing'));
    }
    if (version !== undefined && version !== exchange.revision)
      return unsupported(String(version), modernServed);
    if (!modernServed.includes(exchange.revision)) return unsupported(exchange.revision, modernServed);
    return undefined;
  }

  /**
   * Compares headers with the body and writes down the headers that go upstream, made from the body. `Mcp-Param-*`
   * can only be compared where the tool's annotations are known: headers that nobody can check are refused.
   */
  function judgeHeaders(
    frame: RequestFrame | NotificationFrame,
    row: MethodRow,
    exchange: Exchange,
  ): Verdict | Promise<Verdict> {
    const named = toolOf(frame, row);
    // What the caller may not see must not show by which headers it is held to: `authorize` refuses all of it alike.
    const tool =
      named !== undefined && maySee({ kind: 'tool', name: named, action: 'call' }, exchange)
        ? named
        : undefined;
    if (tool === undefined || exchange.headers.params.size === 0) return settle(frame, row, tool, exchange);
    const mirrored = exchange.catalog.tool(tool)?.mirroredArguments;
    let isKnown = mirrored !== undefined;
    for (const suffix of exchange.headers.params.keys()) isKnown &&= mirrored!.has(suffix);
    if (isKnown) return settle(frame, row, tool, exchange);
    // Not seen yet, or annotated since it was seen.
    return refreshCatalog(exchange.upstream).then(() => {
      if (exchange.catalog.tool(tool)?.mirroredArguments === undefined && !isHeldBack(tool, exchange)) {
        return reject(new GatewayError('header-mismatch', { cause: 'Mcp-Param headers of an unknown tool' }));
      }
      return settle(frame, row, tool, exchange);
    });
  }

  /** What is held back must not show its annotations either: to its caller it is a tool that does not exist. */
  function settle(
    frame: RequestFrame | NotificationFrame,
    row: MethodRow,
    tool: string | undefined,
    exchange: Exchange,
  ): Verdict {
    const verdict = compare(frame, row, tool, exchange);
    if (tool === undefined || !isHeldBack(tool, exchange)) return verdict;
    const unknown = compare(frame, row, undefined, exchange);
    if (unknown.kind === 'reject') return unknown;
    const isMirrored = exchange.catalog.tool(tool)?.mirroredArguments !== undefined;
    if (verdict.kind !== 'reject' && (isMirrored || exchange.headers.params.size === 0)) return verdict;
    exchange.facts.target = { kind: 'tool', name: tool };
    return reject(new GatewayError('denied', { cause: 'the headers of a tool that is held back' }));
  }

  function isHeldBack(tool: string, exchange: Exchange): boolean {
    const standing = book.lookUp(exchange.upstream, tool);
    return standing === undefined ? book.pinning : standing !== 'approved';
  }
}

function compare(
  frame: RequestFrame | NotificationFrame,
  row: MethodRow,
  tool: string | undefined,
  exchange: Exchange,
): Verdict {
  const { headers, catalog, facts } = exchange;
  const mirrored = tool === undefined ? undefined : catalog.tool(tool)?.mirroredArguments;
  const mismatch = checkMirroredHeaders(frame, headers, row, mirrored);
  if (mismatch !== undefined) return reject(new GatewayError(mismatch.code, { cause: mismatch.detail }));
  // Headers that mirror no argument of this tool must be forwarded (basic/transports/streamable-http).
  const unknown = new Map([...headers.params].filter(([suffix]) => !mirrored?.has(suffix)));
  facts.mirroredHeaders = mirrorHeaders(frame, row, mirrored, unknown);
  return pass;
}

/** Exists in this revision and direction, and has the shape that later checks rely on. Undefined where it does. */
function judgeMethod(frame: RequestFrame | NotificationFrame, exchange: Exchange): Verdict | undefined {
  const row = methodRow(frame.method, exchange.revision, 'toUpstream', frame.kind);
  if (row === undefined) {
    // An answer to a notification has nowhere to go.
    return frame.kind === 'request'
      ? reject(new GatewayError('method-unknown'))
      : drop('notification-unknown');
  }
  const meta = frame.params === undefined ? undefined : own(frame.params, '_meta');
  const token = isJsonObject(meta) ? own(meta, 'progressToken') : undefined;
  if (token !== undefined && !isToken(token)) return misshapen('progressToken is neither string nor number');
  const targets = targetsOf(row, frame.params);
  if (targets.ok) return undefined;
  return reject(new GatewayError(targets.failure.code, { cause: targets.failure.detail }));
}

function judgeNotice(frame: NotificationFrame, exchange: Exchange): Verdict {
  if (methodRow(frame.method, exchange.revision, 'toClient', 'notification') === undefined) {
    return drop('notification-unknown');
  }
  // Log messages only where this request asked for them (2026-07-28, server/utilities/logging).
  if (
    frame.method === 'notifications/message' &&
    exchange.era === 'modern' &&
    !askedForLogs(exchange.request)
  ) {
    return drop('notification-unasked');
  }
  return pass;
}

function judgeResult(frame: ResultFrame, exchange: Exchange, served: readonly string[]): Verdict {
  const { request } = exchange;
  if (exchange.era === 'legacy') {
    if (request.kind !== 'request' || request.method !== 'initialize') return pass;
    const revision = own(frame.result, 'protocolVersion');
    const isServed = isRevision(revision) && eraOf(revision) === 'legacy' && served.includes(revision);
    return isServed ? pass : invalid('initialize settled on a revision that is not served');
  }
  const row =
    request.kind === 'request'
      ? methodRow(request.method, exchange.revision, 'toUpstream', 'request')
      : undefined;
  switch (own(frame.result, 'resultType')) {
    case undefined:
    case 'complete':
      return pass;
    case 'input_required':
      return row?.mayAskInput === true ? pass : invalid('this method may not ask for input');
    case 'task':
      // Only calls become tasks: a task that began as anything else would be bound to nothing.
      if (row?.task !== 'makes') return invalid('this method makes no tasks');
      return declares(request, tasksExtension) ? pass : invalid('a task for a client that declared none');
    default:
      return invalid('an unknown resultType');
  }
}

function unsupported(requested: Revision | string, supported: readonly string[]): Verdict {
  return reject(new GatewayError('revision-unsupported', { data: { supported, requested } }));
}

function misshapen(cause: string): Verdict {
  return reject(new GatewayError('frame-params-invalid', { cause }));
}

function invalid(cause: string): Verdict {
  return reject(new GatewayError('upstream-invalid', { cause }));
}

function toolOf(frame: RequestFrame | NotificationFrame, row: MethodRow): string | undefined {
  if (row.action !== 'call' || frame.params === undefined) return undefined;
  const name = own(frame.params, 'name');
  return typeof name === 'string' ? name : undefined;
}

function isToken(value: unknown): value is RequestId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

function metaOf(frame: Frame): JsonObject | undefined {
  const meta =
    frame.kind === 'request' && frame.params !== undefined ? own(frame.params, '_meta') : undefined;
  return isJsonObject(meta) ? meta : undefined;
}

function askedForLogs(request: Frame): boolean {
  const meta = metaOf(request);
  return meta !== undefined && own(meta, logLevelKey) !== undefined;
}

function declares(request: Frame, extension: string): boolean {
  const meta = metaOf(request);
  const capabilities = meta === undefined ? undefined : own(meta, clientCapabilitiesKey);
  const extensions = isJsonObject(capabilities) ? own(capabilities, 'extensions') : undefined;
  return isJsonObject(extensions) && own(extensions, extension) !== undefined;
}
