import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generations } from '../support/generations.ts';
import { modern } from '../support/mcp-messages.ts';
import { post } from '../support/raw-client.ts';
import { type Recorder, startRecorder } from '../support/recorder.ts';
import { result } from '../support/recorder-answers.ts';

const policy = `
version: 1
roles:
  reader:
    allow:
      - tools: ["read_*"]
      - resources: ["test://public/**"]
      - prompts: [greet]
  writer:
    allow:
      - tools: ["write_*"]
bindings:
  - roles: [reader]
    to: { certificate: { uri: ["spiffe://test.local/alice", "spiffe://test.local/both"] } }
  - roles: [writer]
    to: { certificate: { uri: ["spiffe://test.local/bob", "spiffe://test.local/both"] } }
`;

/** Three pages; the one in the middle has nothing for alice. */
const pages = [
  { tools: ['read_a', 'write_a'], nextCursor: 'two' },
  { tools: ['write_b', 'write_c'], nextCursor: 'three' },
  { tools: ['read_b', 'other'], nextCursor: undefined },
] as const;

describe('lists', () => {
  let recorder: Recorder;
  let gate: TestGateway;

  beforeAll(async () => {
    recorder = await startRecorder();
    const answer = (id: string | number | null | undefined, meta: unknown, list: Record<string, unknown>) => {
      const modern =
        (meta as Record<string, unknown> | undefined)?.['io.modelcontextprotocol/protocolVersion'] !==
        undefined;
      const cache = { resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' };
      return { kind: 'json', body: result(id, { ...list, ...(modern ? cache : {}) }) } as const;
    };
    recorder.on('tools/list', ({ id, params }) => {
      const cursor = params?.['cursor'];
      const page = pages[cursor === 'two' ? 1 : cursor === 'three' ? 2 : 0];
      const tools = page.tools.map((name) => ({ name, inputSchema: { type: 'object' } }));
      const next = page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor };
      return answer(id, params?.['_meta'], { tools, ...next });
    });
    recorder.on('resources/list', ({ id, params }) =>
      answer(id, params?.['_meta'], {
        resources: ['test://public/a', 'test://private/b'].map((uri) => ({ uri, name: uri })),
      }),
    );
    recorder.on('prompts/list', ({ id, params }) =>
      answer(id, params?.['_meta'], { prompts: [{ name: 'greet' }, { name: 'insult' }] }),
    );
    gate = await startTestGateway({ upstreams: { recorder: recorder.url }, policy });
  });

  afterAll(async () => {
    await gate.close();
    await recorder.close();
  });

  for (const { name, connect } of generations) {
    it(`hold what each caller may use, and nothing else (${name})`, async () => {
      const seen: Record<string, readonly string[]> = {};
      for (const who of ['alice', 'bob', 'both']) {
        const caller = await connect(gate.url('recorder'), await gate.as(who));
        seen[who] = await caller.toolNames();
        expect(await caller.resourceUris()).toEqual(who === 'bob' ? [] : ['test://public/a']);
        expect(await caller.promptNames()).toEqual(who === 'bob' ? [] : ['greet']);
        await caller.close();
      }
      expect(seen).toEqual({
        alice: ['read_a', 'read_b'],
        bob: ['write_a', 'write_b', 'write_c'],
        both: ['read_a', 'write_a', 'write_b', 'write_c', 'read_b'],
      });
    });
  }

  it('keep their pages and cursors, also where a page becomes empty, and are private to caches', async () => {
    const page = async (cursor?: string) => {
      const { headers, body } = modern('tools/list', cursor === undefined ? {} : { cursor });
      const answer = await post(gate.url('recorder'), body, { headers, tls: await gate.as('alice') });
      return answer.json<{ result: { tools: { name: string }[]; nextCursor?: string } }>().result;
    };
    const first = await page();
    expect(first).toMatchObject({
      tools: [{ name: 'read_a' }],
      nextCursor: expect.any(String),
      cacheScope: 'private',
      ttlMs: 60_000,
    });
    const second = await page(first.nextCursor);
    expect(second).toMatchObject({ tools: [], nextCursor: expect.any(String), cacheScope: 'private' });
    const last = await page(second.nextCursor);
    expect(last).toMatchObject({ tools: [{ name: 'read_b' }], cacheScope: 'private' });
    expect(last).not.toHaveProperty('nextCursor');
  });

  it('are refused to a caller who may use nothing', async () => {
    const { headers, body } = modern('tools/list');
    const answer = await post(gate.url('recorder'), body, { headers, tls: await gate.as('nobody') });
    expect(answer.json()).toMatchObject({ error: { code: 4030, data: { reason: 'denied' } } });
  });
});
