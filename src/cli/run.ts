import type { Config } from '../config/schema.ts';
import { endProcess } from '../gateway/end-process.ts';
import type { Primary, PrimaryStarted } from '../gateway/primary.ts';
import type { Gateway, Started } from '../gateway.ts';
import { workerCount } from '../workers/options.ts';
import { type Command, exitCodes } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';
import { releaseSignals } from './held-signals.ts';

export const runCommand: Command = {
  summary: 'run the gateway',
  help: `Runs the gateway until it is told to stop.

Usage: sallyport run [--config FILE] [--set PATH=VALUE]...

${configOptionsHelp}

SIGHUP reads policies, certificates, keys and lists again, and reopens the audit file.
SIGTERM and SIGINT drain: readiness off, no new work, running calls end, audit flushed, exit code 0; or 1 where
records were lost or a worker had to be killed. A second one ends at once, with exit code 1.

With "workers" above 1 this process is the primary of that many others. Signals go to it; exit code 1 where workers keep
ending soon after their start.

Examples:
  sallyport run --config sallyport.yaml
  sallyport run --set admin.bind=127.0.0.1:9191
  SALLYPORT_LOG__LEVEL=debug sallyport run
`,
  options: configOptions,
  async run(values, _positionals, io) {
    // Only a process that another one forked has a pipe to it.
    if (process.send !== undefined) {
      const { isWorkerProcess, runWorker } = await import('../gateway/worker.ts');
      if (isWorkerProcess()) {
        const over = runWorker();
        releaseSignals();
        return over;
      }
    }
    let gateway: Pick<Gateway, 'reload' | 'drain'> | undefined;
    const told = Promise.withResolvers<void>();
    let stopping = false;
    const stop = (): void => {
      // The second signal means: at once.
      if (stopping) endProcess(exitCodes.no);
      stopping = true;
      told.resolve();
    };
    // A signal that comes while files are read may mean one that was read before it.
    let readAgain = false;
    // Before anything is read: a signal that comes meanwhile must not meet Node's default, which is to die.
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('SIGHUP', () => {
      if (gateway === undefined) readAgain = true;
      else void gateway.reload('signal');
    });
    for (const signal of releaseSignals()) process.emit(signal);
    const config = await readConfig(values, io);
    if (config === undefined) return exitCodes.configuration;
    // Told to stop before anything was begun.
    if (stopping) return exitCodes.ok;
    const started = await start(config);
    if (!started.ok) {
      for (const line of started.problems) io.stderr(`${line}\n`);
      // A terminal tells workers too, and one that was about to begin may have heard it before it could listen.
      return stopping ? exitCodes.ok : exitCodes.configuration;
    }
    gateway = started.gateway;
    if (readAgain) void gateway.reload('signal');
    let code: number = exitCodes.ok;
    if ('failed' in gateway) {
      void (gateway as Primary).failed.then(() => {
        code = exitCodes.no;
        stopping = true;
        told.resolve();
      });
    }
    await told.promise;
    await gateway.drain().then(
      ({ lost }) => {
        if (lost) code = exitCodes.no;
      },
      () => {
        code = exitCodes.no;
      },
    );
    // What is left of sockets, timers and files that hang ends with the process.
    return endProcess(code);
  },
};

/**
 * One process is a gateway by itself, and knows nothing of others. The primary of several runs no exchange, and loads
 * nothing of what does.
 */
async function start(config: Config): Promise<Started | PrimaryStarted> {
  if (workerCount(config.workers) === 1) {
    const { startGateway } = await import('../gateway.ts');
    return startGateway(config);
  }
  const { startPrimary } = await import('../gateway/primary.ts');
  return startPrimary(config, process.argv[1] ?? '');
}
