import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLookAlikes } from '../../src/pins/look-alikes.ts';
import { skeletonsOf } from '../../src/pins/skeleton.ts';

function alike(a: string, b: string): boolean {
  const index = createLookAlikes(false);
  index.add('one', a);
  index.add('two', b);
  return index.has('one', a) && index.has('two', b);
}

describe('names that can be taken for one another', () => {
  const disguises: Readonly<Record<string, readonly string[]>> = {
    read_file: [
      'read-file',
      'read.file',
      'readFile',
      'READ_FILE',
      'readfile',
      'read/file',
      'read__file',
      'read_fi1e',
      'read_flle',
      'read_fIle',
      'r\u0435ad_file',
      're\u0430d_file',
      'read_\ufb01le',
      '\uff52ead_file',
      'read\u200b_file',
      'read\u00ad_file',
      'read\uff3ffile',
      'read\u2010file',
      'rea\ud835\udd55_file',
      'read_f\u0131le',
      '\u1d26ead_file',
    ],
    command: [
      'cornrnand',
      'c0mmand',
      '\u0441ommand',
      'c\u03bfmmand',
      'comm\u0251nd',
      'COMMAND',
      '\u0421ommand',
    ],
    BASH: ['\u0412\u0410\u0405\u041d', '\u0392ASH', 'bash'],
    list_10: ['list_l0', 'list_lO', '1ist_10', 'list_IO'],
  };
  for (const [name, others] of Object.entries(disguises)) {
    for (const other of others) {
      it(`${name} and ${[...other].map((each) => (each > '~' ? `\\u${each.codePointAt(0)!.toString(16)}` : each)).join('')}`, () => {
        expect(alike(name, other)).toBe(true);
      });
    }
  }

  it('are not those that differ in what is read', () => {
    const honest = [
      'read_file',
      'read_files',
      'write_file',
      'get-sum',
      'get-sun',
      'echo',
      'list_directory',
      'list_directories',
      'directory_tree',
      'simulate-research-query',
      'simulate_search_query',
      'b\u00fccher',
      'bucher',
      '\u8aad\u307f\u53d6\u308a',
      '\u66f8\u304d\u8fbc\u307f',
    ];
    for (const a of honest) for (const b of honest) if (a !== b) expect(alike(a, b), `${a} ${b}`).toBe(false);
  });

  it('are alike both ways, and nothing is unlike itself in another case', () => {
    const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(names, names, (a, b) => {
        expect(skeletonsOf(a)).toEqual(skeletonsOf(a));
        if (a !== b) expect(alike(a, b)).toBe(alike(b, a));
        if (/^[\x21-\x7e]+$/.test(a) && a !== a.toUpperCase()) expect(alike(a, a.toUpperCase())).toBe(true);
      }),
    );
  });
});

describe('the index of names', () => {
  it('lets the same name stand at several upstreams, unless names must be unique', () => {
    for (const unique of [false, true]) {
      const index = createLookAlikes(unique);
      index.add('one', 'echo');
      index.add('two', 'echo');
      expect(index.has('one', 'echo')).toBe(unique);
      expect(index.of('one', 'echo')).toEqual(unique ? ['two/echo'] : []);
      expect(index.has('three', 'echo')).toBe(unique);
    }
  });

  it('forgets what is taken out, and only that', () => {
    const index = createLookAlikes(false);
    index.add('one', 'a_b');
    index.add('two', 'a-b');
    index.add('three', 'a-b');
    expect(index.of('one', 'a_b')).toEqual(['two/a-b', 'three/a-b']);
    index.remove('two', 'a-b');
    expect(index.has('one', 'a_b')).toBe(true);
    index.remove('three', 'a-b');
    index.remove('three', 'a-b');
    expect(index.has('one', 'a_b')).toBe(false);
    expect(index.has('nowhere', 'A.B')).toBe(true);
  });
});
