export interface AuditFileOptions {
  readonly file: string;
  readonly onFailure: 'deny' | 'drop';
  readonly sync: 'none' | 'fdatasync';
  /** Bounds of what may wait for the disk. */
  readonly pendingBytes: number;
  readonly pendingRecords: number;
  /** Milliseconds between attempts after a failure. */
  readonly retry: number;
  /** Milliseconds that one write, sync or opening may take before callers hear that it failed. */
  readonly timeout: number;
}

export interface AuditFileEvents {
  /** Writing began to fail. Once per episode. */
  failed(error: unknown): void;
  /** Writing works again. */
  recovered(): void;
  /** Something an operator should see: a torn line, a file that others can read. */
  noticed(what: string): void;
}

/** Numbers for metrics. Counters only grow. */
export interface AuditFileStats {
  /** Lines that reached the file. */
  readonly written: number;
  /** Failed attempts to write, sync or open; one that takes too long counts once. */
  readonly failures: number;
  /** Lines that never reached the file. */
  readonly lost: number;
  /** Torn lines that were closed off. */
  readonly torn: number;
  readonly pendingRecords: number;
  readonly pendingBytes: number;
}

/** Thrown to those who wait for a record that is not written. */
export class AuditUnavailableError extends Error {
  readonly code = 'AUDIT_UNAVAILABLE';

  constructor(cause?: unknown) {
    super('The audit record could not be written', cause === undefined ? undefined : { cause });
    this.name = 'AuditUnavailableError';
  }
}

/** The reason where the disk neither takes a record nor refuses it. */
export class AuditTimeoutError extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(milliseconds: number) {
    super(`the audit file did not answer within ${milliseconds} ms`);
    this.name = 'AuditTimeoutError';
  }
}
