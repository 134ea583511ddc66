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
  /** Puts one message into the pipe. May throw where there is no pipe any more. */
  send(message: unknown): void;
  /** Answers a question of the other side. What it throws is told to the asker as a failure without words. */
  answer(what: string, body: unknown): unknown;
  /** Hears what the other side tells. */
  hear?(what: string, body: unknown): void;
}

/** 10,000: the calls that may wait in one worker while the other side stalls for some 50 ms, ten times over. */
const mostOpen = 10_000;

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

  function flush(): void {
    const items = outgoing;
    outgoing = [];
    if (closed) return;
    try {
      ends.send({ sallyport: items });
    } catch {
      close();
    }
  }

  function put(item: Item): void {
    outgoing.push(item);
    if (outgoing.length === 1) setImmediate(flush);
  }

  function settle(id: number): Waiting | undefined {
    const found = waiting.get(id);
    waiting.delete(id);
    if (found !== undefined) clearTimeout(found.timer);
    return found;
  }

  function close(): void {
    closed = true;
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
        ends.hear?.(item[1], item[2]);
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
      if (waiting.size >= most) return Promise.reject(new LineLost(what, 'full'));
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => settle(id)?.reject(new LineLost(what, 'timeout')), timeoutMs);
        waiting.set(id, { what, timer, resolve, reject });
        put(['ask', id, what, body]);
      });
    },
    tell(what, body) {
      if (!closed) put(['tell', what, body]);
    },
    receive(message) {
      const items = (message as { readonly sallyport?: unknown } | null)?.sallyport;
      if (!Array.isArray(items)) return;
      for (const item of items as readonly Item[]) take(item);
    },
    close,
    get open() {
      return waiting.size;
    },
  };
}
