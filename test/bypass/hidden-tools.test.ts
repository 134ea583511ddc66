import { describe, expect, it } from 'vitest';
import { modern } from '../support/mcp-messages.ts';
import { narrowPolicy, postModern, startArena } from './arena.ts';

describe('a tool that the caller may not see', () => {
  it('answers as one that does not exist, whatever Mcp-Param headers come with the call', async () => {
    const arena = await startArena();
    arena.recorder.on('tools/list', ({ id }) => ({
      kind: 'json',
      body: {
        jsonrpc: '2.0',
        id,
        result: {
          resultType: 'complete',
          ttlMs: 0,
          cacheScope: 'private',
          tools: [
            {
              name: 'hidden',
              inputSchema: {
                type: 'object',
                properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
              },
            },
            { name: 'allowed', inputSchema: { type: 'object' } },
          ],
        },
      },
    }));
    // Whoever may list has fed the gateway's memory of the tools already.
    await postModern(arena, modern('tools/list'));
    for (const params of [
      {},
      { 'mcp-param-region': 'eu' },
      { 'mcp-param-region': 'us' },
      { 'mcp-param-other': 'x' },
    ]) {
      const answers = [];
      for (const name of ['hidden', 'missing']) {
        const { headers, body } = modern('tools/call', { name, arguments: { region: 'eu' } });
        answers.push(await postModern(arena, { headers: { ...headers, ...params }, body }));
      }
      const [hidden, missing] = answers.map(({ status, body }) => ({ status, body: body.toString() }));
      expect(hidden, JSON.stringify(params)).toEqual(missing);
    }
  });

  it('answers as one that does not exist, whatever limits name it', async () => {
    const arena = await startArena({
      policy: `${narrowPolicy}
limits:
  - { name: hidden-calls, match: { tools: [hidden] }, per: [principal], rate: 1/h }
  - { name: hidden-reads, match: { resources: ["file:///hidden/**"] }, per: [principal], rate: 1/h }
`,
    });
    for (const [method, named] of [
      ['tools/call', (word: string) => ({ name: word })],
      ['resources/read', (word: string) => ({ uri: `file:///${word}/a` })],
    ] as const) {
      for (let round = 0; round < 3; round++) {
        const answers = [];
        for (const word of ['hidden', 'missing']) {
          answers.push((await postModern(arena, modern(method, named(word)))).body.toString());
        }
        expect(answers[0], `${method}, round ${round}`).toBe(answers[1]);
      }
    }
  });
});
