import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of this project. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A file of this project as text. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Every page that this project publishes, by its path. */
export function pages(): readonly string[] {
  const below = (folder: string): readonly string[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return below(path);
      return entry.name.endsWith('.md') ? [path] : [];
    });
  const top = readdirSync(root).filter((name) => name.endsWith('.md'));
  return [...top, ...below('docs'), ...below('deploy'), 'certs/README.md'];
}

/** A fenced block of a page. */
export interface Block {
  /** What stands behind the opening fence: `yaml policy`. */
  readonly info: string;
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^( *)```([^\n]*)\n([\s\S]*?)^\1```$/gm)].map((match) => ({
    info: match[2]!.trim(),
    text: match[3]!,
    line: page.slice(0, match.index).split('\n').length,
  }));
}

/** The page without its fenced blocks. */
export function proseOf(page: string): string {
  return page.replace(/^( *)```[^\n]*\n[\s\S]*?^\1```$/gm, '');
}

/** The text between the markers of a generated part. */
export function generatedPart(page: string, name: string): string {
  const [, after] = page.split(`<!-- generated: ${name} -->`);
  const [part] = after?.split(`<!-- end: ${name} -->`) ?? [];
  if (part === undefined) throw new Error(`no generated part ${name}`);
  return part;
}

/** The first cell of each row of the tables in a text, without its backticks. */
export function firstCells(text: string): readonly string[] {
  return [...text.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!);
}
