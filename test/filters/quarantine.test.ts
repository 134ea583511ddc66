import { describe, expect, it } from 'vitest';
import { quarantine } from '../../src/filters/quarantine.ts';
import { createPinBook } from '../../src/pins/book.ts';
import type { PinLock } from '../../src/pins/lock.ts';
import { pinsOptions } from '../../src/pins/options.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import { errorBody } from '../../src/pipeline/error-answer.ts';
import type { Exchange } from '../../src/pipeline/exchange.ts';
import type { JsonObject } from '../../src/values/json.ts';
import { lockOf, tool } from '../definitions/support.ts';
import { call, makeExchange, makeGate, modernCall, modernExchange, policyOf, told, up } from './support.ts';

/** Alice may see `query` and `stat`, nothing else. */
const policy = policyOf(`
version: 1
roles:
  analyst:
    allow:
      - { tools: [query, stat] }
bindings:
  - { roles: [analyst], to: [{ any: true }] }
`);

function open(lock: PinLock | undefined, offered: readonly JsonObject[] = []) {
  let looks = 0;
  const catalog = createCatalog();
  catalog.freshness.readAt = 1000;
  let now = 1000;
  const book = createPinBook({ lock, options: pinsOptions.parse({}), report: () => undefined });
  const see = (...tools: readonly JsonObject[]) =>
    book.see(
      'warehouse',
      tools.map((definition) => ({ name: String(definition['name']), definition })),
    );
  const filter = quarantine({
    book,
    maxAge: 60_000,
    async refreshCatalog(upstream) {
      looks += 1;
      catalog.freshness.stale = false;
      catalog.freshness.readAt = now;
      see(...offered);
      book.listed(upstream, new Set(offered.map(({ name }) => String(name))));
    },
  });
  const calling = (name: string, more: object = {}): Exchange =>
    makeExchange({
      request: call('tools/call', { name, arguments: {} }),
      policy,
      catalog,
      startedAt: now,
      ...more,
    });
  return {
    book,
    see,
    filter,
    calling,
    catalog,
    looks: () => looks,
    at(time: number) {
      now = time;
    },
  };
}

describe('a call', () => {
  const lock = lockOf({ warehouse: [tool('query'), tool('stat')] });

  it('of an approved tool passes, in both eras', async () => {
    const { filter, see, calling, catalog } = open(lock);
    see(tool('query'));
    expect(told(await up(filter, calling('query')))).toBe('pass');
    const request = modernCall('tools/call', { name: 'query', arguments: {} });
    const modern = modernExchange(request, { policy, catalog });
    expect(told(await up(filter, modern))).toBe('pass');
  });

  it('of a tool that the caller may not see is left to authorize, whatever is wrong with the tool', async () => {
    const { filter, see, calling, looks } = open(lockOf({ warehouse: [tool('secret')] }));
    see(tool('secret', { description: 'Changed' }));
    for (const name of ['secret', 'invented']) expect(told(await up(filter, calling(name)))).toBe('pass');
    expect(looks()).toBe(0);
  });

  it('of a changed, new, vanished or ambiguous tool is denied, with a finding that names why', async () => {
    const cases: readonly [standing: string, seen: readonly JsonObject[], all?: readonly string[]][] = [
      ['changed', [tool('query', { title: 'Other' })]],
      ['ambiguous', [tool('query'), tool('query', { title: 'Other' })]],
      ['vanished', [], ['stat']],
    ];
    for (const [standing, seen, all] of cases) {
      const { filter, book, see, calling } = open(lock);
      see(...seen);
      if (all !== undefined) book.listed('warehouse', new Set(all));
      const exchange = calling('query');
      expect(told(await up(filter, exchange)), standing).toBe('denied');
      expect(exchange.facts.findings).toEqual([
        {
          check: 'pins',
          effect: 'refused',
          rule: undefined,
          path: 'query',
          detail: `definition-${standing}`,
        },
      ]);
      expect(exchange.facts.target).toEqual({ kind: 'tool', name: 'query' });
    }
    const unpinned = open(lockOf({ warehouse: [] }));
    unpinned.see(tool('query'));
    expect(told(await up(unpinned.filter, unpinned.calling('query')))).toBe('denied');
  });

  it('is answered with the very bytes of a call that policy hides', async () => {
    const { filter, see, calling } = open(lock);
    see(tool('query', { title: 'Other' }));
    const held = await up(filter, calling('query'));
    const hidden = await up(makeGate().filter('authorize'), calling('no_such_tool'));
    if (held.kind !== 'reject' || hidden.kind !== 'reject') throw new Error('both must be refused');
    expect(errorBody(held.error, 1).equals(errorBody(hidden.error, 1))).toBe(true);
    expect(held.error.data).toEqual(hidden.error.data);
    expect(held.error.headers).toEqual(hidden.error.headers);
  });

  it('of a tool that was in no list makes the gateway look, once, and is judged by what it finds', async () => {
    for (const [offered, verdict] of [
      [[tool('query')], 'pass'],
      [[tool('query', { title: 'Other' })], 'denied'],
      [[], 'denied'],
    ] as const) {
      const { filter, calling, looks } = open(lock, offered);
      expect(told(await up(filter, calling('query')))).toBe(verdict);
      expect(told(await up(filter, calling('query')))).toBe(verdict);
      expect(looks()).toBe(1);
    }
  });

  it('of what the caller may not see makes nobody look, and is left to policy', async () => {
    const { filter, calling, looks } = open(lock);
    for (const name of ['secret_tool', 'other']) expect(told(await up(filter, calling(name)))).toBe('pass');
    expect(looks()).toBe(0);
  });

  it('waits for a look where the server said that its tools have changed', async () => {
    const { filter, catalog, see, calling, looks } = open(lock, [
      tool('query', { description: 'Now evil.' }),
    ]);
    see(tool('query'));
    expect(told(await up(filter, calling('query')))).toBe('pass');
    expect(looks()).toBe(0);
    catalog.freshness.stale = true;
    expect(told(await up(filter, calling('query')))).toBe('denied');
    expect(looks()).toBe(1);
  });

  it('makes the gateway look again when its last look is too old', async () => {
    const { filter, see, calling, looks, at } = open(lock, [tool('query', { description: 'Now evil.' })]);
    see(tool('query'));
    at(61_000);
    expect(told(await up(filter, calling('query')))).toBe('pass');
    expect(looks()).toBe(0);
    at(61_001);
    expect(told(await up(filter, calling('query')))).toBe('pass');
    expect(looks()).toBe(1);
    expect(told(await up(filter, calling('query')))).toBe('denied');
  });

  it('without a lock passes, listed or not, unless the name is a look-alike', async () => {
    const { filter, see, calling, looks } = open(undefined);
    expect(told(await up(filter, calling('query')))).toBe('pass');
    see(tool('query'), tool('que.ry'), tool('stat'));
    expect(told(await up(filter, calling('query')))).toBe('denied');
    expect(told(await up(filter, calling('stat')))).toBe('pass');
    expect(looks()).toBe(0);
  });

  it('of anything but a tool passes', async () => {
    const { filter } = open(lockOf({}));
    for (const request of [
      call('tools/list'),
      call('prompts/get', { name: 'query' }),
      call('resources/read', { uri: 'file:///a' }),
      call('ping'),
    ]) {
      expect(told(await up(filter, makeExchange({ request, policy })))).toBe('pass');
    }
  });
});
