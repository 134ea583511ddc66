/** What is sent: each case is one call that every connection repeats. */
export interface Case {
  readonly key: string;
  readonly title: string;
  /** Uses a session: `initialize` comes first, and its session id goes with every call. */
  readonly legacy: boolean;
  readonly headers: Readonly<Record<string, string>>;
  /** @param id of the request; each connection has its own, for one session may not use an id twice at a time */
  body(id: number): string;
  /** How often this text stands in every good answer. */
  readonly expected: { readonly text: string; readonly times: number };
}

const modern = '2026-07-28';
const legacy = '2025-11-25';

const common = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

function modernHeaders(tool: string): Record<string, string> {
  return { ...common, 'mcp-protocol-version': modern, 'mcp-method': 'tools/call', 'mcp-name': tool };
}

function modernBody(id: number, tool: string, args: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: {
      name: tool,
      arguments: args,
      _meta: {
        progressToken: id,
        'io.modelcontextprotocol/protocolVersion': modern,
        'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1.0.0' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  });
}

/** 20 kB of what tools really move: lines of text, so that the JSON has escapes in it. */
export const largeText = 'The quick brown fox jumps over the "lazy" dog, again and again.\n'.repeat(312);

/** The call of most cases, valid in every dialect that has numbered placeholders. */
export const query = {
  sql: 'select name, total from orders where region = $1',
  limit: 100,
  database: 'replica',
};

export const cases: readonly Case[] = [
  {
    key: 'small',
    title: 'small call, 2026-07-28',
    legacy: false,
    headers: modernHeaders('query'),
    body: (id) => modernBody(id, 'query', query),
    expected: { text: '"result"', times: 1 },
  },
  {
    key: 'session',
    title: 'small call, 2025-11-25 with a session',
    legacy: true,
    headers: { ...common, 'mcp-protocol-version': legacy },
    body: (id) =>
      JSON.stringify({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name: 'query', arguments: query },
      }),
    expected: { text: '"result"', times: 1 },
  },
  {
    key: 'large',
    title: '20 kB of arguments, 20 kB of result, 2026-07-28',
    legacy: false,
    headers: modernHeaders('write_file'),
    body: (id) => modernBody(id, 'write_file', { path: '/workspace/notes.txt', content: largeText }),
    expected: { text: '"result"', times: 1 },
  },
  {
    key: 'stream',
    title: 'answer of 20 events (19 progress, 1 result), 2026-07-28',
    legacy: false,
    headers: modernHeaders('describe_tables'),
    body: (id) => modernBody(id, 'describe_tables', { schema: 'public' }),
    expected: { text: 'data: ', times: 20 },
  },
];

export const initializeHeaders: Readonly<Record<string, string>> = common;

export const initializeBody: string = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: legacy, capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
});
