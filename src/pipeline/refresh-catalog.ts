import { type DecodeLimits, decodeFrame } from '../mcp/decode.ts';
import type { Frame } from '../mcp/frame.ts';
import { mirroredArgumentsOf } from '../mcp/headers.ts';
import { type JsonObject, type JsonValue, own } from '../values/json.ts';
import type { Catalog, CatalogTool } from './catalog.ts';
import type { UpstreamAnswer, UpstreamPort } from './upstream-port.ts';

export interface RefreshDependencies {
  upstream(name: string): { readonly port: UpstreamPort; readonly catalog: Catalog } | undefined;
  readonly decodeLimits: DecodeLimits;
  /** Monotonic milliseconds. */
  monotonic(): number;
}

/** 100 pages: with the 20 or more entries that servers put on one, all of 2,000 tools. */
const maxPages = 100;

/** 10 s between two looks at one upstream: a caller who invents tool names must not make the gateway ask for each. */
const coolDownMs = 10_000;

/** 10 s for all pages: a caller waits for them. */
const timeoutMs = 10_000;

/**
 * Lets the gateway ask an upstream for its tool list itself, with its own credential, so that headers which mirror
 * arguments can be checked before any client has listed (2026-07-28, streamable HTTP, Mcp-Param headers).
 *
 * The returned function never rejects, runs once at a time for each upstream, and at most once in a cool-down.
 */
export function createCatalogRefresher(deps: RefreshDependencies): (upstream: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const lastAt = new Map<string, number>();
  return (name) => {
    const already = running.get(name);
    if (already !== undefined) return already;
    const target = deps.upstream(name);
    const last = lastAt.get(name);
    if (target === undefined || (last !== undefined && deps.monotonic() - last < coolDownMs))
      return Promise.resolve();
    lastAt.set(name, deps.monotonic());
    const run = readAllPages(target.port, target.catalog, deps.decodeLimits)
      // An upstream that cannot be asked leaves the catalog as it was; what stays unknown is refused.
      .catch(() => undefined)
      .finally(() => running.delete(name));
    running.set(name, run);
    return run;
  };
}

async function readAllPages(port: UpstreamPort, catalog: Catalog, limits: DecodeLimits): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const result = await ask(port, cursor, page, limits, signal);
    if (result === undefined) return;
    catalog.learnTools(catalogToolsOf(result));
    const next = own(result, 'nextCursor');
    if (typeof next !== 'string' || next === cursor) return;
    cursor = next;
  }
}

async function ask(
  port: UpstreamPort,
  cursor: string | undefined,
  page: number,
  limits: DecodeLimits,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const id = `catalog-${page}`;
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'sallyport', version: '1' },
  };
  const params = cursor === undefined ? { _meta: meta } : { cursor, _meta: meta };
  const answer = await port.send({
    verb: 'POST',
    body: Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/list', params })),
    headers: ['mcp-protocol-version', '2026-07-28', 'mcp-method', 'tools/list'],
    longLived: false,
    signal,
  });
  const frame = await answerFrame(answer, id, limits);
  return frame?.kind === 'result' ? frame.result : undefined;
}

async function answerFrame(
  answer: UpstreamAnswer,
  id: string,
  limits: DecodeLimits,
): Promise<Frame | undefined> {
  if (answer.kind === 'json') return answerTo(answer.body, id, limits);
  if (answer.kind !== 'stream') return undefined;
  for await (const event of answer.events) {
    const frame = event.data.length === 0 ? undefined : answerTo(event.data, id, limits);
    if (frame !== undefined) return frame;
  }
  return undefined;
}

function answerTo(bytes: Buffer, id: string, limits: DecodeLimits): Frame | undefined {
  const decoded = decodeFrame(bytes, limits, 'toClient');
  if (!decoded.ok) return undefined;
  const frame = decoded.value;
  return (frame.kind === 'result' || frame.kind === 'error') && frame.id === id ? frame : undefined;
}

/**
 * The catalog's entries from a `tools/list` result. Tools whose schema breaks the `x-mcp-header` rules are left out:
 * clients must not call them (2026-07-28, server/tools).
 */
export function catalogToolsOf(result: JsonObject): readonly CatalogTool[] {
  const tools = own(result, 'tools');
  if (!Array.isArray(tools)) return [];
  return tools.flatMap((tool: JsonValue) => {
    if (typeof tool !== 'object' || tool === null || Array.isArray(tool) || JSON.isRawJSON(tool)) return [];
    const name = own(tool as JsonObject, 'name');
    const mirroredArguments = mirroredArgumentsOf(own(tool as JsonObject, 'inputSchema') ?? null);
    return typeof name === 'string' && mirroredArguments !== undefined ? [{ name, mirroredArguments }] : [];
  });
}
