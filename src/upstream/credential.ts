import { readSmallFile } from './files.ts';
import { isValidHeaderValue } from './headers.ts';
import type { HttpUpstreamOptions } from './options.ts';

/** The gateway's own credential for an upstream, ready to send. */
export interface Credential {
  readonly header: string;
  readonly value: string;
  /** Every text that must not appear in a record or an answer: the header's value, and the part after the scheme. */
  readonly secrets: readonly string[];
}

/** 16KiB, because Node servers refuse larger headers. */
const maxCredentialBytes = 16 * 1024;

/**
 * Loads the credential of an upstream; undefined where there is none, or where it is made for each call.
 *
 * @throws Error naming the file, never the content, where it is not one line of visible ASCII
 */
export function loadCredential(options: HttpUpstreamOptions['credential']): Credential | undefined {
  if (options === undefined || (options.value === undefined && options.file === undefined)) {
    return undefined;
  }
  const raw = options.file === undefined ? options.value : readSmallFile(options.file, maxCredentialBytes);
  // Editors and `echo` end files with a line break.
  const text = raw?.toString().trim() ?? '';
  if (!isValidHeaderValue(text)) {
    throw new Error(`${options.file ?? 'credential.value'}: a credential is one line of visible ASCII`);
  }
  const value = options.scheme === undefined ? text : `${options.scheme} ${text}`;
  const afterScheme = value.slice(value.lastIndexOf(' ') + 1);
  const secrets = afterScheme === value ? [value] : [value, afterScheme];
  return { header: options.header.toLowerCase(), value, secrets };
}
