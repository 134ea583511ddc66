import type { Client } from '@modelcontextprotocol/client';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectClient, connectClient1 } from '../support/clients.ts';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { initialize, legacy } from '../support/mcp-messages.ts';
import { openStream, post, type RawStream, send } from '../support/raw-client.ts';

describe('sessions', () => {
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

  /** Opens a session and gives the headers that name it. */
  const open = async (who: string): Promise<Record<string, string>> => {
    const answer = await openStream('POST', gate.url('fixture'), {
      headers: { 'content-type': 'application/json' },
      body: initialize(),
      tls: await gate.as(who),
    });
    await answer.rest();
    return {
      'mcp-session-id': answer.headers['mcp-session-id'] ?? '',
      'mcp-protocol-version': '2025-11-25',
      'content-type': 'application/json',
    };
  };

  for (const { name, connect } of generations.filter(({ era }) => era === 'legacy')) {
    it(`resume a broken stream by Last-Event-ID (${name})`, async () => {
      const caller = await connect(gate.url('fixture'), await gate.as('alice'));
      const { content } = await caller.call('test_reconnection');
      expect(content).toEqual([{ type: 'text', text: 'You came back for the result' }]);
      await caller.close();
    });
  }

  it('hear of changes on the standalone stream (second generation)', async () => {
    let changes = 0;
    const prepare = (client: Client) =>
      client.setNotificationHandler('notifications/tools/list_changed', () => {
        changes += 1;
      });
    const { client, close } = await connectClient(
      gate.url('fixture'),
      await gate.as('alice'),
      'legacy',
      prepare,
    );
    // The client opens its stream behind the caller's back: what changed before that is not told again.
    await expect
      .poll(async () => {
        await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
        return changes;
      })
      .toBeGreaterThan(0);
    await close();
  });

  it('hear of changes on the standalone stream (first generation)', async () => {
    let changes = 0;
    const { client, close } = await connectClient1(gate.url('fixture'), await gate.as('bob'), (client) =>
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
        changes += 1;
      }),
    );
    await expect
      .poll(async () => {
        await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
        return changes;
      })
      .toBeGreaterThan(0);
    await close();
  });

  it('end with DELETE, and are unknown afterwards', async () => {
    const tls = await gate.as('alice');
    const headers = await open('alice');
    expect((await post(gate.url('fixture'), legacy('ping'), { headers, tls })).status).toBe(200);
    expect((await send('DELETE', gate.url('fixture'), { headers, tls })).status).toBe(200);
    const after = await post(gate.url('fixture'), legacy('ping'), { headers, tls });
    expect(after.status).toBe(404);
    expect(after.json()).toMatchObject({ error: { code: -32001, message: 'Session not found' } });
  });

  it('are unknown to everybody but the caller that opened them', async () => {
    const headers = await open('alice');
    for (const request of [
      async () => post(gate.url('fixture'), legacy('ping'), { headers, tls: await gate.as('mallory') }),
      async () => send('DELETE', gate.url('fixture'), { headers, tls: await gate.as('mallory') }),
      async () =>
        send('GET', gate.url('fixture'), {
          headers: { ...headers, accept: 'text/event-stream' },
          tls: await gate.as('mallory'),
        }),
    ]) {
      expect((await request()).status).toBe(404);
    }
    const own = await post(gate.url('fixture'), legacy('ping'), { headers, tls: await gate.as('alice') });
    expect(own.status).toBe(200);
  });

  it('give out event ids that open no other session', async () => {
    const first = await open('alice');
    const second = await open('alice');
    const call = async (headers: Record<string, string>): Promise<RawStream> =>
      openStream('POST', gate.url('fixture'), {
        headers,
        body: legacy('tools/call', { name: 'test_reconnection', arguments: {} }, 7),
        tls: await gate.as('alice'),
      });
    const events = await (await call(first)).rest();
    const lastEventId = events.at(-1)?.id ?? '';
    expect(lastEventId).not.toBe('');
    const resume = async (headers: Record<string, string>) =>
      openStream('GET', gate.url('fixture'), {
        headers: { ...headers, 'last-event-id': lastEventId },
        tls: await gate.as('alice'),
      });
    expect((await resume(second)).status).toBe(404);
    const resumed = await resume(first);
    const answer = await resumed.next();
    expect(JSON.parse(answer?.data ?? '')).toMatchObject({
      id: 7,
      result: { content: [{ text: 'You came back for the result' }] },
    });
    resumed.abort();
  });
});
