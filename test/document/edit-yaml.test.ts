import { describe, expect, it } from 'vitest';
import { editYaml } from '../../src/document/edit-yaml.ts';
import { readYaml } from '../../src/document/read-yaml.ts';

const file = `# head

keys:
  # all of them
  # above one
  - name: one # beside one
    note: 'single'

  # above two
  - { name: "two", note: "x" } # beside two
tail:
  # the end
  a: ${'word '.repeat(40).trim()}
`;

describe('a file that is edited', () => {
  it('is the same, byte by byte, where nothing changes', () => {
    expect(editYaml(file).text()).toBe(file);
  });

  it('moves a comment beside a key to the line below, where the value begins on the next', () => {
    expect(editYaml('keys: # all\n  - a\n').text()).toBe('keys:\n  # all\n  - a\n');
  });

  it('keeps every comment and quote that is not of what was taken out', () => {
    const editor = editYaml(file);
    editor.append(['keys'], { name: 'three', roles: ['a', 'b'] });
    editor.set(['keys', 0, 'note'], 'new');
    editor.remove(['keys', 1]);
    expect(editor.text()).toBe(
      file
        .replace("'single'", "'new'")
        .replace(/\n {2}# above two\n.*beside two\n/, '\n  - name: three\n    roles:\n      - a\n      - b\n')
        .replace("'new'\n\n", "'new'\n"),
    );
  });

  it('begins anew where there is nothing', () => {
    for (const text of [undefined, '', '# only this\n']) {
      const editor = editYaml(text);
      editor.append(['keys'], { name: 'a' });
      expect(editor.text().replace(/^# only this\n\n?/, '')).toBe('keys:\n  - name: a\n');
    }
  });

  it.each([
    '01234567',
    '1234e567',
    '0x123456',
    '12345678',
    'true',
    'null',
    '2026-01-31T00:00:00Z',
    '# no',
    'a: b',
    '&a',
    '*a',
    '-',
    '',
  ])('writes the text %j as text', (text) => {
    const editor = editYaml('');
    editor.append(['keys'], { value: text });
    expect(readYaml(editor.text(), undefined).tree?.value).toEqual({ keys: [{ value: text }] });
  });

  it.each(['keys: [', 'a: 1\na: 2', '--- 1\n--- 2'])('%j is not edited', (text) => {
    expect(() => editYaml(text)).toThrow();
  });
});
