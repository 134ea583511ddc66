/** One MCP server with everything that the conformance suite asks for. Made anew for each request or session. */

import {
  fromJsonSchema,
  type GetPromptResult,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { stateCodec } from './everything-input-tools.ts';
import { askText } from './everything-parts.ts';
import { type ChangeNotices, pixelPng, toolRows } from './everything-tools.ts';

/** Makes a server that may be connected to one transport. */
export function createEverythingServer(notices: ChangeNotices): McpServer {
  const server = new McpServer(
    { name: 'everything-fixture', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        completions: {},
        logging: {},
      },
      requestState: { verify: stateCodec.verify },
    },
  );
  for (const row of toolRows(notices)) {
    if (row.inputSchema === undefined) {
      server.registerTool(row.name, { description: row.description }, (ctx) => row.run({}, ctx));
    } else {
      const inputSchema = fromJsonSchema<Record<string, unknown>>(row.inputSchema);
      server.registerTool(row.name, { description: row.description, inputSchema }, row.run);
    }
  }
  addPrompts(server);
  addResources(server);
  server.server.setRequestHandler('completion/complete', () => ({ completion: { values: [], total: 0 } }));
  return server;
}

function addPrompts(server: McpServer): void {
  const say = (value: string): GetPromptResult['messages'][number] => ({
    role: 'user',
    content: { type: 'text', text: value },
  });

  server.registerPrompt('test_simple_prompt', { description: 'One message' }, () => ({
    messages: [say('This is a simple prompt for testing.')],
  }));

  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'One message with two arguments', argsSchema: strings('arg1', 'arg2') },
    (args) => ({ messages: [say(`Prompt with arguments: arg1='${args['arg1']}', arg2='${args['arg2']}'`)] }),
  );

  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A resource and a message', argsSchema: strings('resourceUri') },
    (args) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: {
              uri: args['resourceUri'] ?? '',
              mimeType: 'text/plain',
              text: 'Embedded resource content for testing.',
            },
          },
        },
        say('Please process the embedded resource above.'),
      ],
    }),
  );

  server.registerPrompt('test_prompt_with_image', { description: 'An image and a message' }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', data: pixelPng, mimeType: 'image/png' } },
      say('Please analyze the image above.'),
    ],
  }));

  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks for its context first' },
    (ctx) => {
      const reply = inputResponse(ctx.mcpReq.inputResponses, 'user_context');
      if (reply.kind === 'elicit') {
        return { messages: [say(`Context: ${String(reply.content?.['context'] ?? '')}`)] };
      }
      return inputRequired({
        inputRequests: { user_context: askText('What context should the prompt use?', 'context') },
      });
    },
  );
}

function strings(...names: string[]) {
  return fromJsonSchema<Record<string, string>>({
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required: names,
  });
}

function addResources(server: McpServer): void {
  server.registerResource(
    'static-text',
    'test://static-text',
    { description: 'A text', mimeType: 'text/plain' },
    (uri) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'text/plain',
          text: 'This is the content of the static text resource.',
        },
      ],
    }),
  );

  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'An image', mimeType: 'image/png' },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: 'image/png', blob: pixelPng }] }),
  );

  server.registerResource(
    'watched-resource',
    'test://watched-resource',
    { description: 'Can be subscribed to', mimeType: 'text/plain' },
    (uri) => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'Watched resource content' }] }),
  );

  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'Data for one id', mimeType: 'application/json' },
    (uri, variables) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({
            id: variables['id'],
            templateTest: true,
            data: `Data for ID: ${variables['id']}`,
          }),
        },
      ],
    }),
  );

  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}
