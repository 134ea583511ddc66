import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { type DecodeFailure, type FailureDetails, toFailure } from './failure.ts';
import type { Frame, NotificationFrame, RequestFrame } from './frame.ts';
import type { ProtocolHeaders } from './headers.ts';
import { isName } from './text.ts';

/** `legacy`: sessions and handshake, up to 2025-11-25. `modern`: every request stands alone, from 2026-07-28 on. */
export type Era = 'legacy' | 'modern';
export type Revision = '2024-11-05' | '2025-03-26' | '2025-06-18' | '2025-11-25' | '2026-07-28';

/** Every revision that this gateway speaks, oldest first. */
export const revisions: readonly Revision[] = Object.freeze([
  '2024-11-05',
  '2025-03-26',
  '2025-06-18',
  '2025-11-25',
  '2026-07-28',
]);

const known: ReadonlySet<unknown> = new Set(revisions);

export function isRevision(value: unknown): value is Revision {
  return known.has(value);
}

export function eraOf(revision: Revision): Era {
  return revision === '2026-07-28' ? 'modern' : 'legacy';
}

/** Keys of `params._meta` that every modern request must carry (2026-07-28, basic/index). */
export const protocolVersionKey = 'io.modelcontextprotocol/protocolVersion';
export const clientCapabilitiesKey = 'io.modelcontextprotocol/clientCapabilities';

/** Whether params carry the key that makes a message modern, whatever stands in it. */
export function claimsModernRevision(params: JsonObject | undefined): boolean {
  return claim(params) !== undefined;
}

export interface Classification {
  readonly era: Era;
  /**
   * What the body or the version header names. Undefined where neither does: the session, or 2025-03-26 by default,
   * decides. For a legacy `initialize` it is the revision that the client asks for, not yet the one agreed on.
   */
  readonly revision: Revision | undefined;
}

/**
 * Tells which era a client's frame belongs to. The body decides; the headers may only agree with it, for whoever
 * could choose the era by a header could choose which checks apply.
 *
 * Not checked here: that a modern request has its mirrored headers at all (`checkMirroredHeaders`).
 */
export function classifyEra(frame: Frame, headers: ProtocolHeaders): Classification | DecodeFailure {
  const header = headers.version;
  switch (frame.kind) {
    case 'request':
    case 'notification': {
      const version = claim(frame.params);
      if (version !== undefined) return classifyModern(frame, headers, version);
      if (frame.method === 'initialize') return classifyInitialize(frame, header);
      if (header !== undefined && namesModern(header)) {
        return toFailure(
          'meta-missing',
          'a modern version header, but no version in params._meta',
          idOf(frame),
        );
      }
      return classifyByHeader(header, idOf(frame));
    }
    case 'result':
    case 'error':
      // 2026-07-28 carries the client's answers inside requests: a posted one cannot belong to it.
      if (header !== undefined && namesModern(header)) {
        return toFailure('frame-invalid', 'a posted response with a modern version header', { id: frame.id });
      }
      return classifyByHeader(header, { id: frame.id });
    case 'stream-open':
    case 'session-end':
      if (header !== undefined && namesModern(header)) {
        return toFailure('http-method', 'GET or DELETE with a modern version header');
      }
      return classifyByHeader(header, {});
  }
}

function classifyModern(
  frame: RequestFrame | NotificationFrame,
  headers: ProtocolHeaders,
  version: JsonValue,
): Classification | DecodeFailure {
  const at = idOf(frame);
  if (typeof version !== 'string')
    return toFailure('meta-missing', 'the version in _meta is not a string', at);
  if (headers.version !== undefined && headers.version !== version) {
    return toFailure('header-mismatch', 'the version header differs from params._meta', at);
  }
  if (headers.method !== undefined && headers.method !== frame.method) {
    return toFailure('header-mismatch', 'Mcp-Method differs from the method', at);
  }
  const meta = frame.params === undefined ? undefined : own(frame.params, '_meta');
  if (frame.kind === 'request' && isJsonObject(meta) && !isJsonObject(own(meta, clientCapabilitiesKey))) {
    return toFailure('meta-missing', 'params._meta has no clientCapabilities object', at);
  }
  if (!isRevision(version) || eraOf(version) !== 'modern') {
    return unsupported('the version in _meta is not a modern revision', version, at);
  }
  return { era: 'modern', revision: version };
}

function classifyInitialize(
  frame: RequestFrame | NotificationFrame,
  header: string | undefined,
): Classification | DecodeFailure {
  if (header !== undefined && namesModern(header)) {
    return toFailure('header-mismatch', 'initialize with a modern version header', idOf(frame));
  }
  // No refusal of an unknown version: initialize negotiates, and the server answers with one that it knows.
  const asked = frame.params === undefined ? undefined : own(frame.params, 'protocolVersion');
  const isLegacy = isRevision(asked) && eraOf(asked) === 'legacy';
  return { era: 'legacy', revision: isLegacy ? asked : undefined };
}

function classifyByHeader(header: string | undefined, at: FailureDetails): Classification | DecodeFailure {
  if (header === undefined) return { era: 'legacy', revision: undefined };
  if (!isRevision(header)) return unsupported('an unknown version header', header, at);
  return { era: 'legacy', revision: header };
}

/** The same that `server/discover` names: a legacy revision is reached by `initialize`, not by trying again. */
const modernRevisions: readonly Revision[] = revisions.filter((revision) => eraOf(revision) === 'modern');

/** `data` as 2026-07-28 (basic/versioning) wants it. A revision's name is short; anything longer is not echoed. */
function unsupported(detail: string, requested: string, at: FailureDetails): DecodeFailure {
  const data =
    isName(requested) && requested.length <= 32
      ? { supported: modernRevisions, requested }
      : { supported: modernRevisions };
  return toFailure('revision-unsupported', detail, { ...at, data });
}

function namesModern(version: string): boolean {
  return isRevision(version) && eraOf(version) === 'modern';
}

function claim(params: JsonObject | undefined): JsonValue | undefined {
  const meta = params === undefined ? undefined : own(params, '_meta');
  return isJsonObject(meta) ? own(meta, protocolVersionKey) : undefined;
}

function idOf(frame: RequestFrame | NotificationFrame): FailureDetails {
  return frame.kind === 'request' ? { id: frame.id } : {};
}
