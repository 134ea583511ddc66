import { X509Certificate } from 'node:crypto';
import type { DocumentSource, ParsedDocument } from '../document/parse-document.ts';
import { readPlainFile } from '../document/plain-file.ts';
import { formatProblem, type Problem } from '../document/problems.ts';
import { finishInTurns } from '../values/steps.ts';
import type { PeerCertificate } from './peer.ts';
import type { Credential } from './principal.ts';
import {
  noRevocations,
  type ParsedRevocations,
  parseRevocations,
  type RevocationFile,
  type RevocationKind,
  type RevocationList,
  readRevocations,
} from './revocation-list.ts';
import type { RevocationsOptions } from './revocation-options.ts';

/** The deny list in force. */
export interface Revocations {
  /** Which kind of entry revokes a credential; undefined where none does. Asked at each request: costs a look-up or two. */
  isRevoked(credential: Credential): RevocationKind | undefined;
  /** The same about a certificate that a listener verified, whether or not it makes a principal. */
  isCertificateRevoked(certificate: PeerCertificate): boolean;
  counts(): RevocationList['counts'];
  /** Entries whose `until` has passed and that may be taken out. @param time milliseconds since the epoch */
  overdue(time: number): number;
  /** What is readable and can have no effect, as the list in force was read. */
  warnings(): readonly Problem[];
  /**
   * Reads the list again.
   *
   * @throws Error with every problem and its place; the last good list then stays in force
   */
  reload(): Promise<void>;
}

/**
 * Opens the deny list.
 *
 * @param options undefined: nothing is revoked
 * @throws Error where the file is missing or wrong
 */
export function createRevocations(
  options: RevocationsOptions | undefined,
  dependencies: {
    /** Issuers whose tokens are accepted. */
    readonly issuers?: readonly string[];
    readonly readFile?: (path: string) => string;
    /** Parses a list that is read again, without keeping callers waiting. Default: at once. */
    readonly parse?: (source: DocumentSource) => Promise<ParsedDocument<RevocationFile>>;
  } = {},
): Revocations {
  const readFile = dependencies.readFile ?? readPlainFile;
  const { issuers = [] } = dependencies;

  let text: string | undefined;
  let list = noRevocations;
  let warnings: readonly Problem[] = [];

  function take(parsed: ParsedRevocations, now: string): void {
    if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
    ({ list, warnings } = parsed);
    text = now;
  }

  if (options !== undefined) {
    const source = { file: options.file, text: readFile(options.file) };
    take(parseRevocations(source, issuers), source.text);
  }
  return {
    isRevoked: (credential) => list.find(credential),
    isCertificateRevoked: (certificate) =>
      list.holdsCertificate({
        ...certificate,
        serial: () => new X509Certificate(certificate.raw).serialNumber,
      }),
    counts: () => list.counts,
    overdue: (time) => list.overdue(time),
    warnings: () => warnings,
    async reload() {
      if (options === undefined) return;
      const source = { file: options.file, text: readFile(options.file) };
      // A reload reads everything, mostly for the sake of something else, and a long list takes a while.
      if (source.text === text) return;
      const parsed =
        dependencies.parse === undefined
          ? parseRevocations(source, issuers)
          : await finishInTurns(readRevocations(await dependencies.parse(source), issuers));
      take(parsed, source.text);
    },
  };
}
