/**
 * Loaded before a gateway (`--import`): sends signals in the very moment in which a file of the gateway is loaded.
 * `SIGNAL_AT` is the end of its path, `SIGNAL_TO` names signals and to whom: `self:SIGTERM,parent:SIGTERM`. Where `parent`
 * is among them it happens in the first worker alone, otherwise in the process that was started.
 */

import cluster from 'node:cluster';
import { registerHooks } from 'node:module';

const at = process.env['SIGNAL_AT'] ?? '';
const signals = (process.env['SIGNAL_TO'] ?? '')
  .split(',')
  .map((each) => each.split(':') as [string, NodeJS.Signals]);
const inWorker = signals.some(([to]) => to === 'parent');
let sent = cluster.worker?.id !== (inWorker ? 1 : undefined);

registerHooks({
  load(url, context, next) {
    if (!sent && url.endsWith(at)) {
      sent = true;
      for (const [to, signal] of signals) process.kill(to === 'parent' ? process.ppid : process.pid, signal);
    }
    return next(url, context);
  },
});
