import { describe, expect, it } from 'vitest';
import { sqlRole } from '../../src/arguments/roles/sql.ts';
import { withGrammars } from '../../src/arguments/with-grammars.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { GrammarMissing } from '../../src/sql/grammars.ts';
import { sqlDialects } from '../../src/sql/query.ts';
import { understandSql } from '../../src/sql/understand.ts';

const policy = (dialect: string, own = 'SELECT 1') => [
  {
    file: 'p.yaml',
    text: `
version: 1
arguments:
  - match: { tools: [query] }
    args: { sql: { sql: { dialect: ${dialect} }, default: "${own}" } }
`,
  },
];

const packaged = ['postgresql', 'sqlite'];

// Grammars stay once they are loaded: the order of these tests counts.
describe('grammars of SQL', () => {
  it.each(packaged)('of %s: no rule compiles, and no query passes, before it is loaded', (dialect) => {
    const options = sqlRole.options.parse({ dialect });
    expect(() => sqlRole.compile(options)).toThrow(GrammarMissing);
    expect(() => sqlRole.compile(options)).toThrow(`the grammar of ${dialect} is not loaded`);
    expect(() => compilePolicy(policy(dialect))).toThrow(GrammarMissing);
    expect(understandSql('SELECT 1', options.dialect)).toEqual({ ok: false, fault: 'unparsable' });
  });

  it('of the other dialects need no loading', () => {
    for (const dialect of sqlDialects.filter((each) => !packaged.includes(each)))
      expect(compilePolicy(policy(dialect))).toMatchObject({ ok: true });
  });

  it.each(packaged)('of %s are loaded where a policy turns out to need them', async (dialect) => {
    const wrong = await withGrammars(() => compilePolicy(policy(dialect, 'DROP TABLE a')));
    // A value of the policy's own is judged too, by the grammar that its first reading found missing.
    expect(wrong).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining('sql') }] });
    expect(await withGrammars(() => compilePolicy(policy(dialect)))).toMatchObject({ ok: true });
    expect(understandSql('SELECT 1', sqlRole.options.parse({ dialect }).dialect).ok).toBe(true);
  });

  it('hide no other fault of what compiles', async () => {
    const broken = withGrammars(() => {
      throw new TypeError('broken');
    });
    await expect(broken).rejects.toThrow('broken');
  });
});
