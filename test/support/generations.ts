import type { Client } from '@modelcontextprotocol/client';
import type { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { connectClient, connectClient1 } from './clients.ts';
import type { ClientTls } from './gateway.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  onprogress?(progress: { readonly progress: number }): void;
}

export interface CallResult {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly isError?: boolean;
}

/** What a client answers when the server asks. */
export interface Answers {
  elicit(): { action: 'accept' | 'decline'; content?: Record<string, string> };
  sample(): { role: 'assistant'; content: { type: 'text'; text: string }; model: string };
}

/** An official client of either generation, so that one test can speak for all. */
export interface Caller {
  /** Of all pages. */
  toolNames(): Promise<readonly string[]>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<CallResult>;
  readResource(uri: string): Promise<readonly { readonly uri: string; readonly text?: string }[]>;
  resourceUris(): Promise<readonly string[]>;
  getPrompt(name: string): Promise<readonly unknown[]>;
  promptNames(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface Generation {
  readonly name: string;
  readonly era: 'modern' | 'legacy';
  connect(url: string, tls: ClientTls | undefined, answers?: Answers): Promise<Caller>;
}

/** A user that agrees and a model that says hello. */
export const willing: Answers = {
  elicit: () => ({ action: 'accept', content: { response: 'yes', name: 'Ada' } }),
  sample: () => ({ role: 'assistant', content: { type: 'text', text: 'hello' }, model: 'test' }),
};

/** Every official client that has to work: both generations, both eras. */
export const generations: readonly Generation[] = [
  { name: 'second generation, 2026-07-28', era: 'modern', connect: second('modern') },
  { name: 'second generation, sessions', era: 'legacy', connect: second('legacy') },
  { name: 'first generation', era: 'legacy', connect: first },
];

function second(era: 'modern' | 'legacy'): Generation['connect'] {
  return async (url, tls, answers = willing) => {
    const prepare = (client: Client) => {
      client.setRequestHandler('elicitation/create', () => answers.elicit());
      client.setRequestHandler('sampling/createMessage', () => answers.sample());
    };
    const { client, close } = await connectClient(url, tls, era, prepare);
    return {
      ...lists(client),
      call: async (name, args = {}, options = {}) =>
        (await client.callTool({ name, arguments: args }, options)) as CallResult,
      close,
    };
  };
}

async function first(url: string, tls: ClientTls | undefined, answers: Answers = willing): Promise<Caller> {
  const { client, close } = await connectClient1(url, tls, (client) => {
    client.setRequestHandler(ElicitRequestSchema, () => answers.elicit());
    client.setRequestHandler(CreateMessageRequestSchema, () => answers.sample());
  });
  return {
    ...lists(client),
    call: async (name, args = {}, options = {}) =>
      (await client.callTool({ name, arguments: args }, CallToolResultSchema, options)) as CallResult,
    close,
  };
}

/** What both generations spell alike. */
function lists(client: Client | Client1): Omit<Caller, 'call' | 'close'> {
  return {
    // The first generation gives page by page, the second follows the cursors by itself.
    async toolNames() {
      const names: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await client.listTools(cursor === undefined ? {} : { cursor });
        names.push(...page.tools.map(({ name }) => name));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return names;
    },
    resourceUris: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    readResource: async (uri) =>
      (await client.readResource({ uri })).contents as readonly { uri: string; text?: string }[],
    promptNames: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    getPrompt: async (name) => (await client.getPrompt({ name })).messages,
  };
}
