import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { makeGate } from '../filters/support.ts';
import { firstCells, pages, proseOf, read, root } from './pages.ts';

interface Link {
  readonly page: string;
  readonly target: string;
}

const links: readonly Link[] = pages().flatMap((page) =>
  [...proseOf(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ page, target: match[1]! })),
);

/** The name that GitHub gives to a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

describe('links', () => {
  const relative = links.filter(({ target }) => !/^[a-z]+:/.test(target));

  test('there are many', () => {
    expect(relative.length).toBeGreaterThan(50);
  });

  test('lead to files and headings of this project', () => {
    const broken = relative.filter(({ page, target }) => {
      const [file = '', anchor] = target.split('#');
      const path = file === '' ? page : normalize(join(dirname(page), decodeURIComponent(file)));
      if (path.startsWith('..') || !existsSync(join(root, path))) return true;
      if (anchor === undefined || !path.endsWith('.md')) return false;
      const anchors = [...read(path).matchAll(/^#+ (.*)$/gm)].map((match) => anchorOf(match[1]!));
      return !anchors.includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test('elsewhere are https', () => {
    expect(links.filter(({ target }) => /^[a-z]+:/.test(target) && !target.startsWith('https://'))).toEqual(
      [],
    );
  });
});

test('docs/architecture.md tells the filters in their order', () => {
  const [, part] = read('docs/architecture.md').split('## What each filter does');
  expect(firstCells(part!.split('\n## ')[0]!)).toEqual(makeGate().filters.map(({ name }) => name));
});

test('docs/architecture.md has every room', () => {
  const [, part] = read('docs/architecture.md').split('## The rooms');
  const table = part!.split('\n## ')[0]!;
  const rooms = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect(rooms.length).toBeGreaterThan(20);
  expect(rooms.filter((room) => !new RegExp(`^\\| .*\`${room}/\``, 'm').test(table))).toEqual([]);
});

test('each invariant of the security model names tests that exist', () => {
  const parts = read('docs/security-model.md').split(/^### /m).slice(1);
  expect(parts.map((part) => /^I\d+(?=:)/.exec(part)?.[0])).toEqual(
    Array.from({ length: 22 }, (_, index) => `I${index + 1}`),
  );
  for (const part of parts) {
    const tests = [...part.matchAll(/\]\(\.\.\/(test\/[^)]+\.test\.ts)\)/g)].map((match) => match[1]!);
    expect(tests.length, part.slice(0, 40)).toBeGreaterThan(0);
    expect(tests.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  }
});

test('every page below docs/ is reached from README', () => {
  const reached = new Set<string>();
  const visit = (page: string): void => {
    if (reached.has(page)) return;
    reached.add(page);
    for (const { target } of links.filter((link) => link.page === page)) {
      const path = normalize(join(dirname(page), target.split('#')[0]!)).replace(/\/$/, '/README.md');
      if (path.endsWith('.md') && existsSync(join(root, path))) visit(path);
    }
  };
  visit('README.md');
  expect(pages().filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([]);
});

describe('commands', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);

  test('that pages tell to run are scripts of package.json', () => {
    const told = pages().flatMap((page) =>
      [...read(page).matchAll(/\bnpm (?:run (?:-s )?([a-z:-]+)|(start|test)\b)/g)].map((match) => ({
        page,
        script: match[1] ?? match[2]!,
      })),
    );
    expect(told.length).toBeGreaterThan(10);
    expect(told.filter(({ script }) => !scripts.includes(script))).toEqual([]);
  });

  test('of sallyport that pages tell to run exist, with the options that they show', async () => {
    const told = pages().flatMap((page) =>
      [
        ...read(page).matchAll(
          /(?:^|[\s`])(?:npm run -s sallyport -- |sallyport )([a-z-]+)((?: +--?[a-z][a-z0-9-]*[^`\n|]*)?)/gm,
        ),
      ].map((match) => ({
        page,
        name: match[1]!,
        options: [...match[2]!.matchAll(/ --([a-z][a-z0-9-]*)/g)].map((found) => found[1]!),
      })),
    );
    const named = told.filter(({ name, options }) => commands.has(name) || options.length > 0);
    expect(named.length).toBeGreaterThan(5);
    const wrong: typeof named = [];
    for (const each of named) {
      const known = (await commands.get(each.name)?.())?.options;
      const isUnknown = (option: string) => option !== 'help' && !Object.hasOwn(known ?? {}, option);
      if (known === undefined || each.options.some(isUnknown)) wrong.push(each);
    }
    expect(wrong).toEqual([]);
  });

  test.each([...commands])(
    '%s has a help text with each of its options, and with examples',
    async (name, load) => {
      const command = await load();
      for (const option of Object.keys(command.options)) expect(command.help).toContain(`--${option}`);
      const shown = [...command.help.matchAll(/(?:^|\s)--([a-z][a-z0-9-]*)/g)].map((match) => match[1]!);
      expect(shown.filter((option) => option !== 'help' && !Object.hasOwn(command.options, option))).toEqual(
        [],
      );
      expect(
        command.help.match(new RegExp(`^  .*sallyport ${name}`, 'gm'))?.length ?? 0,
      ).toBeGreaterThanOrEqual(3);
    },
  );

  test.each(['scripts', 'test', 'bench'])('files of %s/ that pages name exist', (folder) => {
    const named = pages().flatMap((page) =>
      [...read(page).matchAll(new RegExp(`(?<![\\w/.-])${folder}/[\\w./-]+\\.ts`, 'g'))].map(([path]) => ({
        page,
        path,
      })),
    );
    expect(named.filter(({ path }) => !existsSync(join(root, path)))).toEqual([]);
  });
});
