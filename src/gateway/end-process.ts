/**
 * Ends this process at once, whatever hangs.
 *
 * `process.exit` waits for what the thread pool has under way. A disk that hangs has no end, and would hold the process
 * for ever. There the process becomes another program, one that only ends: the kernel ends all threads for that, and
 * whoever waits for the process sees the same id and this code.
 */
export function endProcess(code: number): never {
  if (process.getActiveResourcesInfo().some((what) => underWay.test(what))) {
    process.emit('exit', code);
    try {
      process.execve?.(
        process.execPath,
        [process.execPath, '--eval', `process.exit(${code})`],
        bareEnvironment(),
      );
    } catch {
      // A sandbox may forbid it.
    }
    process.kill(process.pid, 'SIGKILL');
  }
  process.exit(code);
}

/** Work of the thread pool, in Node's own names: files, names of hosts, and whatever else is no socket and no timer. */
const underWay = /^(?:FS|FileHandle.+Req|Get(?:Addr|Name)Info)/i;

/** Without what is meant for this program: options of Node, and the pipe to a primary. */
function bareEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_')));
}
