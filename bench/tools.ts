import type { JsonObject } from '../src/values/json.ts';

/** The tool of small calls, as its server lists it. */
export const queryTool: JsonObject = {
  name: 'query',
  description: 'Runs one query and returns its rows.',
  inputSchema: {
    type: 'object',
    properties: {
      sql: { type: 'string', maxLength: 10_000 },
      limit: { type: 'integer', minimum: 1, maximum: 1000 },
      database: { type: 'string', enum: ['replica', 'archive'] },
    },
    required: ['sql'],
    additionalProperties: false,
  },
};

const text = { type: 'string' };

/** What the server of the benchmark offers. */
export const tools: readonly JsonObject[] = [
  queryTool,
  { name: 'write_file', inputSchema: { type: 'object', properties: { path: text, content: text } } },
  { name: 'describe_tables', inputSchema: { type: 'object', properties: { schema: text } } },
];
