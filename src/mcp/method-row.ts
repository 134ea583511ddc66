import type { Revision } from './revision.ts';

/** What a method asks of its target. The words are policy's (`Action` in policy/access-request.ts). */
export type MethodAction = 'call' | 'read' | 'subscribe' | 'get' | 'complete' | 'use' | 'ask';

export type MethodDirection = 'toUpstream' | 'toClient' | 'both';

/** Where a method's targets stand in its params. */
export type TargetSource =
  | 'tool' // params.name
  | 'prompt' // params.name
  | 'resource' // params.uri
  | 'reference' // params.ref: a prompt or a resource template
  | 'subscriptions' // params.notifications.resourceSubscriptions, one URI each
  | 'tasks' // params.notifications.taskIds: the method that reads a task, where there are any
  | 'augmentation' // params.task: the same method, where a call asks to become a task
  | 'method'; // the method itself, beside or instead of others

/** All that the gateway knows about one method. What differs between revisions or directions has a row of its own. */
export interface MethodRow {
  readonly method: string;
  readonly kind: 'request' | 'notification';
  readonly direction: MethodDirection;
  readonly revisions: ReadonlySet<Revision>;
  /**
   * How authorisation treats it. `implied`: reveals and does nothing of its own (`AccessRequest.resource.implied`);
   * `target`: judged by every one of its targets; `method`: needs an allow rule that names the method; `free`:
   * housekeeping, judged by correlation with something that was authorised.
   */
  readonly access: 'implied' | 'target' | 'method' | 'free';
  readonly action: MethodAction;
  readonly targets: readonly TargetSource[];
  /** The result is a list: which member, which key of an entry names its target, and what to ask of it. */
  readonly list?: ListColumn;
  /** The result's items have URIs of their own, which may differ from the one asked for. */
  readonly contents?: { readonly member: 'contents'; readonly key: 'uri' };
  /** The result may carry the server's `instructions`: text for the model that nobody asked for. */
  readonly instructs?: true;
  /** The params may have a `cursor`, and the result a `nextCursor`. */
  readonly pages?: true;
  /** What the message has to do with tasks: its result may be a new one, its params name one, its result lists some. */
  readonly task?: 'makes' | 'names' | 'lists';
  /** Where the result of the call that began the task stands: it is the result itself, or its member `result`. */
  readonly taskResult?: 'whole' | 'embedded';
  /** The params may answer questions of a task. */
  readonly answersTask?: true;
  /** Begins or ends a subscription of the session to one resource. */
  readonly subscription?: 'begin' | 'end';
  /** Changes nothing, so that it may be asked twice where the first answer was lost: a list, a read. */
  readonly repeatable?: true;
  /** What the server says has changed. */
  readonly announces?: 'tools';
  /** Member of params that `Mcp-Name` mirrors (2026-07-28 only). */
  readonly mirrors?: 'name' | 'uri' | 'taskId';
  /** The result may carry the server's questions (`inputRequests`, 2026-07-28). */
  readonly mayAskInput: boolean;
  /** The answer may take longer than any time limit for calls. */
  readonly longLived: boolean;
  /** The extension that brings this method; undefined for the core. */
  readonly extension?: string;
}

export interface ListColumn {
  readonly member: string;
  readonly key: string;
  readonly kind: 'tool' | 'resource' | 'prompt';
  readonly action: 'call' | 'read' | 'get';
}
