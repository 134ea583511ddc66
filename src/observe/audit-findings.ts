import type { Exchange, Finding } from '../pipeline/exchange.ts';
import { quote } from './quote.ts';
import type { Hidden, Redactor } from './redact.ts';

/** Longest JSON text of single members. */
const room = { word: 64, rule: 160, path: 300, hash: 80, error: 2048 };
/** `,"arguments":"[truncated]"`, and how many findings there were more. */
const reserved = 64;

/**
 * The members of a record that tell what checks of content found, and what the server said instead of a result. As
 * many as fit into `left` bytes: the others are counted.
 */
export function findingsText(
  facts: Pick<Exchange['facts'], 'findings' | 'moreFindings' | 'upstreamError'>,
  redactor: Redactor,
  hidden: Hidden | undefined,
  left: number,
): string {
  const { findings, moreFindings, upstreamError } = facts;
  if (findings.length === 0 && moreFindings === 0 && upstreamError === undefined) return '';
  const end = left - reserved;
  let text = '';
  let more = moreFindings;
  for (const finding of findings) {
    const entry = `${text === '' ? ',"findings":[' : ','}${findingText(finding, redactor, hidden)}`;
    if (text.length + entry.length + 1 <= end) text += entry;
    else more += 1;
  }
  if (text !== '') text += ']';
  if (more > 0) text += `,"findingsMore":${more}`;
  if (upstreamError !== undefined) {
    const member = ',"upstreamError":';
    const most = Math.min(room.error, end - text.length - member.length);
    if (most >= 32) text += member + quote(redactor.text(upstreamError, room.error, hidden), most);
  }
  return text;
}

function findingText(finding: Finding, redactor: Redactor, hidden: Hidden | undefined): string {
  const { check, effect, rule, path, detail, before, after, count } = finding;
  let text = `{"check":${quote(check, room.word)},"effect":${quote(effect, room.word)}`;
  if (rule !== undefined) text += `,"rule":${quote(rule, room.rule)}`;
  // Names of arguments and members are chosen by peers, and may hold what must not be written.
  if (path !== undefined) text += `,"path":${quote(redactor.text(path, room.path, hidden), room.path)}`;
  text += `,"detail":${quote(detail, room.word)}`;
  if (before !== undefined) text += `,"before":${quote(before, room.hash)}`;
  if (after !== undefined) text += `,"after":${quote(after, room.hash)}`;
  if (count !== undefined && count !== 1) text += `,"count":${Number.isSafeInteger(count) ? count : 0}`;
  return `${text}}`;
}
