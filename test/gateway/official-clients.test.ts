import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startEverything } from '../../scripts/everything.ts';
import { type EverythingFixture, startEverythingFixture } from '../support/everything-fixture.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';

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

  for (const { name, connect } of generations) {
    it(`list and call tools (${name})`, async () => {
      const caller = await connect(gate.url('fixture'), await gate.as('alice'));
      expect(await caller.toolNames()).toContain('test_simple_text');
      const text = 'This is a simple text response for testing.';
      expect((await caller.call('test_simple_text')).content).toEqual([{ type: 'text', text }]);
      await caller.close();
    });

    it(`list and read resources (${name})`, async () => {
      const caller = await connect(gate.url('fixture'), await gate.as('alice'));
      expect(await caller.resourceUris()).toContain('test://static-text');
      expect(await caller.readResource('test://template/7/data')).toEqual([
        expect.objectContaining({
          uri: 'test://template/7/data',
          text: expect.stringContaining('Data for ID: 7'),
        }),
      ]);
      await caller.close();
    });

    it(`list and get prompts (${name})`, async () => {
      const caller = await connect(gate.url('fixture'), await gate.as('alice'));
      expect(await caller.promptNames()).toContain('test_simple_prompt');
      expect(await caller.getPrompt('test_simple_prompt')).toEqual([
        { role: 'user', content: { type: 'text', text: 'This is a simple prompt for testing.' } },
      ]);
      await caller.close();
    });
  }

  for (const { name, connect } of generations.filter(({ era }) => era === 'legacy')) {
    it(`speak to the official server-everything of the first generation (${name})`, async () => {
      const caller = await connect(gate.url('everything'), await gate.as('alice'));
      expect(await caller.toolNames()).toContain('echo');
      const { content } = await caller.call('echo', { message: 'through the gate' });
      expect(content).toEqual([{ type: 'text', text: 'Echo: through the gate' }]);
      await caller.close();
    });
  }
});
