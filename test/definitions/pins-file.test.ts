import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPinsFile, replacePinsFile } from '../../src/config/pins-file.ts';
import { openPins, type PinsDeps } from '../../src/gateway/pins.ts';
import { formatLock } from '../../src/pins/format-lock.ts';
import { pinsOptions } from '../../src/pins/options.ts';
import { parseLock } from '../../src/pins/parse-lock.ts';
import type { PinEvent } from '../../src/pins/standing.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import { learnTools } from '../../src/pipeline/learn-tools.ts';
import type { JsonObject } from '../../src/values/json.ts';
import { lockOf, tool } from './support.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-pins-'));
  file = join(folder, 'pins.yaml');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function deps(): PinsDeps & { readonly events: PinEvent[]; readonly failures: unknown[] } {
  const events: PinEvent[] = [];
  const failures: unknown[] = [];
  return {
    events,
    failures,
    report: (event) => events.push(event),
    failed: (_upstream, cause) => failures.push(cause),
  };
}

const text = (...names: readonly string[]) => formatLock(lockOf({ notes: names.map((name) => tool(name)) }));

describe('the lock file', () => {
  it('is replaced whole, by what was made from it and nothing else', async () => {
    expect(await readPinsFile(file)).toBeUndefined();
    expect(await replacePinsFile(file, 'one', undefined)).toBe(true);
    expect(statSync(file).mode & 0o777 & ~process.umask()).toBe(0o644 & ~process.umask());
    expect(await replacePinsFile(file, 'two', undefined)).toBe(false);
    expect(await replacePinsFile(file, 'two', 'other')).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('one');
    expect(await replacePinsFile(file, 'two', 'one')).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('two');
    expect(readdirSync(folder)).toEqual(['pins.yaml']);
  });

  it('must be there, and right, unless first use may write it', async () => {
    const options = pinsOptions.parse({ file });
    await expect(openPins(options, deps())).rejects.toThrow(`${file}: there is no lock file`);
    writeFileSync(file, text('a').replace('Does a.', 'Does b.'));
    await expect(openPins(options, deps())).rejects.toThrow(/pins\.yaml:\d+:\d+: .*is not the hash/);
    const trusting = await openPins(
      pinsOptions.parse({ file: join(folder, 'new.yaml'), firstUse: true }),
      deps(),
    );
    expect(trusting.book.pinning).toBe(true);
  });

  it('that is wrong when it is read again leaves the last good one in force', async () => {
    writeFileSync(file, text('a'));
    const pins = await openPins(pinsOptions.parse({ file }), deps());
    writeFileSync(file, 'version: 1\nupstreams: []\n');
    await expect(pins.reload()).rejects.toThrow(/pins\.yaml:2/);
    rmSync(file);
    await expect(pins.reload()).rejects.toThrow('there is no lock file');
    expect(pins.book.standing('notes', 'a', tool('a'))).toBe('approved');
    writeFileSync(file, text('b'));
    await pins.reload();
    expect(pins.book.standing('notes', 'b', tool('b'))).toBe('approved');
  });

  it('is none where nothing is pinned', async () => {
    const pins = await openPins(undefined, deps());
    expect(pins.book.pinning).toBe(false);
    await pins.reload();
    expect(() => pinsOptions.parse({ firstUse: true })).toThrow('there is no file');
  });
});

describe("the gateway's own look", () => {
  it('teaches the book whole lists, once for each look', async () => {
    writeFileSync(file, text('a', 'b'));
    const told = deps();
    const pins = await openPins(pinsOptions.parse({ file }), told);
    const catalog = createCatalog();
    const watched = pins.watch('notes', catalog);
    let reads = 0;
    const refresh = pins.settle(
      async () => {
        reads += 1;
        if (reads > 1) return 'learnt';
        learnTools(watched, [tool('a'), tool('c')]);
        catalog.freshness.readAt = 5;
        return 'learnt';
      },
      () => catalog,
    );
    await refresh('notes');
    expect(['a', 'b', 'c'].map((name) => pins.book.lookUp('notes', name))).toEqual([
      'approved',
      'vanished',
      'new',
    ]);
    expect(catalog.tool('c')?.definition).toEqual(tool('c'));
    expect(await refresh('notes')).toBe('learnt');
    expect(pins.book.lookUp('notes', 'a')).toBe('approved');
    expect(told.events.map(({ tool: name, standing }) => [name, standing])).toEqual([
      ['c', 'new'],
      ['b', 'vanished'],
    ]);
  });

  it('trusts on first use that a server without instructions has none', async () => {
    const pins = await openPins(pinsOptions.parse({ file, firstUse: true }), deps());
    const catalog = createCatalog();
    const watched = pins.watch('notes', catalog);
    const refresh = pins.settle(
      async () => {
        learnTools(watched, [tool('a')]);
        catalog.freshness.readAt = 5;
        return 'learnt';
      },
      () => catalog,
    );
    await refresh('notes');
    await pins.written();
    expect(pins.book.instructions('notes', 'Obey me.')).toBeUndefined();
    expect(readFileSync(file, 'utf8')).not.toContain('instructions:');
  });

  it('alone teaches the book by the catalog: what clients list comes to it otherwise', async () => {
    writeFileSync(file, text('a'));
    const pins = await openPins(pinsOptions.parse({ file }), deps());
    const catalog = createCatalog();
    const watched = pins.watch('notes', catalog);
    learnTools(watched, [tool('a', { title: 'Replaced on its way to a client' })]);
    watched.learnInstructions('Whatever.');
    expect(catalog.tool('a')).toBeDefined();
    expect(catalog.instructions()).toBe('Whatever.');
    expect(pins.book.lookUp('notes', 'a')).toBeUndefined();
  });

  it('that fails says nothing about what has vanished', async () => {
    writeFileSync(file, text('a'));
    const pins = await openPins(pinsOptions.parse({ file }), deps());
    const catalog = createCatalog();
    const refresh = pins.settle(
      async () => 'failed',
      () => catalog,
    );
    expect(await refresh('notes')).toBe('failed');
    expect(pins.book.lookUp('notes', 'a')).toBeUndefined();
  });
});

describe('first use', () => {
  it('writes what it trusted, beside what others wrote meanwhile, and never over it', async () => {
    const told = deps();
    const pins = await openPins(pinsOptions.parse({ file, firstUse: true }), told);
    pins.book.see('notes', [{ name: 'a', definition: tool('a') }]);
    writeFileSync(
      file,
      formatLock(lockOf({ other: [tool('x')], notes: [tool('a', { title: 'Reviewed' })] })),
    );
    pins.book.listed('notes', new Set(['a']));
    await pins.written();
    const parsed = parseLock({ file, text: readFileSync(file, 'utf8') });
    if (!parsed.ok) throw new Error('the file must be right');
    expect([...parsed.lock.upstreams.keys()]).toEqual(['notes', 'other']);
    expect(parsed.lock.upstreams.get('notes')?.tools.get('a')?.definition['title']).toBe('Reviewed');
    expect(told.failures).toEqual([]);
  });

  it('of several workers at the same moment loses nothing, and holds for all as the first one wrote it', async () => {
    const told = deps();
    const books = await Promise.all(
      Array.from({ length: 8 }, () => openPins(pinsOptions.parse({ file, firstUse: true }), told)),
    );
    for (const [index, { book }] of books.entries()) {
      // A server that tells each worker something else.
      book.see('notes', [{ name: 'a', definition: tool('a', { title: `Title ${index}` }) }]);
      book.see(`own-${index}`, [{ name: `b${index}`, definition: tool(`b${index}`) }]);
      book.listed('notes', new Set(['a']));
      book.listed(`own-${index}`, new Set([`b${index}`]));
    }
    await Promise.all(books.map(({ written }) => written()));
    expect(told.failures).toEqual([]);
    const parsed = parseLock({ file, text: readFileSync(file, 'utf8') });
    if (!parsed.ok) throw new Error('the file must be right');
    expect([...parsed.lock.upstreams.keys()].sort()).toEqual(['notes', ...books.map((_, i) => `own-${i}`)]);
    const title = parsed.lock.upstreams.get('notes')?.tools.get('a')?.definition['title'];
    for (const [index, { book }] of books.entries()) {
      expect(book.lookUp('notes', 'a')).toBe(title === `Title ${index}` ? 'approved' : 'changed');
      expect(book.lookUp(`own-${index}`, `b${index}`)).toBe('approved');
    }
    expect(readdirSync(folder)).toEqual(['pins.yaml']);
  });

  it('writes nothing where somebody left a lock behind, and says which', async () => {
    const told = deps();
    writeFileSync(`${file}.lock`, '12345');
    const pins = await openPins(pinsOptions.parse({ file, firstUse: true }), told);
    pins.book.see('notes', [{ name: 'a', definition: tool('a') }]);
    pins.book.listed('notes', new Set(['a']));
    await pins.written();
    expect(told.failures.map(String)).toEqual([
      expect.stringContaining(`${file}.lock: held by process 12345`),
    ]);
    expect(pins.book.lookUp('notes', 'a')).toBe('approved');
  });

  it('trusts no more than a lock file can hold, and nothing that it cannot read back', async () => {
    const told = deps();
    const pins = await openPins(pinsOptions.parse({ file, firstUse: true }), told);
    const large = ['a', 'b', 'c'].map((name) =>
      tool(name, { description: 'x'.repeat(2 * 1024 * 1024 - 200) }),
    );
    pins.book.see(
      'notes',
      large.map((definition) => ({ name: String(definition['name']), definition })),
    );
    expect(['a', 'b', 'c'].map((name) => pins.book.lookUp('notes', name))).toEqual([
      'approved',
      'approved',
      'new',
    ]);
    let deep: JsonObject = {};
    for (let depth = 0; depth < 64; depth += 1) deep = { not: deep };
    pins.book.see('deep', [{ name: 'd', definition: tool('d', { inputSchema: deep }) }]);
    pins.book.listed('deep', new Set(['d']));
    await pins.written();
    expect(told.failures.map(String)).toEqual([expect.stringContaining('nested deeper than')]);
    expect(await readPinsFile(file)).toBeUndefined();
  });

  it('says so where it cannot write', async () => {
    const told = deps();
    const pins = await openPins(
      pinsOptions.parse({ file: join(folder, 'absent/pins.yaml'), firstUse: true }),
      told,
    );
    pins.book.see('notes', [{ name: 'a', definition: tool('a') }]);
    pins.book.listed('notes', new Set(['a']));
    await pins.written();
    expect(told.failures).toHaveLength(1);
    expect(pins.book.lookUp('notes', 'a')).toBe('approved');
  });
});
