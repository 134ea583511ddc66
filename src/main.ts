#!/usr/bin/env node
import { holdSignals } from './cli/held-signals.ts';

if (process.argv[2] === 'run') holdSignals();
const { runCommand } = await import('./cli/commands.ts');

// A reader that has seen enough (`| head`) closes the pipe. The command goes on: it may be writing more than text.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCommand(process.argv.slice(2), {
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  environment: process.env,
});
