import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/mcp/frame.ts';
import { runToClient, runToUpstream } from '../../src/pipeline/run.ts';
import { call, makeExchange, makeGate, resultOf, type TestGate } from './support.ts';

const tool = (name: string, bytes = 0) => ({
  name,
  inputSchema: { type: 'object', ...(bytes === 0 ? {} : { description: 'x'.repeat(bytes) }) },
});
const names = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => tool(`t${from + index}`));

interface Page {
  readonly tools: { readonly name: string }[];
  readonly nextCursor?: string;
}

/** One page through the whole list of filters, as a client sees it. */
async function page(gate: TestGate, result: object, cursor?: string) {
  const exchange = makeExchange({ request: call('tools/list', cursor === undefined ? {} : { cursor }) });
  const up = await runToUpstream(gate.filters, exchange.request, exchange);
  if (up.kind !== 'go' || up.frame.kind !== 'request') throw new Error(JSON.stringify(up));
  const down = await runToClient(gate.filters, resultOf(up.frame.id, result) as Frame, exchange);
  if (down.kind !== 'go' || down.frame.kind !== 'result') throw new Error(JSON.stringify(down));
  return { page: down.frame.result as unknown as Page, exchange, sent: up.frame.params };
}

describe('a list of tools', () => {
  test('ends where a server has listed as many as it may, over all pages', async () => {
    const gate = makeGate({ lists: { tools: 5 } });
    const first = await page(gate, { tools: names(0, 3), nextCursor: 'next' });
    expect(first.page.tools).toHaveLength(3);
    const second = await page(gate, { tools: names(3, 6), nextCursor: 'more' }, first.page.nextCursor);
    expect(second.sent).toMatchObject({ cursor: 'next' });
    expect(second.page.tools.map(({ name }) => name)).toEqual(['t3', 't4']);
    expect(second.page.nextCursor).toBeUndefined();
    expect(gate.events).toContainEqual({ kind: 'bound', bound: 'tools-per-list', upstream: 'warehouse' });
    expect(second.exchange.facts.findings).toMatchObject([
      { check: 'schema', effect: 'stripped', detail: 'tools-per-list', count: 1 },
    ]);
    expect([...second.exchange.catalog.tools()].map(({ name }) => name)).not.toContain('t5');
  });

  test('is whole where it is as long as it may be', async () => {
    const gate = makeGate({ lists: { tools: 5 } });
    const { page: only, exchange } = await page(gate, { tools: names(0, 5) });
    expect(only.tools).toHaveLength(5);
    expect(gate.events).toEqual([]);
    expect(exchange.facts.findings).toEqual([]);
  });

  test('counts what policy hides from this caller too', async () => {
    const gate = makeGate({ lists: { tools: 4 } });
    const first = await page(gate, {
      tools: [...names(0, 1), { name: 'not a name\n' }, {}],
      nextCursor: 'next',
    });
    expect(first.page.tools).toHaveLength(1);
    const second = await page(gate, { tools: names(3, 6) }, first.page.nextCursor);
    expect(second.page.tools.map(({ name }) => name)).toEqual(['t3']);
  });

  test('is without tools whose schemas are too large, of either kind, and nothing is learnt from them', async () => {
    const gate = makeGate({ lists: { schemaBytes: '1KiB' } });
    const { page: only, exchange } = await page(gate, {
      tools: [
        tool('good'),
        tool('large', 2000),
        { ...tool('output'), outputSchema: { description: 'x'.repeat(2000) } },
        tool('fits', 900),
      ],
    });
    expect(only.tools.map(({ name }) => name)).toEqual(['good', 'fits']);
    expect([...exchange.catalog.tools()].map(({ name }) => name)).toEqual(['good', 'fits']);
    expect(exchange.facts.findings.map(({ path, detail }) => [path, detail])).toEqual([
      ['large', 'schema-bytes'],
      ['output', 'schema-bytes'],
    ]);
    expect(gate.events).toHaveLength(2);
  });
});
