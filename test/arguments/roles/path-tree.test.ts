import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../../src/arguments/role.ts';
import { pathRole } from '../../../src/arguments/roles/path.ts';
import { pathOptions } from '../../../src/arguments/roles/path-options.ts';
import { createRealPath } from '../../../src/lookups/real-path.ts';

/** The oracle is the file system: what the role lets pass must be found inside the tree. */

let top: string;
let tree: string;

beforeAll(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-path-')));
  tree = join(top, 'tree');
  for (const folder of ['tree/a/b', 'tree2', 'outside/deep', 'tree/%2e%2e', 'tree/...x']) {
    mkdirSync(join(top, folder), { recursive: true });
  }
  for (const file of [
    'tree/f',
    'tree/a/f',
    'tree/a/b/f',
    'tree2/f',
    'outside/f',
    'outside/deep/f',
    'f',
    'tree/100%',
  ]) {
    writeFileSync(join(top, file), file);
  }
  symlinkSync('a', join(tree, 'in'));
  symlinkSync('../outside', join(tree, 'out'));
  symlinkSync(join(top, 'outside/f'), join(tree, 'outfile'));
  symlinkSync('..', join(tree, 'a/up'));
  symlinkSync('../../..', join(tree, 'a/b/far'));
  symlinkSync('loop', join(tree, 'loop'));
  symlinkSync('../outside/new', join(tree, 'dangling'));
  symlinkSync('f', join(tree, 'samefile'));
  symlinkSync('../.hidden', join(tree, 'a/tohidden'));
  writeFileSync(join(tree, '.hidden'), 'x');
  symlinkSync('tree', join(top, 'alias'));
});

afterAll(() => rmSync(top, { recursive: true, force: true }));

const realPath = createRealPath();

async function passes(role: Role, value: string): Promise<boolean> {
  if (role.judge(value) !== undefined) return false;
  return (await lookupFault(role, value)) === undefined;
}

async function lookupFault(role: Role, value: string): Promise<string | undefined> {
  const lookup = role.lookup?.(value);
  if (lookup?.kind !== 'real-path') return undefined;
  const also = await Promise.all((lookup.also ?? []).map((path) => realPath(path)));
  return lookup.judge(await realPath(lookup.path), also)?.fault;
}

const compile = (options: object) => pathRole.compile(pathOptions.parse({ within: tree, ...options }));

function isInside(path: string): boolean {
  return path === tree || path.startsWith(`${tree}/`);
}

/** Where the file system arrives; undefined where it finds nothing. */
function arrive(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

function decodings(text: string): string[] {
  const list = [text];
  for (let round = 0; round < 2; round++) {
    try {
      list.push(decodeURIComponent(list.at(-1)!));
    } catch {
      break;
    }
  }
  return list.flatMap((one) => [one, one.normalize('NFKC'), one.replaceAll('\\', '/')]);
}

const names = [
  'a',
  'b',
  'f',
  'in',
  'out',
  'up',
  'far',
  'outfile',
  'loop',
  'dangling',
  'samefile',
  'tree2',
  '100%',
  'nope',
];
const dots = [
  '.',
  '..',
  '...',
  '',
  '%2e%2e',
  '%252e%252e',
  '.%2e',
  '\uff0e\uff0e',
  '\u2025',
  '.. ',
  '..\\..',
  '%2e%2e%2f..',
];
const segment = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...names) }, fc.constantFrom(...dots));
const separator = fc.oneof(
  { weight: 8, arbitrary: fc.constant('/') },
  fc.constantFrom('//', '\\', '%2f', '%5c', '\uff0f', '\u2215', '/./'),
);
const relative = fc
  .array(fc.tuple(segment, separator), { minLength: 1, maxLength: 7 })
  .map((parts) =>
    parts.map(([name, between], at) => name + (at === parts.length - 1 ? '' : between)).join(''),
  );

describe('path with a mounted tree', () => {
  it('lets pass only what the file system finds inside, also after one and two decodings', async () => {
    const role = compile({ mounted: true, base: tree });
    let passed = 0;
    await fc.assert(
      fc.asyncProperty(relative, fc.boolean(), async (rest, absolute) => {
        const text = absolute ? `${tree}/${rest}` : rest;
        if (!(await passes(role, text))) return;
        passed += 1;
        for (const reading of decodings(text)) {
          const found = arrive(reading.startsWith('/') ? reading : `${tree}/${reading}`);
          if (found !== undefined) expect(isInside(found), `${text} -> ${found}`).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
    expect(passed).toBeGreaterThan(50);
  });

  it('without a mounted tree and without links, lets pass only what is inside by name', () => {
    const role = compile({ base: tree });
    fc.assert(
      fc.property(relative, (text) => {
        if (role.judge(text) !== undefined || /in|out|up|far|file|dangling/.test(text)) return;
        for (const reading of decodings(text)) {
          const found = arrive(`${tree}/${reading}`);
          if (found !== undefined) expect(isInside(found), text).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('follows links that stay, and refuses those that leave, loop or lead nowhere', async () => {
    const role = compile({ mounted: true });
    for (const rest of [
      'f',
      'a/f',
      'in/f',
      'in/b/f',
      'a/up/f',
      'samefile',
      'new',
      'new/deeper',
      'in/new',
      '',
      '/',
    ]) {
      expect(await passes(role, `${tree}/${rest}`.replace('//', '/')), rest).toBe(true);
    }
    const wrong: [string, string][] = [
      ['out', 'outside-tree'],
      ['out/f', 'outside-tree'],
      ['out/new', 'outside-tree'],
      ['outfile', 'outside-tree'],
      ['a/b/far/etc', 'outside-tree'],
      ['a/b/far/outside/f', 'outside-tree'],
      ['loop', 'unresolved'],
      ['loop/a', 'unresolved'],
      ['dangling', 'unresolved'],
      ['f/a', 'unresolved'],
    ];
    for (const [rest, fault] of wrong) expect(await lookupFault(role, `${tree}/${rest}`), rest).toBe(fault);
  });

  it('refuses to write through a link at the end, also one that stays', async () => {
    const role = compile({ mounted: true, mode: 'write' });
    for (const rest of ['f', 'in/f', 'new', 'new/deeper', 'a/b']) {
      expect(await lookupFault(role, `${tree}/${rest}`), rest).toBeUndefined();
    }
    expect(await lookupFault(role, `${tree}/samefile`)).toBe('final-link');
    expect(await lookupFault(role, `${tree}/in`)).toBe('final-link');
    expect(await lookupFault(role, `${tree}/in/`)).toBe('final-link');
    expect(await lookupFault(role, `${tree}/outfile`)).toBe('outside-tree');
  });

  it('resolves the roots too, and maps those that stand elsewhere', async () => {
    const alias = pathRole.compile(pathOptions.parse({ within: join(top, 'alias'), mounted: true }));
    expect(await lookupFault(alias, join(top, 'alias/a/f'))).toBeUndefined();
    expect(await lookupFault(alias, join(top, 'alias/out/f'))).toBe('outside-tree');
    const mapped = pathRole.compile(pathOptions.parse({ within: '/workspace', mounted: tree }));
    expect(await lookupFault(mapped, '/workspace/a/f')).toBeUndefined();
    expect(await lookupFault(mapped, '/workspace/out/f')).toBe('outside-tree');
    const two = pathRole.compile(
      pathOptions.parse({ within: ['/w', '/o'], mounted: [tree, join(top, 'outside')] }),
    );
    expect(await lookupFault(two, '/w/out/f')).toBeUndefined();
    expect(await lookupFault(two, '/o/f')).toBeUndefined();
    expect(await lookupFault(two, '/w/a/b/far/f')).toBe('outside-tree');
  });

  it('refuses while the tree is not there', async () => {
    const role = pathRole.compile(pathOptions.parse({ within: '/workspace', mounted: join(top, 'missing') }));
    expect(await lookupFault(role, '/workspace/a')).toBe('unresolved');
    expect(await lookupFault(compile({ mounted: join(tree, 'f') }), `${tree}/x`)).toBe('unresolved');
  });

  it('judges names where the link leads to, not only where it stands', async () => {
    const role = compile({ mounted: true, hidden: 'refuse' });
    expect(await lookupFault(role, `${tree}/a/tohidden`)).toBe('hidden');
    expect(await lookupFault(compile({ mounted: true }), `${tree}/a/tohidden`)).toBeUndefined();
  });

  it('refuses where nobody answered', () => {
    const lookup = compile({ mounted: true }).lookup?.(`${tree}/a`);
    expect(lookup?.kind).toBe('real-path');
    if (lookup?.kind !== 'real-path') return;
    expect(lookup.judge(undefined, [tree])?.fault).toBe('unresolved');
    expect(lookup.judge(`${tree}/a`)?.fault).toBe('unresolved');
    expect(lookup.judge(`${tree}/a`, [undefined])?.fault).toBe('unresolved');
    expect(lookup.judge(`${tree}/a`, [tree])).toBeUndefined();
    expect(compile({}).lookup).toBeUndefined();
  });
});
