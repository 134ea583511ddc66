import { randomBytes } from 'node:crypto';
import type { Outcome, Recorder } from '../pipeline/outcome.ts';
import { type DefinitionNews, definitionLine } from './audit-definition.ts';
import { AuditFile, type AuditFileStats } from './audit-file.ts';
import { createAuditLine } from './audit-line.ts';
import type { Log } from './log.ts';
import type { AuditOptions } from './options.ts';
import { createRedactor, type Redactor } from './redact.ts';

/** The audit trail. */
export interface Audit extends Recorder {
  /** Records that a definition is not what was approved. Never rejects: a failure is counted as any other. */
  definition(news: DefinitionNews, time: number): void;
  readonly stats: AuditFileStats;
  /** Opens the file anew, for log rotation. Never rejects: a failure is logged and counted as any other. */
  reload(): Promise<void>;
  /** Writes what waits and closes the file. @returns how many records could not be written */
  close(deadlineMs?: number): Promise<number>;
}

export interface AuditDependencies {
  readonly log: Log;
  /** Knows the secrets that the gateway holds. */
  readonly redactor?: Redactor;
}

/**
 * Opens the audit.
 *
 * @throws the system's error where the file cannot be opened
 */
export async function createAudit(options: AuditOptions, deps: AuditDependencies): Promise<Audit> {
  const { log } = deps;
  const file = await AuditFile.open(options, {
    failed: (error) =>
      log.error('the audit cannot be written', {
        file: options.file,
        cause: error,
        onFailure: options.onFailure,
      }),
    recovered: () => log.info('the audit is written again', { file: options.file }),
    noticed: (what) => log.warn(what, { file: options.file }),
  });
  const run = randomBytes(9).toString('base64url');
  const redactor = deps.redactor ?? createRedactor();
  const line = createAuditLine({
    run,
    maxRecordBytes: options.maxRecordBytes,
    withArguments: options.level === 'metadata',
    redactor,
  });
  let sequence = 0;
  return {
    get stats() {
      return file.stats;
    },
    accepting: () => file.accepting(),
    record(outcome: Outcome) {
      sequence += 1;
      return file.append(line(outcome, sequence));
    },
    definition(news, time) {
      sequence += 1;
      file.append(definitionLine(news, { run, sequence, time }, redactor))?.catch(() => undefined);
    },
    reload: () => file.reopen(),
    close: (deadlineMs) => file.close(deadlineMs),
  };
}
