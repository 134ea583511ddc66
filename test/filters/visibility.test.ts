import { describe, expect, test } from 'vitest';
import type { Frame } from '../../src/mcp/frame.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import {
  call,
  down,
  makeExchange,
  makeGate,
  modernCall,
  modernExchange,
  passed,
  policyOf,
  resultOf,
  told,
  up,
} from './support.ts';

const policy = policyOf(`
version: 1
roles:
  analyst:
    allow:
      - { tools: [query], when: { args: { limit: { max: 10 } } } }
      - { tools: ["look_*"] }
      - { resources: ["file:///reports/**"] }
      - { prompts: [summarise] }
    deny:
      - { tools: [look_away] }
bindings:
  - { roles: [analyst], to: [{ any: true }] }
`);

async function filtered(request: Frame, result: object, modern = false) {
  const gate = makeGate();
  const catalog = createCatalog();
  const exchange = modern
    ? modernExchange(request, { policy, catalog })
    : makeExchange({ request, policy, catalog });
  const sent = passed(await up(gate.filter('correlate'), exchange), request, 'request');
  const frame = resultOf(sent.id, result);
  const verdict = await down(gate.filter('visibility'), exchange, frame);
  const shown = verdict.kind === 'reject' ? undefined : passed(verdict, frame, 'result').result;
  return { told: told(verdict), shown, catalog };
}

const named = (...names: unknown[]) => names.map((name) => ({ name, inputSchema: { type: 'object' } }));

describe('a list', () => {
  test('keeps what may be seen, in order, with all else that the page says', async () => {
    const tools = named('drop', 'look_up', 'query', 'look_away', 'look_down');
    const { shown } = await filtered(call('tools/list'), { tools, nextCursor: 'n', _meta: { a: 1 } });
    expect(shown).toEqual({ tools: [tools[1], tools[2], tools[4]], nextCursor: 'n', _meta: { a: 1 } });
  });

  test('keeps its cursor on a page where nothing may be seen, an empty one too', async () => {
    for (const nextCursor of ['n', '']) {
      const { shown } = await filtered(call('tools/list'), { tools: named('drop'), nextCursor });
      expect(shown).toEqual({ tools: [], nextCursor });
    }
  });

  test('goes through as the bytes that came where all of it may be seen', async () => {
    expect((await filtered(call('tools/list'), { tools: named('query') })).told).toBe('pass');
  });

  test('loses entries that have no name', async () => {
    const { shown } = await filtered(call('tools/list'), {
      tools: [...named(7, null, undefined), 'query', null, []],
    });
    expect(shown).toEqual({ tools: [] });
  });

  test('that is none is refused', async () => {
    for (const tools of [undefined, {}, 'x', null]) {
      expect((await filtered(call('tools/list'), { tools })).told).toBe('upstream-invalid');
    }
  });

  test('of prompts, resources and templates is filtered by their own names', async () => {
    const prompts = [{ name: 'summarise' }, { name: 'other' }];
    expect((await filtered(call('prompts/list'), { prompts })).shown).toEqual({ prompts: [prompts[0]] });
    const resources = [
      'file:///reports/a',
      'file:///payroll',
      'file:///reports/../payroll',
      'FILE:///reports/b',
    ].map((uri) => ({ uri, name: 'look_up' }));
    expect((await filtered(call('resources/list'), { resources })).shown).toEqual({
      resources: [resources[0]],
    });
    const resourceTemplates = ['file:///reports/{name}', 'file:///payroll/{name}'].map((uriTemplate) => ({
      uriTemplate,
    }));
    expect((await filtered(call('resources/templates/list'), { resourceTemplates })).shown).toEqual({
      resourceTemplates: [resourceTemplates[0]],
    });
  });

  test('in 2026-07-28 is private to caches, filtered or not, as is a resource', async () => {
    const list = modernCall('tools/list');
    for (const cacheScope of ['public', 'private', undefined, 7]) {
      const { shown } = await filtered(list, { tools: named('query'), cacheScope, ttlMs: 5 }, true);
      expect(shown).toEqual({ tools: named('query'), cacheScope: 'private', ttlMs: 5 });
    }
    const read = modernCall('resources/read', { uri: 'file:///reports/a' });
    expect((await filtered(read, { contents: [], cacheScope: 'public' }, true)).shown).toMatchObject({
      cacheScope: 'private',
    });
    expect((await filtered(call('tools/list'), { tools: [] })).shown).toEqual({ tools: [] });
  });

  test('that answers no question ends here', async () => {
    const exchange = makeExchange({ request: call('tools/list'), policy });
    const frame = resultOf(1, { tools: named('query') });
    expect(told(await down(makeGate().filter('visibility'), exchange, frame))).toBe('drop answer-unasked');
    expect(exchange.catalog.tool('query')).toBeUndefined();
  });

  test('is filtered also where it is fetched on a resumed stream', async () => {
    const gate = makeGate();
    const session = { key: 's', upstreamId: 'u', revision: '2025-11-25' } as const;
    const asking = makeExchange({ request: call('tools/list'), policy });
    asking.facts.session = session;
    const sent = passed(await up(gate.filter('correlate'), asking), asking.request, 'request');
    asking.facts.resumable = true;
    for (const filter of gate.filters) filter.end?.(asking);
    const resumed = makeExchange({ request: { kind: 'stream-open', lastEventId: 'e' }, policy });
    resumed.facts.session = session;
    const frame = resultOf(sent.id, { tools: named('drop', 'query') });
    const shown = passed(await down(gate.filter('visibility'), resumed, frame), frame, 'result');
    expect(shown.result).toEqual({ tools: named('query') });
  });
});

describe('the catalog', () => {
  test('learns tools and prompts before they are filtered', async () => {
    const schema = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } };
    const { catalog } = await filtered(call('tools/list'), {
      tools: [{ name: 'drop', inputSchema: schema }],
    });
    expect([...catalog.tool('drop')!.mirroredArguments!]).toEqual([['region', ['region']]]);
    const prompts = await filtered(call('prompts/list'), { prompts: [{ name: 'other' }] });
    expect(prompts.catalog.hasPrompt('other')).toBe(true);
  });

  test('learns no annotations that break the rules, and modern lists drop such a tool', async () => {
    const inputSchema = { type: 'object', properties: { a: { type: 'object', 'x-mcp-header': 'A' } } };
    const tools = [{ name: 'look_up', inputSchema }];
    const modern = await filtered(modernCall('tools/list'), { tools }, true);
    expect(modern.shown).toMatchObject({ tools: [] });
    expect(modern.catalog.tool('look_up')!.mirroredArguments).toBeUndefined();
    expect((await filtered(call('tools/list'), { tools })).shown).toEqual({ tools });
  });

  test('forgets what was seen longest ago once it is full', () => {
    const catalog = createCatalog({ entries: 2 });
    const learn = (...names: string[]) =>
      catalog.learnTools(names.map((name) => ({ name, mirroredArguments: new Map(), definition: { name } })));
    learn('a', 'b');
    learn('a');
    learn('c');
    expect(['a', 'b', 'c'].map((name) => catalog.tool(name)?.name)).toEqual(['a', undefined, 'c']);
    catalog.learnPrompts(['x', 'y', 'z']);
    expect(['x', 'y', 'z', 'constructor'].map((name) => catalog.hasPrompt(name))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
