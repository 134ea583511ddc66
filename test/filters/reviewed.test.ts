import { describe, expect, it } from 'vitest';
import { filterOptionsSchema } from '../../src/filters/options.ts';
import { createOutstanding } from '../../src/filters/outstanding.ts';
import { reviewed } from '../../src/filters/reviewed.ts';
import { methodRow } from '../../src/mcp/methods.ts';
import { createPinBook } from '../../src/pins/book.ts';
import { hashOf } from '../../src/pins/canonical.ts';
import type { Reviewed } from '../../src/pins/lock.ts';
import { pinsOptions } from '../../src/pins/options.ts';
import { tool } from '../definitions/support.ts';
import { call, down, makeExchange, passed, resultOf, told } from './support.ts';

async function shown(
  words: Reviewed | undefined,
  result: object,
  method = 'tools/list',
  options: object = {},
) {
  const entry = { hash: hashOf(tool('query')), definition: tool('query'), reviewed: words };
  const upstreams = new Map([['warehouse', { instructions: undefined, tools: new Map([['query', entry]]) }]]);
  const book = createPinBook({
    lock: { upstreams },
    options: pinsOptions.parse(options),
    report: () => undefined,
  });
  const outstanding = createOutstanding(filterOptionsSchema.parse({}).memory, () => 0);
  const exchange = makeExchange({ request: call(method) });
  const row = methodRow(method, exchange.revision, 'toUpstream', 'request')!;
  const asked = outstanding.ask(exchange, { clientId: 1, row, target: undefined, progressToken: undefined });
  if (typeof asked === 'string') throw new Error(asked);
  const frame = resultOf(asked.gatewayId, result);
  const verdict = await down(reviewed({ book, outstanding }), exchange, frame);
  return { told: told(verdict), result: passed(verdict, frame, 'result').result };
}

describe('reviewed words', () => {
  const tools = [tool('query'), tool('stat'), 7];

  it('stand in place of the title and the description of the server, and nothing else changes', async () => {
    expect((await shown({ title: 'T', description: 'D' }, { tools, nextCursor: 'n' })).result).toEqual({
      tools: [tool('query', { title: 'T', description: 'D' }), tool('stat'), 7],
      nextCursor: 'n',
    });
    expect((await shown({ description: 'D' }, { tools: [tool('query', { title: 'Own' })] })).result).toEqual({
      tools: [tool('query', { title: 'Own', description: 'D' })],
    });
  });

  it('leave the bytes alone where there are none, where they are off, and in other lists', async () => {
    expect((await shown(undefined, { tools })).told).toBe('pass');
    expect((await shown({ title: 'T' }, { tools }, 'tools/list', { reviewedDescriptions: false })).told).toBe(
      'pass',
    );
    expect((await shown({ title: 'T' }, { tools, prompts: tools }, 'prompts/list')).told).toBe('pass');
    expect((await shown({ title: 'T' }, { tools: 'none' })).told).toBe('pass');
  });
});
