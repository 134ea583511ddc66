/**
 * Load from a process of its own: many callers over plain HTTP/1.1, each with its kept connections, at a pace or as fast as
 * answers come. Started by {@link startLoad}; the other half of this file is the child.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type Answer, Connection } from '../../bench/connection.ts';

export interface LoadCaller {
  readonly name: string;
  /** Requests a second; 0: each connection sends its next request once it has its answer. */
  readonly perSecond: number;
  readonly connections: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent over and over. */
  readonly body: string;
}

export interface LoadQuestion {
  readonly url: string;
  readonly milliseconds: number;
  readonly callers: readonly LoadCaller[];
  /** A process whose use of the processor is measured meanwhile. */
  readonly watch?: number;
}

/** What became of one caller's requests. Times in milliseconds. */
export interface CallerReport {
  readonly name: string;
  readonly sent: number;
  /** 200 with a result. */
  readonly right: number;
  /** 503. */
  readonly shed: number;
  /** Anything else, by its beginning, with how often: at most 20 kinds. */
  readonly wrong: readonly (readonly [string, number])[];
  /** Due while no connection was free: never sent. */
  readonly unsent: number;
  readonly rightP50: number;
  readonly rightP99: number;
  readonly shedP50: number;
  readonly shedP99: number;
  /** Refusals without `Retry-After`. */
  readonly withoutRetryAfter: number;
}

export interface LoadReport {
  readonly milliseconds: number;
  readonly callers: ReadonlyMap<string, CallerReport>;
  /** Seconds of the processor that the watched process took, from the first request to the last answer. */
  readonly watchedCpu: number;
  /** Share of one processor that the generator itself took: near 1 it is what bounds the load. */
  readonly ownShare: number;
}

export interface LoadProcess {
  readonly pid: number;
  run(question: LoadQuestion): Promise<LoadReport>;
  end(): Promise<void>;
}

/** Forks the generator. */
export function startLoad(): LoadProcess {
  const child = fork(fileURLToPath(import.meta.url), ['child']);
  return {
    pid: child.pid!,
    run: (question) => ask(child, question),
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function ask(child: ChildProcess, question: LoadQuestion): Promise<LoadReport> {
  return new Promise((resolve, reject) => {
    const over = (settle: () => void): void => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      settle();
    };
    const onMessage = (message: unknown): void => {
      const { callers, failed, ...numbers } = message as {
        milliseconds: number;
        watchedCpu: number;
        ownShare: number;
        callers: readonly CallerReport[];
        failed?: string;
      };
      if (failed !== undefined) over(() => reject(new Error(failed)));
      else over(() => resolve({ ...numbers, callers: new Map(callers.map((one) => [one.name, one])) }));
    };
    const onExit = (): void => over(() => reject(new Error('the load generator ended')));
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.send(question);
  });
}

/** Milliseconds between two looks at what is due. */
const tickMs = 2;
const mostKinds = 20;

class Sender {
  readonly caller: LoadCaller;
  readonly #bytes: Buffer;
  readonly #open: () => Promise<Connection>;
  readonly #free: Connection[] = [];
  readonly #right: number[] = [];
  readonly #shed: number[] = [];
  readonly #wrong = new Map<string, number>();
  readonly #running = new Set<Promise<void>>();
  #sent = 0;
  #unsent = 0;
  #withoutRetryAfter = 0;

  constructor(caller: LoadCaller, url: string) {
    this.caller = caller;
    const { host, hostname, port, pathname } = new URL(url);
    const content = Buffer.from(caller.body);
    const lines = Object.entries({ host, ...caller.headers, 'content-length': content.length })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    this.#bytes = Buffer.concat([Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines}\r\n`), content]);
    this.#open = () =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => resolve(new Connection(socket)));
        socket.once('error', reject);
      });
  }

  async connect(): Promise<void> {
    for (let made = 0; made < this.caller.connections; made += 1) this.#free.push(await this.#open());
  }

  /** @returns undefined where no connection is free */
  send(): Promise<void> | undefined {
    const connection = this.#free.pop();
    if (connection === undefined) {
      this.#unsent += 1;
      return undefined;
    }
    this.#sent += 1;
    const begun = performance.now();
    const over = this.#ask(connection, begun).then(
      (used) => {
        this.#free.push(used);
        this.#running.delete(over);
      },
      async (error: Error) => {
        this.#count(`cut: ${error.message}`);
        this.#free.push(await this.#open());
        this.#running.delete(over);
      },
    );
    this.#running.add(over);
    return over;
  }

  /** @returns the connection that was used: a new one where the gateway closed the old one while it was idle */
  async #ask(kept: Connection, begun: number): Promise<Connection> {
    const connection = kept.isOpen ? kept : await this.#open();
    this.#note(await connection.request(this.#bytes), performance.now() - begun);
    return connection;
  }

  #note(answer: Answer, took: number): void {
    if (answer.status === 200 && answer.body.includes('"result"')) this.#right.push(took);
    else if (answer.status === 503) {
      this.#shed.push(took);
      if (answer.retryAfter === undefined) this.#withoutRetryAfter += 1;
    } else this.#count(`${answer.status} ${answer.body.toString('utf8', 0, 120)}`);
  }

  #count(kind: string): void {
    if (this.#wrong.has(kind) || this.#wrong.size < mostKinds) {
      this.#wrong.set(kind, (this.#wrong.get(kind) ?? 0) + 1);
    }
  }

  async finish(): Promise<CallerReport> {
    await Promise.all(this.#running);
    for (const connection of this.#free) connection.close();
    return {
      name: this.caller.name,
      sent: this.#sent,
      right: this.#right.length,
      shed: this.#shed.length,
      wrong: [...this.#wrong],
      unsent: this.#unsent,
      rightP50: at(this.#right, 0.5),
      rightP99: at(this.#right, 0.99),
      shedP50: at(this.#shed, 0.5),
      shedP99: at(this.#shed, 0.99),
      withoutRetryAfter: this.#withoutRetryAfter,
    };
  }
}

function at(times: number[], share: number): number {
  times.sort((a, b) => a - b);
  return Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10;
}

/** Seconds of the processor, in user and system mode, that a process has taken so far: proc(5), fields 14 and 15. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function run(
  question: LoadQuestion,
): Promise<Omit<LoadReport, 'callers'> & { callers: CallerReport[] }> {
  const senders = question.callers.map((caller) => new Sender(caller, question.url));
  for (const sender of senders) await sender.connect();
  const watched = (): number => (question.watch === undefined ? 0 : cpuOf(question.watch));
  const ownBefore = process.cpuUsage();
  const watchedBefore = watched();
  const startedAt = performance.now();
  const passed = (): number => performance.now() - startedAt;
  const closed = senders
    .filter(({ caller }) => caller.perSecond === 0)
    .flatMap((sender) =>
      Array.from({ length: sender.caller.connections }, async () => {
        while (passed() < question.milliseconds) await sender.send();
      }),
    );
  const paced = senders.filter(({ caller }) => caller.perSecond > 0).map((sender) => ({ sender, done: 0 }));
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const time = passed();
      for (const one of paced) {
        const due = Math.floor((Math.min(time, question.milliseconds) / 1000) * one.sender.caller.perSecond);
        for (; one.done < due; one.done += 1) void one.sender.send();
      }
      if (time < question.milliseconds) return;
      clearInterval(timer);
      resolve();
    }, tickMs);
  });
  await Promise.all(closed);
  const milliseconds = passed();
  const callers = await Promise.all(senders.map((sender) => sender.finish()));
  const own = process.cpuUsage(ownBefore);
  return {
    milliseconds,
    callers,
    watchedCpu: watched() - watchedBefore,
    ownShare: (own.user + own.system) / 1000 / passed(),
  };
}

if (process.argv[2] === 'child' && process.send !== undefined) {
  process.on('message', (question: LoadQuestion) => {
    run(question).then(
      (report) => process.send?.(report),
      (error: Error) => process.send?.({ failed: error.message }),
    );
  });
  process.on('disconnect', () => process.exit(0));
}
