/** One call and its answer as they come off the wire, new objects each time: checks remember what they saw by object. */
import { decodeFrame, defaultDecodeLimits } from '../../src/mcp/decode.ts';
import type { Direction, Frame, RequestId } from '../../src/mcp/frame.ts';
import { readProtocolHeaders } from '../../src/mcp/headers.ts';
import { eraOf, type Revision } from '../../src/mcp/revision.ts';
import { type Exchange, emptyFacts } from '../../src/pipeline/exchange.ts';
import { traceIdOf } from '../../src/pipeline/trace-id.ts';
import { type Case, cases } from '../cases.ts';
import { type BenchGate, caller } from './gate.ts';

/** What is called. */
export interface Call {
  readonly title: string;
  readonly sent: Case;
  readonly revision: Revision;
  /** Whether no query is sent twice. */
  readonly varies: boolean;
}

const small = caseOf('small');

export const calls: readonly Call[] = [
  { title: '2026-07-28, the same query', sent: small, revision: '2026-07-28', varies: false },
  {
    title: '2025-11-25 with a session, the same query',
    sent: caseOf('session'),
    revision: '2025-11-25',
    varies: false,
  },
  { title: '2026-07-28, no query twice', sent: small, revision: '2026-07-28', varies: true },
];

function caseOf(key: string): Case {
  return cases.find((each) => each.key === key)!;
}

let calling = 0;

/** The next exchange of this kind. */
export function createExchange(call: Call, gate: BenchGate, sessionId: string): Exchange {
  calling += 1;
  const text = call.sent.body(calling);
  const body = call.varies ? text.replace('region = $1', `region = $1 and total > ${calling}`) : text;
  const headers = readProtocolHeaders(
    Object.entries(
      eraOf(call.revision) === 'legacy'
        ? { ...call.sent.headers, 'mcp-session-id': sessionId }
        : call.sent.headers,
    ).flat(),
  );
  if (!headers.ok) throw new Error(headers.failure.detail);
  const bytes = Buffer.from(body);
  const request = decode(bytes, 'toUpstream');
  return {
    id: `exchange-${calling}`,
    peer: { address: '127.0.0.1', port: 50_000, tls: undefined },
    principal: caller,
    bearer: undefined,
    upstream: 'warehouse',
    catalog: gate.catalog,
    era: eraOf(call.revision),
    revision: call.revision,
    headers: headers.value,
    request,
    requestBytes: bytes.length,
    policy: gate.policy,
    time: Date.now(),
    startedAt: performance.now(),
    traceId: traceIdOf(request) ?? `exchange-${calling}`,
    facts: emptyFacts(),
  };
}

/** What bench/server.ts answers small calls with. */
export function createAnswer(id: RequestId, revision: Revision): Frame {
  const result = {
    ...(eraOf(revision) === 'modern' ? { resultType: 'complete' } : {}),
    content: [{ type: 'text', text: '{"rows":[["north",42],["south",17]]}' }],
    isError: false,
  };
  return decode(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result })), 'toClient');
}

function decode(bytes: Buffer, direction: Direction): Frame {
  const decoded = decodeFrame(bytes, defaultDecodeLimits, direction);
  if (!decoded.ok) throw new Error(decoded.failure.detail);
  return decoded.value;
}
