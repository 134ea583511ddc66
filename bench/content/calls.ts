import { isJsonObject, type JsonObject, type JsonValue, own } from '../../src/values/json.ts';
import { isText, Members } from './members.ts';
import { parseExact } from './rows.ts';

/** A call of a tool, found somewhere in a row. */
export interface FoundCall {
  readonly tool: string;
  readonly arguments: JsonObject;
  /** The object that it was found in, which may say more of it. */
  readonly from: JsonObject;
}

const toolNames = [
  'tool',
  'toolname',
  'functionname',
  'function',
  'fn',
  'toolcallfunction',
  'api',
  'apiname',
];
const argumentNames = [
  'arguments',
  'args',
  'toolinput',
  'toolarguments',
  'toolargs',
  'toolparams',
  'toolparameters',
  'toolcallargs',
  'functionargs',
  'functionarguments',
  'kwargs',
  'actioninput',
  'input',
  'inputs',
  'params',
  'parameters',
];

/** Where calls lie deeper, the most telling first: what the first of them holds counts. */
const containers = [
  'toolcalls',
  'functioncalls',
  'functioncall',
  'toolcall',
  'toolinvocations',
  'calls',
  'call',
  'invocation',
  'answers',
  'answer',
  'expectedcalls',
  'actions',
  'action',
  'steps',
  'trajectory',
  'messages',
  'conversations',
  'conversation',
  'turns',
  'choices',
  'message',
  'content',
  'parts',
  'output',
  'outputs',
  'function',
  'request',
  'requests',
  'frame',
  'frames',
  'rpc',
  'jsonrpcrequest',
  'raw',
  'body',
  'payload',
  'input',
  'row',
  'data',
  'sample',
  'example',
  'record',
  'item',
  'event',
  'params',
  'response',
  'groundtruth',
  'value',
];

/** Deeper than any of the formats nests them. */
const deepest = 8;

/**
 * Finds the calls of tools in a row: `{tool, arguments}` under many names, JSON-RPC `tools/call`, messages with
 * `tool_calls` or `function_call`, blocks `tool_use`, `functionCall`, lists under `answers` or `calls`, records of this
 * gateway's audit, `<tool_call>` in text; each as a value or as JSON text.
 */
export function callsIn(value: JsonValue, depth = 0): readonly FoundCall[] {
  if (depth > deepest) return [];
  if (typeof value === 'string') return callsInText(value, depth);
  if (Array.isArray(value)) {
    return (value as readonly JsonValue[]).flatMap((element) => callsIn(element, depth + 1));
  }
  if (!isJsonObject(value)) return [];
  const direct = directCall(value);
  if (direct !== undefined) return [direct];
  const members = new Members(value);
  for (const name of containers) {
    const inner = members.get(name);
    const found = inner === undefined ? [] : callsIn(inner, depth + 1);
    if (found.length > 0) return found;
  }
  return [];
}

function callsInText(text: string, depth: number): readonly FoundCall[] {
  if (/^\s*[[{]/.test(text)) {
    const parsed = parseExact(text);
    return parsed === undefined ? [] : callsIn(parsed, depth + 1);
  }
  const tagged = [...text.matchAll(/<(tool_call|functioncall)>\s*(\{[\s\S]*?\})\s*(?:<\/\1>|$)/g)];
  return tagged.flatMap(([, , inner]) => callsInText(inner!, depth + 1));
}

function directCall(object: JsonObject): FoundCall | undefined {
  const method = own(object, 'method');
  const params = own(object, 'params');
  if (typeof method === 'string' && /^[a-z]+\/[a-z/]+$/i.test(method)) {
    if (method !== 'tools/call') return undefined;
    if (isJsonObject(params)) return callOf(own(params, 'name'), own(params, 'arguments') ?? {}, object);
  }
  const target = own(object, 'target');
  if (isJsonObject(target) && own(target, 'kind') === 'tool') {
    return callOf(own(target, 'name'), own(object, 'arguments') ?? {}, object);
  }
  const members = new Members(object);
  const action = isText(members.get('action') ?? null) && members.get('actioninput') !== undefined;
  const named = members.first(action ? ['action'] : toolNames, isText) ?? nameOfTool(members);
  const given = members.first(argumentNames, isArguments);
  if (named === undefined) {
    const plain = members.first(['name'], isText);
    if (plain === undefined || given === undefined || isDefinition(members, given.name, given.value))
      return undefined;
    return callOf(plain.value, given.value, object);
  }
  if (given !== undefined) return callOf(named.value, given.value, object);
  return undefined;
}

/** `tool: {name, inputSchema}`. */
function nameOfTool(members: Members): { readonly value: string } | undefined {
  const tool = members.get('tool');
  const name = isJsonObject(tool) ? own(tool, 'name') : undefined;
  return typeof name === 'string' ? { value: name } : undefined;
}

/** What a tool is, not a call of it: its parameters are described, not given. */
function isDefinition(members: Members, name: string, value: JsonValue): boolean {
  if (name !== 'parameters' && name !== 'params' && name !== 'input' && name !== 'inputs') return false;
  const args = argumentsOf(value)!;
  if (isJsonObject(own(args, 'properties')) || own(args, 'type') === 'object') return true;
  if (members.get('description') === undefined) return false;
  return Object.values(args).every(
    (member) =>
      member !== undefined &&
      isJsonObject(member) &&
      (Object.hasOwn(member, 'type') || Object.hasOwn(member, 'description')),
  );
}

function callOf(tool: JsonValue | undefined, args: JsonValue, from: JsonObject): FoundCall | undefined {
  const given = argumentsOf(args);
  return typeof tool === 'string' && given !== undefined ? { tool, arguments: given, from } : undefined;
}

function isArguments(value: JsonValue): value is JsonObject | string {
  return argumentsOf(value) !== undefined;
}

/** Arguments, which many data sets keep as JSON text. */
function argumentsOf(value: JsonValue): JsonObject | undefined {
  if (isJsonObject(value)) return value;
  const parsed = typeof value === 'string' && /^\s*\{/.test(value) ? parseExact(value) : undefined;
  return isJsonObject(parsed) ? parsed : undefined;
}
