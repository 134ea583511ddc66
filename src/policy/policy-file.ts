import type { ParsedDocument } from '../document/parse-document.ts';
import type { DocumentPath } from '../document/problems.ts';
import type { PolicyDocument } from './document.ts';

/** A file that follows the schema, with its places. */
export interface PolicyFile {
  readonly file: string;
  readonly document: PolicyDocument;
  readonly locate: Extract<ParsedDocument<PolicyDocument>, { ok: true }>['locate'];
}

/** Where something stands, as rules, reasons and logs name it: file and line. */
export function lineIn(file: PolicyFile, path: DocumentPath): string {
  return `${file.file}:${file.locate(path).line}`;
}
