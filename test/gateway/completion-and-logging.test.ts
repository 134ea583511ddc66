import type { Client } from '@modelcontextprotocol/client';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Connected, connectClient, connectClient1 } from '../support/clients.ts';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

const reference = { type: 'ref/prompt', name: 'test_prompt_with_arguments' } as const;
const lines = ['Tool execution started', 'Tool processing data', 'Tool execution completed'];

describe('completion and logging', () => {
  let fixture: EverythingFixture;
  let gate: TestGateway;

  beforeAll(async () => {
    fixture = await startEverythingFixture();
    gate = await startTestGateway({ upstreams: { fixture: fixture.url } });
  });

  afterAll(async () => {
    await gate.close();
    await fixture.close();
  });

  for (const era of ['modern', 'legacy'] as const) {
    const connect = async (prepare?: (client: Client) => void): Promise<Connected<Client>> =>
      connectClient(gate.url('fixture'), await gate.as('alice'), era, prepare);

    it(`completes an argument of a prompt (second generation, ${era})`, async () => {
      const { client, close } = await connect();
      const { completion } = await client.complete({
        ref: reference,
        argument: { name: 'arg1', value: 'a' },
      });
      expect(completion).toEqual({ values: [], total: 0 });
      await close();
    });

    it(`relays log messages of a call, in order (second generation, ${era})`, async () => {
      const logged: unknown[] = [];
      const { client, close } = await connect((client) =>
        client.setNotificationHandler('notifications/message', ({ params }) => void logged.push(params.data)),
      );
      const call = { name: 'test_tool_with_logging', arguments: {} };
      const level = { 'io.modelcontextprotocol/logLevel': 'debug' };
      if (era === 'legacy') await client.setLoggingLevel('debug');
      await client.callTool(era === 'modern' ? { ...call, _meta: level } : call);
      expect(logged).toEqual(lines);
      await close();
    });
  }

  it('does both for the first generation', async () => {
    const logged: unknown[] = [];
    const { client, close } = await connectClient1(gate.url('fixture'), await gate.as('alice'), (client) =>
      client.setNotificationHandler(
        LoggingMessageNotificationSchema,
        ({ params }) => void logged.push(params.data),
      ),
    );
    const { completion } = await client.complete({ ref: reference, argument: { name: 'arg1', value: 'a' } });
    expect(completion).toEqual({ values: [], total: 0 });
    await client.setLoggingLevel('debug');
    await client.callTool({ name: 'test_tool_with_logging', arguments: {} });
    expect(logged).toEqual(lines);
    await close();
  });
});
