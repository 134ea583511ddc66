/** 20 000: all tools of ten upstreams at their bound. What finds no room is done when a call needs it. */
const most = 20_000;

/** Does small works off the path of requests, one in each turn of the event loop: a list of tools brings thousands at once. */
export function createOneByOne(): (work: () => void) => void {
  const waiting: (() => void)[] = [];
  let next = 0;
  const step = (): void => {
    const work = waiting[next]!;
    next += 1;
    if (next < waiting.length) setImmediate(step);
    else {
      waiting.length = 0;
      next = 0;
    }
    work();
  };
  return (work) => {
    if (waiting.length - next >= most) return;
    waiting.push(work);
    if (waiting.length - next === 1) setImmediate(step);
  };
}
