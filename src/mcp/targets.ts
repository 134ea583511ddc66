import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { type Decoded, decoded, failed } from './failure.ts';
import type { MethodAction, MethodRow } from './method-row.ts';
import { isHandle, isName } from './text.ts';
import { resourceName, resourceTemplateName } from './uri.ts';

/** One object that a frame is about: what policy is asked. */
export interface Target {
  readonly kind: 'tool' | 'resource' | 'prompt' | 'method';
  /** Tool, prompt or method name; normalised URI (`resourceName`) of a resource. */
  readonly name: string;
  readonly action: MethodAction;
  /** Of a tool call or a prompt; of a method all of its params but `_meta`. */
  readonly arguments?: JsonObject;
}

/** URIs, and tasks, in one `subscriptions/listen`: as many as the official SDKs allow subscriptions. */
const maxSubscriptions = 1024;

/**
 * Everything that a frame is about; each must be allowed. Empty for methods whose access is `free`.
 *
 * Checks the shape of what it reads and of the members that every method shares, no more. Worked out once for each
 * params object, however many checks ask: decoded objects never change.
 *
 * @returns `frame-params-invalid` where a target is missing, is not text, or is a URI that `resourceName` refuses
 */
export function targetsOf(row: MethodRow, params: JsonObject | undefined): Decoded<readonly Target[]> {
  if (params === undefined) return readTargets(row, params);
  const known = answered.get(params);
  if (known !== undefined && known.row === row) return known.targets;
  const targets = readTargets(row, params);
  answered.set(params, { row, targets });
  return targets;
}

const answered = new WeakMap<
  JsonObject,
  { readonly row: MethodRow; readonly targets: Decoded<readonly Target[]> }
>();

function readTargets(row: MethodRow, params: JsonObject | undefined): Decoded<readonly Target[]> {
  const misshapen = findMisshapen(params);
  if (misshapen !== undefined)
    return failed('frame-params-invalid', `params.${misshapen} has the wrong type`);
  const targets: Target[] = [];
  for (const source of row.targets) {
    const found = read[source](row, params ?? {});
    if (!found.ok) return found;
    targets.push(...found.value);
  }
  return decoded(targets);
}

/**
 * Whoever listens to a task is told what this method tells (tasks extension, notifications), and whoever asks that a
 * call becomes a task means to read it so.
 */
export const readTask = 'tasks/get';

/** Members that mean the same in every method. `null` counts as a value, and has the wrong type for all of them. */
const shapes: ReadonlyMap<string, (value: JsonValue) => boolean> = new Map([
  ['_meta', isJsonObject],
  ['arguments', isJsonObject],
  ['inputResponses', isJsonObject],
  ['requestState', isText],
  ['cursor', isText],
  ['taskId', isHandle],
  ['task', isJsonObject],
  ['notifications', isJsonObject],
]);

function findMisshapen(params: JsonObject | undefined): string | undefined {
  if (params === undefined) return undefined;
  for (const [member, fits] of shapes) {
    const value = own(params, member);
    if (value !== undefined && !fits(value)) return member;
  }
  return undefined;
}

function isText(value: JsonValue): boolean {
  return typeof value === 'string';
}

type Read = (row: MethodRow, params: JsonObject) => Decoded<readonly Target[]>;

const read: Readonly<Record<MethodRow['targets'][number], Read>> = {
  tool: (row, params) => named('tool', row, params),
  prompt: (row, params) => named('prompt', row, params),
  resource: (row, params) => located(row.action, own(params, 'uri')),
  // Beside other targets the method is merely used; the action of the row is what is asked of those.
  method: (row, params) => decoded([methodTarget(row, params)]),
  reference: (row, params) => referenced(row, own(params, 'ref')),
  subscriptions: (row, params) => subscribed(row, own(params, 'notifications')),
  tasks: (_row, params) => listenedTasks(own(params, 'notifications')),
  augmentation: (_row, params) =>
    decoded(own(params, 'task') === undefined ? [] : [{ kind: 'method', name: readTask, action: 'use' }]),
};

function methodTarget(row: MethodRow, params: JsonObject): Target {
  const { _meta, ...rest } = params;
  const action = row.access === 'target' ? 'use' : row.action;
  return { kind: 'method', name: row.method, action, arguments: rest };
}

function named(kind: 'tool' | 'prompt', row: MethodRow, params: JsonObject): Decoded<readonly Target[]> {
  const name = own(params, 'name');
  if (!isName(name)) return failed('frame-params-invalid', 'params.name is not a name');
  const given = own(params, 'arguments');
  const base = { kind, name, action: row.action };
  return decoded([isJsonObject(given) ? { ...base, arguments: given } : base]);
}

function located(action: MethodAction, uri: JsonValue | undefined): Decoded<readonly Target[]> {
  if (typeof uri !== 'string') return failed('frame-params-invalid', 'a URI is missing or is not text');
  const name = resourceName(uri);
  return name.ok ? decoded([{ kind: 'resource', name: name.value, action }]) : name;
}

function referenced(row: MethodRow, ref: JsonValue | undefined): Decoded<readonly Target[]> {
  if (!isJsonObject(ref)) return failed('frame-params-invalid', 'params.ref is not an object');
  switch (own(ref, 'type')) {
    case 'ref/prompt':
      return named('prompt', row, { name: own(ref, 'name') });
    case 'ref/resource': {
      const uri = own(ref, 'uri');
      if (typeof uri !== 'string') return failed('frame-params-invalid', 'params.ref.uri is not text');
      const name = uri.includes('{') ? resourceTemplateName(uri) : resourceName(uri);
      return name.ok ? decoded([{ kind: 'resource', name: name.value, action: row.action }]) : name;
    }
    default:
      return failed('frame-params-invalid', 'params.ref.type is unknown');
  }
}

function subscribed(row: MethodRow, filter: JsonValue | undefined): Decoded<readonly Target[]> {
  if (!isJsonObject(filter)) return failed('frame-params-invalid', 'params.notifications is not an object');
  const uris = own(filter, 'resourceSubscriptions') ?? [];
  if (!Array.isArray(uris) || uris.length > maxSubscriptions) {
    return failed('frame-params-invalid', 'resourceSubscriptions is not a list, or too long');
  }
  const targets: Target[] = [];
  for (const uri of uris as readonly JsonValue[]) {
    const found = located(row.action, uri);
    if (!found.ok) return found;
    targets.push(...found.value);
  }
  return decoded(targets);
}

function listenedTasks(filter: JsonValue | undefined): Decoded<readonly Target[]> {
  const ids = isJsonObject(filter) ? (own(filter, 'taskIds') ?? []) : [];
  if (!Array.isArray(ids) || ids.length > maxSubscriptions || !ids.every(isHandle)) {
    return failed('frame-params-invalid', 'taskIds is not a list of task ids, or too long');
  }
  return decoded(ids.length === 0 ? [] : [{ kind: 'method', name: readTask, action: 'use' }]);
}
