/** The tools of the conformance fixture: every name that the official suite calls, with the answer it looks for. */

import {
  inputRequired,
  inputResponse,
  type JSONObject,
  type JsonSchemaType,
} from '@modelcontextprotocol/server';
import { inputTools } from './everything-input-tools.ts';
import { askModel, askText, type ToolRow, text } from './everything-parts.ts';

export const pixelPng =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';
const silentWav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';

/** What the tools need from the HTTP side: announcing a change on every open subscription. */
export interface ChangeNotices {
  toolsChanged(): void;
  promptsChanged(): void;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks one form and reports how it ended: what the elicitation scenarios of the session era look at. */
function elicitation(
  name: string,
  description: string,
  properties: JSONObject,
  required: string[] = [],
): ToolRow {
  return {
    name,
    description,
    run: (_args, ctx) => {
      const reply = inputResponse(ctx.mcpReq.inputResponses, 'form');
      if (reply.kind === 'elicit') {
        return text(
          `Elicitation completed: action=${reply.action}, content=${JSON.stringify(reply.content ?? {})}`,
        );
      }
      const requestedSchema = { type: 'object', properties, required } as Parameters<
        typeof inputRequired.elicit
      >[0]['requestedSchema'];
      return inputRequired({
        inputRequests: {
          form: inputRequired.elicit({ message: 'Please fill in the form', requestedSchema }),
        },
      });
    },
  };
}

// MCP 2026-07-28 keyword, which the JSON Schema types do not know.
const mirrored: JsonSchemaType & Record<'x-mcp-header', string> = {
  type: 'string',
  'x-mcp-header': 'Region',
};

const contentTools: readonly ToolRow[] = [
  {
    name: 'test_simple_text',
    description: 'Answers with one text',
    run: () => text('This is a simple text response for testing.'),
  },
  {
    name: 'test_image_content',
    description: 'Answers with one image',
    run: () => ({ content: [{ type: 'image', data: pixelPng, mimeType: 'image/png' }] }),
  },
  {
    name: 'test_audio_content',
    description: 'Answers with one sound',
    run: () => ({ content: [{ type: 'audio', data: silentWav, mimeType: 'audio/wav' }] }),
  },
  {
    name: 'test_embedded_resource',
    description: 'Answers with one embedded resource',
    run: () => ({
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'An embedded resource.',
          },
        },
      ],
    }),
  },
  {
    name: 'test_multiple_content_types',
    description: 'Answers with text, image and resource',
    run: () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        { type: 'image', data: pixelPng, mimeType: 'image/png' },
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: '{"test":"data","value":123}',
          },
        },
      ],
    }),
  },
  {
    name: 'test_error_handling',
    description: 'Always fails',
    run: () => {
      throw new Error('This tool intentionally returns an error for testing');
    },
  },
  {
    name: 'json_schema_2020_12_tool',
    description: 'Has an input schema that uses most of JSON Schema 2020-12',
    inputSchema: {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        address: {
          $anchor: 'addressDef',
          type: 'object',
          properties: { street: { type: 'string' }, city: { type: 'string' } },
        },
      },
      properties: {
        name: { type: 'string' },
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: { type: 'string' },
        email: { type: 'string' },
      },
      allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
      if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
      // biome-ignore lint/suspicious/noThenProperty: a JSON Schema keyword
      then: { required: ['phone'] },
      else: { required: ['email'] },
      additionalProperties: false,
    },
    run: (args) => text(JSON.stringify(args)),
  },
  {
    name: 'test_x_mcp_header',
    description: 'Mirrors its region argument in a header',
    inputSchema: { type: 'object', properties: { region: mirrored } },
    run: (args) => text(`region=${String(args['region'] ?? '')}`),
  },
];

const streamingTools: readonly ToolRow[] = [
  {
    name: 'test_tool_with_logging',
    description: 'Logs three times while it runs',
    run: async (_args, ctx) => {
      for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
        await ctx.mcpReq.log('info', line);
        await pause(20);
      }
      return text('Logged three times');
    },
  },
  {
    name: 'test_logging_tool',
    description: 'Logs once while it runs',
    run: async (_args, ctx) => {
      await ctx.mcpReq.log('info', 'Tool execution started');
      return text('Logged once');
    },
  },
  {
    name: 'test_tool_with_progress',
    description: 'Reports progress at 0, 50 and 100 of 100',
    run: async (_args, ctx) => {
      const progressToken = ctx.mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined) {
          await ctx.mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress, total: 100 },
          });
        }
        await pause(20);
      }
      return text('Progress reported');
    },
  },
  {
    name: 'test_reconnection',
    description: 'Drops its stream, so that the client has to come back for the result',
    run: async (_args, ctx) => {
      ctx.http?.closeSSE?.();
      await pause(100);
      return text('You came back for the result');
    },
  },
  {
    name: 'test_sampling',
    description: 'Asks the model of the client',
    inputSchema: { type: 'object', properties: { prompt: { type: 'string' } }, required: ['prompt'] },
    run: (args, ctx) => {
      const reply = inputResponse(ctx.mcpReq.inputResponses, 'model');
      if (reply.kind === 'sampling') return text(`LLM response: ${JSON.stringify(reply.result.content)}`);
      return inputRequired({ inputRequests: { model: askModel(String(args['prompt']), 100) } });
    },
  },
  {
    name: 'test_elicitation',
    description: 'Asks the user of the client',
    inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
    run: (args, ctx) => {
      const reply = inputResponse(ctx.mcpReq.inputResponses, 'user');
      if (reply.kind === 'elicit') {
        return text(`User response: action=${reply.action}, content=${JSON.stringify(reply.content ?? {})}`);
      }
      return inputRequired({ inputRequests: { user: askText(String(args['message']), 'response') } });
    },
  },
  {
    name: 'test_streaming_elicitation',
    description: 'Asks the user without sending a request of its own',
    run: (_args, ctx) =>
      inputResponse(ctx.mcpReq.inputResponses, 'user').kind === 'elicit'
        ? text('Asked and answered')
        : inputRequired({ inputRequests: { user: askText('Anything to add?', 'response') } }),
  },
  elicitation('test_elicitation_sep1034_defaults', 'Asks a form with defaults of every primitive type', {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  }),
  elicitation('test_elicitation_sep1330_enums', 'Asks a form with every variant of a choice', {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  }),
];

function titled(noun: string): { const: string; title: string }[] {
  return ['First', 'Second', 'Third'].map((order, index) => ({
    const: `value${index + 1}`,
    title: `${order} ${noun}`,
  }));
}

/** All tools, always in this order: a list that moves between two calls is a failure of its own. */
export function toolRows(notices: ChangeNotices): readonly ToolRow[] {
  return [
    ...contentTools,
    ...streamingTools,
    ...inputTools,
    {
      name: 'test_trigger_tool_change',
      description: 'Announces a change of the tool list',
      run: () => {
        notices.toolsChanged();
        return text('Announced');
      },
    },
    {
      name: 'test_trigger_prompt_change',
      description: 'Announces a change of the prompt list',
      run: () => {
        notices.promptsChanged();
        return text('Announced');
      },
    },
  ];
}
