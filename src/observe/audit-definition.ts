import { auditSchema } from './audit-fields.ts';
import { quote } from './quote.ts';
import type { Redactor } from './redact.ts';

/** Something about a tool's definition, or a server's instructions, that is not as it was approved. */
export interface DefinitionNews {
  readonly upstream: string;
  /** Undefined where it is about the server's instructions. */
  readonly tool: string | undefined;
  readonly standing: string;
  readonly quarantined: boolean;
  readonly hash: string | undefined;
  readonly pinned: string | undefined;
  /** What differs, as lines. */
  readonly details: readonly string[];
}

/** Together below 12 KiB of JSON text: such a record fits the smallest allowed line. */
const room = { short: 128, name: 1024, line: 512, lines: 16 };

/** Writes one piece of news about definitions as one line of JSON, line feed included. */
export function definitionLine(
  news: DefinitionNews,
  about: { readonly run: string; readonly sequence: number; readonly time: number },
  redactor: Redactor,
): string {
  const { upstream, tool, standing, quarantined, hash, pinned, details } = news;
  const text = (value: string, most: number): string => quote(redactor.text(value, most), most);
  let line = `{"schema":"${auditSchema}","time":"${new Date(about.time).toISOString()}"`;
  line += `,"run":${quote(about.run, room.short)},"sequence":${about.sequence},"event":"definition"`;
  line += `,"upstream":${quote(upstream, room.short)},"definition":{"standing":${quote(standing, room.short)}`;
  line += `,"quarantined":${quarantined}`;
  if (tool !== undefined) line += `,"tool":${text(tool, room.name)}`;
  if (hash !== undefined) line += `,"hash":${quote(hash, room.short)}`;
  if (pinned !== undefined) line += `,"pinned":${quote(pinned, room.short)}`;
  const told = details.slice(0, room.lines).map((detail) => text(detail, room.line));
  line += `,"difference":[${told.join(',')}]`;
  if (details.length > told.length) line += `,"more":${details.length - told.length}`;
  return `${line}}}\n`;
}
