import { isExactNumber, isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';
import { type DecodeFailure, type FailureDetails, toFailure } from './failure.ts';
import type { NotificationFrame, RequestFrame } from './frame.ts';
import type { ProtocolHeaders } from './headers.ts';
import type { MethodRow } from './methods.ts';
import { protocolVersionKey } from './revision.ts';
import { encodeHeaderValue } from './sentinel.ts';

/** Header suffix in lower case -> path of property names to the argument that it mirrors. */
type MirroredArguments = ReadonlyMap<string, readonly string[]>;

/**
 * Compares the mirrored headers of a modern frame with its body (2026-07-28, basic/transports/streamable-http).
 * A proxy in front of this gateway may have routed or admitted by the header: a body that says otherwise is refused.
 *
 * @param mirroredArguments of the tool that is called; undefined where the tool is not known: `Mcp-Param-*` headers
 *   are then left to the server behind the gateway, which must compare them itself
 * @returns `header-mismatch` (-32020), or undefined where all agree
 */
export function checkMirroredHeaders(
  frame: RequestFrame | NotificationFrame,
  headers: ProtocolHeaders,
  row: MethodRow,
  mirroredArguments: MirroredArguments | undefined,
): DecodeFailure | undefined {
  const at: FailureDetails = frame.kind === 'request' ? { id: frame.id } : {};
  const mismatch = (detail: string): DecodeFailure => toFailure('header-mismatch', detail, at);
  const params = frame.params;

  const meta = params === undefined ? undefined : own(params, '_meta');
  if (headers.version === undefined) return mismatch('MCP-Protocol-Version is missing');
  if (!isJsonObject(meta) || own(meta, protocolVersionKey) !== headers.version) {
    return mismatch('MCP-Protocol-Version differs from params._meta');
  }
  if (headers.method === undefined) {
    // Header rules for posted notifications are not defined: the method header is compared where it is there.
    if (frame.kind === 'request') return mismatch('Mcp-Method is missing');
  } else if (headers.method !== frame.method) {
    return mismatch('Mcp-Method differs from the method');
  }
  if (row.mirrors !== undefined) {
    const body = params === undefined ? undefined : own(params, row.mirrors);
    if (headers.name === undefined) return mismatch('Mcp-Name is missing');
    if (headers.name !== body) return mismatch(`Mcp-Name differs from params.${row.mirrors}`);
  }
  if (mirroredArguments === undefined) return undefined;
  for (const [suffix, path] of mirroredArguments) {
    const value = argumentAt(params, path);
    const header = headers.params.get(suffix);
    // The specification lets a server ignore a header without a counterpart. A reader before the gateway may not have.
    if (value === undefined || value === null) {
      if (header !== undefined) return mismatch('an Mcp-Param header mirrors an argument that is not there');
      continue;
    }
    if (header === undefined) return mismatch('an Mcp-Param header is missing');
    if (!agrees(header, value)) return mismatch('an Mcp-Param header differs from its argument');
  }
  return undefined;
}

/**
 * `Mcp-Name` and `Mcp-Param-*` for the upstream, recomputed from the judged body. `MCP-Protocol-Version` and
 * `Mcp-Method` are the sender's own business.
 *
 * @param mirroredArguments as in {@link checkMirroredHeaders}; undefined where the tool is not known
 * @param unknownParams the client's `Mcp-Param-*` headers: those that no annotation names must be forwarded
 * @returns names and values in turn
 */
export function mirrorHeaders(
  frame: RequestFrame | NotificationFrame,
  row: MethodRow,
  mirroredArguments: MirroredArguments | undefined,
  unknownParams: ReadonlyMap<string, string>,
): readonly string[] {
  const headers: string[] = [];
  if (row.mirrors !== undefined && frame.params !== undefined) {
    const name = own(frame.params, row.mirrors);
    if (typeof name === 'string') headers.push('mcp-name', encodeHeaderValue(name));
  }
  for (const [suffix, path] of mirroredArguments ?? []) {
    const text = toHeaderText(argumentAt(frame.params, path));
    if (text !== undefined) headers.push(`mcp-param-${suffix}`, encodeHeaderValue(text));
  }
  for (const [suffix, value] of unknownParams) {
    if (mirroredArguments?.has(suffix)) continue;
    headers.push(`mcp-param-${suffix}`, encodeHeaderValue(value));
  }
  return headers;
}

const headerToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const annotation = 'x-mcp-header';
const mirroredTypes: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean']);
/** Keywords whose value is data, not a schema: an annotation in there annotates nothing. */
const dataKeywords: ReadonlySet<string> = new Set(['default', 'const', 'enum', 'examples', 'required']);
/** As many as a request may carry (headers.ts). */
const maxMirrored = 64;
/** Lengths of a suffix and of all names on a path. Honest ones are words; they are kept for each tool of a list. */
const maxSuffixLength = 64;
const maxPathLength = 256;

/**
 * Reads the `x-mcp-header` annotations of a tool's input schema.
 *
 * @returns undefined where the schema breaks a rule: an annotation that is not reached through `properties` alone,
 *   on a type other than string, integer or boolean, that is no header token, that repeats another regardless of
 *   case, or that is longer than any honest one. Such tools are dropped from lists (2026-07-28, server/tools).
 */
export function mirroredArgumentsOf(inputSchema: JsonValue): MirroredArguments | undefined {
  const found = new Map<string, readonly string[]>();
  return collect(inputSchema, [], true, found) ? found : undefined;
}

/** @returns false where a rule is broken. Depth is bounded by the decoder. */
function collect(
  schema: JsonValue | undefined,
  path: readonly string[],
  reachable: boolean,
  found: Map<string, readonly string[]>,
): boolean {
  if (Array.isArray(schema)) {
    return (schema as readonly JsonValue[]).every((part) => collect(part, path, false, found));
  }
  if (!isJsonObject(schema)) return true;
  const header = own(schema, annotation);
  if (header !== undefined) {
    if (!reachable || path.length === 0 || path.join('').length > maxPathLength) return false;
    if (typeof header !== 'string' || header.length > maxSuffixLength || !headerToken.test(header))
      return false;
    const suffix = header.toLowerCase();
    if (!mirroredTypes.has(own(schema, 'type')) || found.has(suffix) || found.size === maxMirrored)
      return false;
    found.set(suffix, path);
  }
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === annotation || dataKeywords.has(keyword)) continue;
    if (keyword !== 'properties' || !isJsonObject(value)) {
      if (!collectParts(keyword, value, path, found)) return false;
      continue;
    }
    for (const [name, property] of Object.entries(value)) {
      if (!collect(property, [...path, name], reachable, found)) return false;
    }
  }
  return true;
}

/** Keywords whose value maps names that others choose to schemas: a name there may be any word, even a keyword. */
const schemaMaps: ReadonlySet<string> = new Set([
  'patternProperties',
  'dependentSchemas',
  '$defs',
  'definitions',
]);

function collectParts(
  keyword: string,
  value: JsonValue | undefined,
  path: readonly string[],
  found: Map<string, readonly string[]>,
): boolean {
  if (schemaMaps.has(keyword) && isJsonObject(value)) {
    return Object.values(value).every((part) => collect(part, path, false, found));
  }
  return collect(value, path, false, found);
}

function argumentAt(params: JsonObject | undefined, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = params === undefined ? undefined : own(params, 'arguments');
  for (const name of path) {
    if (!isJsonObject(value)) return undefined;
    value = own(value, name);
  }
  return value;
}

const integerText = /^(-?\d+)(?:\.0+)?$/;

function agrees(header: string, value: JsonValue): boolean {
  if (typeof value === 'string') return header === value;
  const text = toHeaderText(value);
  if (text === undefined) return false;
  if (typeof value === 'boolean') return header === text;
  // Compared as integers of any size: as doubles, 9007199254740993 would equal 9007199254740992.
  const digits = integerText.exec(header)?.[1];
  return digits !== undefined && digits.length <= 400 && BigInt(digits) === BigInt(text);
}

/** A header's text for a string, integer or boolean; undefined for anything else, which no header can mirror. */
function toHeaderText(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') return Number.isSafeInteger(value) ? String(value) : undefined;
  return isExactNumber(value) && /^-?\d+$/.test(value.rawJSON) ? value.rawJSON : undefined;
}
