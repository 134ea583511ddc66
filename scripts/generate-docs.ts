/**
 * Writes the parts of the documentation that repeat the source: reference tables between markers, and the JSON
 * Schemas for editors.
 *
 *     node scripts/generate-docs.ts           writes what is stale
 *     node scripts/generate-docs.ts --check   names what is stale, and fails
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { configJsonSchema } from '../src/config/schema.ts';
import { replaceBlock } from './docs/markdown.ts';
import {
  auditReference,
  boundReference,
  configReference,
  decisionTableReference,
  errorReference,
  metricReference,
  policyJsonSchema,
  policyReference,
} from './docs/reference.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Page -> name of a block -> its text. */
const blocks: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  'docs/configuration.md': { 'configuration keys': configReference },
  'docs/policy.md': { 'policy keys': policyReference, 'decision table keys': decisionTableReference },
  'docs/errors.md': { 'error codes': errorReference },
  'docs/audit.md': { 'audit fields': auditReference },
  'docs/metrics.md': { metrics: metricReference },
  'docs/limits.md': { bounds: boundReference },
};

const schemas: Readonly<Record<string, () => unknown>> = {
  'docs/schemas/sallyport.schema.json': () => ({ title: 'Sallyport gateway file', ...configJsonSchema() }),
  'docs/schemas/policy.schema.json': () => ({ title: 'Sallyport policy file', ...policyJsonSchema() }),
};

/** Files whose content is not what the source says, with what it should be. */
export function staleFiles(): readonly { readonly file: string; readonly text: string }[] {
  const wanted = [
    ...Object.entries(blocks).map(([file, texts]) => {
      let text = readFileSync(`${root}${file}`, 'utf8');
      for (const [name, block] of Object.entries(texts)) text = replaceBlock(text, name, block());
      return { file, text };
    }),
    ...Object.entries(schemas).map(([file, make]) => ({ file, text: formatJson(file, make()) })),
  ];
  return wanted.filter(({ file, text }) => !isCurrent(`${root}${file}`, text));
}

function isCurrent(path: string, text: string): boolean {
  return existsSync(path) && readFileSync(path, 'utf8') === text;
}

/** As the linter wants it: it looks at these files too. */
function formatJson(file: string, value: unknown): string {
  const text = JSON.stringify(value, undefined, 2);
  return execFileSync('node_modules/.bin/biome', ['format', `--stdin-file-path=${file}`], {
    cwd: root,
    input: text,
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stale = staleFiles();
  const check = process.argv.includes('--check');
  for (const { file, text } of stale) {
    if (!check) writeFileSync(`${root}${file}`, text);
    console.log(check ? `${file} is stale: run node scripts/generate-docs.ts` : `${file} written`);
  }
  if (check && stale.length > 0) process.exitCode = 1;
}
