import { type DecodeLimits, decodeFrameInTurns } from '../mcp/decode.ts';
import type { ErrorFrame, ResultFrame } from '../mcp/frame.ts';
import { eraOf, isRevision } from '../mcp/revision.ts';
import { type JsonObject, type JsonValue, own } from '../values/json.ts';
import { finishInTurns, stepSize } from '../values/steps.ts';
import type { BoundName } from './bounds.ts';
import type { Catalog } from './catalog.ts';
import { closeAnswer } from './close-answer.ts';
import { learnInstructions, learnTools, readDefinitions } from './learn-tools.ts';
import { boundTools, defaultLookBounds, type LookBounds } from './list-bounds.ts';
import type { UpstreamAnswer, UpstreamPort } from './upstream-port.ts';

/** One look of the gateway itself at an upstream's list of tools. */
export interface Look {
  readonly port: UpstreamPort;
  readonly catalog: Catalog;
  readonly limits: DecodeLimits;
  /** One time limit for all that is asked. */
  readonly signal: AbortSignal;
  /** Default: {@link defaultLookBounds}. */
  readonly bounds?: LookBounds | undefined;
  /** Told of each bound that this look reaches. */
  readonly report?: ((bound: BoundName) => void) | undefined;
  /** Lists to read beside that of tools. A server that has no such method has none of it. */
  readonly further?: readonly FurtherList[];
}

/** A list that is read to its end. */
export interface FurtherList {
  readonly method: string;
  /** Member of the result that holds the entries. */
  readonly member: string;
  learn(entries: readonly JsonValue[]): void;
}

/** A look under way, and the bytes that it may still bring back. */
interface Running extends Look {
  readonly bounds: LookBounds;
  readonly meter: { left: number };
  readonly report: (bound: BoundName) => void;
}

function begin(look: Look): Running {
  const { bounds = defaultLookBounds, report = () => undefined } = look;
  return { ...look, bounds, report, meter: { left: bounds.bytes } };
}

/** 100 pages: with the 20 or more entries that servers put on one, all of 2,000 tools. */
const maxPages = 100;

/** 2 s to end a session that nobody needs any more: nobody waits for it. */
const goodbyeMs = 2000;

const clientInfo = { name: 'sallyport', version: '1' };
const methodNotFound = -32601;

const modernRevision = '2026-07-28';
const legacyRevision = '2025-11-25';

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': modernRevision,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': clientInfo,
};

/** What a look came to: the whole list, the start of one that has no end, or none in this era. */
export type Reading = 'whole' | 'cut' | 'none';

/** Reads all pages as a client of 2026-07-28 does: every request stands for itself. */
export async function lookModern(asked: Look): Promise<Reading> {
  const look = begin(asked);
  const ask: Ask = (method, params, id) =>
    request(look, method, { ...params, _meta: modernMeta }, id, [
      'mcp-protocol-version',
      modernRevision,
      'mcp-method',
      method,
    ]);
  const reading = await readPages(look, ask);
  if (reading !== 'whole') return reading;
  const discovered = await ask('server/discover', {}, 'catalog-discover');
  if (discovered?.kind === 'result') learnInstructions(look.catalog, discovered.result);
  return reading;
}

/** Reads all pages in a session of its own, and ends it (2025-11-25, basic/lifecycle and basic/transports). */
export async function lookLegacy(asked: Look): Promise<Reading> {
  const look = begin(asked);
  const params = { protocolVersion: legacyRevision, capabilities: {}, clientInfo };
  let sessionId: string | undefined;
  const introduced = await request(look, 'initialize', params, 'catalog-initialize', [], (given) => {
    sessionId = given;
  });
  const headers: string[] = [];
  try {
    if (introduced?.kind !== 'result') return 'none';
    const revision = own(introduced.result, 'protocolVersion');
    if (!isRevision(revision) || eraOf(revision) !== 'legacy') return 'none';
    // The version header exists since 2025-06-18; dates compare as text.
    if (revision >= '2025-06-18') headers.push('mcp-protocol-version', revision);
    if (sessionId !== undefined) headers.push('mcp-session-id', sessionId);
    learnInstructions(look.catalog, introduced.result);
    await closeAnswer(
      await look.port.send({
        verb: 'POST',
        body: encode({ jsonrpc: '2.0', method: 'notifications/initialized' }),
        headers,
        longLived: false,
        signal: look.signal,
      }),
    );
    const ask: Ask = (method, given, id) => request(look, method, given, id, headers);
    return await readPages(look, ask);
  } finally {
    if (sessionId !== undefined) void endSession(look.port, sessionId, headers);
  }
}

type Ask = (method: string, params: JsonObject, id: string) => Promise<ResultFrame | ErrorFrame | undefined>;

async function readPages(look: Running, ask: Ask): Promise<Reading> {
  let listed = 0;
  const tools: Pages = {
    method: 'tools/list',
    member: 'tools',
    async learn(entries, pageBytes) {
      const { kept, beyond, tooLarge } = boundTools(entries, listed, pageBytes, look.bounds);
      for (const _ of tooLarge) look.report('schema-bytes');
      if (pageBytes > stepSize) await finishInTurns(readDefinitions(kept));
      learnTools(look.catalog, kept);
      listed += entries.length;
      if (beyond > 0) look.report('tools-per-list');
      // What is beyond does not exist: a list ends where nothing more may stand in it.
      return listed < look.bounds.tools;
    },
  };
  for (const [index, list] of [tools, ...(look.further ?? [])].entries()) {
    const reading = await readList(list, index === 0 ? 'catalog' : `catalog-${list.member}`, ask, look);
    if (reading !== 'whole') return reading;
  }
  return 'whole';
}

/** @see FurtherList. `learn` answers `false` where the list ends here for the gateway. */
interface Pages extends Omit<FurtherList, 'learn'> {
  learn(entries: readonly JsonValue[], pageBytes: number): unknown;
}

async function readList(list: Pages, idPrefix: string, ask: Ask, look: Running): Promise<Reading> {
  let cursor: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    const answer = await ask(list.method, cursor === undefined ? {} : { cursor }, `${idPrefix}-${page}`);
    // A server without tools has no such method: then the list is read, and empty.
    if (page === 0 && answer?.kind === 'error' && answer.error.code === methodNotFound) return 'whole';
    if (look.meter.left < 0) {
      look.report('list-bytes');
      return 'cut';
    }
    if (answer?.kind !== 'result') return 'none';
    const entries = own(answer.result, list.member);
    if (!Array.isArray(entries)) return 'none';
    if ((await list.learn(entries as readonly JsonValue[], answer.bytes.length)) === false) return 'whole';
    const next = own(answer.result, 'nextCursor');
    if (typeof next !== 'string') return 'whole';
    if (next === cursor) return 'cut';
    cursor = next;
  }
  look.report('list-pages');
  return 'cut';
}

async function request(
  look: Running,
  method: string,
  params: JsonObject,
  id: string,
  headers: readonly string[],
  onSession: (id: string | undefined) => void = () => undefined,
): Promise<ResultFrame | ErrorFrame | undefined> {
  const answer = await look.port.send({
    verb: 'POST',
    body: encode({ jsonrpc: '2.0', id, method, params }),
    headers,
    longLived: false,
    signal: look.signal,
  });
  if (answer.kind !== 'refused') onSession(answer.sessionId);
  return answerFrame(answer, id, look);
}

function encode(message: JsonObject): Buffer {
  return Buffer.from(JSON.stringify(message));
}

async function answerFrame(
  answer: UpstreamAnswer,
  id: string,
  { limits, meter }: Running,
): Promise<ResultFrame | ErrorFrame | undefined> {
  if (answer.kind === 'json') {
    meter.left -= answer.body.length;
    answer.done?.();
    return meter.left < 0 ? undefined : answerTo(answer.body, id, limits);
  }
  if (answer.kind !== 'stream') return undefined;
  for await (const event of answer.events) {
    meter.left -= event.data.length + eventCost;
    if (meter.left < 0) return undefined;
    const frame = event.data.length === 0 ? undefined : await answerTo(event.data, id, limits);
    if (frame !== undefined) return frame;
  }
  return undefined;
}

/** 16 bytes for each event, because empty ones are not free either. */
const eventCost = 16;

async function answerTo(
  bytes: Buffer,
  id: string,
  limits: DecodeLimits,
): Promise<ResultFrame | ErrorFrame | undefined> {
  const decoded = await decodeFrameInTurns(bytes, limits, 'toClient');
  if (!decoded.ok) return undefined;
  const frame = decoded.value;
  return (frame.kind === 'result' || frame.kind === 'error') && frame.id === id ? frame : undefined;
}

/** An upstream may refuse to end sessions (405), or be gone: either way nobody is left to care. */
async function endSession(port: UpstreamPort, sessionId: string, headers: readonly string[]): Promise<void> {
  try {
    const given = headers.includes('mcp-session-id') ? headers : [...headers, 'mcp-session-id', sessionId];
    const signal = AbortSignal.timeout(goodbyeMs);
    await closeAnswer(
      await port.send({ verb: 'DELETE', body: undefined, headers: given, longLived: false, signal }),
    );
  } catch {
    return;
  }
}
