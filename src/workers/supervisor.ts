import type {
  Answered,
  Begun,
  ForkedProcess,
  ServingWorker,
  Supervisor,
  SupervisorDeps,
} from './contract.ts';
import { createLine, type Line } from './line.ts';
import { createRestartPace, type RestartPace } from './restart-pace.ts';

/** 120 s: reading many certificates on a busy machine takes some. A worker that is silent for longer is stuck. */
const startTimeoutMs = 120_000;

/** 1 s between two questions to a worker whether it is there. */
const beatMs = 1000;
/** Questions without an answer after which a worker is told of as silent: 3 s. */
const silentBeats = 3;
/**
 * Questions without an answer after which it is killed, and another begun: 10 s. No single input keeps a worker busy for
 * a hundredth of that. Questions are counted and not seconds: where this process itself stood still, one is missing.
 */
const deadBeats = 10;

/**
 * A worker whose files are wrong is begun again after this long, without end: the others go on with what they read
 * when it was right, and a wrong file must not end them.
 */
const wrongFilesMs = 10_000;

interface Slot {
  readonly number: number;
  readonly pace: RestartPace;
  process: ForkedProcess | undefined;
  line: Line | undefined;
  servingSince: number | undefined;
  /** Until it begins again. */
  timer: NodeJS.Timeout | undefined;
  /** Questions in a row that it did not answer. */
  missed: number;
}

/** Begins processes, and begins those again that end without having been told to. */
export function createSupervisor<Report>(deps: SupervisorDeps): Supervisor<Report> {
  const { log } = deps;
  const slots = Array.from(
    { length: deps.workers },
    (_, index): Slot => ({
      number: index + 1,
      pace: createRestartPace(),
      process: undefined,
      line: undefined,
      servingSince: undefined,
      timer: undefined,
      missed: 0,
    }),
  );
  const allGone: (() => void)[] = [];
  let retired = false;
  let clean = true;
  let started = false;
  let givenUp = false;
  let restarts = 0;

  function fork(slot: Slot): Promise<Begun<Report>> {
    const forked = deps.fork(slot.number);
    const begun = Promise.withResolvers<Begun<Report>>();
    const line: Line = createLine({
      send: (message) => forked.send(message),
      answer: (what, body) => deps.answer(slot.number, what, body),
      hear(what, body) {
        if (what === 'hello') begin?.();
        else deps.hear(slot.number, what, body);
      },
    });
    // One that is stuck before its first word is never asked anything.
    const unheard = setTimeout(() => forked.kill('SIGKILL'), startTimeoutMs);
    let beat: NodeJS.Timeout | undefined;
    let begin: (() => void) | undefined = () => {
      // Once: a second gateway in one process would answer for the first.
      begin = undefined;
      clearTimeout(unheard);
      line.ask('begin', deps.orders(slot.number), startTimeoutMs).then(
        (answer) => {
          const said = answer as Begun<Report>;
          if (said.ok) {
            slot.servingSince = deps.monotonic();
            beat = setInterval(() => listen(slot, forked, line), beatMs);
            beat.unref();
          }
          begun.resolve(said);
        },
        () => forked.kill('SIGKILL'),
      );
    };
    slot.process = forked;
    slot.line = line;
    forked.onMessage((message) => line.receive(message));
    forked.onExit((code, signal) => {
      line.close();
      clearTimeout(unheard);
      clearInterval(beat);
      const { servingSince } = slot;
      slot.process = undefined;
      slot.line = undefined;
      slot.servingSince = undefined;
      slot.missed = 0;
      const how = signal ?? `code ${code}`;
      begun.resolve({ ok: false, problems: [`worker ${slot.number} ended with ${how} before it served`] });
      // Also of one that had not said yet that it serves: it may have, for a moment.
      deps.gone(slot.number, forked.pid ?? 0);
      if (retired && code !== 0) clean = false;
      if (slots.every(({ process }) => process === undefined)) for (const tell of allGone.splice(0)) tell();
      if (retired || !started) return;
      if (servingSince === undefined) return;
      const ranMs = deps.monotonic() - servingSince;
      log.error('a worker ended that was meant to run', {
        worker: slot.number,
        pid: forked.pid,
        how,
        ranMs: Math.round(ranMs),
      });
      again(slot, ranMs);
    });
    return begun.promise;
  }

  /** A process that was stopped, or runs without end, keeps its connections open and says nothing to anybody. */
  function listen(slot: Slot, forked: ForkedProcess, line: Line): void {
    const about = { worker: slot.number, pid: forked.pid };
    line.ask('there', undefined, beatMs).then(
      () => {
        if (slot.missed >= silentBeats) log.info('a worker answers again', about);
        slot.missed = 0;
      },
      () => {
        // Gone: its end is acted upon.
        if (slot.process !== forked) return;
        slot.missed += 1;
        if (slot.missed === silentBeats) log.warn('a worker does not answer', about);
        if (slot.missed !== deadBeats || retired) return;
        log.error('a worker that does not answer is killed', about);
        forked.kill('SIGKILL');
      },
    );
  }

  function again(slot: Slot, ranMs: number): void {
    const wait = slot.pace.ended(ranMs);
    if (wait !== 'give-up') {
      later(slot, wait);
      return;
    }
    if (givenUp) return;
    givenUp = true;
    log.fatal('a worker keeps ending soon after its start: the gateway ends', { worker: slot.number });
    deps.giveUp();
  }

  function later(slot: Slot, ms: number): void {
    slot.timer = setTimeout(() => {
      slot.timer = undefined;
      if (retired) return;
      restarts += 1;
      void beginAgain(slot);
    }, ms);
  }

  async function beginAgain(slot: Slot): Promise<void> {
    const begun = await fork(slot);
    if (retired) return;
    if (begun.ok) {
      log.info('a worker serves again', { worker: slot.number, pid: slot.process?.pid });
      return;
    }
    log.error('a worker cannot begin again', { worker: slot.number, problems: begun.problems });
    if (slot.process === undefined) again(slot, 0);
    else {
      // It told what is wrong, and waits to be ended.
      slot.process.kill('SIGKILL');
      later(slot, wrongFilesMs);
    }
  }

  function killAll(): void {
    for (const { process } of slots) process?.kill('SIGKILL');
  }

  function ended(ms: number): Promise<boolean> {
    if (slots.every(({ process }) => process === undefined)) return Promise.resolve(clean);
    return new Promise((resolve) => {
      const timer = setTimeout(killAll, ms);
      allGone.push(() => {
        clearTimeout(timer);
        resolve(clean);
      });
    });
  }

  return {
    async start() {
      const begun = await Promise.all(slots.map(fork));
      const problems = begun.flatMap((said) => (said.ok ? [] : said.problems));
      if (problems.length > 0) {
        retired = true;
        killAll();
        await ended(0);
        // All of them read the same files, and say the same of them.
        return { ok: false, problems: [...new Set(problems)] };
      }
      started = true;
      // One that ended while the others were still beginning.
      for (const slot of slots) if (slot.process === undefined) again(slot, 0);
      return { ok: true, reports: begun.flatMap((said) => (said.ok ? [said.report] : [])) };
    },
    async askAll(what, body, timeoutMs, whom = 'serving') {
      const asked = slots.flatMap((slot) => {
        const { line, servingSince } = slot;
        if (line === undefined || (whom === 'serving' && servingSince === undefined)) return [];
        const about = servingWorker(slot);
        const asking = line.ask(what, body, timeoutMs).catch(() => undefined);
        return [asking.then((answer): Answered => ({ ...about, answer }))];
      });
      return Promise.all(asked);
    },
    serving: () => slots.filter(({ servingSince }) => servingSince !== undefined).map(servingWorker),
    get silent() {
      return slots.filter(({ missed }) => missed >= silentBeats).length;
    },
    get restarts() {
      return restarts;
    },
    retire() {
      retired = true;
      for (const slot of slots) clearTimeout(slot.timer);
    },
    ended,
    killAll,
  };
}

function servingWorker({ number, process }: Slot): ServingWorker {
  return { worker: number, pid: process?.pid ?? 0 };
}
