import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from '../support/clients.ts';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { modern } from '../support/mcp-messages.ts';
import { openStream, post } from '../support/raw-client.ts';
import { startRecorder } from '../support/recorder.ts';
import { event } from '../support/recorder-answers.ts';

const policy = `
version: 1
roles:
  subscriber:
    allow:
      - tools: ["*"]
      - resources: ["test://watched-*"]
      - methods: [subscriptions/listen]
bindings:
  - roles: [subscriber]
    to: { any: true }
`;

describe('subscriptions/listen', () => {
  let fixture: EverythingFixture;
  let gate: TestGateway;

  beforeAll(async () => {
    fixture = await startEverythingFixture();
    gate = await startTestGateway({ upstreams: { fixture: fixture.url }, policy });
  });

  afterAll(async () => {
    await gate.close();
    await fixture.close();
  });

  it('is acknowledged, brings changes, and ends when the client closes it', async () => {
    let changes = 0;
    const { client, close } = await connectClient(
      gate.url('fixture'),
      await gate.as('alice'),
      'modern',
      (client) =>
        client.setNotificationHandler('notifications/tools/list_changed', () => {
          changes += 1;
        }),
    );
    const subscription = await client.listen({ toolsListChanged: true });
    expect(subscription.honoredFilter).toEqual({ toolsListChanged: true });
    await client.callTool({ name: 'test_trigger_tool_change', arguments: {} });
    await expect.poll(() => changes).toBe(1);
    await subscription.close();
    expect(await subscription.closed).toBe('local');
    await expect.poll(() => gate.audit().map(({ event }) => event)).toContain('stream-ended');
    await close();
  });

  it('carries the id that the client gave, on every message', async () => {
    const { headers, body } = modern(
      'subscriptions/listen',
      { notifications: { promptsListChanged: true } },
      { id: 'my-own-id' },
    );
    const tls = await gate.as('alice');
    const stream = await openStream('POST', gate.url('fixture'), { headers, body, tls });
    const tagged = { params: { _meta: { 'io.modelcontextprotocol/subscriptionId': 'my-own-id' } } };
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      ...tagged,
    });
    const trigger = modern('tools/call', { name: 'test_trigger_prompt_change', arguments: {} });
    await post(gate.url('fixture'), trigger.body, { headers: trigger.headers, tls });
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({
      method: 'notifications/prompts/list_changed',
      ...tagged,
    });
    stream.abort();
  });

  it('is refused as a whole where one resource is not allowed', async () => {
    const listen = (uris: readonly string[]) => {
      const { headers, body } = modern('subscriptions/listen', {
        notifications: { resourceSubscriptions: uris },
      });
      return { headers, body };
    };
    const tls = await gate.as('alice');
    const refused = listen(['test://watched-resource', 'test://static-text']);
    const answer = await post(gate.url('fixture'), refused.body, { headers: refused.headers, tls });
    expect(answer.json()).toMatchObject({ id: 1, error: { code: 4030, data: { reason: 'denied' } } });
    const allowed = listen(['test://watched-resource']);
    const stream = await openStream('POST', gate.url('fixture'), { ...allowed, tls });
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({
      params: { notifications: { resourceSubscriptions: ['test://watched-resource'] } },
    });
    stream.abort();
  });

  it('ends for the client when the server ends it', async () => {
    const own = await startEverythingFixture();
    const other = await startTestGateway({ upstreams: { own: own.url } });
    const { client, close } = await connectClient(other.url('own'), await other.as('alice'), 'modern');
    const subscription = await client.listen({ toolsListChanged: true });
    await own.close();
    expect(await subscription.closed).toBe('graceful');
    await close();
    await other.close();
  });
});

describe('resources/subscribe in a session', () => {
  it('is asked for each resource, and only updates of what may be subscribed to come through', async () => {
    const recorder = await startRecorder();
    const gate = await startTestGateway({ upstreams: { recorder: recorder.url }, policy });
    const updated = (uri: string) =>
      event({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });
    const subscribed = Promise.withResolvers<string>();
    recorder.on('GET', {
      kind: 'sse',
      chunks: [
        subscribed.promise,
        updated('test://static-text'),
        updated('test://watched-resource/part'),
        updated('test://watched-resource'),
      ],
      open: true,
    });
    const heard: string[] = [];
    const { client, close } = await connectClient(
      gate.url('recorder'),
      await gate.as('alice'),
      'legacy',
      (client) =>
        client.setNotificationHandler(
          'notifications/resources/updated',
          ({ params }) => void heard.push(params.uri),
        ),
    );
    await expect(client.subscribeResource({ uri: 'test://static-text' })).rejects.toMatchObject({
      code: 4030,
    });
    await client.subscribeResource({ uri: 'test://watched-resource' });
    subscribed.resolve(': subscribed\n\n');
    // Both others came before this one.
    await expect.poll(() => heard).toEqual(['test://watched-resource']);
    await close();
    await gate.close();
    await recorder.close();
  });
});
