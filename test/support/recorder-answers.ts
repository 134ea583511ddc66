/** The answers of the recording upstream: what a test may script, and what a plain MCP server says by default. */

export interface RpcMessage {
  readonly jsonrpc?: unknown;
  readonly id?: string | number | null;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly error?: unknown;
}

export type Answer =
  /** A whole body. Objects are encoded as JSON; text and bytes go out as they are. */
  | {
      readonly kind: 'json';
      readonly body: unknown;
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /**
   * An event stream of raw pieces: each is written by itself. A number waits that many milliseconds first, a promise
   * until it gives its piece.
   */
  | {
      readonly kind: 'sse';
      readonly chunks: readonly (string | Buffer | number | Promise<string | Buffer>)[];
      readonly headers?: Readonly<Record<string, string>>;
      /** Leaves the stream open after the last piece. */
      readonly open?: boolean;
    }
  /** 202 without a body. */
  | { readonly kind: 'accepted' }
  /** Nothing, ever, until the other side leaves. */
  | { readonly kind: 'hang' }
  /** Cuts the connection without an answer. */
  | { readonly kind: 'drop' };

/** One event with one data line for a JSON value; text goes in as it is. */
export function event(data: unknown, id?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${id === undefined ? '' : `id: ${id}\n`}event: message\ndata: ${text}\n\n`;
}

export function result(id: RpcMessage['id'], value: Readonly<Record<string, unknown>>): RpcMessage {
  return { jsonrpc: '2.0', ...(id === undefined ? {} : { id }), result: value };
}

/** What a server of the session era says that asks before it answers: the question under its id, the result once it may. */
export function askThenAnswer(question: string, id: RpcMessage['id'], until: Promise<unknown>): Answer {
  const params = { message: 'Which?', requestedSchema: { type: 'object', properties: {} } };
  return {
    kind: 'sse',
    chunks: [
      event({ jsonrpc: '2.0', id: question, method: 'elicitation/create', params }),
      until.then(() => event(result(id, { content: [] }))),
    ],
  };
}

const versionKey = 'io.modelcontextprotocol/protocolVersion';

/** What a small honest server says: valid in both eras, one name of each kind. */
export function defaultAnswer(message: RpcMessage): Answer {
  if (message.method === undefined || message.id === undefined) return { kind: 'accepted' };
  const meta = message.params?.['_meta'] as Readonly<Record<string, unknown>> | undefined;
  const modern = meta?.[versionKey] !== undefined;
  const value = defaultResult(message, modern);
  if (value === undefined) {
    const error = { code: -32601, message: 'Method not found' };
    return { kind: 'json', status: modern ? 404 : 200, body: { jsonrpc: '2.0', id: message.id, error } };
  }
  const headers = message.method === 'initialize' ? { 'mcp-session-id': 'recorder-session' } : {};
  return {
    kind: 'json',
    headers,
    body: result(message.id, modern ? { resultType: 'complete', ...value } : value),
  };
}

function defaultResult(message: RpcMessage, modern: boolean): Readonly<Record<string, unknown>> | undefined {
  const capabilities = {
    tools: {},
    resources: { subscribe: true },
    prompts: {},
    completions: {},
    logging: {},
  };
  const serverInfo = { name: 'recorder', version: '1.0.0' };
  const cache = modern ? { ttlMs: 0, cacheScope: 'private' } : {};
  switch (message.method) {
    case 'initialize':
      return modern
        ? undefined
        : { protocolVersion: message.params?.['protocolVersion'] ?? '2025-11-25', capabilities, serverInfo };
    case 'server/discover':
      return { supportedVersions: ['2026-07-28'], capabilities, serverInfo, ...cache };
    case 'tools/list':
      return { tools: [{ name: 'echo', description: 'Echoes', inputSchema: { type: 'object' } }], ...cache };
    case 'tools/call':
      return { content: [{ type: 'text', text: JSON.stringify(message.params?.['arguments'] ?? {}) }] };
    case 'resources/list':
      return { resources: [{ uri: 'test://text', name: 'text' }], ...cache };
    case 'resources/templates/list':
      return { resourceTemplates: [], ...cache };
    case 'resources/read':
      return {
        contents: [{ uri: message.params?.['uri'] ?? '', mimeType: 'text/plain', text: 'text' }],
        ...cache,
      };
    case 'prompts/list':
      return { prompts: [{ name: 'greet' }], ...cache };
    case 'prompts/get':
      return { messages: [{ role: 'user', content: { type: 'text', text: 'Hello' } }] };
    case 'completion/complete':
      return { completion: { values: [] } };
    case 'ping':
    case 'logging/setLevel':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return modern ? undefined : {};
    default:
      return undefined;
  }
}
