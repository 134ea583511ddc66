/**
 * The client of the conformance run: the official v2 client, doing what each client scenario wants to watch.
 *
 * As a process: `node test/conformance/reference-client.ts <url>`, with the scenario in the environment, as the
 * suite's `--command` calls it.
 */

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** What the suite puts into the environment of the command. */
export interface ScenarioRequest {
  readonly scenario: string;
  /** Protocol revision that the scenario is played at. */
  readonly revision: string;
  /** Input of the scenario, such as the tool calls to make. */
  readonly context: { readonly toolCalls?: readonly ToolCall[] };
}

interface ToolCall {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

type Play = (client: Client, request: ScenarioRequest) => Promise<unknown>;

const plays: ReadonlyMap<string, Play> = new Map<string, Play>([
  ['initialize', (client) => client.listTools()],
  ['json-schema-ref-no-deref', (client) => client.listTools()],
  ['tools_call', callEach({ a: 5, b: 3 })],
  ['elicitation-sep1034-client-defaults', callEach({})],
  ['sse-retry', callEach({})],
  ['request-metadata', callEach({})],
  ['http-invalid-tool-headers', callEach({ region: 'here' })],
  ['http-standard-headers', useEverything],
  ['http-custom-headers', callAsTold],
  ['sep-2322-client-request-state', callAtOnce],
]);

/** Connects to the server, plays one scenario and disconnects. Throws if the server or the scenario fails. */
export async function playScenario(url: string, request: ScenarioRequest): Promise<void> {
  const play = plays.get(request.scenario);
  if (play === undefined) throw new Error(`No play for the scenario ${request.scenario}`);
  const client = new Client(
    { name: 'conformance-reference-client', version: '1.0.0' },
    {
      capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} },
      versionNegotiation: { mode: request.revision === '2026-07-28' ? 'auto' : 'legacy' },
    },
  );
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }));
  client.setRequestHandler('sampling/createMessage', () => ({
    role: 'assistant',
    content: { type: 'text', text: 'A sample' },
    model: 'reference',
  }));
  client.setRequestHandler('roots/list', () => ({ roots: [] }));
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  try {
    await play(client, request);
  } finally {
    await client.close();
  }
}

/** Reads the scenario from the environment. */
export function scenarioFromEnvironment(environment: NodeJS.ProcessEnv): ScenarioRequest {
  const scenario = environment['MCP_CONFORMANCE_SCENARIO'];
  if (scenario === undefined) throw new Error('MCP_CONFORMANCE_SCENARIO is not set');
  return {
    scenario,
    revision: environment['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? '2025-11-25',
    context: JSON.parse(environment['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as ScenarioRequest['context'],
  };
}

/** Calls every tool that the list offers, one after the other, always with the same arguments. */
function callEach(args: Record<string, unknown>): Play {
  return async (client) => {
    const { tools } = await client.listTools();
    for (const tool of tools) await client.callTool({ name: tool.name, arguments: args });
  };
}

/**
 * Calls every tool at the same time: state of one flow must not turn up in another.
 *
 * One tool answers without `resultType`, which this client rightly refuses to read from a 2026-07-28 server.
 */
async function callAtOnce(client: Client): Promise<void> {
  const { tools } = await client.listTools();
  await Promise.all(
    tools.map(async (tool) => {
      const call = client.callTool({ name: tool.name, arguments: {} });
      if (tool.name === 'test_mrtr_no_result_type') await call.catch(() => undefined);
      else await call;
    }),
  );
}

/** Makes the calls that the scenario asks for; the list before them tells which arguments go into headers. */
async function callAsTold(client: Client, { context }: ScenarioRequest): Promise<void> {
  await client.listTools();
  for (const call of context.toolCalls ?? []) {
    await client.callTool({ name: call.name, arguments: call.arguments });
  }
}

async function useEverything(client: Client, request: ScenarioRequest): Promise<void> {
  await callEach({})(client, request);
  for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri });
  for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name });
}

if (import.meta.main) {
  const url = process.argv.at(-1);
  if (url === undefined) throw new Error('The URL of the server is missing');
  await playScenario(url, scenarioFromEnvironment(process.env));
}
