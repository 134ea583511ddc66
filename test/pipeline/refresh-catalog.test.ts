import { expect, test } from 'vitest';
import { defaultDecodeLimits } from '../../src/mcp/decode.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import { createCatalogRefresher } from '../../src/pipeline/refresh-catalog.ts';
import type { UpstreamMessage } from '../../src/pipeline/upstream-port.ts';

/** An upstream whose list has pages without end, each with one tool of this name. */
function endlessList(name: string) {
  const messages: UpstreamMessage[] = [];
  const catalog = createCatalog();
  const port = {
    name: 'w',
    async send(message: UpstreamMessage) {
      messages.push(message);
      const { id } = JSON.parse(message.body!.toString()) as { id: string };
      const result = { tools: [{ name, inputSchema: {} }], nextCursor: `after ${id}` };
      const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result }));
      return { kind: 'json' as const, status: 200, sessionId: undefined, body };
    },
  };
  let now = 0;
  const refresh = createCatalogRefresher({
    upstream: () => ({ port, catalog }),
    decodeLimits: defaultDecodeLimits,
    monotonic: () => now,
  });
  return {
    catalog,
    messages,
    refresh: () => refresh('w'),
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('a list without end is given up, and all its pages share one time limit', async () => {
  const upstream = endlessList('echo');
  await upstream.refresh();
  expect(upstream.messages).toHaveLength(100);
  expect(new Set(upstream.messages.map(({ signal }) => signal)).size).toBe(1);
  expect(upstream.catalog.tool('echo')).toBeDefined();
});

test('an upstream is asked once at a time, and not again before the cool-down is over', async () => {
  const upstream = endlessList('echo');
  await Promise.all([upstream.refresh(), upstream.refresh()]);
  upstream.pass(9_999);
  await upstream.refresh();
  expect(upstream.messages).toHaveLength(100);
  upstream.pass(1);
  await upstream.refresh();
  expect(upstream.messages).toHaveLength(200);
});

test('what is no name is not remembered: it could be of any length', async () => {
  for (const name of ['x'.repeat(257), 'two\nlines', '']) {
    const upstream = endlessList(name);
    await upstream.refresh();
    expect(upstream.catalog.tool(name)).toBeUndefined();
  }
});
