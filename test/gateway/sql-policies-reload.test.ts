import { describe, expect, it } from 'vitest';
import { readPolicyDocuments } from '../../src/gateway/read-documents.ts';

const text = (own: string, length: number) => `
version: 1
arguments:
  - match: { tools: [query] }
    args: { sql: { sql: { dialect: postgresql }, default: "${own}" } }
# ${'x'.repeat(length)}
`;

/** Short files are read at once, long ones on a thread of their own, which has grammars of its own. */
describe.each([
  ['long', 20_000],
  ['short', 0],
])('a %s policy file that is read while calls are served', (_, length) => {
  it('has values of its own judged by a grammar that nobody had loaded before', async () => {
    const [wrong] = await readPolicyDocuments([{ file: 'p.yaml', text: text('DROP TABLE a', length) }]);
    expect(wrong).toMatchObject({ ok: false, problems: [{ line: 5 }] });
    const [right] = await readPolicyDocuments([{ file: 'p.yaml', text: text('SELECT 1', length) }]);
    expect(right).toMatchObject({ ok: true });
  });
});
