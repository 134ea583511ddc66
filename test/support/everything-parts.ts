/** What the tools of the conformance fixture are made of: their row, and the questions they ask. */

import {
  type CallToolResult,
  type InputRequests,
  type InputRequiredResult,
  inputRequired,
  type JsonSchemaType,
  type ServerContext,
} from '@modelcontextprotocol/server';

export interface ToolRow {
  readonly name: string;
  readonly description: string;
  readonly inputSchema?: JsonSchemaType;
  readonly run: (args: Readonly<Record<string, unknown>>, ctx: ServerContext) => Promise<Answer> | Answer;
}

export type Answer = CallToolResult | InputRequiredResult;

export function askText(message: string, property: string): InputRequests[string] {
  return inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [property]: { type: 'string' } }, required: [property] },
  });
}

export const askModel = (text: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: { type: 'text', text } }], maxTokens });

export const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] });
