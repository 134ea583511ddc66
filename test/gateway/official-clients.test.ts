import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startEverything } from '../../scripts/everything.ts';
import { connectClient, connectClient1 } from '../support/clients.ts';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

describe('official clients through mTLS', () => {
  let fixture: EverythingFixture;
  let everything: RunningServer;
  let gate: TestGateway;

  beforeAll(async () => {
    [fixture, everything] = await Promise.all([startEverythingFixture(), startEverything(0)]);
    gate = await startTestGateway({ upstreams: { fixture: fixture.url, everything: everything.url } });
  });

  afterAll(async () => {
    await gate.close();
    await Promise.all([fixture.close(), everything.close()]);
  });

  for (const era of ['modern', 'legacy'] as const) {
    it(`lets the second generation list and call (${era})`, async () => {
      const { client, close } = await connectClient(gate.url('fixture'), await gate.as('alice'), era);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain('test_simple_text');
      const result = await client.callTool({ name: 'test_simple_text', arguments: {} });
      expect(result.content).toEqual([expect.objectContaining({ type: 'text' })]);
      await close();
    });
  }

  it('lets the second generation speak to a server of the first', async () => {
    const { client, close } = await connectClient(gate.url('everything'), await gate.as('alice'), 'legacy');
    const result = await client.callTool({ name: 'echo', arguments: { message: 'through the gate' } });
    expect(result.content).toEqual([{ type: 'text', text: 'Echo: through the gate' }]);
    await close();
  });

  for (const upstream of ['fixture', 'everything']) {
    it(`lets the first generation list and call (${upstream})`, async () => {
      const { client, close } = await connectClient1(gate.url(upstream), await gate.as('bob'));
      const { tools } = await client.listTools();
      expect(tools.length).toBeGreaterThan(3);
      const name = upstream === 'fixture' ? 'test_simple_text' : 'echo';
      const result = await client.callTool({ name, arguments: { message: 'hello' } });
      expect(result.content).toEqual([expect.objectContaining({ type: 'text' })]);
      await close();
    });
  }
});
