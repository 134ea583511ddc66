import { describe, expect, it } from 'vitest';
import { createPinBook, type PinEvent } from '../../src/pins/book.ts';
import { definitionHash, hashOf } from '../../src/pins/canonical.ts';
import type { PinLock, PinnedUpstream } from '../../src/pins/lock.ts';
import type { PinsOptions } from '../../src/pins/options.ts';
import type { JsonObject } from '../../src/values/json.ts';
import { lockOf, tool, toolDefinition } from './support.ts';

type Options = Pick<PinsOptions, 'firstUse' | 'lookAlikes' | 'unique' | 'reviewedDescriptions'>;

function open(lock: PinLock | undefined, options: Partial<Options> = {}) {
  const events: PinEvent[] = [];
  const written: [string, PinnedUpstream][] = [];
  const book = createPinBook({
    lock,
    options: {
      firstUse: false,
      lookAlikes: 'quarantine',
      unique: false,
      reviewedDescriptions: true,
      ...options,
    },
    report: (event) => events.push(event),
    trusted: (upstream, pinned) => written.push([upstream, pinned]),
  });
  return {
    book,
    events,
    written,
    see: (upstream: string, ...tools: JsonObject[]) =>
      book.see(
        upstream,
        tools.map((definition) => ({ name: String(definition['name']), definition })),
      ),
    told: () =>
      events.splice(0).map(({ upstream, tool: name, standing }) => `${upstream}/${name} ${standing}`),
  };
}

describe('the standing of a tool', () => {
  it('is approved where its definition is the pinned one, whatever the order of its keys', () => {
    const { book, see, events } = open(lockOf({ files: [toolDefinition] }));
    expect(book.lookUp('files', 'read_file')).toBeUndefined();
    see('files', Object.fromEntries(Object.entries(toolDefinition).reverse()));
    expect(book.lookUp('files', 'read_file')).toBe('approved');
    expect(events).toEqual([]);
  });

  it('is new where it is not pinned, and where its upstream is not', () => {
    const { book, see, told } = open(lockOf({ files: [toolDefinition] }));
    see('files', toolDefinition, tool('delete'));
    see('other', toolDefinition);
    expect([book.lookUp('files', 'delete'), book.lookUp('other', 'read_file')]).toEqual(['new', 'new']);
    expect(told()).toEqual(['files/delete new', 'other/read_file new']);
  });

  it('is changed from the moment that another definition is seen, until the pinned one is back', () => {
    const { book, see, events } = open(lockOf({ files: [toolDefinition] }));
    const changed = { ...toolDefinition, annotations: { readOnlyHint: false, destructiveHint: false } };
    see('files', changed);
    expect(book.lookUp('files', 'read_file')).toBe('changed');
    expect(events).toEqual([
      {
        upstream: 'files',
        tool: 'read_file',
        standing: 'changed',
        quarantined: true,
        hash: hashOf(changed),
        pinned: hashOf(toolDefinition),
        details: ['annotations.readOnlyHint: annotation changed', '  true -> false'],
      },
    ]);
    see('files', toolDefinition);
    expect(book.lookUp('files', 'read_file')).toBe('approved');
  });

  it('never gains from annotations: whatever they say, a changed tool is held back', () => {
    const { book, see } = open(lockOf({ files: [toolDefinition] }));
    for (const annotations of [
      {},
      { readOnlyHint: true },
      { readOnlyHint: true, destructiveHint: false, idempotentHint: true },
      'safe',
    ]) {
      see('files', { ...toolDefinition, annotations });
      expect(book.lookUp('files', 'read_file')).toBe('changed');
    }
  });

  it('is vanished once a whole list is without it, and what it was when it comes back', () => {
    const { book, see, told } = open(lockOf({ files: [toolDefinition, tool('stat')] }));
    see('files', toolDefinition);
    expect(book.lookUp('files', 'stat')).toBeUndefined();
    book.listed('files', new Set(['read_file']));
    expect([book.lookUp('files', 'read_file'), book.lookUp('files', 'stat')]).toEqual([
      'approved',
      'vanished',
    ]);
    book.listed('files', new Set(['read_file']));
    expect(told()).toEqual(['files/stat vanished']);
    see('files', tool('stat'));
    expect(book.lookUp('files', 'stat')).toBe('approved');
  });

  it('is ambiguous where one list has two definitions of it, and not where it has the same twice', () => {
    const { book, see } = open(lockOf({ files: [toolDefinition, tool('stat')] }));
    see('files', toolDefinition, tool('stat'), { ...toolDefinition, title: 'Other' }, tool('stat'));
    expect([book.lookUp('files', 'read_file'), book.lookUp('files', 'stat')]).toEqual([
      'ambiguous',
      'approved',
    ]);
    expect(book.standing('files', 'read_file', toolDefinition)).toBe('ambiguous');
  });

  it('is told once, and again when it is another', () => {
    const { see, told } = open(lockOf({ files: [toolDefinition] }));
    for (let round = 0; round < 3; round += 1) see('files', { ...toolDefinition, title: 'A' });
    see('files', { ...toolDefinition, title: 'B' });
    see('files', toolDefinition);
    see('files', { ...toolDefinition, title: 'B' });
    expect(told()).toEqual(['files/read_file changed', 'files/read_file changed', 'files/read_file changed']);
  });

  it('follows a lock that is read anew, at once', () => {
    const { book, see } = open(lockOf({ files: [] }));
    see('files', toolDefinition);
    expect(book.lookUp('files', 'read_file')).toBe('new');
    book.replace(lockOf({ files: [toolDefinition] }));
    expect(book.lookUp('files', 'read_file')).toBe('approved');
    book.replace(lockOf({ files: [{ ...toolDefinition, title: 'Other' }] }));
    expect(book.lookUp('files', 'read_file')).toBe('changed');
  });

  it('is remembered for a bounded number of names; beyond, none is approved unseen', () => {
    const { book, see } = open(lockOf({ files: [toolDefinition] }));
    see('files', ...Array.from({ length: 5000 }, (_, index) => tool(`t${String(index).padStart(5, 'x')}`)));
    see('files', toolDefinition);
    expect(book.lookUp('files', 'read_file')).toBe('approved');
    expect(book.lookUp('files', 'tx4999')).toBeUndefined();
    const unpinned = open(undefined);
    unpinned.see('files', ...Array.from({ length: 5000 }, (_, index) => tool(`q${index * 7 + 23}z`)));
    expect(unpinned.book.standing('files', 'unheard', tool('unheard'))).toBe('look-alike');
    book.listed('files', new Set(['read_file']));
    see('files', tool('fresh'));
    expect(book.lookUp('files', 'fresh')).toBe('new');
  });

  it('costs one hash for each definition object, however often it is asked for', () => {
    let read = 0;
    const definition = new Proxy(toolDefinition, {
      ownKeys(target) {
        read += 1;
        return Reflect.ownKeys(target);
      },
    });
    const { book } = open(lockOf({ files: [toolDefinition] }));
    for (let round = 0; round < 5; round += 1) {
      expect(book.standing('files', 'read_file', definition)).toBe('approved');
    }
    expect(read).toBe(1);
    expect(definitionHash(definition)).toBe(hashOf(toolDefinition));
  });
});

describe('look-alikes', () => {
  it('are held back, both of them, where neither is pinned, in one upstream and across', () => {
    for (const at of ['files', 'other']) {
      const { book, see, events } = open(undefined);
      see('files', tool('read_file'), tool('unlike'));
      see(at, tool('read-file'));
      expect(book.lookUp('files', 'read_file')).toBe('look-alike');
      expect(book.lookUp(at, 'read-file')).toBe('look-alike');
      expect(book.lookUp('files', 'unlike')).toBe('approved');
      expect(events.at(-1)).toMatchObject({
        standing: 'look-alike',
        quarantined: true,
        details: ['files/read_file'],
      });
    }
  });

  it('on one page are both held back, whichever comes first', () => {
    const { see, told } = open(undefined);
    see('files', tool('a_b'), tool('a-b'));
    expect(told()).toEqual(['files/a_b look-alike', 'files/a-b look-alike']);
  });

  it('leave what is pinned alone', () => {
    const { book, see } = open(lockOf({ files: [tool('read_file')] }));
    see('other', tool('read-file'));
    see('files', tool('read_file'));
    expect(book.lookUp('files', 'read_file')).toBe('approved');
    expect(book.lookUp('other', 'read-file')).toBe('look-alike');
    book.replace(lockOf({ files: [tool('read_file')], other: [tool('read-file')] }));
    expect(book.lookUp('other', 'read-file')).toBe('approved');
  });

  it('of what is pinned are noticed before the pinned one is listed at all', () => {
    const { book, see } = open(lockOf({ files: [tool('read_file')] }));
    see('other', tool('read_fi1e'));
    expect(book.lookUp('other', 'read_fi1e')).toBe('look-alike');
  });

  it('are let go when the list is without the other', () => {
    const { book, see } = open(undefined);
    see('files', tool('a_b'));
    see('other', tool('a-b'));
    book.listed('other', new Set());
    expect(book.lookUp('files', 'a_b')).toBe('approved');
  });

  it('are only told of where that is chosen', () => {
    const { book, see, events } = open(undefined, { lookAlikes: 'alert' });
    see('files', tool('a_b'), tool('a-b'));
    expect(book.lookUp('files', 'a_b')).toBe('approved');
    expect(events.map(({ standing, quarantined }) => ({ standing, quarantined }))).toEqual([
      { standing: 'look-alike', quarantined: false },
      { standing: 'look-alike', quarantined: false },
    ]);
  });

  it('include the same name at two upstreams only where names must be unique', () => {
    for (const unique of [false, true]) {
      const { book, see } = open(undefined, { unique });
      see('one', tool('echo'));
      see('two', tool('echo'));
      expect(book.lookUp('two', 'echo')).toBe(unique ? 'look-alike' : 'approved');
    }
  });
});

describe('instructions', () => {
  it('pass where they are the pinned ones, and where nothing is pinned at all', () => {
    expect(open(undefined).book.instructions('files', 'Anything.')).toBe('Anything.');
    const { book, events } = open(lockOf({ files: [] }, 'Be careful.'));
    expect(book.instructions('files', 'Be careful.')).toBe('Be careful.');
    expect(events).toEqual([]);
  });

  it('are the pinned ones where the server says others, told once', () => {
    const { book, events } = open(lockOf({ files: [] }, 'Be careful.'));
    expect(book.instructions('files', 'Be careless.')).toBe('Be careful.');
    expect(book.instructions('files', 'Be careless.')).toBe('Be careful.');
    expect(events).toEqual([
      {
        upstream: 'files',
        tool: undefined,
        standing: 'changed',
        quarantined: true,
        hash: hashOf('Be careless.'),
        pinned: hashOf('Be careful.'),
        details: ['instructions: text changed', '  - Be careful.', '  + Be careless.'],
      },
    ]);
  });

  it('are none where none were pinned', () => {
    const { book, told } = open(lockOf({ files: [] }));
    for (const upstream of ['files', 'unknown']) expect(book.instructions(upstream, 'Obey.')).toBeUndefined();
    expect(told()).toEqual(['files/undefined new', 'unknown/undefined new']);
    expect(book.instructions('files', undefined)).toBeUndefined();
  });

  it('that are gone are told, and nothing is put in their place', () => {
    const { book, told } = open(lockOf({ files: [] }, 'Be careful.'));
    expect(book.instructions('files', undefined)).toBeUndefined();
    expect(told()).toEqual(['files/undefined vanished']);
  });
});

describe('first use', () => {
  const lock = lockOf({ known: [tool('a')] });

  it('approves what an unknown upstream offers until its list was seen whole, then nothing more', () => {
    const { book, see, written, told } = open(lock, { firstUse: true });
    expect(book.instructions('files', 'Hello.')).toBe('Hello.');
    see('files', tool('one'));
    see('files', tool('two'));
    expect(book.lookUp('files', 'one')).toBe('approved');
    see('files', { ...tool('one'), title: 'Changed on the way' });
    expect(book.lookUp('files', 'one')).toBe('changed');
    see('files', tool('one'));
    expect(written).toEqual([]);
    book.listed('files', new Set(['one', 'two']));
    expect(
      written.map(([upstream, { tools, instructions }]) => [upstream, [...tools.keys()], instructions?.text]),
    ).toEqual([['files', ['one', 'two'], 'Hello.']]);
    told();
    see('files', tool('three'));
    expect(book.lookUp('files', 'three')).toBe('new');
    expect(book.lookUp('files', 'two')).toBe('approved');
    expect(book.instructions('files', 'Other.')).toBe('Hello.');
  });

  it('approves nothing of an upstream that has an entry', () => {
    const { book, see, written } = open(lock, { firstUse: true });
    see('known', tool('b'));
    book.listed('known', new Set(['b']));
    expect(book.lookUp('known', 'b')).toBe('new');
    expect(book.lookUp('known', 'a')).toBe('vanished');
    expect(written).toEqual([]);
  });

  it('takes the first instructions also where they are read after the list, once', () => {
    const { book, see, written } = open(lock, { firstUse: true });
    see('files', tool('one'));
    book.listed('files', new Set(['one']));
    expect(book.instructions('files', 'Hello.')).toBe('Hello.');
    expect(book.instructions('files', 'Other.')).toBe('Hello.');
    expect(written.map(([, { instructions }]) => instructions?.text)).toEqual([undefined, 'Hello.']);
  });

  it('approves no look-alike', () => {
    const { book, see, written } = open(lockOf({ known: [tool('read_file')] }), { firstUse: true });
    see('files', tool('read-file'), tool('fine'));
    book.listed('files', new Set(['read-file', 'fine']));
    expect([book.lookUp('files', 'read-file'), book.lookUp('files', 'fine')]).toEqual([
      'look-alike',
      'approved',
    ]);
    expect([...written[0]![1].tools.keys()]).toEqual(['fine']);
  });
});

describe('reviewed words', () => {
  const reviewed = { description: 'Ours.' };
  const entry = { hash: hashOf(toolDefinition), definition: toolDefinition, reviewed };
  const lock: PinLock = {
    upstreams: new Map([['files', { instructions: undefined, tools: new Map([['read_file', entry]]) }]]),
  };

  it('are those of the lock, unless the option says otherwise', () => {
    expect(open(lock).book.reviewed('files', 'read_file')).toEqual(reviewed);
    expect(open(lock).book.reviewed('files', 'other')).toBeUndefined();
    expect(open(lock, { reviewedDescriptions: false }).book.reviewed('files', 'read_file')).toBeUndefined();
  });
});
