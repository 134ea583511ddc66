import { hash } from 'node:crypto';

/** Marks a tag: ids of servers do not begin like this. */
const mark = '@';
const digestLength = 8;
const end = ':';
const shape = /^@[A-Za-z0-9_-]{8}:/;

/**
 * What stands before a session id to say which endpoint it belongs to: made from the URL, so that it outlives a new order
 * of the list, a restart and the way to another replica. 48 bits tell the few endpoints of one upstream apart; nobody can
 * choose one, because clients hold session ids only sealed.
 */
export function endpointTag(url: string): string {
  return mark + hash('sha256', new URL(url).href, 'base64url').slice(0, digestLength) + end;
}

/** Whether an id has the shape of one with a tag. */
export function isTagged(sessionId: string): boolean {
  return shape.test(sessionId);
}

/** A session id as an endpoint gave it, with its tag apart; no tag where it was sealed before there were several endpoints. */
export function splitTag(sessionId: string): { readonly tag: string | undefined; readonly id: string } {
  if (!shape.test(sessionId)) return { tag: undefined, id: sessionId };
  const length = mark.length + digestLength + end.length;
  return { tag: sessionId.slice(0, length), id: sessionId.slice(length) };
}

/**
 * The one of several endpoints that a caller goes to, the same each time (rendezvous hashing): where one comes or goes,
 * only its own callers move.
 *
 * @param tags at least one
 * @returns a place in `tags`
 */
export function placeOf(caller: string, tags: readonly string[]): number {
  if (tags.length < 2) return 0;
  let best = 0;
  let highest = '';
  for (const [index, tag] of tags.entries()) {
    const rank = hash('sha256', JSON.stringify([tag, caller]));
    if (rank > highest) {
      highest = rank;
      best = index;
    }
  }
  return best;
}
