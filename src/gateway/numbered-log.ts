import type { Log } from '../observe/log.ts';

/** A log whose lines say which worker wrote them. */
export function numbered(log: Log, worker: number | undefined): Log {
  if (worker === undefined) return log;
  return {
    debug: (event, fields, hidden) => log.debug(event, { ...fields, worker }, hidden),
    info: (event, fields, hidden) => log.info(event, { ...fields, worker }, hidden),
    warn: (event, fields, hidden) => log.warn(event, { ...fields, worker }, hidden),
    error: (event, fields, hidden) => log.error(event, { ...fields, worker }, hidden),
    fatal: (event, fields, hidden) => log.fatal(event, { ...fields, worker }, hidden),
  };
}
