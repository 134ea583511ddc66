import { AuditUnavailableError } from './audit-contract.ts';

/** Lines that share one write and one promise. */
export interface Group {
  lines: string[];
  bytes: number;
  readonly written: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A group without lines. */
export function createGroup(): Group {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Whoever needs to know holds the promise; a group that nobody waits for must not end the process.
  promise.catch(() => undefined);
  return { lines: [], bytes: 0, written: promise, resolve, reject };
}

/** For a line that is not taken. */
export function rejected(): Promise<void> {
  const promise = Promise.reject(new AuditUnavailableError());
  promise.catch(() => undefined);
  return promise;
}
