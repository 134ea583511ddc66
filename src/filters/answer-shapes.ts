import { resourceName } from '../mcp/methods.ts';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/**
 * Whether a client's answer has the shape of what the method asks for. Methods without a shape of their own take any
 * object.
 *
 * @param mayBeTask the question allowed that the answer comes later, as a task of the client's (2025-11-25)
 */
export function fitsQuestion(method: string, answer: JsonValue, mayBeTask = false): boolean {
  if (!isJsonObject(answer)) return false;
  if (mayBeTask && own(answer, 'task') !== undefined) return isTask(own(answer, 'task'));
  const shape = shapes.get(method);
  return shape === undefined || shape(answer);
}

type Shape = (answer: JsonObject) => boolean;

/** Sources: CreateMessageResult, ElicitResult, ListRootsResult of the schemas of 2025-11-25 and 2026-07-28. */
const shapes: ReadonlyMap<string, Shape> = new Map([
  ['elicitation/create', isElicitResult],
  ['sampling/createMessage', isSampled],
  ['roots/list', isRoots],
]);

const actions: ReadonlySet<unknown> = new Set(['accept', 'decline', 'cancel']);
const speakers: ReadonlySet<unknown> = new Set(['user', 'assistant']);

/** Fields of a form. 256: a form that a person fills in has tens. */
const mostFields = 256;

function isElicitResult(answer: JsonObject): boolean {
  if (!actions.has(own(answer, 'action'))) return false;
  const content = own(answer, 'content');
  if (content === undefined) return true;
  // Some clients send null or an empty object where nothing was filled in.
  if (content === null) return true;
  if (!isJsonObject(content)) return false;
  const values = Object.values(content);
  // What was typed before a refusal is nobody's business.
  if (own(answer, 'action') !== 'accept' && values.length > 0) return false;
  return values.length <= mostFields && values.every(isField);
}

/** Forms are flat (client/elicitation): text, numbers, switches, and lists of text. */
function isField(value: JsonValue | undefined): boolean {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  return value !== null && !isJsonObject(value);
}

function isSampled(answer: JsonObject): boolean {
  if (!speakers.has(own(answer, 'role')) || typeof own(answer, 'model') !== 'string') return false;
  const stopReason = own(answer, 'stopReason');
  if (stopReason !== undefined && typeof stopReason !== 'string') return false;
  const content = own(answer, 'content');
  const blocks = Array.isArray(content) ? (content as readonly JsonValue[]) : [content];
  return blocks.every((block) => isJsonObject(block) && typeof own(block, 'type') === 'string');
}

/** Folders that a client opens to a server. 1024: an editor has tens. */
const mostRoots = 1024;

/** `file:` only, as every revision says; any other scheme would have a server open what the client named. */
function isRoots(answer: JsonObject): boolean {
  const roots = own(answer, 'roots');
  if (!Array.isArray(roots) || roots.length > mostRoots) return false;
  return (roots as readonly JsonValue[]).every((root) => {
    if (!isJsonObject(root)) return false;
    const uri = own(root, 'uri');
    const name = own(root, 'name');
    return (
      typeof uri === 'string' &&
      uri.startsWith('file:///') &&
      resourceName(uri).ok &&
      (name === undefined || typeof name === 'string')
    );
  });
}

function isTask(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && typeof own(value, 'taskId') === 'string';
}
