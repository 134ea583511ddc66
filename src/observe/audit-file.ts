import {
  type AuditFileEvents,
  type AuditFileOptions,
  type AuditFileStats,
  AuditTimeoutError,
  AuditUnavailableError,
} from './audit-contract.ts';
import { createGroup, type Group, rejected } from './audit-group.ts';
import { type AuditTarget, openAuditTarget, realSystem, type System, stillAt } from './audit-open.ts';
import { Watchdog } from './watchdog.ts';

export { type AuditFileOptions, type AuditFileStats, AuditUnavailableError } from './audit-contract.ts';

/** How often the path is compared with the open file, in milliseconds: a deleted file must not swallow records for long. */
const comparePathEvery = 1000;
/** Failures that leave the open file sound: the rest of the bytes can follow later, at the place where it stopped. */
const passing: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EAGAIN', 'EINTR']);

/**
 * Appends lines to a file, many per system call: while one write is under way, lines collect for the next.
 *
 * Lines that could not be written stay in memory, within bounds, and are written first once the file takes bytes
 * again: the calls they speak of did happen. After a failed `fdatasync` they are written again, because the kernel
 * does not tell which of them it lost; `run` and `sequence` identify the double ones.
 *
 * A disk that hangs counts as one that fails, once `timeout` has passed: those who wait are told, and what hangs is left
 * alone. When it comes back after all, its lines are written, and so are those that came since.
 */
export class AuditFile {
  readonly #options: AuditFileOptions;
  readonly #events: AuditFileEvents;
  readonly #system: System;
  #target: AuditTarget;
  #group: Group = createGroup();
  /** Bytes that are being written, or wait for the next attempt. Starts at a line unless `#offset` is beyond zero. */
  #current: Buffer = Buffer.alloc(0);
  #currentLines = 0;
  #offset = 0;
  #working: Promise<void> | undefined;
  #healthy = true;
  #closed = false;
  #dropping = false;
  #reopenWanted = false;
  #comparedAt = 0;
  #probe: NodeJS.Timeout | undefined;
  /** The group whose lines are in `#current`. */
  #writing: Group | undefined;
  readonly #watchdog: Watchdog;
  #written = 0;
  #failures = 0;
  #lost = 0;
  #torn = 0;

  private constructor(
    options: AuditFileOptions,
    events: AuditFileEvents,
    system: System,
    target: AuditTarget,
  ) {
    this.#options = options;
    this.#events = events;
    this.#system = system;
    this.#target = target;
    this.#watchdog = new Watchdog(options.timeout, () => this.#hang());
  }

  /** @throws where the file cannot be opened: a configuration that cannot record does not start */
  static async open(
    options: AuditFileOptions,
    events: AuditFileEvents,
    system: System = realSystem,
  ): Promise<AuditFile> {
    const file = new AuditFile(options, events, system, await openAuditTarget(options.file));
    file.#inspect();
    if (file.#current.length > 0) file.#start();
    return file;
  }

  get stats(): AuditFileStats {
    return {
      written: this.#written,
      failures: this.#failures,
      lost: this.#lost,
      torn: this.#torn,
      pendingRecords: this.#group.lines.length + this.#currentLines,
      pendingBytes: this.#group.bytes + this.#current.length - this.#offset,
    };
  }

  /** False while lines cannot be written, or too many wait, and `onFailure` is `deny`. */
  accepting(): boolean {
    return this.#options.onFailure === 'drop' || (this.#healthy && !this.#closed && !this.#full(0));
  }

  /**
   * Takes one line of printable ASCII that ends with a line feed.
   *
   * @returns with `deny`, a promise that resolves once the line is written and rejects with
   *   {@link AuditUnavailableError} once that failed; with `drop`, undefined
   */
  append(line: string): Promise<void> | undefined {
    const deny = this.#options.onFailure === 'deny';
    if (this.#closed || this.#full(line.length)) {
      this.#lose(1);
      return deny ? rejected() : undefined;
    }
    const group = this.#group;
    group.lines.push(line);
    group.bytes += line.length;
    if (!this.#healthy) return deny ? rejected() : undefined;
    if (this.#working === undefined) this.#start();
    return deny ? group.written : undefined;
  }

  /** Opens the path anew, for log rotation. Resolves once the next line would go there, or once the disk hangs. */
  async reopen(): Promise<void> {
    if (this.#closed) return;
    this.#reopenWanted = true;
    if (this.#working === undefined) this.#start();
    await within(this.#options.timeout, this.#working);
  }

  /**
   * Writes what waits, for at most `deadline` milliseconds, and closes the file. Lines after that are refused.
   *
   * @returns how many lines could not be written
   */
  async close(deadline = 5000): Promise<number> {
    if (this.#closed) return 0;
    this.#closed = true;
    clearTimeout(this.#probe);
    if (this.#working === undefined) this.#start();
    await within(deadline, this.#working);
    this.#watchdog.rest();
    const left = this.#group.lines.length + this.#currentLines;
    this.#lose(left);
    this.#group.reject(new AuditUnavailableError());
    this.#writing?.reject(new AuditUnavailableError());
    // A write that still hangs owns the descriptor: closing it could give its number to another file.
    if (this.#working === undefined) await this.#target.handle.close().catch(() => undefined);
    return left;
  }

  #full(length: number): boolean {
    const { pendingBytes, pendingRecords } = this.#options;
    const waiting = this.#group.bytes + this.#current.length - this.#offset;
    return waiting + length > pendingBytes || this.#group.lines.length + this.#currentLines >= pendingRecords;
  }

  #lose(lines: number): void {
    if (lines === 0) return;
    this.#lost += lines;
    if (this.#dropping) return;
    this.#dropping = true;
    this.#events.noticed('audit records are being lost: too many wait for the disk, or the file is closed');
  }

  #start(): void {
    this.#watchdog.feed();
    // After all that this turn of the event loop has to read: what is recorded until then shares the write.
    this.#working = new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#work());
  }

  /** Writes until nothing waits, or until it fails. Never rejects. */
  async #work(): Promise<void> {
    try {
      for (;;) {
        await this.#followPath();
        if (this.#offset < this.#current.length) await this.#drain();
        this.#writing?.resolve();
        this.#writing = undefined;
        if (!this.#healthy) this.#recover();
        if (this.#group.lines.length === 0) {
          this.#dropping = false;
          if (this.#reopenWanted) continue;
          // Now, not in a later microtask: a line that comes in between would wait for the next one.
          this.#working = undefined;
          this.#watchdog.rest();
          return;
        }
        this.#writing = this.#group;
        this.#group = createGroup();
        this.#current = Buffer.from(this.#writing.lines.join(''), 'utf8');
        this.#currentLines = this.#writing.lines.length;
        this.#offset = 0;
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Writes the rest of `#current`. A short write is not a failure; the next one tells. */
  async #drain(): Promise<void> {
    const { handle, regular } = this.#target;
    while (this.#offset < this.#current.length) {
      const taken = await this.#system.write(handle.fd, this.#current, this.#offset);
      // A file that takes nothing and reports nothing would be asked for ever.
      if (taken === 0) throw Object.assign(new Error('write took no bytes'), { code: 'ENOSPC' });
      this.#offset += taken;
      this.#watchdog.feed();
    }
    if (this.#options.sync === 'fdatasync' && regular) {
      try {
        await this.#system.sync(handle);
        this.#watchdog.feed();
      } catch (error) {
        this.#offset = 0;
        throw error;
      }
    }
    this.#written += this.#currentLines;
    this.#current = Buffer.alloc(0);
    this.#currentLines = 0;
    this.#offset = 0;
  }

  /** Opens the path anew where that was asked for, or where it no longer leads to the open file. */
  async #followPath(): Promise<void> {
    const now = performance.now();
    if (!this.#reopenWanted) {
      if (now - this.#comparedAt < comparePathEvery) return;
      this.#comparedAt = now;
      if (await stillAt(this.#options.file, this.#target)) return;
      this.#events.noticed('the audit file was moved or deleted: a new one is opened');
    }
    const target = await openAuditTarget(this.#options.file);
    const former = this.#target;
    this.#target = target;
    this.#reopenWanted = false;
    this.#comparedAt = now;
    await former.handle.close().catch(() => undefined);
    this.#watchdog.feed();
    this.#inspect();
  }

  /** Looks at a file that was just opened, and puts the pending bytes back to the start of a line. */
  #inspect(): void {
    const { torn, openTo } = this.#target;
    if (openTo !== 0) this.#events.noticed('the audit file can be read or written by others than its owner');
    const lineStart = this.#offset === 0 ? 0 : this.#current.lastIndexOf(0x0a, this.#offset - 1) + 1;
    // No line begins with a line feed: one that is there was to close off a torn line, and never got out.
    const rest = this.#current.subarray(this.#current[lineStart] === 0x0a ? lineStart + 1 : lineStart);
    if (torn) {
      this.#torn += 1;
      this.#events.noticed('the audit file ended inside a line: that line was closed off');
    }
    this.#current = torn ? Buffer.concat([Buffer.from('\n'), rest]) : rest;
    this.#offset = 0;
  }

  #recover(): void {
    this.#healthy = true;
    this.#events.recovered();
  }

  /** The disk says nothing. Whoever waits for it is told; what is under way stays, and may still come to its end. */
  #hang(): void {
    if (this.#working === undefined || this.#closed) return;
    this.#refuseWaiting(new AuditTimeoutError(this.#options.timeout));
  }

  #fail(error: unknown): void {
    this.#working = undefined;
    this.#watchdog.rest();
    if (!passing.has((error as { code?: unknown } | null)?.code)) this.#reopenWanted = true;
    this.#refuseWaiting(error);
    if (this.#closed) return;
    this.#probe = setTimeout(() => {
      if (this.#working === undefined && !this.#closed) this.#start();
    }, this.#options.retry);
    this.#probe.unref();
  }

  /** No call is answered for what is not written. Its lines stay: the calls that they speak of did happen. */
  #refuseWaiting(error: unknown): void {
    this.#failures += 1;
    if (this.#healthy) this.#events.failed(error);
    this.#healthy = false;
    const reason = new AuditUnavailableError(error);
    this.#writing?.reject(reason);
    this.#writing = undefined;
    const { lines, bytes } = this.#group;
    this.#group.reject(reason);
    this.#group = { ...createGroup(), lines, bytes };
  }
}

/** Resolves with the work, or after so many milliseconds without it. */
async function within(milliseconds: number, work: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
