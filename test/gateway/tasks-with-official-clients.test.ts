import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startEverything } from '../../scripts/everything.ts';
import { fetchWith } from '../support/clients.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

/** The official client and server of the first generation: the one pair that speaks the tasks of 2025-11-25. */
describe('tasks of the official client and server', () => {
  let everything: RunningServer;
  let gate: TestGateway;
  const closers: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    everything = await startEverything(0);
    gate = await startTestGateway({ upstreams: { everything: everything.url } });
  });

  afterAll(async () => {
    for (const close of closers) await close();
    await gate.close();
    await everything.close();
  });

  async function connect(who: string): Promise<Client> {
    const withTls = fetchWith(await gate.as(who));
    const taskStore = new InMemoryTaskStore();
    const client = new Client(
      { name: 'tasks', version: '1.0.0' },
      {
        capabilities: { sampling: {}, tasks: { requests: { sampling: { createMessage: {} } } } },
        taskStore,
      },
    );
    client.setRequestHandler(CreateMessageRequestSchema, async (_request, extra) => {
      const answer = {
        role: 'assistant' as const,
        model: 'm',
        content: { type: 'text' as const, text: 'held' },
      };
      if (extra.taskStore === undefined) return answer;
      const task = await extra.taskStore.createTask({ ttl: 60_000 });
      await extra.taskStore.storeTaskResult(task.taskId, 'completed', answer);
      return { task };
    });
    const url = new URL(gate.url('everything'));
    await client.connect(new StreamableHTTPClientTransport(url, { fetch: withTls.fetch }) as Transport);
    closers.push(async () => {
      await client.close();
      taskStore.cleanup();
      await withTls.close();
    });
    return client;
  }

  it('live from the call to the result, and belong to who began them', async () => {
    const alice = await connect('alice');
    const mallory = await connect('mallory');
    await alice.listTools();
    const call = { name: 'simulate-research-query', arguments: { topic: 'gates' } };
    let taskId = '';
    const seen: string[] = [];
    for await (const message of alice.experimental.tasks.callToolStream(call, undefined, {
      task: { ttl: 60_000 },
    })) {
      seen.push(message.type);
      if (message.type === 'taskCreated') {
        ({ taskId } = message.task);
        const listed = await alice.experimental.tasks.listTasks();
        expect(listed.tasks.map((task) => task.taskId)).toEqual([taskId]);
        expect((await mallory.experimental.tasks.listTasks()).tasks).toEqual([]);
        for (const attempt of [
          mallory.experimental.tasks.getTask(taskId),
          mallory.experimental.tasks.getTaskResult(taskId),
          mallory.experimental.tasks.cancelTask(taskId),
        ]) {
          await expect(attempt).rejects.toMatchObject({ code: -32602, data: { reason: 'handle-unknown' } });
        }
      }
      if (message.type === 'result') expect(JSON.stringify(message.result)).toContain('gates');
      if (message.type === 'error') throw message.error;
    }
    expect(seen[0]).toBe('taskCreated');
    expect(seen.at(-1)).toBe('result');
    expect(await alice.experimental.tasks.getTask(taskId)).toMatchObject({ taskId, status: 'completed' });
  }, 20_000);

  it('of the client answer the questions of the server', async () => {
    const alice = await connect('alice');
    const { tools } = await alice.listTools();
    expect(tools.map(({ name }) => name)).toContain('trigger-sampling-request-async');
    const answer = await alice.callTool({
      name: 'trigger-sampling-request-async',
      arguments: { prompt: 'Say it', maxTokens: 10 },
    });
    expect(JSON.stringify(answer.content)).toContain('held');
    expect(JSON.stringify(answer.content)).toMatch(/Task created: [\w-]{22}\./);
  }, 20_000);
});
