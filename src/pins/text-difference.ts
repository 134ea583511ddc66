import { visible } from './visible.ts';

/** Lines compared with one another; beyond, a text is said to be replaced. 400 by 400 cells are made in a millisecond. */
const mostLines = 400;

/** Lines of a comparison that are shown. */
const mostShown = 40;

/** Characters of a line that are shown. */
const longestLine = 200;

/** Characters before the first difference of a long line. */
const lead = 40;

/**
 * What changed between two texts, line by line: `- ` what went, `+ ` what came. Bounded, and everything that is not
 * seen is escaped.
 */
export function textDifference(before: string, after: string): readonly string[] {
  const old = before.split('\n');
  const now = after.split('\n');
  if (old.length > mostLines || now.length > mostLines) {
    return [`- (${old.length} lines)`, `+ (${now.length} lines)`, ...firstDifference(before, after)];
  }
  const lines: string[] = [];
  for (const { gone, come } of hunks(old, now)) {
    lines.push(...gone.map((line, index) => `- ${excerpt(line, come[index])}`));
    lines.push(...come.map((line, index) => `+ ${excerpt(line, gone[index])}`));
  }
  if (lines.length <= mostShown) return lines;
  return [...lines.slice(0, mostShown), `\u2026 and ${lines.length - mostShown} more lines`];
}

function firstDifference(before: string, after: string): readonly string[] {
  return [`- ${excerpt(before, after)}`, `+ ${excerpt(after, before)}`];
}

/** A long line from shortly before where it differs from its counterpart: what was slipped in must be on the screen. */
function excerpt(line: string, other: string | undefined): string {
  if (line.length <= longestLine) return visible(line, longestLine * 8);
  let start = 0;
  while (other !== undefined && start < line.length && line[start] === other[start]) start += 1;
  const from = Math.max(0, start - lead);
  return `${from > 0 ? '\u2026' : ''}${visible(line.slice(from), longestLine)}`;
}

interface Hunk {
  readonly gone: string[];
  readonly come: string[];
}

/** Runs of lines that differ, by the longest common subsequence. */
function hunks(old: readonly string[], now: readonly string[]): readonly Hunk[] {
  const width = now.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      common[i * width + j] =
        old[i] === now[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const found: Hunk[] = [];
  let hunk: Hunk | undefined;
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      hunk = undefined;
      i += 1;
      j += 1;
      continue;
    }
    if (hunk === undefined) {
      hunk = { gone: [], come: [] };
      found.push(hunk);
    }
    const dropOld =
      j >= now.length || (i < old.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!);
    if (dropOld) hunk.gone.push(old[i++]!);
    else hunk.come.push(now[j++]!);
  }
  return found;
}
