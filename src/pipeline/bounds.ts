/**
 * Bounds whose reaching no error code tells by itself: the words of one metric. Closed, so that its labels are bounded.
 */
export const boundNames = [
  /** Legacy sessions in all, and of one principal. */
  'sessions',
  'sessions-per-principal',
  /** A session that lives is not counted, because there are as many as may be counted. */
  'sessions-uncounted',
  /** Streams that are meant to stay open. */
  'streams-per-session',
  'streams-per-principal',
  'subscriptions',
  'subscriptions-per-session',
  'subscriptions-per-principal',
  /** Tools beyond the most that one server may list were taken out. */
  'tools-per-list',
  /** A tool was taken out of a list for the size of its schema. */
  'schema-bytes',
  /** The gateway's own look at a list was given up: too many bytes, or too many pages. */
  'list-bytes',
  'list-pages',
  /** Bytes of answers that all upstreams together may have under way. */
  'answers-held',
] as const;

export type BoundName = (typeof boundNames)[number];
