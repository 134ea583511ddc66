import type { UpstreamAnswer } from '../pipeline/upstream-port.ts';
import type { Member } from './member.ts';
import { isTagged, splitTag } from './stickiness.ts';

const header = 'mcp-session-id';

/** Where a message belongs, and its protocol headers as the endpoint knows them. */
export interface Binding {
  /** Undefined where it belongs to no session. */
  readonly member: Member | undefined;
  readonly protocol: readonly string[];
}

/**
 * Reads the endpoint of a session from its id, and takes it out of what is sent.
 *
 * An id without a tag comes from a time when the upstream had one URL: it belongs to the first of the list. If that is
 * another server now, it does not know the session and says so.
 *
 * @param hasTags false where the upstream has one URL, and so gives out ids as they are
 */
export function bindingOf(
  protocol: readonly string[],
  members: readonly Member[],
  hasTags: boolean,
): Binding | 'unknown' {
  // Names stand at even places: a value may be the same word.
  const at = protocol.findIndex((text, index) => index % 2 === 0 && text === header);
  const given = at < 0 ? undefined : protocol[at + 1];
  if (given === undefined) return { member: undefined, protocol };
  const { tag, id } = splitTag(given);
  const member = members.find(({ endpoint }) => endpoint.tag === tag);
  if (member !== undefined) return { member, protocol: protocol.with(at + 1, id) };
  if (tag !== undefined && hasTags) return 'unknown';
  return { member: members[0], protocol };
}

/**
 * The answer with the endpoint's tag before its session id.
 *
 * @param hasTags false where the upstream has one URL: ids stay as they are then, but for one that looks like a tag. Were it
 *   kept, the server would choose whose session it is once there are several URLs
 */
export function tagged(answer: UpstreamAnswer, tag: string, hasTags = true): UpstreamAnswer {
  if (answer.kind === 'refused' || answer.sessionId === undefined) return answer;
  if (!hasTags && !isTagged(answer.sessionId)) return answer;
  return { ...answer, sessionId: tag + answer.sessionId };
}
