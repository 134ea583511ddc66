import type { DecodeLimits } from '../mcp/decode.ts';
import type { ProtocolHeaders } from '../mcp/headers.ts';
import { classifyEra } from '../mcp/revision.ts';
import type { AccessRequest, Subject } from '../policy/access-request.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { scopesFor } from '../policy/step-up.ts';
import type { Arrival } from './arrival.ts';
import { assumedRevision, framesOf } from './frames-of.ts';
import { requestsOf } from './requests-of.ts';

/** Whom nobody knows. Has no credential, so it is in no role. */
const nobody: Subject = Object.freeze({ id: '', credentials: Object.freeze([]) });

/**
 * 64 KiB: what a stranger sends is decoded for a better challenge only, and the first request of a client, which is
 * what gets one, is small. Larger ones are told as much as ones that cannot be read.
 */
const mostBytes = 64 * 1024;

/**
 * 32 targets, more than a first request is about: each is held against every pattern, and one subscription of a stranger
 * may name a thousand.
 */
const mostTargets = 32;

/**
 * The scopes that policy asks for what a request is about, whoever sends it. Rests on the names in the request and on
 * policy alone: what upstreams really have makes no difference.
 *
 * @returns nothing where policy asks for none, or the request cannot be read or is too large to look into
 */
export function neededScopes(
  arrival: Arrival,
  headers: ProtocolHeaders,
  policy: CompiledPolicy,
  limits: DecodeLimits,
  time: number,
): readonly string[] {
  if (arrival.body.length > mostBytes) return [];
  const frames = framesOf(arrival, headers, limits);
  if (!frames.ok) return [];
  const asker = { subject: nobody, upstream: arrival.upstream, address: arrival.peer.address, time };
  const requests: AccessRequest[] = [];
  for (const frame of frames.value.frames) {
    const era = classifyEra(frame, headers);
    if ('code' in era) return [];
    const found = requestsOf(frame, era.revision ?? assumedRevision, asker);
    if (!found.ok) return [];
    requests.push(...found.value);
    if (requests.length > mostTargets) return [];
  }
  return scopesFor(requests, policy);
}
