import { describe, expect, test } from 'vitest';
import { withGrammars } from '../../src/arguments/with-grammars.ts';
import { gatewayFileSchema } from '../../src/config/schema.ts';
import { parseDocument } from '../../src/document/parse-document.ts';
import { formatProblem } from '../../src/document/problems.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import { runDecisionTable } from '../../src/policy/decision-table.ts';
import { type Block, blocksOf, pages, read } from './pages.ts';

interface Example extends Block {
  readonly page: string;
}

const examples: readonly Example[] = pages().flatMap((page) =>
  blocksOf(read(page)).map((block) => ({ ...block, page })),
);

const place = ({ page, line }: Example): string => `${page}:${line}`;
const policies = examples.filter(({ info }) => info === 'yaml policy');
const tables = examples.filter(({ info }) => info === 'yaml decisions');

/** The policy that stands above a decision table. */
function policyOf(table: Example): Example {
  return policies.findLast(({ page, line }) => page === table.page && line < table.line)!;
}

describe('policies in the documentation', () => {
  test('there are some', () => {
    expect(policies.length).toBeGreaterThanOrEqual(5);
    expect(tables.length).toBeGreaterThanOrEqual(4);
  });

  test.each(policies.map((policy) => [place(policy), policy] as const))(
    '%s compiles, without a warning',
    async (file, { text }) => {
      const compiled = await withGrammars(() => compilePolicy([{ file, text }]));
      expect(
        compiled.ok ? compiled.warnings.map(formatProblem) : compiled.problems.map(formatProblem),
      ).toEqual([]);
    },
  );

  test.each(tables.map((table) => [place(table), table] as const))(
    '%s says what the policy above it answers',
    async (file, table) => {
      const policy = policyOf(table);
      const sources = [{ file: place(policy), text: policy.text }];
      const compiled = await withGrammars(() => compilePolicy(sources));
      if (!compiled.ok) throw new Error(compiled.problems.map(formatProblem).join('\n'));
      const result = runDecisionTable({ file, text: table.text }, compiled.policy);
      if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
      expect(result.failures.map(formatProblem)).toEqual([]);
      expect(result.passed).toBeGreaterThan(0);
    },
  );
});

describe('parts of gateway files in the documentation', () => {
  const parts = examples.filter(
    ({ info, text }) =>
      info === 'yaml' &&
      new RegExp(`^(?:${Object.keys(gatewayFileSchema.shape).join('|')}):`, 'm').test(text),
  );

  test('there are some', () => {
    expect(parts.length).toBeGreaterThanOrEqual(3);
  });

  test.each(parts.map((part) => [place(part), part] as const))(
    '%s is accepted in a whole file',
    (file, { text }) => {
      const rest: Readonly<Record<string, string>> = {
        version: 'version: 1',
        listeners: 'listeners: [{ bind: "127.0.0.1:0" }]',
        upstreams: 'upstreams: [{ name: a, path: /a, http: { url: "http://127.0.0.1:1/" } }]',
        audit: 'audit: { file: audit.jsonl }',
      };
      // A listener of an example may leave out what the page does not speak of.
      const whole = [
        text,
        ...Object.entries(rest).flatMap(([key, line]) =>
          new RegExp(`^${key}:`, 'm').test(text) ? [] : [line],
        ),
      ].join('\n');
      const withHosts = /^ +hosts:/m.test(whole)
        ? whole
        : whole.replace(/^( +- bind: 0\.0\.0\.0:\d+)$/m, '$1\n    hosts: [gateway.example]');
      const parsed = parseDocument({ file, text: withHosts }, gatewayFileSchema, { environment: {} });
      expect(parsed.ok ? [] : parsed.problems.map(formatProblem)).toEqual([]);
    },
  );
});

test('JSON in the documentation is JSON', () => {
  const blocks = examples.filter(({ info }) => info === 'json');
  expect(blocks.length).toBeGreaterThan(0);
  for (const block of blocks) expect(() => JSON.parse(block.text), place(block)).not.toThrow();
});
