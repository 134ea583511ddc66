import type { KeyRow } from './json-schema.ts';

/** A table of GitHub's Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** The table of a reference: one row for each key. */
export function keyTable(rows: readonly KeyRow[]): string {
  return table(
    ['key', 'takes', 'default', 'meaning'],
    rows.map((row) => [`\`${row.path}\``, row.takes, defaultOf(row), row.description]),
  );
}

function defaultOf(row: KeyRow): string {
  if (row.required) return 'required';
  const { default: value } = row;
  if (value === undefined || isEmpty(value)) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** A section or list that is filled from its own defaults. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/**
 * Puts a text between the markers of a page.
 *
 * @throws Error where the page does not have both markers of that name exactly once
 */
export function replaceBlock(page: string, name: string, text: string): string {
  const begin = `<!-- generated: ${name} -->`;
  const end = `<!-- end: ${name} -->`;
  const parts = page.split(begin);
  const rest = parts[1]?.split(end);
  if (parts.length !== 2 || rest?.length !== 2)
    throw new Error(`the page needs ${begin} and ${end} once each`);
  return `${parts[0]}${begin}\n\n${text}\n\n${end}${rest[1]}`;
}
