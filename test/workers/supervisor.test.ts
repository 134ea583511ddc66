import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ForkedProcess, Supervisor } from '../../src/workers/contract.ts';
import { createLine, type Line } from '../../src/workers/line.ts';
import { createSupervisor } from '../../src/workers/supervisor.ts';

/** A process that says what the test says, and hears as a real one does: in a turn of the loop of its own. */
class FakeProcess implements ForkedProcess {
  readonly pid: number;
  readonly signals: string[] = [];
  stopped = false;
  onAsked: (what: string) => void = () => undefined;
  begun: unknown = { ok: true, report: 'serves' };
  readonly line: Line;
  #ended = false;
  #hear: (message: unknown) => void = () => undefined;
  #gone: (code: number | null, signal: string | null) => void = () => undefined;

  constructor(pid: number) {
    this.pid = pid;
    this.line = createLine({
      send: (message) => void setImmediate(() => this.#hear(message)),
      answer: (what) => {
        this.onAsked(what);
        return what === 'begin' ? this.begun : `${what} of ${pid}`;
      },
    });
  }

  send(message: unknown): void {
    if (!this.stopped) setImmediate(() => this.line.receive(message));
  }

  kill(signal: NodeJS.Signals): void {
    this.signals.push(signal);
    this.end(null, signal);
  }

  end(code: number | null, signal: string | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.line.close();
    setImmediate(() => this.#gone(code, signal));
  }

  onMessage(hear: (message: unknown) => void): void {
    this.#hear = hear;
  }

  onExit(gone: (code: number | null, signal: string | null) => void): void {
    this.#gone = gone;
  }
}

describe('a supervisor', () => {
  let forked: FakeProcess[];
  let events: string[];
  let gone: number[];
  let gaveUp: number;
  let supervisor: Supervisor<string>;
  /** What the next process is like before it says its first word. */
  let prepare: (process: FakeProcess) => void;

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate'],
    });
    forked = [];
    events = [];
    gone = [];
    gaveUp = 0;
    prepare = (process) => process.line.tell('hello', process.pid);
    let now = 0;
    const log = (event: string): void => void events.push(event);
    supervisor = createSupervisor<string>({
      workers: 2,
      fork() {
        const process = new FakeProcess(1000 + forked.length);
        forked.push(process);
        prepare(process);
        return process;
      },
      orders: (worker) => ({ worker }),
      answer: () => undefined,
      hear: () => undefined,
      gone: (worker) => void gone.push(worker),
      giveUp: () => {
        gaveUp += 1;
      },
      log: { info: log, warn: log, error: log, fatal: log },
      monotonic: () => {
        now += 1;
        return now;
      },
    });
  });

  afterEach(() => {
    supervisor.retire();
    vi.useRealTimers();
  });

  const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
  const start = async (): Promise<unknown> => {
    const starting = supervisor.start();
    await pass(10);
    return starting;
  };

  it('begins all, and asks all of them', async () => {
    expect(await start()).toEqual({ ok: true, reports: ['serves', 'serves'] });
    const asking = supervisor.askAll('ready', undefined, 1000);
    await pass(10);
    expect(await asking).toEqual([
      { worker: 1, pid: 1000, answer: 'ready of 1000' },
      { worker: 2, pid: 1001, answer: 'ready of 1001' },
    ]);
  });

  it('serves with none where one cannot begin, and says each problem once', async () => {
    prepare = (process) => {
      process.begun = { ok: false, problems: ['the file is wrong'] };
      process.line.tell('hello', process.pid);
    };
    expect(await start()).toEqual({ ok: false, problems: ['the file is wrong'] });
    expect(forked.map(({ signals }) => signals)).toEqual([['SIGKILL'], ['SIGKILL']]);
    await pass(60_000);
    expect(forked).toHaveLength(2);
  });

  it('kills one that never says a word, and fails to start', async () => {
    prepare = (process) => {
      if (process.pid === 1000) process.line.tell('hello', process.pid);
    };
    const starting = supervisor.start();
    await pass(119_000);
    expect(forked[1]!.signals).toEqual([]);
    await pass(2000);
    expect(await starting).toEqual({
      ok: false,
      problems: ['worker 2 ended with SIGKILL before it served'],
    });
  });

  it('begins one again that ended, after it said that it is gone', async () => {
    await start();
    forked[0]!.end(1);
    await pass(200);
    expect(gone).toEqual([1]);
    expect(supervisor.serving()).toEqual([{ worker: 2, pid: 1001 }]);
    await pass(100);
    expect(supervisor.serving()).toEqual([
      { worker: 1, pid: 1002 },
      { worker: 2, pid: 1001 },
    ]);
    expect(supervisor.restarts).toBe(1);
  });

  it('tells that one is gone that ended before it could say that it serves: it may have served already', async () => {
    await start();
    prepare = (process) => {
      process.line.tell('hello', process.pid);
      process.begun = new Promise(() => undefined);
    };
    forked[0]!.end(1);
    await pass(300);
    expect(forked).toHaveLength(3);
    expect(gone).toEqual([1]);
    forked[2]!.end(1);
    await pass(1);
    expect(gone).toEqual([1, 1]);
  });

  it('begins what a process runs once, however often it says hello', async () => {
    let begun = 0;
    prepare = (process) => {
      for (let index = 0; index < 3; index += 1) process.line.tell('hello', process.pid);
      process.onAsked = (what) => {
        if (what === 'begin') begun += 1;
      };
    };
    await start();
    expect(begun).toBe(2);
  });

  it('kills one that does not answer for 10 s, after telling of it, and begins another', async () => {
    await start();
    forked[1]!.stopped = true;
    await pass(3000);
    expect(supervisor.silent).toBe(0);
    await pass(1500);
    expect(supervisor.silent).toBe(1);
    expect(events).toContain('a worker does not answer');
    expect(forked[1]!.signals).toEqual([]);
    await pass(7000);
    expect(forked[1]!.signals).toEqual(['SIGKILL']);
    await pass(1000);
    expect(supervisor.serving()).toEqual([
      { worker: 1, pid: 1000 },
      { worker: 2, pid: 1002 },
    ]);
    expect(supervisor.silent).toBe(0);
    await pass(60_000);
    expect(forked).toHaveLength(3);
  });

  it('kills none that answers again in time, however often it was silent for a while', async () => {
    await start();
    for (let round = 0; round < 5; round += 1) {
      forked[0]!.stopped = true;
      await pass(7000);
      expect(supervisor.silent).toBe(1);
      forked[0]!.stopped = false;
      await pass(3000);
      expect(supervisor.silent).toBe(0);
    }
    expect(forked.flatMap(({ signals }) => signals)).toEqual([]);
    expect(events.filter((event) => event === 'a worker answers again')).toHaveLength(5);
  });

  it('gives up once where one keeps ending, with few attempts', async () => {
    await start();
    for (let round = 0; round < 20; round += 1) {
      forked.findLast(({ pid }) => pid !== 1001)!.end(1);
      await pass(10_000);
    }
    expect(gaveUp).toBe(1);
    // Five more after the first.
    expect(forked.length).toBe(2 + 5);
  });

  it('tries one with wrong files every 10 s, without end, and never gives up for it', async () => {
    await start();
    prepare = (process) => {
      process.begun = { ok: false, problems: ['wrong'] };
      process.line.tell('hello', process.pid);
    };
    forked[0]!.end(1);
    await pass(105_000);
    expect(gaveUp).toBe(0);
    expect(forked.length).toBeGreaterThan(10);
    expect(forked.length).toBeLessThan(15);
    prepare = (process) => process.line.tell('hello', process.pid);
    await pass(11_000);
    expect(supervisor.serving()).toHaveLength(2);
  });

  it('begins none again once it is retired, and kills what has not ended in time', async () => {
    await start();
    forked[0]!.end(1);
    await pass(10);
    supervisor.retire();
    let over = false;
    void supervisor.ended(5000).then(() => {
      over = true;
    });
    await pass(4000);
    expect(over).toBe(false);
    expect(forked).toHaveLength(2);
    await pass(1100);
    expect(over).toBe(true);
    expect(forked[1]!.signals).toEqual(['SIGKILL']);
  });
});
