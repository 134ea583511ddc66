import { describe, expect, it } from 'vitest';
import { isName } from '../../src/mcp/text.ts';

describe('a name', () => {
  for (const name of [
    'echo',
    'tools/call',
    'two words',
    'größe',
    '道具',
    'имя',
    '*',
    '__proto__',
    'x'.repeat(256),
  ]) {
    it(`may be ${JSON.stringify(name).slice(0, 30)}`, () => expect(isName(name)).toBe(true));
  }
  const refused: readonly (readonly [string, unknown])[] = [
    ['empty', ''],
    ['too long', 'x'.repeat(257)],
    ['no text', 7],
    ['with a blank behind', 'echo '],
    ['with a no-break space before', '\u00a0echo'],
    ['with a control character', 'ec\u0000ho'],
    ['with a line separator', 'ec\u2028ho'],
    ['with something invisible', 'ec\u200bho'],
    ['with a soft hyphen', 'ec\u00adho'],
    ['with a change of direction', '\u202eecho'],
    ['with a tag', 'echo\u{e0061}'],
    ['in full-width letters', '\uff45\uff43\uff48\uff4f'],
    ['in mathematical letters', '\u{1d41e}cho'],
    ['with a ligature', '\ufb01le'],
    ['with a letter in two parts', 'gro\u0308\u00dfe'],
  ];
  for (const [why, name] of refused) {
    it(`must not be ${why}`, () => expect(isName(name)).toBe(false));
  }
});
