import { expect, test } from 'vitest';
import type { CatalogTool } from '../../src/pipeline/catalog.ts';
import { createCatalog } from '../../src/pipeline/create-catalog.ts';
import { catalogToolOf, learnTools } from '../../src/pipeline/learn-tools.ts';

const tool = (name: string, description = ''): CatalogTool =>
  catalogToolOf({ name, description, inputSchema: { type: 'object' } })!;

const namesOf = (catalog: ReturnType<typeof createCatalog>) => [...catalog.tools()].map(({ name }) => name);

test('a definition that did not change stays the same object: what was compiled for it stands', () => {
  const told: string[] = [];
  const catalog = createCatalog({}, ({ name }) => told.push(name));
  catalog.learnTools([tool('echo')]);
  const first = catalog.tool('echo');
  catalog.learnTools([tool('echo')]);
  expect(catalog.tool('echo')).toBe(first);
  catalog.learnTools([tool('echo', 'changed')]);
  expect(catalog.tool('echo')!.definition['description']).toBe('changed');
  expect(told).toEqual(['echo', 'echo']);
});

test('a full catalog forgets what was seen longest ago, by number and by bytes', () => {
  const few = createCatalog({ entries: 2 });
  few.learnTools([tool('a'), tool('b'), tool('a'), tool('c')]);
  expect(namesOf(few)).toEqual(['a', 'c']);
  const size = JSON.stringify(tool('a').definition).length;
  const small = createCatalog({ totalBytes: size * 2 });
  small.learnTools([tool('a'), tool('b'), tool('a'), tool('c')]);
  expect(namesOf(small)).toEqual(['a', 'c']);
  small.learnTools([tool('d', 'x'.repeat(size))]);
  expect(namesOf(small)).toEqual(['d']);
});

test('a definition that is too large is not remembered, and neither is what it was before', () => {
  const catalog = createCatalog({ definitionBytes: 100 });
  catalog.learnTools([tool('echo'), tool('other')]);
  catalog.learnTools([tool('echo', 'x'.repeat(100))]);
  expect(namesOf(catalog)).toEqual(['other']);
});

test('instructions are cut', () => {
  const catalog = createCatalog({ instructions: 4 });
  catalog.learnInstructions('abcdef');
  expect(catalog.instructions()).toBe('abcd');
});

test('what is no tool teaches nothing, and names of prototypes are only names', () => {
  const catalog = createCatalog();
  const entries = [
    null,
    'echo',
    7,
    [],
    {},
    { name: 7 },
    { name: 'constructor' },
    JSON.rawJSON('9007199254740993'),
  ];
  expect([...learnTools(catalog, entries).values()].map(({ name }) => name)).toEqual(['constructor']);
  expect(catalog.tool('constructor')?.name).toBe('constructor');
  expect(catalog.tool('toString')).toBeUndefined();
  expect(catalog.hasPrompt('toString')).toBe(false);
});
