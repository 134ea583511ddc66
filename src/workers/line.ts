/**
 * Questions, answers and plain words between two processes, over the pipe that Node keeps between them.
 *
 * What is said in one turn of the event loop travels as one message. Every question ends: by its answer, by its time,
 * by the end of the pipe, or at once where too many are open.
 */
export interface Line {
  /**
   * @param body what structured clone can copy
   * @throws LineLost where no answer comes; the other side may have acted all the same
   */
  ask(what: string, body: unknown, timeoutMs: number): Promise<unknown>;
  tell(what: string, body: unknown): void;
  /** What the pipe brought. Takes anything, and overlooks what is none of its own. */
  receive(message: unknown): void;
  /** The pipe is gone: all questions end. */
  close(): void;
  /** Questions that wait for an answer. */
  readonly open: number;
}

/** No answer came. */
export class LineLost extends Error {
  readonly why: 'timeout' | 'full' | 'closed' | 'failed';

  constructor(what: string, why: LineLost['why']) {
    super(`${what}: ${why}`);
    this.name = 'LineLost';
    this.why = why;
  }
}

export interface LineEnds {
  /**
   * Puts one message into the pipe. May throw where there is no pipe any more.
   *
   * @returns a promise that resolves once the pipe has taken it: until then nothing further is put in. Undefined: it has
   */
  send(message: unknown): Promise<void> | undefined | void;
  /** Answers a question of the other side. What it throws is told to the asker as a failure without words. */
  answer(what: string, body: unknown): unknown;
  /** Hears what the other side tells. */
  hear?(what: string, body: unknown): void;
}

/** 10,000: the calls that may wait in one worker while the other side stalls for some 50 ms, ten times over. */
const mostOpen = 10_000;

/**
 * Items that wait for a pipe that takes nothing, for each question that may be open: a process that reads no more would fill
 * the one that writes to it. Beyond, questions fail at once; answers and words are dropped, whose askers have long given
 * up, and what they would have set free stays taken until the process ends.
 */
const queuedForEach = 4;

type Item =
  | readonly ['ask', number, string, unknown]
  | readonly ['tell', string, unknown]
  | readonly ['answer', number, unknown]
  | readonly ['failure', number];

interface Waiting {
  readonly what: string;
  readonly timer: NodeJS.Timeout;
  resolve(answer: unknown): void;
  reject(cause: LineLost): void;
}

export function createLine(ends: LineEnds, most: number = mostOpen): Line {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let outgoing: Item[] = [];
  let closed = false;
  /** Whether `flush` will be called: in this turn, or once the pipe has taken what was put in. */
  let scheduled = false;
  /** Questions that ended by their time: some of them may still wait to be sent. */
  let abandoned = 0;

  function flush(): void {
    scheduled = false;
    const items = outgoing.filter(isWanted);
    outgoing = [];
    if (closed || items.length === 0) return;
    try {
      const taking = ends.send({ sallyport: items });
      if (taking === undefined) return;
      scheduled = true;
      // Where it fails the other process is gone, and that is told by its end.
      taking.then(flush, flush);
    } catch {
      close();
    }
  }

  /** Whom nobody waits for any more must not be charged. */
  function isWanted(item: Item): boolean {
    return item[0] !== 'ask' || waiting.has(item[1]);
  }

  function isFull(): boolean {
    if (outgoing.length < queuedForEach * most) return false;
    // Looking for them costs as much as there is: not for each question of a flood.
    if (abandoned < most) return true;
    abandoned = 0;
    outgoing = outgoing.filter(isWanted);
    return outgoing.length >= queuedForEach * most;
  }

  function put(item: Item): void {
    if (closed || isFull()) return;
    outgoing.push(item);
    if (scheduled) return;
    scheduled = true;
    setImmediate(flush);
  }

  function settle(id: number): Waiting | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    if (found !== undefined) clearTimeout(found.timer);
    return found;
  }

  function close(): void {
    closed = true;
    outgoing = [];
    for (const [id, { what }] of waiting) settle(id)?.reject(new LineLost(what, 'closed'));
  }

  async function answer(id: number, what: string, body: unknown): Promise<void> {
    try {
      const given = ends.answer(what, body);
      put(['answer', id, given instanceof Promise ? await given : given]);
    } catch {
      put(['failure', id]);
    }
  }

  function take(item: Item): void {
    switch (item[0]) {
      case 'ask':
        void answer(item[1], item[2], item[3]);
        return;
      case 'tell':
        try {
          ends.hear?.(item[1], item[2]);
        } catch {
          // A wrong word of one worker must not end the primary, which serves the others too.
        }
        return;
      case 'answer':
        settle(item[1])?.resolve(item[2]);
        return;
      case 'failure': {
        const found = settle(item[1]);
        found?.reject(new LineLost(found.what, 'failed'));
        return;
      }
    }
  }

  return {
    ask(what, body, timeoutMs) {
      if (closed) return Promise.reject(new LineLost(what, 'closed'));
      if (waiting.size >= most || isFull()) return Promise.reject(new LineLost(what, 'full'));
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          abandoned += 1;
          settle(id)?.reject(new LineLost(what, 'timeout'));
        }, timeoutMs);
        waiting.set(id, { what, timer, resolve, reject });
        put(['ask', id, what, body]);
      });
    },
    tell(what, body) {
      put(['tell', what, body]);
    },
    receive(message) {
      // A pipe may bring the last words of a process after the news of its end: what they took nobody would give back.
      if (closed) return;
      const items = (message as { readonly sallyport?: unknown } | null)?.sallyport;
      if (!Array.isArray(items)) return;
      for (const item of items) if (isItem(item)) take(item);
    },
    close,
    get open() {
      return waiting.size;
    },
  };
}

function isItem(value: unknown): value is Item {
  if (!Array.isArray(value)) return false;
  const [kind, second, third] = value as readonly unknown[];
  if (kind === 'tell') return typeof second === 'string';
  return typeof second === 'number' && (kind !== 'ask' || typeof third === 'string');
}
