import type { BearerToken } from '../identity/bearer-token.ts';
import type { Peer } from '../identity/peer.ts';
import type { Principal } from '../identity/principal.ts';
import type { Frame } from '../mcp/frame.ts';
import type { ProtocolHeaders } from '../mcp/headers.ts';
import type { Era, Revision } from '../mcp/revision.ts';
import type { Decision } from '../policy/access-request.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { Catalog } from './catalog.ts';

/**
 * One client frame and all that comes back: its answer, the notifications on the way, the server's questions.
 *
 * Everything above `facts` is fixed when the exchange begins; a reload does not touch a running exchange.
 */
export interface Exchange {
  /** Unique in this process and unguessable: names the exchange in audit and logs. */
  readonly id: string;
  readonly peer: Peer;
  readonly principal: Principal;
  /** The access token that the caller proved itself with. Only for exchanging it (RFC 8693): it never travels. */
  readonly bearer: BearerToken | undefined;
  readonly upstream: string;
  /** What this upstream's own lists said last: names and header annotations of its tools. */
  readonly catalog: Catalog;
  readonly era: Era;
  /** The revision that this frame speaks: from `_meta`, the session or the version header. */
  readonly revision: Revision;
  readonly headers: ProtocolHeaders;
  /** The client's frame as it arrived. */
  readonly request: Frame;
  /** Bytes of the frame as it arrived. */
  readonly requestBytes: number;
  readonly policy: CompiledPolicy;
  /** Milliseconds since the epoch, for decisions and records. */
  readonly time: number;
  /** Monotonic milliseconds, for rates and durations. */
  readonly startedAt: number;
  readonly traceId: string;
  readonly facts: Facts;
}

/** What filters learn on the way. Each member names its only writer. */
export interface Facts {
  /** session: the legacy session that the client's id opened to. */
  session: Session | undefined;
  /** session: makes an upstream's event id safe to hand out. Undefined where event ids do not travel. */
  sealEventId: ((id: string) => string) | undefined;
  /** session: an event id of this stream left the gateway, so the rest may be fetched by a later stream of the session. */
  resumable: boolean;
  /** conduct: the session is over: its client ended it, or the upstream does not know it any more. */
  sessionOver: boolean;
  /** conduct: the `Mcp-Session-Id` that this upstream answer carried. Never leaves the gateway. */
  upstreamSessionId: string | undefined;
  /** session, limits: headers that the answer must carry (`mcp-session-id`, `ratelimit`). */
  replyHeaders: Record<string, string>;
  /** may-see: the last answer to whether the caller may know of a target. */
  sight: Sight | undefined;
  /** authorize: the decision on the client's frame. */
  decision: Decision | undefined;
  /** authorize: the decisions on what the server asks of the client with the frame that came last, one for each method. */
  questions: readonly Question[];
  /** correlate: the server's question that the client's frame answers. */
  answered: AnsweredQuestion | undefined;
  /** authorize: what the frame is about, for records: kind and name of the target. */
  target: { readonly kind: 'tool' | 'resource' | 'prompt' | 'method'; readonly name: string } | undefined;
  /** answer-limits: more came back than one exchange may bring. Nothing further is read. */
  spent: boolean;
  /** gate: the client left before its answer was complete. */
  clientGone: boolean;
  /** limits: names of the limits that counted this exchange. */
  limits: string[];
  /** limits: the limit that refused it. */
  limitedBy: string | undefined;
  /** protocol, and arguments after a rewrite: `Mcp-Name` and `Mcp-Param-*` to send upstream, names and values in turn. */
  mirroredHeaders: readonly string[];
  /** Checks of content, through {@link addFinding}: what they refused, changed or merely noticed. */
  readonly findings: Finding[];
  /** addFinding: findings beyond the {@link mostFindings} that are kept. */
  moreFindings: number;
  /** timeouts: how long this call may take, and the rule that says so. Undefined: as long as others of its upstream. */
  timeout: { readonly ms: number; readonly rule: string } | undefined;
  /** arguments: values of secret arguments, as text. Nothing that is written down may show them. */
  readonly secrets: string[];
  /**
   * upstream, through `onBehalfOf`: tokens and assertions that were made for this exchange. No record shows them, and no
   * answer: whoever has one can go to the server without the gateway.
   */
  readonly minted: string[];
  /** results: the upstream's own error text, which the client did not get. For records, redacted there. */
  upstreamError: string | undefined;
  /** conduct: how many frames from the upstream were not relayed, by the word for what stopped them. */
  readonly dropped: Map<string, number>;
}

export function emptyFacts(): Facts {
  return {
    session: undefined,
    sessionOver: false,
    sealEventId: undefined,
    resumable: false,
    upstreamSessionId: undefined,
    replyHeaders: {},
    sight: undefined,
    decision: undefined,
    questions: noQuestions,
    answered: undefined,
    target: undefined,
    spent: false,
    clientGone: false,
    limits: [],
    limitedBy: undefined,
    mirroredHeaders: [],
    findings: [],
    moreFindings: 0,
    timeout: undefined,
    secrets: [],
    minted: [],
    upstreamError: undefined,
    dropped: new Map(),
  };
}

/** Whether the caller may know that a target exists. */
export interface Sight {
  readonly kind: 'tool' | 'resource' | 'prompt' | 'method';
  readonly name: string;
  readonly action: string;
  readonly visible: boolean;
}

/** Something that a server asks of the client: sampling, elicitation, roots. */
export interface Question {
  readonly method: string;
  readonly decision: Decision;
}

/** A server's question that a client answers in a message of its own (2024-11-05 to 2025-11-25). */
export interface AnsweredQuestion {
  readonly method: string;
  /** It allowed that the answer comes later, as a task of the client's. */
  readonly mayBeTask: boolean;
}

export const noQuestions: readonly Question[] = Object.freeze([]);

export function countDropped(exchange: Exchange, reason: string): void {
  const { dropped } = exchange.facts;
  dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
}

/** A legacy session (2024-11-05 to 2025-11-25), as the sealed session id says it. */
export interface Session {
  /** Stable name of the session inside the gateway; never leaves it. */
  readonly key: string;
  /** The upstream's own `Mcp-Session-Id`. */
  readonly upstreamId: string;
  readonly revision: Revision;
}

/** One thing that a check of content found. Never a value: the record may be read by many. */
export interface Finding {
  /** The check: name of its filter. */
  readonly check: 'arguments' | 'schema' | 'pins' | 'flow' | 'signatures' | 'results';
  readonly effect: 'refused' | 'would-refuse' | 'alert' | 'rewritten' | 'redacted' | 'stripped';
  /** Id of the rule; undefined where none was needed. */
  readonly rule: string | undefined;
  /** Which argument, or which part of a result; at most 256 characters. */
  readonly path: string | undefined;
  /** One stable word: the fault, the rewrite, the class of secret. */
  readonly detail: string;
  /** For rewrites: hashes of the value before and after. */
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /** How often, where one finding stands for many. */
  readonly count?: number;
}

/** Kept for each exchange; a client or an upstream could otherwise fill records at will. */
export const mostFindings = 32;

export function addFinding(exchange: Exchange, finding: Finding): void {
  const { facts } = exchange;
  if (facts.findings.length < mostFindings) facts.findings.push(finding);
  else facts.moreFindings += 1;
}
