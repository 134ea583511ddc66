import { type Gateway, startGateway } from '../gateway.ts';
import { type Command, exitCodes } from './command.ts';
import { configOptions, configOptionsHelp, readConfig } from './config-option.ts';

export const runCommand: Command = {
  summary: 'run the gateway',
  help: `Runs the gateway until it is told to stop.

Usage: sallyport run [--config FILE] [--set PATH=VALUE]...

${configOptionsHelp}

SIGHUP reads policies, certificates, keys and lists again, and reopens the audit file.
SIGTERM and SIGINT drain: readiness off, no new work, running calls end, audit flushed, exit code 0.
A second one ends at once.

Examples:
  sallyport run --config sallyport.yaml
  sallyport run --set admin.bind=127.0.0.1:9191
  SALLYPORT_LOG__LEVEL=debug sallyport run
`,
  options: configOptions,
  async run(values, _positionals, io) {
    const config = await readConfig(values, io);
    if (config === undefined) return exitCodes.configuration;
    let gateway: Gateway | undefined;
    const told = Promise.withResolvers<void>();
    let stopping = false;
    const stop = (): void => {
      // The second signal means: at once.
      if (stopping) process.exit(exitCodes.no);
      stopping = true;
      told.resolve();
    };
    // Before the start: a signal that comes as soon as the gateway serves must not meet Node's default, which is to die.
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    process.on('SIGHUP', () => void gateway?.reload('signal'));
    const started = await startGateway(config);
    if (!started.ok) {
      for (const line of started.problems) io.stderr(`${line}\n`);
      return exitCodes.configuration;
    }
    gateway = started.gateway;
    await told.promise;
    return gateway.drain().then(
      () => exitCodes.ok,
      () => exitCodes.no,
    );
  },
};
