import { basename, extname } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue, own } from '../../src/values/json.ts';
import { callsIn, type FoundCall } from './calls.ts';
import { classRole, roleWord } from './classes.ts';
import { isText, Members } from './members.ts';
import { type BadRow, type Row, readRows } from './rows.ts';
import { isSideWord, type Side, sideOf, withoutSide } from './side.ts';
import { schemasIn } from './tool-schemas.ts';
import { isRole } from './variants.ts';

interface About {
  readonly source: string;
  readonly class: string;
  /** Undefined where the row does not say. */
  readonly side: Side | undefined;
  /** The role that is declared: a name, or `{name: {options}}`. */
  readonly role: JsonValue | undefined;
  readonly file: string;
  readonly line: number;
}

/** One call of a tool. */
export interface CallSample extends About {
  readonly kind: 'call';
  readonly tool: string;
  readonly arguments: JsonObject;
  /** Declared roles by argument path, each a name or `{name: {options}}`. */
  readonly roles: JsonObject | undefined;
  /** The tool's input schema, where the row brings it. */
  readonly schema: JsonObject | undefined;
}

/** One value, without a call round it. */
export interface ValueSample extends About {
  readonly kind: 'value';
  readonly value: JsonValue;
  /** The argument that it is of, where the row says so. */
  readonly argument: string | undefined;
}

export type Sample = CallSample | ValueSample;

export interface Unusable {
  readonly unusable: string;
  readonly file: string;
  readonly line: number;
}

/** What holds for every row that does not say otherwise. */
export interface Defaults {
  readonly source?: string | undefined;
  readonly class?: string | undefined;
  readonly role?: JsonValue | undefined;
}

const sourceNames = [
  'source',
  'dataset',
  'origin',
  'corpus',
  'server',
  'mcpserver',
  'upstream',
  'suite',
  'provider',
];
const classNames = [
  'class',
  'attackclass',
  'attacktype',
  'attackcategory',
  'category',
  'vulnerability',
  'vulntype',
  'vuln',
  'cwe',
  'cweid',
  'technique',
  'attack',
  'type',
  'kind',
  'label',
  'family',
  'subtype',
];
/** A call without arguments has nothing but one of these. */
const bareTools: readonly string[] = ['tool', 'toolname', 'functionname'];
const valueNames = [
  'payload',
  'payloads',
  'value',
  'values',
  'attackstring',
  'attackpayload',
  'injection',
  'text',
  'string',
  'url',
  'uri',
  'path',
  'filepath',
  'filename',
  'sql',
  'statement',
  'query',
  'command',
  'cmd',
  'address',
  'ip',
  'host',
  'hostname',
  'input',
  'userinput',
  'prompt',
  'content',
  'body',
  'data',
  'sentence',
  'sample',
  'example',
  'test',
  'line',
  'request',
  'message',
  'arguments',
  'args',
];
/** Members that tell of a row and are never what it is about. */
const about: ReadonlySet<string> = new Set([
  ...sourceNames,
  ...classNames,
  'id',
  'index',
  'name',
  'title',
  'description',
  'notes',
  'note',
  'comment',
  'reason',
  'severity',
  'encoding',
  'technique',
  'expected',
  'expect',
  'verdict',
  'role',
  'roles',
  'split',
  'language',
  'lang',
  'timestamp',
  'reference',
  'tags',
  'difficulty',
]);

/** Every sample of a file, and every row that holds none. Nothing is left out in silence. */
export async function* readSamples(file: string, defaults: Defaults = {}): AsyncGenerator<Sample | Unusable> {
  for await (const row of readRows(file)) yield* samplesOf(row, file, defaults);
}

/** What one row holds: one sample for each call or value in it, or why there is none. */
export function samplesOf(
  row: Row | BadRow,
  file: string,
  defaults: Defaults = {},
): readonly (Sample | Unusable)[] {
  const { line } = row;
  if ('bad' in row) return [{ unusable: row.bad, file, line }];
  const base = {
    source: defaults.source ?? nameOf(file),
    class: defaults.class ?? classOfFile(file),
    side: undefined,
    role: defaults.role,
    file,
    line,
  };
  if (row.value === undefined || isScalar(row.value)) {
    return [{ ...base, kind: 'value', value: row.value ?? row.text, argument: undefined }];
  }
  const rows = Array.isArray(row.value) ? (row.value as readonly JsonValue[]) : [row.value];
  const samples = rows.flatMap((value): readonly (Sample | Unusable)[] => {
    if (isScalar(value)) return [{ ...base, kind: 'value', value, argument: undefined }];
    if (!isJsonObject(value)) return [{ unusable: 'a list in a list', file, line }];
    const found = samplesOfObject(value, base);
    // In a file of plain text an object without any known member is text as well.
    return typeof found === 'string' ? [{ unusable: found, file, line }] : found;
  });
  return samples.length > 0 ? samples : [{ unusable: 'empty', file, line }];
}

function samplesOfObject(object: JsonObject, base: About): readonly Sample[] | string {
  const outer = flat(object);
  const calls = callsIn(object);
  if (calls.length > 0) return callSamples(object, outer, calls, base);
  const described = describe(outer, base);
  if (typeof described === 'string') return described;
  const method = outer.get('method');
  if (outer.get('jsonrpc') !== undefined && typeof method === 'string')
    return `a message ${method}, not a call`;
  const found = valueIn(outer);
  const tool = outer.first(bareTools, isText);
  if (tool !== undefined && (found === undefined || bareTools.includes(found.name))) {
    return callSamples(object, outer, [{ tool: tool.value, arguments: {}, from: object }], base);
  }
  if (found === undefined) return 'neither a call nor a value';
  const argument = outer.first(
    ['argument', 'argumentname', 'arg', 'param', 'parameter', 'field', 'argpath'],
    isText,
  );
  const of =
    described.class === unclassified && classRole(found.name) !== undefined ? { class: found.name } : {};
  const values = Array.isArray(found.value) ? (found.value as readonly JsonValue[]) : [found.value];
  return values
    .filter((value) => isScalar(value) || isJsonObject(value))
    .map((value) => ({
      ...described,
      ...of,
      kind: 'value',
      value,
      argument: argument?.value,
    }));
}

function callSamples(
  object: JsonObject,
  outer: Members,
  calls: readonly FoundCall[],
  base: About,
): readonly Sample[] | string {
  const schemas = schemasIn(object);
  const samples: Sample[] = [];
  for (const call of calls) {
    const inner = call.from === object ? outer : new Members(call.from);
    const whole = describe(outer, base);
    const described = typeof whole === 'string' || inner === outer ? whole : describe(inner, whole);
    if (typeof described === 'string') return described;
    const roleMap = rolesIn(inner) ?? rolesIn(outer);
    // `role: {file: "path"}` on a call names roles by argument, not one role with options.
    const byArgument = isRoleMap(described.role) ? described.role : undefined;
    samples.push({
      ...described,
      role: byArgument === undefined ? described.role : undefined,
      kind: 'call',
      tool: call.tool,
      arguments: call.arguments,
      roles: roleMap ?? byArgument,
      schema: schemasIn(call.from).get('') ?? schemas.get(call.tool) ?? schemas.get(''),
    });
  }
  return samples;
}

function rolesIn(members: Members): JsonObject | undefined {
  return members.first(['roles', 'argumentroles', 'declaredroles'], isJsonObject)?.value;
}

function isRoleMap(role: JsonValue | undefined): role is JsonObject {
  if (role === undefined || !isJsonObject(role) || Object.keys(role).length === 0) return false;
  return Object.entries(role).every(([key, value]) => {
    if (value === undefined || key === 'role' || key === 'name' || key === 'options') return false;
    if (typeof value === 'string') return isRole(value);
    return (
      isJsonObject(value) &&
      Object.keys(value).length === 1 &&
      Object.keys(value).every((name) => isRole(name))
    );
  });
}

const unclassified = 'unclassified';

/** What a row says of itself; what it does not say stays as in `base`. A text is why it cannot be used. */
function describe(members: Members, base: About): About | string {
  const side = sideOf(members);
  if (side === 'contradiction') return 'says both that it is honest and that it is an attack';
  const source = members.first(sourceNames, isText)?.value;
  const named = members.first(classNames, isClassName)?.value;
  const declared = roleIn(members);
  return {
    ...base,
    ...(source === undefined ? {} : { source }),
    ...(named === undefined ? {} : { class: withoutSide(named) }),
    ...(side === undefined ? {} : { side }),
    ...(declared === undefined ? {} : { role: declared }),
  };
}

function isClassName(value: JsonValue): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 128 && !isSideWord(value);
}

/** `role: "path"`, `role: {path: {within: …}}`, or a name with `options` beside it. */
function roleIn(members: Members): JsonValue | undefined {
  const role = members.get('role') ?? members.get('declaredrole') ?? members.get('argumentrole');
  if (isJsonObject(role)) return role;
  // The tree that a path is about, where the line names it.
  const tree = members.first(['within', 'root', 'allowedroot', 'basedir'], isText)?.value;
  const within =
    tree !== undefined && /^(?:\/|[A-Za-z]:\\)/.test(tree)
      ? { path: { within: [tree], base: tree } }
      : undefined;
  const named = members.first(classNames, isClassName)?.value;
  if (role === undefined && named !== undefined && classRole(named) === 'path') return within;
  // Chat messages have a role as well.
  if (typeof role !== 'string' || /^(?:user|assistant|system|tool|function|model|human)$/i.test(role))
    return undefined;
  const options = members.get('options') ?? members.get('roleoptions');
  if (options === undefined && within !== undefined && roleWord(role) === 'path') return within;
  return isJsonObject(options) ? { [role]: options } : role;
}

function valueIn(members: Members): { readonly name: string; readonly value: JsonValue } | undefined {
  const fits = (value: JsonValue): value is JsonValue =>
    isScalar(value) || (Array.isArray(value) && value.length > 0 && value.every(isScalar));
  const known =
    members.first(valueNames, fits) ?? members.first(['payload', 'value', 'arguments', 'args'], isJsonObject);
  if (known !== undefined) return known;
  const others = members.names.filter((name) => !about.has(name) && isText(members.get(name)!));
  return others.length === 1 ? { name: others[0]!, value: members.get(others[0]!)! } : undefined;
}

/** A row with what stands one level deeper in members that only wrap. */
function flat(object: JsonObject): Members {
  let whole: Record<string, JsonValue | undefined> = object;
  for (const wrapper of ['row', 'record', 'meta', 'metadata', 'annotation', 'annotations', 'labels']) {
    const inner = own(object, wrapper);
    if (isJsonObject(inner)) whole = { ...inner, ...whole };
  }
  return new Members(whole);
}

function isScalar(value: JsonValue): boolean {
  return !Array.isArray(value) && !isJsonObject(value) && value !== null;
}

function nameOf(file: string): string {
  return basename(file, extname(file));
}

/** A file that is named for a class holds that class. */
function classOfFile(file: string): string {
  const name = withoutSide(nameOf(file));
  return classRole(name) === undefined ? unclassified : name;
}
