import { type AuditTarget, openAuditTarget, realSystem, type System, stillAt } from './audit-open.ts';

export interface AuditFileOptions {
  readonly file: string;
  readonly onFailure: 'deny' | 'drop';
  readonly sync: 'none' | 'fdatasync';
  /** Bounds of what may wait for the disk. */
  readonly pendingBytes: number;
  readonly pendingRecords: number;
  /** Milliseconds between attempts after a failure. */
  readonly retry: number;
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
  /** Failed attempts to write, sync or open. */
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

/** Lines that share one write and one promise. */
interface Group {
  lines: string[];
  bytes: number;
  readonly written: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

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

  /** Opens the path anew, for log rotation. Resolves once the next line would go there. */
  async reopen(): Promise<void> {
    if (this.#closed) return;
    this.#reopenWanted = true;
    if (this.#working === undefined) this.#start();
    await this.#working;
  }

  /** Writes what waits, for at most `deadline` milliseconds, and closes the file. Lines after that are refused. */
  async close(deadline = 5000): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#probe);
    if (this.#working === undefined) this.#start();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadline);
    });
    await Promise.race([this.#working, late]);
    clearTimeout(timer);
    this.#lose(this.#group.lines.length + this.#currentLines);
    this.#group.reject(new AuditUnavailableError());
    // A write that still hangs owns the descriptor: closing it could give its number to another file.
    if (this.#working === undefined) await this.#target.handle.close().catch(() => undefined);
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
    // After all that this turn of the event loop has to read: what is recorded until then shares the write.
    this.#working = new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#work());
  }

  /** Writes until nothing waits, or until it fails. Never rejects. */
  async #work(): Promise<void> {
    let group: Group | undefined;
    try {
      for (;;) {
        await this.#followPath();
        if (this.#offset < this.#current.length) await this.#drain();
        if (group !== undefined) {
          group.resolve();
          group = undefined;
        }
        if (!this.#healthy) this.#recover();
        if (this.#group.lines.length === 0) {
          this.#dropping = false;
          if (this.#reopenWanted) continue;
          // Now, not in a later microtask: a line that comes in between would wait for the next one.
          this.#working = undefined;
          return;
        }
        group = this.#group;
        this.#group = createGroup();
        this.#current = Buffer.from(group.lines.join(''), 'utf8');
        this.#currentLines = group.lines.length;
        this.#offset = 0;
      }
    } catch (error) {
      this.#fail(error, group);
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
    }
    if (this.#options.sync === 'fdatasync' && regular) {
      try {
        await this.#system.sync(handle);
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

  #fail(error: unknown, group: Group | undefined): void {
    this.#failures += 1;
    this.#working = undefined;
    if (this.#healthy) this.#events.failed(error);
    this.#healthy = false;
    if (!passing.has((error as { code?: unknown } | null)?.code)) this.#reopenWanted = true;
    const reason = new AuditUnavailableError(error);
    group?.reject(reason);
    const { lines, bytes } = this.#group;
    this.#group.reject(reason);
    this.#group = { ...createGroup(), lines, bytes };
    if (this.#closed) return;
    this.#probe = setTimeout(() => {
      if (this.#working === undefined && !this.#closed) this.#start();
    }, this.#options.retry);
    this.#probe.unref();
  }
}

function createGroup(): Group {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Whoever needs to know holds the promise; a group that nobody waits for must not end the process.
  promise.catch(() => undefined);
  return { lines: [], bytes: 0, written: promise, resolve, reject };
}

function rejected(): Promise<void> {
  const promise = Promise.reject(new AuditUnavailableError());
  promise.catch(() => undefined);
  return promise;
}
