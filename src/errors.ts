/**
 * Every error that a client can see, in one table.
 *
 * A code never changes once released: clients, dashboards and alerts match on it. The sentence in `text` is
 * the only thing a stranger may read; whatever explains the failure to an operator goes into `cause` and
 * ends in the process log or the audit file, never in an answer.
 *
 * Own JSON-RPC codes are positive, outside -32768..-32000 (MCP 2026-07-28, basic/index, error codes).
 */

export interface ErrorRow {
  /**
   * HTTP status. 200 where the failure answers a request: official clients read a JSON-RPC error only from 200 with the
   * matching id.
   */
  readonly status: number;
  /** HTTP status where there is no id to answer: the same clients hang on a 200 without one. Stands beside each 200. */
  readonly bareStatus?: number;
  /** HTTP status for revision 2026-07-28, where it differs. */
  readonly modernStatus?: number;
  /** JSON-RPC error code. */
  readonly rpc: number;
  /** The sentence that the client may see. */
  readonly text: string;
}

const table = {
  // What the bytes mean.
  'body-empty': { status: 400, rpc: -32700, text: 'The body is empty' },
  'body-too-large': { status: 413, rpc: 4130, text: 'The body is larger than this gateway accepts' },
  'json-invalid': { status: 400, rpc: -32700, text: 'The body is not valid JSON' },
  'json-encoding': { status: 400, rpc: -32700, text: 'The body is not plain UTF-8' },
  'json-repeated-key': { status: 400, rpc: -32700, text: 'An object repeats a key' },
  'json-forbidden-key': { status: 400, rpc: -32700, text: 'An object has a key that is never accepted' },
  'json-ambiguous-key': {
    status: 400,
    rpc: -32600,
    text: 'A key looks like a protocol key but is not spelt like it',
  },
  'json-lone-surrogate': { status: 400, rpc: -32700, text: 'A string holds half a surrogate pair' },
  'json-number': { status: 400, rpc: -32700, text: 'A number cannot be represented exactly' },
  'json-too-deep': { status: 400, rpc: -32600, text: 'The JSON is nested too deeply' },
  'json-too-many-nodes': { status: 413, rpc: 4130, text: 'The JSON has too many values' },
  'json-too-many-keys': { status: 413, rpc: 4130, text: 'An object has too many keys' },
  'json-string-too-long': { status: 413, rpc: 4130, text: 'A string is too long' },
  'json-array-too-long': { status: 413, rpc: 4130, text: 'An array is too long' },
  'frame-invalid': { status: 400, rpc: -32600, text: 'Not a valid JSON-RPC 2.0 message' },
  'frame-id-invalid': {
    status: 400,
    rpc: -32600,
    text: 'The request id is not a short string or a safe integer',
  },
  'frame-params-invalid': {
    status: 400,
    rpc: -32602,
    text: 'The params do not have the shape of this method',
  },
  'batch-not-allowed': {
    status: 400,
    rpc: -32600,
    text: 'Batches are not part of the negotiated protocol revision',
  },
  'batch-invalid': { status: 400, rpc: -32600, text: 'The batch is empty, too long, or repeats an id' },
  'meta-missing': { status: 400, rpc: -32602, text: 'A required key is missing from params._meta' },
  'header-mismatch': { status: 400, rpc: -32020, text: 'A header does not agree with the body' },
  'capability-missing': {
    status: 400,
    rpc: -32021,
    text: 'The client did not declare a capability that this needs',
  },
  'revision-unsupported': { status: 400, rpc: -32022, text: 'The protocol revision is not supported' },
  'method-unknown': {
    status: 200,
    bareStatus: 404,
    modernStatus: 404,
    rpc: -32601,
    text: 'The method is not available on this server',
  },

  // The HTTP request around them.
  'header-invalid': { status: 400, rpc: -32600, text: 'A header is repeated or malformed' },
  'header-too-large': { status: 431, rpc: 4130, text: 'The headers are larger than this gateway accepts' },
  'media-type': { status: 415, rpc: -32600, text: 'Send plain application/json without content encoding' },
  'not-acceptable': { status: 406, rpc: -32600, text: 'Accept application/json and text/event-stream' },
  'host-refused': { status: 403, rpc: -32600, text: 'This Host is not served here' },
  'origin-refused': { status: 403, rpc: -32600, text: 'This Origin is not allowed' },
  'route-unknown': { status: 404, rpc: -32601, text: 'Nothing is served at this path' },
  'token-in-query': {
    status: 400,
    rpc: -32600,
    text: 'Send the access token in the Authorization header, never in the URL',
  },
  'http-method': { status: 405, rpc: -32601, text: 'This HTTP method is not served here' },
  'tls-handshake': { status: 400, rpc: -32600, text: 'The TLS handshake failed' },
  'request-timeout': { status: 408, rpc: 5040, text: 'The request did not arrive in time' },

  // Who is calling.
  'credential-missing': { status: 401, rpc: 4010, text: 'Authentication is required' },
  'credential-invalid': { status: 401, rpc: 4010, text: 'The credential is not valid' },
  'scope-insufficient': {
    status: 403,
    rpc: 4030,
    text: 'The token lacks a scope that this needs',
  },
  'session-missing': { status: 400, rpc: -32600, text: 'The session id is missing' },
  'session-unknown': { status: 404, rpc: -32001, text: 'Session not found' },

  // What policy and limits say.
  denied: { status: 200, bareStatus: 403, rpc: 4030, text: 'Not allowed, or not available' },
  'arguments-refused': {
    status: 200,
    bareStatus: 403,
    rpc: 4030,
    text: 'The arguments are refused by policy',
  },
  'arguments-invalid': {
    status: 200,
    bareStatus: 400,
    rpc: -32602,
    text: "The arguments do not fit the tool's schema",
  },
  'definition-unknown': {
    status: 200,
    bareStatus: 502,
    rpc: 5020,
    text: 'The gateway has no definition of this tool to check the call against',
  },
  'flow-refused': {
    status: 200,
    bareStatus: 403,
    rpc: 4030,
    text: 'Refused for now: untrusted content was read before',
  },
  'content-refused': {
    status: 200,
    bareStatus: 403,
    rpc: 4030,
    text: 'The message holds a value that must not pass this gateway',
  },
  'rate-limited': { status: 200, bareStatus: 429, rpc: 4290, text: 'Too many calls: try again later' },
  'concurrency-limited': {
    status: 200,
    bareStatus: 429,
    rpc: 4290,
    text: 'Too many calls at once: try again later',
  },
  'sessions-exhausted': {
    status: 200,
    bareStatus: 429,
    rpc: 4290,
    text: 'Too many sessions: end one, or try again later',
  },
  'streams-exhausted': {
    status: 200,
    bareStatus: 429,
    rpc: 4290,
    text: 'Too many streams are open: close one, or try again later',
  },
  'subscriptions-exhausted': {
    status: 200,
    bareStatus: 429,
    rpc: 4290,
    text: 'Too many subscriptions: end one, or try again later',
  },
  'quota-exhausted': {
    status: 200,
    bareStatus: 429,
    rpc: 4290,
    text: 'A quota is used up: try again later',
  },
  'cost-too-high': {
    status: 200,
    bareStatus: 429,
    rpc: 4290,
    text: 'The call asks for more than a limit ever allows',
  },
  'cost-unknown': {
    status: 200,
    bareStatus: 400,
    rpc: -32602,
    text: 'The arguments do not tell how much the call counts for',
  },
  flooded: { status: 429, rpc: 4290, text: 'Too many requests: try again later' },
  'answer-unexpected': { status: 400, rpc: -32600, text: 'Nobody asked the question that this answers' },
  'request-id-in-use': { status: 400, rpc: -32600, text: 'A request with this id is still running' },
  'handle-unknown': { status: 200, bareStatus: 404, rpc: -32602, text: 'Not found, or no longer known' },
  'state-unknown': { status: 400, rpc: -32602, text: 'The request state is not known or has expired' },

  // What the upstream did.
  'upstream-unreachable': {
    status: 200,
    bareStatus: 502,
    rpc: 5020,
    text: 'The server behind the gateway cannot be reached',
  },
  'credential-unavailable': {
    status: 200,
    bareStatus: 502,
    rpc: 5020,
    text: 'The gateway has no credential for the server behind it at the moment',
  },
  'upstream-invalid': {
    status: 200,
    bareStatus: 502,
    rpc: 5020,
    text: 'The server behind the gateway gave an answer that is not valid',
  },
  'upstream-refused': {
    status: 200,
    bareStatus: 502,
    rpc: 5020,
    text: 'The server behind the gateway refused the request',
  },
  'upstream-closed': {
    status: 200,
    bareStatus: 502,
    rpc: 5020,
    text: 'The server behind the gateway ended before it answered',
  },
  'upstream-timeout': {
    status: 200,
    bareStatus: 504,
    rpc: 5040,
    text: 'The server behind the gateway did not answer in time',
  },
  'result-too-large': {
    status: 200,
    bareStatus: 413,
    rpc: 4130,
    text: 'The result is larger than this gateway relays',
  },
  'answer-dropped': {
    status: 200,
    bareStatus: 503,
    rpc: 5030,
    text: 'The server behind the gateway answered, but the gateway has no room for the answer at the moment',
  },
  'result-invalid': {
    status: 200,
    bareStatus: 502,
    rpc: 5020,
    text: "The result does not fit the tool's declared output",
  },
  'result-refused': { status: 200, bareStatus: 403, rpc: 4030, text: 'The result is refused by policy' },

  // The gateway itself.
  'audit-unavailable': { status: 503, rpc: 5030, text: 'The call cannot be recorded, so it is refused' },
  overloaded: { status: 503, rpc: 5030, text: 'The gateway is too busy: try again later' },
  'limits-unavailable': {
    status: 503,
    rpc: 5030,
    text: 'Limits cannot be counted at the moment: try again later',
  },
  draining: { status: 503, rpc: 5030, text: 'The gateway is shutting down: try again' },
  internal: { status: 500, rpc: -32603, text: 'Internal error' },
} as const satisfies Record<string, ErrorRow>;

/** A stable name for one way in which a request can fail. Same word in answers, logs, metrics and audit. */
export type ErrorCode = keyof typeof table;

/** All rows, for documentation checks and for bounded metric labels. */
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = table;

/** Public members of a JSON-RPC error's `data`, beside `reason`. Never internal, never a value from arguments. */
export type PublicErrorData = Readonly<
  Record<string, string | number | boolean | readonly string[] | NamedCapabilities>
>;

/** Capabilities by their names, with the parts that are meant: `{ elicitation: { url: {} } }`. */
export type NamedCapabilities = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, never>>>>>
>;

/**
 * A failure with an answer for the client.
 *
 * @param code row of the table: gives status, JSON-RPC code and public text
 * @param options.data extra members of the JSON-RPC error's `data` that the client may see
 * @param options.cause what really happened; for logs and audit only
 * @param options.headers extra HTTP headers of the answer, such as `WWW-Authenticate` or `Retry-After`
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly data: PublicErrorData | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(
    code: ErrorCode,
    options: {
      readonly data?: PublicErrorData;
      readonly cause?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(table[code].text, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.data = options.data;
    this.headers = options.headers;
  }
}
