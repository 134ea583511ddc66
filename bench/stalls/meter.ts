/** CPU time of one thread, in milliseconds: unlike the clock it does not run while other processes do. */
function cpuTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** 4 ms: some kernels count CPU time in ticks of that length. */
const tickMs = 4;

/** Measures how long this thread's event loop is kept from turning. */
export interface Meter {
  /** The longest turn since the last call, in milliseconds without those of other processes. */
  take(): number;
  stop(): void;
}

/**
 * Keeps the loop turning, and measures each turn: whatever ran between two of these marks ran without a break, so no
 * other caller was served meanwhile. Collections of garbage on this thread count.
 */
export function startMeter(): Meter {
  let longest = 0;
  let running = true;
  let last = performance.now();
  let lastCpu = cpuTime();
  const turn = (): void => {
    const now = performance.now();
    const cpu = cpuTime();
    // The clock is the finer of the two, and runs on while another process has the core.
    const took = Math.min(now - last, cpu - lastCpu + tickMs);
    if (took > longest) longest = took;
    last = now;
    lastCpu = cpu;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  return {
    take() {
      const taken = longest;
      longest = 0;
      return taken;
    },
    stop() {
      running = false;
    },
  };
}
