/** One forked process, as far as the supervisor needs it. */
export interface ForkedProcess {
  readonly pid: number | undefined;
  /** @returns a promise that resolves once the pipe has taken the message; undefined where it has */
  send(message: unknown): Promise<void> | undefined | void;
  kill(signal: NodeJS.Signals): void;
  onMessage(hear: (message: unknown) => void): void;
  /** Called once. */
  onExit(gone: (code: number | null, signal: string | null) => void): void;
}

/** What a worker says when it was told to begin. */
export type Begun<Report> =
  | { readonly ok: true; readonly report: Report }
  | { readonly ok: false; readonly problems: readonly string[] };

export interface SupervisorDeps {
  readonly workers: number;
  fork(worker: number): ForkedProcess;
  /** What a worker is told to begin with. */
  orders(worker: number): unknown;
  /** Answers a worker's question. */
  answer(worker: number, what: string, body: unknown): unknown;
  hear(worker: number, what: string, body: unknown): void;
  /** A worker ended, which may have served. Called before another is begun in its place. */
  gone(worker: number, pid: number): void;
  /** Workers keep ending soon after their start: the whole must end. Called once. */
  giveUp(): void;
  readonly log: {
    info(event: string, fields?: Readonly<Record<string, unknown>>): void;
    warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
    error(event: string, fields?: Readonly<Record<string, unknown>>): void;
    fatal(event: string, fields?: Readonly<Record<string, unknown>>): void;
  };
  /** Monotonic milliseconds. */
  monotonic(): number;
}

export interface Supervisor<Report> {
  /** Begins all workers. Resolves once all serve; where one cannot, none does any more. */
  start(): Promise<
    | { readonly ok: true; readonly reports: readonly Report[] }
    | { readonly ok: false; readonly problems: readonly string[] }
  >;
  /** Asks every worker that serves, or every process. Undefined where one did not answer in time. */
  askAll(
    what: string,
    body: unknown,
    timeoutMs: number,
    whom?: 'serving' | 'all',
  ): Promise<readonly Answered[]>;
  /** The workers that serve. */
  serving(): readonly ServingWorker[];
  /** Workers that serve, as far as they were told, and do not answer. No connection is handed to them. */
  readonly silent: number;
  readonly restarts: number;
  /** From now on nobody is begun again. */
  retire(): void;
  /**
   * Resolves once every process has ended; those that have not after `ms` are killed.
   *
   * @returns whether all that ended since `retire` did so with code 0
   */
  ended(ms: number): Promise<boolean>;
  /** Ends all at once. Synchronous: for the very end. */
  killAll(): void;
}

export interface ServingWorker {
  /** From 1. */
  readonly worker: number;
  readonly pid: number;
}

export interface Answered extends ServingWorker {
  readonly answer: unknown;
}
