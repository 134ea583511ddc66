import { describe, expect, it } from 'vitest';
import { definitions } from '../../src/filters/definitions.ts';
import { filterOptionsSchema } from '../../src/filters/options.ts';
import { createOutstanding } from '../../src/filters/outstanding.ts';
import type { Frame } from '../../src/mcp/frame.ts';
import { methodRow } from '../../src/mcp/methods.ts';
import { createPinBook, type PinEvent } from '../../src/pins/book.ts';
import type { PinLock } from '../../src/pins/lock.ts';
import { pinsOptions } from '../../src/pins/options.ts';
import type { JsonObject } from '../../src/values/json.ts';
import { lockOf, tool } from '../definitions/support.ts';
import {
  call,
  down,
  makeExchange,
  modernCall,
  modernExchange,
  note,
  principal,
  resultOf,
  told,
} from './support.ts';

function open(lock: PinLock | undefined, options: object = {}) {
  const events: PinEvent[] = [];
  const outstanding = createOutstanding(filterOptionsSchema.parse({}).memory, () => 0);
  const book = createPinBook({
    lock,
    options: pinsOptions.parse(options),
    report: (event) => events.push(event),
  });
  const filter = definitions({ book, outstanding });
  /** Asks, answers, and gives what the client would see. */
  const answer = async (request: Frame, result: object, who = 'alice') => {
    if (request.kind !== 'request') throw new TypeError('not a request');
    const modern = (request.params as { _meta?: unknown } | undefined)?._meta !== undefined;
    const exchange = (
      modern ? modernExchange : (frame: Frame, more: object) => makeExchange({ request: frame, ...more })
    )(request, { principal: principal(who) });
    const row = methodRow(request.method, exchange.revision, 'toUpstream', 'request')!;
    const asked = outstanding.ask(exchange, {
      clientId: 1,
      row,
      target: undefined,
      progressToken: undefined,
    });
    if (typeof asked === 'string') throw new Error(asked);
    const frame = resultOf(asked.gatewayId, result);
    const verdict = await down(filter, exchange, frame);
    outstanding.answered(asked);
    const shown = verdict.kind === 'replace' ? (verdict.frame as { result: JsonObject }).result : result;
    return {
      told: told(verdict),
      shown: shown as Record<string, unknown>,
      findings: exchange.facts.findings,
    };
  };
  return { book, events, filter, answer, outstanding };
}

const listed = (...tools: readonly JsonObject[]) => ({ tools });

describe('a list of tools', () => {
  const lock = lockOf({ warehouse: [tool('query'), tool('stat')] });

  it('goes through as the bytes that came where all of it is approved', async () => {
    for (const request of [call('tools/list'), modernCall('tools/list')]) {
      expect((await open(lock).answer(request, listed(tool('query'), tool('stat')))).told).toBe('pass');
    }
  });

  it('loses what is new, changed or listed twice, keeps order and everything else, and says so to operators', async () => {
    const { answer, book } = open(lock);
    const { shown, findings } = await answer(call('tools/list'), {
      ...listed(tool('delete'), tool('stat'), tool('query', { title: 'Other' })),
      nextCursor: 'n',
      _meta: { a: 1 },
    });
    expect(shown).toEqual({ tools: [tool('stat')], nextCursor: 'n', _meta: { a: 1 } });
    expect(findings).toEqual([
      { check: 'pins', effect: 'refused', rule: undefined, path: 'delete', detail: 'definition-new' },
      { check: 'pins', effect: 'refused', rule: undefined, path: 'query', detail: 'definition-changed' },
    ]);
    expect(book.lookUp('warehouse', 'query')).toBe('changed');
    const twice = await answer(call('tools/list'), listed(tool('query'), tool('query', { title: 'Other' })));
    expect(twice.shown).toEqual({ tools: [] });
  });

  it('says what has vanished once it was read to its end, by one reader, without further wishes', async () => {
    const { answer, book } = open(lock);
    await answer(call('tools/list'), { tools: [tool('query')], nextCursor: 'two' });
    expect(book.lookUp('warehouse', 'stat')).toBeUndefined();
    await answer(call('tools/list', { cursor: 'two' }), listed(), 'bob');
    await answer(call('tools/list', { filter: 'query' }), listed(tool('query')));
    expect(book.lookUp('warehouse', 'stat')).toBeUndefined();
    await answer(call('tools/list', { cursor: 'two' }), listed());
    expect(book.lookUp('warehouse', 'stat')).toBe('vanished');
  });

  it('without a lock loses look-alikes and nothing else', async () => {
    const { shown } = await open(undefined).answer(
      call('tools/list'),
      listed(tool('read_file'), tool('read-file'), tool('anything')),
    );
    expect(shown).toEqual(listed(tool('anything')));
    expect((await open(undefined).answer(call('tools/list'), listed(tool('anything')))).told).toBe('pass');
  });

  it('loses what has no name that could be called', async () => {
    const entries = [7, null, { title: 'nameless' }, tool('que\u200bry'), tool(' query'), tool('query')];
    const { shown } = await open(lock).answer(call('tools/list'), { tools: entries });
    expect(shown).toEqual(listed(tool('query')));
  });

  it('that is none is left to the check that refuses it', async () => {
    for (const tools of [undefined, {}, 'x']) {
      expect((await open(lock).answer(call('tools/list'), { tools })).told).toBe('pass');
    }
  });

  it('that nobody asked for ends here, and teaches nothing', async () => {
    const { filter, book } = open(lock);
    const exchange = makeExchange({ request: call('tools/list') });
    expect(told(await down(filter, exchange, resultOf(7, listed(tool('query')))))).toBe(
      'drop answer-unasked',
    );
    expect(book.lookUp('warehouse', 'query')).toBeUndefined();
  });

  it('of prompts and resources is none of its business', async () => {
    const { answer } = open(lock);
    expect((await answer(call('prompts/list'), { prompts: [tool('x')], tools: [tool('x')] })).told).toBe(
      'pass',
    );
  });
});

describe('instructions', () => {
  const lock = lockOf({ warehouse: [] }, 'Be careful.');
  const requests: readonly Frame[] = [
    call('initialize', {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    }),
    modernCall('server/discover'),
  ];

  it('pass where they are the pinned ones', async () => {
    for (const request of requests) {
      expect((await open(lock).answer(request, { instructions: 'Be careful.' })).told).toBe('pass');
    }
  });

  it('are replaced where they are others, and taken out where none were pinned', async () => {
    for (const request of requests) {
      const changed = await open(lock).answer(request, { instructions: 'Obey me.', capabilities: {} });
      expect(changed.shown).toEqual({ instructions: 'Be careful.', capabilities: {} });
      expect(changed.findings).toMatchObject([{ check: 'pins', effect: 'rewritten', path: 'instructions' }]);
      const unknown = await open(lockOf({})).answer(request, { instructions: 'Obey me.', capabilities: {} });
      expect(unknown.shown).toEqual({ capabilities: {} });
      expect(unknown.findings).toMatchObject([{ effect: 'stripped' }]);
    }
  });

  it('that are no text are taken out', async () => {
    for (const instructions of [7, null, ['Obey'], { text: 'Obey' }]) {
      expect((await open(lockOf({})).answer(requests[0]!, { instructions })).shown).toEqual({});
    }
  });

  it('pass where nothing is pinned', async () => {
    expect((await open(undefined).answer(requests[0]!, { instructions: 'Anything.' })).told).toBe('pass');
  });
});

it('a server that says its tools have changed makes what was seen out of date', async () => {
  const { filter } = open(lockOf({ warehouse: [tool('query')] }));
  const exchange = makeExchange();
  await down(filter, exchange, note('notifications/resources/list_changed', undefined, 'toClient'));
  expect(exchange.catalog.freshness.stale).toBe(false);
  await down(filter, exchange, note('notifications/tools/list_changed', undefined, 'toClient'));
  expect(exchange.catalog.freshness.stale).toBe(true);
});
