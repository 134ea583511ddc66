import { roleNames } from '../../src/arguments/roles/table.ts';
import { sqlDialects } from '../../src/sql/query.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../src/values/json.ts';
import { roleWord } from './classes.ts';
import type { Side } from './side.ts';

/** One way in which an operator may have declared an argument, and the value as it would stand there. */
export interface Trial {
  /** As `arguments[].args` holds it. */
  readonly spec: JsonObject;
  readonly value: JsonValue;
}

/** Roles that judge no text by what it says. */
const undecided: ReadonlySet<string> = new Set([
  'text',
  'code',
  'markdown',
  'json',
  'blob',
  'secret',
  'enum',
]);

/** Whether the role is one that decides: free text is never judged by its content, and is reported apart. */
export function decides(role: JsonValue): boolean {
  return typeof role === 'string'
    ? !undecided.has(roleWord(role))
    : !Object.keys(nameOnly(role)).some((name) => undecided.has(name));
}

/** Whether there is such a role. */
export function isRole(role: JsonValue): boolean {
  if (typeof role === 'string')
    return roleWord(role) === 'host' || (roleNames as readonly string[]).includes(roleWord(role));
  return isJsonObject(role);
}

/**
 * The declarations that a value is tried with. A role with options of its own is one. A role that is only named stands
 * for what an operator may sensibly have written: an honest value is judged right where one of them takes it, an attack
 * is stopped only where every one refuses it. The two lists differ in where the tree of a path lies, and in nothing else.
 */
export function trialsOf(role: JsonValue, value: JsonValue, side: Side): readonly Trial[] {
  if (typeof role !== 'string') return [{ spec: nameOnly(role), value }];
  const name = roleWord(role);
  switch (name) {
    case 'path':
      return pathSpecs(value, side).map((path) => ({ spec: { path }, value }));
    case 'url':
    case 'host':
      return urlValues(value, side, name === 'host').map((text) => ({ spec: url, value: text }));
    case 'id':
      return ids.map((id) => ({ spec: { id }, value }));
    case 'sql':
      return sqls.map((sql) => ({ spec: { sql }, value }));
    case 'date':
      return [{ time: 'allow', offset: 'allow' }].map((date) => ({ spec: { date }, value }));
    case 'email':
      return [{}, { displayName: 'allow', unicode: 'allow' }].map((email) => ({ spec: { email }, value }));
    case 'semver':
      return [{ spec: { semver: { leadingV: true } }, value }];
    case 'command':
      return [{ spec: { command: commandOf(value) }, value }];
    case 'enum':
      return [
        { spec: { enum: [typeof value === 'string' || typeof value === 'number' ? value : ''] }, value },
      ];
    default:
      return [{ spec: { [name]: {} }, value }];
  }
}

/** `{path: {…}}`, also where the options stand as a bare name: `{role: "path", within: "/x"}`. */
function nameOnly(role: JsonValue): JsonObject {
  if (!isJsonObject(role)) return {};
  const { role: name, name: other, options, ...rest } = role;
  const word = typeof name === 'string' ? name : typeof other === 'string' ? other : undefined;
  if (word === undefined) return role;
  return { [roleWord(word)]: isJsonObject(options) ? options : rest };
}

const url: JsonObject = { url: { schemes: ['https', 'http'], ports: 'any' } };

const ids: readonly JsonObject[] = [
  { numbers: true },
  { unicode: true },
  { preset: 'branch' },
  { preset: 'image' },
  { preset: 'resource' },
  { preset: 'repository' },
  { preset: 'handle' },
  { preset: 'package' },
  { preset: 'opaque', maxLength: 4096 },
];

const writable: ReadonlySet<string> = new Set(['postgresql', 'sqlite']);
const sqls: readonly JsonObject[] = sqlDialects.map((dialect) => ({
  dialect,
  ...(writable.has(dialect) ? { statements: ['select', 'insert', 'update', 'delete'] } : {}),
}));

/**
 * Attacks aim out of `/workspace` and `C:\workspace`. Honest paths lie in their tree by definition, so theirs is the
 * root that they name.
 */
function pathSpecs(value: JsonValue, side: Side): readonly JsonObject[] {
  if (side === 'attack') {
    return [
      { within: ['/workspace'], base: '/workspace', uri: true },
      { within: ['/workspace'], base: '/workspace', uri: true, style: 'posix' },
      { within: ['C:\\workspace'], base: 'C:\\workspace', uri: true },
    ];
  }
  const text = typeof value === 'string' ? value.replace(/^file:\/{2,3}(?=[A-Za-z]:)/, '') : '';
  const drive = /^([A-Za-z]):/.exec(text)?.[1]?.toUpperCase();
  const kernel = /^\/(?:proc|dev|sys)(?=\/|$)/.exec(text)?.[0];
  return [
    { within: ['/'], base: '/', uri: true },
    { within: ['/'], base: '/', uri: true, style: 'posix' },
    ...(kernel === undefined ? [] : [{ within: [kernel] }]),
    ...(drive !== undefined || text.includes('\\')
      ? [{ within: [`${drive ?? 'C'}:\\`], base: `${drive ?? 'C'}:\\`, uri: true }]
      : []),
  ];
}

/**
 * A bare host stands in a URL. An attack must be refused with a scheme in front and without; an honest host is one
 * where its class says that it is a host and not a URL.
 */
function urlValues(value: JsonValue, side: Side, isHost: boolean): readonly JsonValue[] {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (/^[a-z][a-z0-9+.-]*:(?![0-9]+(?:[/?#]|$))/i.test(text) || /^[/\\]/.test(text)) return [text];
  const isBareV6 = !/[[\]/]/.test(text) && text.split(':').length > 2;
  const full = `http://${isBareV6 ? `[${text}]` : text}${/[/?#]/.test(text) ? '' : '/'}`;
  if (side === 'attack') return [text, full];
  return isHost ? [full] : [text];
}

/**
 * The command that an operator allows who allows just this program with any operands on the line and the options that
 * are given: refused is then what a shell would do beyond it.
 */
function commandOf(value: JsonValue): JsonObject {
  if (typeof value !== 'string') return {};
  const [program = '', ...rest] = value.trim().split(/[ \t]+/);
  if (!/^[^\s\p{C}]{1,1024}$/u.test(program)) return {};
  const options: Record<string, JsonValue> = {};
  for (const word of rest) {
    const [, name, given] = /^(-[A-Za-z0-9?#@]|--?[A-Za-z0-9][A-Za-z0-9_.-]{0,127})(=.*)?$/.exec(word) ?? [];
    if (name !== undefined) options[name] = given === undefined ? 'flag' : { text: {} };
  }
  return {
    allow: [{ words: [program], options, operands: { each: { text: {} }, min: 0, max: 256 } }],
    maxLength: 65_536,
  };
}

/**
 * Whether an attack text is harmless in the role, read as every server reads it: a plain relative path without a step
 * up, a plain word without metacharacters. Such a line is counted apart, neither stopped nor missed.
 */
export function isHarmless(role: JsonValue, value: JsonValue): boolean {
  if (typeof role !== 'string' || typeof value !== 'string') return false;
  switch (roleWord(role)) {
    case 'path':
      return (
        /^[\w .,:;@+=()-]+(?:\/[\w .,:;@+=()-]+)*$/.test(value) &&
        !/^[~-]|:\/|^[A-Za-z]:|(?:^|\/)\.+(?:\/|$)/.test(value)
      );
    case 'id':
      return /^[A-Za-z0-9_/@][A-Za-z0-9_.:@+/=,-]*$/.test(value) && !value.includes('..');
    default:
      return false;
  }
}
