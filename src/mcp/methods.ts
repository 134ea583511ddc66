import type { MethodAction, MethodDirection, MethodRow } from './method-row.ts';
import { type Revision, revisions } from './revision.ts';

export type { ListColumn, MethodAction, MethodRow, TargetSource } from './method-row.ts';
export { readTask, type Target, targetsOf } from './targets.ts';
export { resourceName, resourceTemplateName } from './uri.ts';

const all: ReadonlySet<Revision> = new Set(revisions);
const legacy: ReadonlySet<Revision> = new Set(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']);
const modern: ReadonlySet<Revision> = new Set(['2026-07-28']);
const since2025June: ReadonlySet<Revision> = new Set(['2025-06-18', '2025-11-25']);
const only2025November: ReadonlySet<Revision> = new Set(['2025-11-25']);

/** The extension that lets a server answer a call with a task (2026-07-28). */
export const tasksExtension = 'io.modelcontextprotocol/tasks';
const tasks = tasksExtension;
const skills = 'io.modelcontextprotocol/skills';

const up = 'toUpstream';
const down = 'toClient';

type Columns = Partial<Omit<MethodRow, 'method' | 'kind' | 'direction' | 'revisions' | 'access'>>;

function request(
  method: string,
  direction: MethodDirection,
  revisions: ReadonlySet<Revision>,
  access: MethodRow['access'],
  columns: Columns = {},
): MethodRow {
  return row('request', method, direction, revisions, access, columns);
}

function notification(
  method: string,
  direction: MethodDirection,
  revisions: ReadonlySet<Revision>,
  columns: Columns & { readonly access?: MethodRow['access'] } = {},
): MethodRow {
  return row('notification', method, direction, revisions, columns.access ?? 'free', columns);
}

function row(
  kind: MethodRow['kind'],
  method: string,
  direction: MethodDirection,
  revisions: ReadonlySet<Revision>,
  access: MethodRow['access'],
  columns: Columns,
): MethodRow {
  const action: MethodAction = 'use';
  const targets: MethodRow['targets'] = access === 'free' ? [] : ['method'];
  return Object.freeze({
    action,
    targets,
    mayAskInput: false,
    longLived: false,
    ...columns,
    method,
    kind,
    direction,
    revisions,
    access,
  });
}

/**
 * THE TABLE. A method that has no row for a revision and direction does not exist there, whatever a server would make
 * of it: unknown methods are not forwarded. Nothing elsewhere asks for a method by name; it asks for a column.
 *
 * Sources: the unions ClientRequest, ServerRequest, ClientNotification, ServerNotification and InputRequest of the
 * schemas of all five revisions, and the tasks and skills extensions.
 */
export const methods: readonly MethodRow[] = Object.freeze([
  // Requests of the client.
  request('initialize', up, legacy, 'implied', { instructs: true }),
  request('server/discover', up, modern, 'implied', { instructs: true, repeatable: true }),
  request('ping', up, legacy, 'implied', { repeatable: true }),
  request('tools/list', up, all, 'implied', {
    pages: true,
    repeatable: true,
    list: { member: 'tools', key: 'name', kind: 'tool', action: 'call' },
  }),
  request('tools/call', up, all, 'target', {
    action: 'call',
    targets: ['tool', 'augmentation'],
    mirrors: 'name',
    mayAskInput: true,
    task: 'makes',
  }),
  request('resources/list', up, all, 'implied', {
    pages: true,
    repeatable: true,
    list: { member: 'resources', key: 'uri', kind: 'resource', action: 'read' },
  }),
  request('resources/templates/list', up, all, 'implied', {
    pages: true,
    repeatable: true,
    list: { member: 'resourceTemplates', key: 'uriTemplate', kind: 'resource', action: 'read' },
  }),
  request('resources/read', up, all, 'target', {
    action: 'read',
    targets: ['resource'],
    contents: { member: 'contents', key: 'uri' },
    mirrors: 'uri',
    mayAskInput: true,
    repeatable: true,
  }),
  request('resources/subscribe', up, legacy, 'target', {
    action: 'subscribe',
    targets: ['resource'],
    subscription: 'begin',
  }),
  request('resources/unsubscribe', up, legacy, 'target', {
    action: 'subscribe',
    targets: ['resource'],
    subscription: 'end',
  }),
  request('prompts/list', up, all, 'implied', {
    pages: true,
    repeatable: true,
    list: { member: 'prompts', key: 'name', kind: 'prompt', action: 'get' },
  }),
  request('prompts/get', up, all, 'target', {
    action: 'get',
    targets: ['prompt'],
    mirrors: 'name',
    mayAskInput: true,
  }),
  request('completion/complete', up, all, 'target', { action: 'complete', targets: ['reference'] }),
  request('logging/setLevel', up, legacy, 'method'),
  request('subscriptions/listen', up, modern, 'target', {
    action: 'subscribe',
    targets: ['method', 'subscriptions', 'tasks'],
    longLived: true,
  }),

  // Tasks: part of the core in 2025-11-25, where either side may hold one; an extension since.
  request('tasks/get', up, only2025November, 'method', { task: 'names', repeatable: true }),
  request('tasks/result', up, only2025November, 'method', {
    task: 'names',
    taskResult: 'whole',
    longLived: true,
  }),
  request('tasks/list', up, only2025November, 'method', { task: 'lists', pages: true, repeatable: true }),
  request('tasks/cancel', up, only2025November, 'method', { task: 'names' }),
  request('tasks/get', down, only2025November, 'method', { action: 'ask', task: 'names' }),
  request('tasks/result', down, only2025November, 'method', {
    action: 'ask',
    task: 'names',
    longLived: true,
  }),
  request('tasks/list', down, only2025November, 'method', { action: 'ask', task: 'lists' }),
  request('tasks/cancel', down, only2025November, 'method', { action: 'ask', task: 'names' }),
  request('tasks/get', up, modern, 'method', {
    mirrors: 'taskId',
    task: 'names',
    taskResult: 'embedded',
    repeatable: true,
    extension: tasks,
  }),
  request('tasks/update', up, modern, 'method', {
    mirrors: 'taskId',
    task: 'names',
    answersTask: true,
    extension: tasks,
  }),
  request('tasks/cancel', up, modern, 'method', { mirrors: 'taskId', task: 'names', extension: tasks }),

  // Skills: the extension must be allowed by name, and each skill as the resource that it is.
  request('skills/list', up, modern, 'method', {
    pages: true,
    repeatable: true,
    list: { member: 'skills', key: 'uri', kind: 'resource', action: 'read' },
    extension: skills,
  }),
  request('skills/get', up, modern, 'target', {
    action: 'read',
    targets: ['method', 'resource'],
    repeatable: true,
    extension: skills,
  }),
  request('resources/directory/read', up, modern, 'target', {
    action: 'read',
    targets: ['method', 'resource'],
    pages: true,
    repeatable: true,
    list: { member: 'resources', key: 'uri', kind: 'resource', action: 'read' },
    extension: skills,
  }),

  // Questions of the server. In 2026-07-28 they ride inside results: see inputRequestRow.
  request('ping', down, legacy, 'free'),
  request('sampling/createMessage', down, legacy, 'method', { action: 'ask' }),
  request('elicitation/create', down, since2025June, 'method', { action: 'ask' }),
  request('roots/list', down, legacy, 'method', { action: 'ask' }),

  // Notifications.
  notification('notifications/initialized', up, legacy),
  notification('notifications/roots/list_changed', up, legacy),
  // Over HTTP a modern client cancels by closing the stream; over a shared channel it has to say so.
  notification('notifications/cancelled', 'both', all),
  notification('notifications/progress', 'both', legacy),
  notification('notifications/progress', down, modern),
  notification('notifications/message', down, all),
  notification('notifications/tools/list_changed', down, all, { announces: 'tools' }),
  notification('notifications/prompts/list_changed', down, all),
  notification('notifications/resources/list_changed', down, all),
  notification('notifications/resources/updated', down, all, {
    access: 'target',
    action: 'subscribe',
    targets: ['resource'],
  }),
  notification('notifications/elicitation/complete', down, only2025November),
  notification('notifications/tasks/status', 'both', only2025November, { task: 'names' }),
  notification('notifications/tasks', down, modern, {
    task: 'names',
    taskResult: 'embedded',
    extension: tasks,
  }),
  notification('notifications/subscriptions/acknowledged', down, modern),
]);

/** What a modern result may ask of the client (2026-07-28, basic/patterns/mrtr). Never real requests. */
const inputRequests = new Map<string, MethodRow>(
  ['sampling/createMessage', 'elicitation/create', 'roots/list'].map((method) => [
    method,
    request(method, down, modern, 'method', { action: 'ask' }),
  ]),
);

type Way = 'toUpstream' | 'toClient';

/** The rows of one revision, by direction and kind. */
type Places = Readonly<Record<`${Way} ${MethodRow['kind']}`, Map<string, MethodRow>>>;

const index = buildIndex();

function buildIndex(): ReadonlyMap<Revision, Places> {
  const built = new Map<Revision, Places>();
  for (const known of methods) {
    for (const revision of known.revisions) {
      const places = built.get(revision) ?? noRows();
      built.set(revision, places);
      const ways: readonly Way[] = known.direction === 'both' ? [up, down] : [known.direction];
      for (const way of ways) {
        const rows = rowsAt(places, way, known.kind);
        if (rows.has(known.method)) throw new TypeError(`two rows for ${known.method} in ${revision} ${way}`);
        rows.set(known.method, known);
      }
    }
  }
  return built;
}

function noRows(): Places {
  return {
    'toUpstream request': new Map(),
    'toUpstream notification': new Map(),
    'toClient request': new Map(),
    'toClient notification': new Map(),
  };
}

/** Without making a text of the two: this is asked a dozen times for each frame. */
function rowsAt(places: Places, way: Way, kind: MethodRow['kind']): Map<string, MethodRow> {
  if (way === 'toUpstream') {
    return kind === 'request' ? places['toUpstream request'] : places['toUpstream notification'];
  }
  return kind === 'request' ? places['toClient request'] : places['toClient notification'];
}

/**
 * The row of a method as a JSON-RPC message of one revision, direction and kind; undefined where it does not exist.
 *
 * @param method a stranger's text: `constructor` is as unknown as any
 */
export function methodRow(
  method: string,
  revision: Revision,
  direction: Way,
  kind: MethodRow['kind'],
): MethodRow | undefined {
  const places = index.get(revision);
  return places === undefined ? undefined : rowsAt(places, direction, kind).get(method);
}

/** The row of a question that rides in `inputRequests` of a modern result; undefined where it may not. */
export function inputRequestRow(method: string): MethodRow | undefined {
  return inputRequests.get(method);
}

const byExtension = new Map<string, string[]>();
for (const { extension, method, direction } of methods) {
  if (extension === undefined || direction === 'toClient') continue;
  byExtension.set(extension, [...(byExtension.get(extension) ?? []), method]);
}

/** The methods that a client may ask because of an extension; none for an extension that brings none. */
export function extensionMethods(extension: string): readonly string[] {
  return byExtension.get(extension) ?? [];
}
