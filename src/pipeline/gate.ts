import { GatewayError } from '../errors.ts';
import type { BearerToken } from '../identity/bearer-token.ts';
import type { Authentication, Evidence } from '../identity/identity.ts';
import type { Principal } from '../identity/principal.ts';
import type { DecodeFailure, DecodeLimits } from '../mcp/decode.ts';
import type { Frame, RequestId } from '../mcp/frame.ts';
import { type ProtocolHeaders, readProtocolHeaders } from '../mcp/headers.ts';
import { classifyEra, type Era, type Revision } from '../mcp/revision.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { Arrival } from './arrival.ts';
import type { Catalog } from './catalog.ts';
import { conduct } from './conduct.ts';
import type { ConductDependencies } from './course.ts';
import { evidenceOf } from './evidence-of.ts';
import { type Exchange, emptyFacts, type Session } from './exchange.ts';
import { assumedRevision, framesInTurns } from './frames-of.ts';
import { type HoldDependencies, holdOpen } from './hold-open.ts';
import { type Asked, freesSomething, type Load, mayFree, type Place } from './load.ts';
import { isLongLived } from './long-lived.ts';
import { neededScopes } from './needed-scopes.ts';
import { refuseArrival, sendError } from './refuse-arrival.ts';
import type { Reply, ReplyHeaders } from './reply.ts';
import { holdsCredential } from './shown-credentials.ts';
import { createBatchSinks, createReplySink } from './sink.ts';
import { traceIdOf } from './trace-id.ts';
import type { UpstreamPort } from './upstream-port.ts';

export interface GateDependencies extends ConductDependencies, HoldDependencies {
  identify(evidence: Evidence): Authentication | Promise<Authentication>;
  readonly load: Load;
  /** Lower-case name of the header that carries API keys. */
  readonly apiKeyHeader: string;
  upstream(name: string): { readonly port: UpstreamPort; readonly catalog: Catalog } | undefined;
  /** The policy in force now. An exchange keeps the one that it began with. */
  policy(): CompiledPolicy;
  /** Opens a sealed session id; undefined where it is not this principal's, not this upstream's, stale or forged. */
  openSession(sealed: string, principal: Principal, upstream: string, now: number): Session | undefined;
  /** Bounds on frames that come from clients. */
  readonly clientDecodeLimits: DecodeLimits;
  /** Milliseconds since the epoch. */
  now(): number;
  /** 32 lower-case hexadecimal digits, unguessable and not all zero. */
  newId(): string;
}

/** What is known of an arrival once its caller is known. */
interface Known {
  readonly arrival: Arrival;
  readonly principal: Principal;
  readonly bearer: BearerToken | undefined;
  readonly headers: ProtocolHeaders;
  readonly port: UpstreamPort;
  readonly catalog: Catalog;
  readonly session: Session | undefined;
  readonly place: Place;
  readonly time: number;
  readonly startedAt: number;
  /** `OpenExchanges.epoch` from before the caller was let in. */
  readonly epoch: number;
}

/**
 * The gate: takes a request that arrived, finds out who calls, decodes every frame in it, and conducts an exchange for
 * each. Every arrival gets an answer and leaves a record.
 */
export function createGate(deps: GateDependencies): (arrival: Arrival, reply: Reply) => Promise<void> {
  return async (arrival, reply) => {
    let place: Place | undefined;
    const time = deps.now();
    const startedAt = deps.monotonic();
    const { epoch } = deps.open;
    let principal: Principal | undefined;
    const refuse = (error: GatewayError, id?: RequestId, era: Era = 'legacy'): Promise<void> =>
      refuseArrival({ arrival, reply, principal, error, id, era, time, startedAt }, deps);
    try {
      const upstream = deps.upstream(arrival.upstream);
      if (upstream === undefined) return await refuse(new GatewayError('route-unknown'));
      if (!deps.recorder.accepting()) return await refuse(new GatewayError('audit-unavailable'));
      let asked: Asked = 'nothing';
      if (!mayFree(arrival)) {
        const answer = deps.load.turnsAway(arrival);
        if (answer instanceof GatewayError) return sendError(reply, answer, undefined, 'legacy');
        asked = answer;
      }
      // Counted from here on, and not while a refusal waits for its record: refusals must not fill what they keep free.
      place = deps.load.enter();
      const read = readProtocolHeaders(arrival.rawHeaders);
      if (!read.ok) return await refuse(errorOf(read.failure));
      const evidence = evidenceOf(arrival, deps.apiKeyHeader, time);
      if (evidence === undefined) return await refuse(new GatewayError('header-invalid'));
      const identifying = deps.identify(evidence);
      const authentication = identifying instanceof Promise ? await identifying : identifying;
      if (!authentication.ok) {
        const needed =
          authentication.asking === undefined
            ? []
            : neededScopes(arrival, read.value, deps.policy(), deps.clientDecodeLimits, time);
        return await refuse(needed.length === 0 ? authentication.error : authentication.asking!(needed));
      }
      principal = authentication.principal;
      const caller = { principal, policy: deps.policy(), arrival, asked };
      const excess = asked === 'nothing' ? undefined : place.admit(caller);
      if (excess !== undefined) return await refuse(excess);
      if (holdsCredential(read.value.params, evidence)) {
        return await refuse(
          new GatewayError('header-mismatch', { cause: 'a credential in an Mcp-Param header' }),
        );
      }

      const { bearer } = authentication;
      const known = {
        arrival,
        principal,
        bearer,
        headers: read.value,
        ...upstream,
        place,
        time,
        startedAt,
        epoch,
      };
      const decoding = framesInTurns(arrival, read.value, deps.clientDecodeLimits);
      const frames = decoding instanceof Promise ? await decoding : decoding;
      if (!frames.ok) return await refuse(errorOf(frames.failure), frames.failure.id);
      if (asked === 'nothing' && !frames.value.frames.every(freesSomething)) {
        // It looked like what must pass, and is a request: what is asked of those is asked of it now.
        const late = place.admit(caller);
        if (late !== undefined) return await refuse(late);
      }
      const era = classifyEra(frames.value.frames[0]!, read.value);
      if ('code' in era) {
        return frames.value.batch
          ? await refuse(batchErrorOf(era))
          : await refuse(errorOf(era), era.id, 'modern');
      }
      const opened = openSession(known, era.era, frames.value.frames[0]!, deps);
      if (opened === 'unknown') return await refuse(new GatewayError('session-unknown'));
      const revision = opened?.revision ?? era.revision ?? assumedRevision;
      if (frames.value.batch) {
        return await conductBatch(
          frames.value.frames,
          { ...known, session: opened },
          revision,
          reply,
          refuse,
          deps,
        );
      }
      await conductOne(
        frames.value.frames[0]!,
        { ...known, session: opened },
        era.era,
        revision,
        reply,
        deps,
      );
    } catch (cause) {
      const error = cause instanceof GatewayError ? cause : new GatewayError('internal', { cause });
      if (error.code === 'internal') deps.onFault(cause, '');
      await refuse(error);
    } finally {
      place?.leave();
    }
  };
}

/** The one revision that has batches. */
const batchRevision: Revision = '2025-03-26';

async function conductOne(
  frame: Frame,
  known: Known,
  era: Era,
  revision: Revision,
  reply: Reply,
  deps: GateDependencies,
): Promise<void> {
  const exchange = begin(frame, known, era, revision, known.arrival.body.length, deps);
  const abort = new AbortController();
  // 2026-07-28: closing the response stream is the cancellation. Before: a disconnect must not cancel, and only the
  // standalone stream, which serves nobody else, is closed with its client.
  const isCancelled = era === 'modern' || frame.kind === 'stream-open';
  reply.onClientGone(() => {
    exchange.facts.clientGone = true;
    if (isCancelled) abort.abort();
  });
  const standing = isLongLived(exchange);
  const sink = createReplySink(reply, () => exchange.facts.replyHeaders, standing);
  const over = holdOpen(heldBy(known), standing, abort, deps);
  if (standing) known.place.park();
  try {
    await conduct(exchange, known.port, sink, abort.signal, deps);
  } finally {
    over();
    if (standing) known.place.unpark();
  }
}

function heldBy({ principal, arrival, epoch }: Known) {
  return { principal, peer: arrival.peer, upstream: arrival.upstream, epoch };
}

async function conductBatch(
  frames: readonly Frame[],
  known: Known,
  revision: Revision,
  reply: Reply,
  refuse: (error: GatewayError) => Promise<void>,
  deps: GateDependencies,
): Promise<void> {
  const modern = frames.some((frame) => {
    const era = classifyEra(frame, known.headers);
    return 'code' in era || era.era === 'modern';
  });
  // `initialize` must not be part of a batch (2025-03-26, basic/lifecycle): it would mint a session half-way.
  const initialize = frames.some((frame) => frame.kind === 'request' && frame.method === 'initialize');
  if (modern || initialize || revision !== batchRevision)
    return refuse(new GatewayError('batch-not-allowed'));
  const sinks = createBatchSinks(reply, () => noHeaders, frames.length);
  const abort = new AbortController();
  const over = holdOpen(heldBy(known), false, abort, deps);
  await Promise.all(
    frames.map((frame, index) => {
      const size = 'bytes' in frame ? frame.bytes.length : 0;
      const exchange = begin(frame, known, 'legacy', revision, size, deps);
      reply.onClientGone(() => {
        exchange.facts.clientGone = true;
      });
      return conduct(exchange, known.port, sinks[index]!, abort.signal, deps);
    }),
  ).finally(over);
}

const noHeaders: ReplyHeaders = Object.freeze({});

function begin(
  frame: Frame,
  known: Known,
  era: Era,
  revision: Revision,
  requestBytes: number,
  deps: GateDependencies,
): Exchange {
  const id = deps.newId();
  const facts = emptyFacts();
  facts.session = known.session;
  return {
    id,
    peer: known.arrival.peer,
    principal: known.principal,
    bearer: known.bearer,
    upstream: known.port.name,
    catalog: known.catalog,
    era,
    revision,
    headers: known.headers,
    request: frame,
    requestBytes,
    policy: deps.policy(),
    time: known.time,
    startedAt: known.startedAt,
    traceId: traceIdOf(frame) ?? id,
    facts,
  };
}

/** A foreign, stale or forged session id is told apart by nobody: all are unknown. */
function openSession(
  known: Omit<Known, 'session'>,
  era: Era,
  frame: Frame,
  deps: GateDependencies,
): Session | undefined | 'unknown' {
  const sealed = known.headers.sessionId;
  // 2026-07-28 has no sessions and says to ignore the header; `initialize` opens a new one.
  if (sealed === undefined || era === 'modern') return undefined;
  if (frame.kind === 'request' && frame.method === 'initialize') return undefined;
  return deps.openSession(sealed, known.principal, known.arrival.upstream, known.time) ?? 'unknown';
}

function errorOf(failure: DecodeFailure): GatewayError {
  const options = { cause: failure.detail };
  return new GatewayError(
    failure.code,
    failure.data === undefined ? options : { ...options, data: failure.data },
  );
}

/** What is wrong with the first message of a batch, said of the whole: without its id, and no modern error. */
function batchErrorOf(failure: DecodeFailure): GatewayError {
  return failure.code === 'revision-unsupported'
    ? errorOf(failure)
    : new GatewayError('batch-not-allowed', { cause: failure.detail });
}
