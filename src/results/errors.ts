import { isJsonObject, type JsonObject, type JsonValue, own } from '../values/json.ts';

/** What the client is told in place of a server's own words: they may hold paths, queries, stack traces and secrets. */
const texts: ReadonlyMap<number, string> = new Map([
  [-32700, 'Parse error'],
  [-32600, 'Invalid request'],
  [-32601, 'Method not found'],
  [-32602, 'Invalid params'],
  [-32603, 'Internal error'],
  [-32002, 'Resource not found'],
  [-32020, 'A header does not agree with the body'],
  [-32021, 'A client capability that this needs is missing'],
  [-32022, 'The protocol revision is not supported'],
  [-32042, 'The server asks the user to open a URL first'],
]);

export function errorTextOf(code: number): string {
  return texts.get(code) ?? 'The server reported an error';
}

const urlElicitationRequired = -32042;

/**
 * What of an error's `data` the protocol needs, and nothing else: revisions (-32022, and -32602 of `initialize`),
 * capabilities (-32021), questions (-32042, which policy has decided on), and a URI that the client itself had named.
 *
 * @param asked what the client's request was about
 */
export function errorDataOf(
  code: number,
  data: JsonValue | undefined,
  asked: string | undefined,
): JsonObject | undefined {
  if (!isJsonObject(data)) return undefined;
  const kept: Record<string, JsonValue> = {};
  const supported = own(data, 'supported');
  if (Array.isArray(supported) && supported.length <= 32 && supported.every(isRevisionText)) {
    kept['supported'] = supported;
  }
  const requested = own(data, 'requested');
  if (requested !== undefined && isRevisionText(requested)) kept['requested'] = requested;
  const capabilities = own(data, 'requiredCapabilities');
  if (capabilities !== undefined && isCapabilities(capabilities, 0)) {
    kept['requiredCapabilities'] = capabilities;
  }
  const uri = own(data, 'uri');
  if (typeof uri === 'string' && uri === asked) kept['uri'] = uri;
  const elicitations = own(data, 'elicitations');
  if (code === urlElicitationRequired && Array.isArray(elicitations)) kept['elicitations'] = elicitations;
  return Object.keys(kept).length === 0 ? undefined : kept;
}

function isRevisionText(value: JsonValue): boolean {
  return (
    typeof value === 'string' &&
    /^(?:\d{4}-\d{2}-\d{2}|DRAFT-[A-Za-z0-9-]{1,24}|\d{1,3}(?:\.\d{1,3}){0,2})$/.test(value)
  );
}

/** Names and switches, no texts. */
function isCapabilities(value: JsonValue, depth: number): boolean {
  if (typeof value === 'boolean') return true;
  if (Array.isArray(value))
    return value.length <= 32 && value.every((name) => typeof name === 'string' && isIdentifier(name));
  return (
    isJsonObject(value) &&
    depth < 4 &&
    Object.keys(value).length <= 32 &&
    Object.entries(value).every(([key, member]) => isIdentifier(key) && isCapabilities(member!, depth + 1))
  );
}

function isIdentifier(text: string): boolean {
  return /^[A-Za-z][A-Za-z0-9._/-]{0,63}$/.test(text);
}
