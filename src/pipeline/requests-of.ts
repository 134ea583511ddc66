import type { Decoded } from '../mcp/decode.ts';
import { decoded, failed } from '../mcp/failure.ts';
import type { Frame } from '../mcp/frame.ts';
import { methodRow, type Target, targetsOf } from '../mcp/methods.ts';
import type { Revision } from '../mcp/revision.ts';
import type { AccessRequest, Subject } from '../policy/access-request.ts';

/** Who asks, of which upstream, from where and when. */
export interface Asker {
  readonly subject: Subject;
  readonly upstream: string;
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/**
 * What a frame of a client asks of policy: one request for each of its targets, never none. Nothing for an answer, which
 * was decided on when the question was asked.
 *
 * @returns `method-unknown`, or what `targetsOf` finds wrong
 */
export function requestsOf(
  frame: Frame,
  revision: Revision,
  asker: Asker,
): Decoded<readonly AccessRequest[]> {
  switch (frame.kind) {
    case 'request':
    case 'notification': {
      const row = methodRow(frame.method, revision, 'toUpstream', frame.kind);
      if (row === undefined) return failed('method-unknown', 'no method of this revision');
      // Housekeeping has no target, but it comes from somebody: whoever may use nothing here may not knock either.
      if (row.access === 'free') return decoded([used(row.method, asker)]);
      const targets = targetsOf(row, frame.params);
      if (!targets.ok) return targets;
      const implied = row.access === 'implied';
      return decoded(
        targets.value.map((target) => requestOf(target, implied && target.kind === 'method', asker)),
      );
    }
    case 'stream-open':
    case 'session-end':
      return decoded([used(frame.kind, asker)]);
    case 'result':
    case 'error':
      return decoded([]);
  }
}

/** The question to policy about one target. */
export function requestOf(target: Target, implied: boolean, asker: Asker): AccessRequest {
  return {
    subject: asker.subject,
    action: target.action,
    resource: {
      upstream: asker.upstream,
      kind: target.kind,
      name: target.name,
      ...(implied ? { implied } : {}),
    },
    context: { arguments: target.arguments, address: asker.address, time: asker.time },
  };
}

function used(name: string, asker: Asker): AccessRequest {
  return requestOf({ kind: 'method', name, action: 'use' }, true, asker);
}
