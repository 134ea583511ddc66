import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import {
  argumentKeys,
  capabilityKeys,
  contextKeys,
  entryKeys,
  envelopeKeys,
  errorDataKeys,
  errorKeys,
  inputRequestKeys,
  inputResponseKeys,
  listenKeys,
  metaKeys,
  paramsKeys,
  refKeys,
  resultKeys,
  taskKeys,
} from './protocol-keys.ts';

/**
 * Go's decoder matched `Name`, `paramſ` (U+017F) and `K` (U+212A) to its fields, and names cut at a NUL byte: what a
 * gateway read as an unknown key was the real one for the server behind it. So in objects that the protocol defines,
 * a key that such a parser could take for a known one is refused. Free content is left alone.
 */
interface KnownKeys {
  readonly exact: ReadonlySet<string>;
  readonly folded: ReadonlySet<string>;
  /** A key longer than this after stripping cannot fold to a known one. */
  readonly longest: number;
}

/** Keys as plain protocol identifiers are written: folding leaves them as they are. */
const plain = /^[a-z0-9_./-]*$/;
const invisible = /[\p{Cc}\p{White_Space}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * Folds a key: NUL, other controls, white space and ignorable code points stripped, NFKC, then full case folding.
 *
 * Case folding is upper-casing followed by lower-casing, which folds `ß`, `ſ`, `K` and dotless i as the Unicode
 * table does, or more coarsely.
 */
export function foldKey(key: string): string {
  return foldStripped(key.replace(invisible, ''));
}

function foldStripped(stripped: string): string {
  return stripped.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').replace(invisible, '');
}

function knownKeys(...lists: readonly (readonly string[])[]): KnownKeys {
  const exact = lists.flat();
  return {
    exact: new Set(exact),
    folded: new Set(exact.map(foldKey)),
    longest: Math.max(...exact.map((key) => key.length)),
  };
}

function isDisguised(key: string, known: KnownKeys): boolean {
  if (known.exact.has(key)) return false;
  if (plain.test(key)) return known.folded.has(key);
  // Where strings end at a NUL, `name\0x` is `name`.
  const cut = key.indexOf('\0');
  if (cut > 0 && isDisguised(key.slice(0, cut), known)) return true;
  if (cut > 0 && known.exact.has(key.slice(0, cut))) return true;
  const stripped = key.replace(invisible, '');
  // Two UTF-16 units fold to one ASCII letter at best (mathematical alphabets): anything longer is not worth folding.
  if (stripped.length > known.longest * 2) return false;
  return known.folded.has(foldStripped(stripped));
}

const envelope = knownKeys(envelopeKeys);
const params = knownKeys(paramsKeys);
const meta = knownKeys(metaKeys);
const result = knownKeys(resultKeys);
const error = knownKeys(errorKeys);
const errorData = knownKeys(errorDataKeys);
const entry = knownKeys(entryKeys);
const inputRequest = knownKeys(inputRequestKeys);
const inputResponse = knownKeys(inputResponseKeys);
const ref = knownKeys(refKeys);
const argument = knownKeys(argumentKeys);
const context = knownKeys(contextKeys);
const task = knownKeys(taskKeys);
const capability = knownKeys(capabilityKeys);
const listen = knownKeys(listenKeys);

/** Arrays in results whose entries lists and reads are judged by. */
const entryLists = [
  'tools',
  'resources',
  'resourceTemplates',
  'prompts',
  'skills',
  'tasks',
  'contents',
] as const;

/**
 * Finds a key in a message's protocol objects that folds to a known key but is spelt differently.
 *
 * @returns the name of the object that holds it, for operators; undefined where there is none
 */
export function findDisguisedKey(message: JsonObject): string | undefined {
  if (disguises(message, envelope)) return 'message';
  return (
    inParams(own(message, 'params'), 'params') ??
    inResult(own(message, 'result'), 0) ??
    inError(own(message, 'error'))
  );
}

/** Whether this key is one of the six that a message may have. */
export function isEnvelopeKey(key: string): boolean {
  return envelope.exact.has(key);
}

function disguises(value: JsonValue | undefined, known: KnownKeys): boolean {
  if (!isJsonObject(value)) return false;
  for (const key of Object.keys(value)) if (isDisguised(key, known)) return true;
  return false;
}

function inParams(value: JsonValue | undefined, where: string): string | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const key of Object.keys(value)) {
    if (isDisguised(key, params)) return where;
    const found = inParam(key, value[key], where);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inParam(key: string, value: JsonValue | undefined, where: string): string | undefined {
  switch (key) {
    case '_meta':
      return inMeta(value, `${where}._meta`);
    case 'ref':
      return disguises(value, ref) ? `${where}.ref` : undefined;
    case 'argument':
      return disguises(value, argument) ? `${where}.argument` : undefined;
    case 'context':
      return disguises(value, context) ? `${where}.context` : undefined;
    case 'task':
      return disguises(value, task) ? `${where}.task` : undefined;
    case 'notifications':
      return disguises(value, listen) ? `${where}.notifications` : undefined;
    case 'capabilities':
      return inCapabilities(value, `${where}.capabilities`);
    case 'inputResponses':
      return inEach(value, inputResponse, `${where}.inputResponses`);
    case 'inputRequests':
      return inInputRequests(value, `${where}.inputRequests`);
    case 'result':
      return inResult(value, 1);
    default:
      return undefined;
  }
}

function inMeta(value: JsonValue | undefined, where: string): string | undefined {
  if (!isJsonObject(value)) return undefined;
  if (disguises(value, meta)) return where;
  return inCapabilities(
    own(value, 'io.modelcontextprotocol/clientCapabilities'),
    `${where} clientCapabilities`,
  );
}

/** Two levels: a capability, and what it consists of. `experimental` and `extensions` hold names that others choose. */
function inCapabilities(value: JsonValue | undefined, where: string): string | undefined {
  if (!isJsonObject(value)) return undefined;
  if (disguises(value, capability)) return where;
  for (const key of Object.keys(value)) {
    if (key === 'experimental' || key === 'extensions') continue;
    if (disguises(value[key], capability)) return where;
  }
  return undefined;
}

/** @param depth 0 for an answer; what a task has come to stands in its answer as the member `result`, and no deeper */
function inResult(value: JsonValue | undefined, depth: 0 | 1): string | undefined {
  if (!isJsonObject(value)) return undefined;
  if (disguises(value, result)) return 'result';
  const found =
    inMeta(own(value, '_meta'), 'result._meta') ??
    inInputRequests(own(value, 'inputRequests'), 'result.inputRequests') ??
    (depth === 0 ? inResult(own(value, 'result'), 1) : undefined);
  if (found !== undefined) return found;
  for (const member of entryLists) {
    const list = own(value, member);
    if (!Array.isArray(list)) continue;
    for (const item of list as readonly JsonValue[]) if (disguises(item, entry)) return `result.${member}`;
  }
  return undefined;
}

/** 2025-11-25: an error may hold elicitations, whose members are those of the question's params. */
function inError(value: JsonValue | undefined): string | undefined {
  if (disguises(value, error)) return 'error';
  const data = isJsonObject(value) ? own(value, 'data') : undefined;
  if (disguises(data, errorData)) return 'error.data';
  const elicitations = isJsonObject(data) ? own(data, 'elicitations') : undefined;
  if (!Array.isArray(elicitations)) return undefined;
  return (elicitations as readonly JsonValue[]).some((one) => disguises(one, params))
    ? 'error.data.elicitations'
    : undefined;
}

function inInputRequests(value: JsonValue | undefined, where: string): string | undefined {
  if (!isJsonObject(value)) return undefined;
  const found = inEach(value, inputRequest, where);
  if (found !== undefined) return found;
  for (const request of Object.values(value)) {
    if (!isJsonObject(request)) continue;
    // Not by way of inParam: a question has no questions of its own, and depth must not grow with the text.
    const questionParams = own(request, 'params');
    if (disguises(questionParams, params)) return `${where}.params`;
    if (isJsonObject(questionParams)) {
      const inside = inMeta(own(questionParams, '_meta'), `${where}.params._meta`);
      if (inside !== undefined) return inside;
    }
  }
  return undefined;
}

function inEach(value: JsonValue | undefined, known: KnownKeys, where: string): string | undefined {
  if (!isJsonObject(value)) return undefined;
  for (const item of Object.values(value)) if (disguises(item, known)) return where;
  return undefined;
}
